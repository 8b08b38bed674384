"""Which format a document has. Bytes that contradict the name win."""

import posixpath
import re

from headrace.knowledge.parse.outcome import Unparsable

MARKDOWN, HTML, PDF, TEXT = "text/markdown", "text/html", "application/pdf", "text/plain"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/x-ndjson"

_ENDINGS = {
    MARKDOWN: (".md", ".markdown", ".mdx", ".mdown"),
    HTML: (".html", ".htm", ".xhtml"),
    PDF: (".pdf",),
    DOCX: (".docx", ".docm"),
    TEXT: (".txt", ".text", ".log", ".rst", ".adoc"),
    CSV: (".csv", ".tsv"),
    JSON: (".json", ".geojson"),
    JSON_LINES: (".jsonl", ".ndjson"),
}
_BY_ENDING = {ending: kind for kind, endings in _ENDINGS.items() for ending in endings}
_ALIASES = {
    "text/x-markdown": MARKDOWN,
    "application/xhtml+xml": HTML,
    "application/x-pdf": PDF,
    "application/vnd.ms-word.document.macroenabled.12": DOCX,
    "text/x-rst": TEXT,
    "text/tab-separated-values": CSV,
    "application/csv": CSV,
    "text/json": JSON,
    "application/jsonl": JSON_LINES,
    "application/json-lines": JSON_LINES,
    "application/x-jsonlines": JSON_LINES,
}
_FOREIGN = {
    b"\x89PNG": "a PNG picture",
    b"GIF8": "a GIF picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"\x1f\x8b": "a gzip file",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ\x00": "an xz file",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"Rar!\x1a": "a RAR archive",
    b"\x28\xb5\x2f\xfd": "a Zstandard file",
    b"\x7fELF": "a program",
    b"\xca\xfe\xba\xbe": "a Java class or a program",
    b"OggS": "an Ogg file",
    b"ID3": "an MP3 file",
    b"SQLite format 3\x00": "an SQLite database",
    b"PAR1": "a Parquet file",
    b"Obj\x01": "an Avro file",
    b"{\\rtf": "a Rich Text file",
}
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HTML_START = re.compile(rb"(?:<\?xml[^>]{0,200}\?>|<!--[^>]{0,500}-->|\s)*<(?:!doctype\s+html|html|head|body)\b", re.I)
_JSON_START = re.compile(rb"[\[{]\s*[\"\[{\]}]")


def known(name: str, media_type: str | None) -> bool:
    """Whether some parser takes a file of this name and type: what a folder's listing passes over otherwise."""
    return named(name, media_type) is not None


def named(name: str, media_type: str | None) -> str | None:
    """The format the type says or, where it says nothing, the name's ending."""
    said = (media_type or "").partition(";")[0].strip().lower()
    if said in _ENDINGS or said in _ALIASES:
        return _ALIASES.get(said, said)
    ending = _BY_ENDING.get(posixpath.splitext(name.lower())[1])
    return ending or (JSON if said.endswith("+json") else None)


def charset(media_type: str | None) -> str | None:
    """The charset a media type names: `text/html; charset=iso-8859-1`."""
    found = re.search(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", media_type or "", re.I)
    return found[1] if found else None


def decide(content: bytes, name: str, media_type: str | None) -> str:
    """The format to read it as. Raises Unparsable for what no parser takes."""
    said = named(name, media_type)
    head = content[:1024].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"%PDF-") or (said == PDF and b"%PDF-" in head):
        return PDF
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zipped(content, said)
    if content.startswith(_OLE):
        raise _old_office(content)
    for start, what in _FOREIGN.items():
        if content.startswith(start):
            raise unknown(what)
    return _textual(content, head, said)


def unknown(found: str) -> Unparsable:
    """The error for bytes that no parser takes."""
    expected = "Markdown, HTML, PDF, DOCX, plain text, CSV, JSON or JSON lines"
    return Unparsable("unknown format", expected=expected, found=found, todo="Exclude such files, or convert them.")


def _zipped(content: bytes, said: str | None) -> str:
    if said == DOCX or (b"[Content_Types].xml" in content and b"word/" in content):
        return DOCX
    raise unknown("a ZIP archive that is no DOCX")


def _old_office(content: bytes) -> Unparsable:
    if "EncryptedPackage".encode("utf-16-le") in content:
        return encrypted("an Office document with a password")
    return unknown("an Office file of the format before 2007")


def encrypted(found: str) -> Unparsable:
    """The error for a document that needs a password."""
    todo = "Store it without a password; access is guarded by `audience`."
    return Unparsable("encrypted", expected="a document without a password", found=found, todo=todo)


def _textual(content: bytes, head: bytes, said: str | None) -> str:
    bare = head.replace(b"\0", b"").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")
    if _HTML_START.match(bare):
        return HTML
    if said in (PDF, DOCX):
        if b"\0" in head or not is_utf8(content):
            expected, todo = f"{said} as its name says", "Store the file again; it may have been cut off."
            raise Unparsable("not readable", expected=expected, found="bytes that are neither that nor text", todo=todo)
        return TEXT
    if said is None and _JSON_START.match(bare) and content.rstrip()[-1:] in (b"}", b"]"):
        return JSON
    return said or TEXT


def is_utf8(content: bytes) -> bool:
    """Whether the bytes are UTF-8."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
