"""Checks of an Office file before anything is unpacked into memory."""

import io
import zipfile
import zlib
from typing import IO, TYPE_CHECKING
from xml.parsers import expat

from headrace.knowledge.parse import media
from headrace.knowledge.parse.blocks import too_deep
from headrace.knowledge.parse.direct import not_readable
from headrace.knowledge.parse.outcome import Unparsable

if TYPE_CHECKING:
    from headrace.config_knowledge import Parse

_MOST_PARTS = 10_000
_MOST_BYTES = 500_000_000
_XML_PARTS = 100_000_000
"""All XML together; a tree of it takes more than ten times as much."""
_PIECE = 1 << 16
_DAMAGE = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    OSError,
    ValueError,
)


def check(content: bytes, limits: "Parse") -> None:
    """Raises Unparsable for a damaged archive, one that grows too much, and XML with entities or too deep.

    The sizes an archive declares are reliable as limits: Python reads no more of a part than it declares.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            _check_sizes(parts.infolist(), len(content), limits)
            names = [part.filename for part in parts.infolist()]
            if "word/document.xml" not in names and not any(name.startswith("word/") for name in names):
                raise media.unknown("an Office file that is no Word document")
            for part in parts.infolist():
                if part.filename.endswith((".xml", ".rels")):
                    with parts.open(part) as source:
                        _check_xml(source, limits)
    except _DAMAGE as error:
        raise not_readable(media.DOCX, f"a damaged archive ({type(error).__name__})") from error


def _check_sizes(parts: list[zipfile.ZipInfo], size: int, limits: "Parse") -> None:
    if any(part.flag_bits & 1 for part in parts):
        raise media.encrypted("a ZIP archive with a password")
    unpacked = sum(part.file_size for part in parts)
    most = min(size * limits.max_unpacked, _MOST_BYTES)
    xml = sum(part.file_size for part in parts if part.filename.endswith((".xml", ".rels")))
    if unpacked > most or xml > _XML_PARTS or len(parts) > _MOST_PARTS:
        raise Unparsable(
            "expands too much",
            expected=f"at most {most:,} bytes unpacked, {_XML_PARTS:,} of them XML, in {_MOST_PARTS:,} parts",
            found=f"{unpacked:,}, {xml:,} and {len(parts):,}",
            todo="Leave it out; if it is no bomb, raise `parse.max_unpacked`.",
        )


def _check_xml(source: IO[bytes], limits: "Parse") -> None:
    """A pass without a tree. Office writes no document type, so entities are an attack."""
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > limits.max_depth:
            raise too_deep(limits.max_depth)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1

    def document_type(*_: object) -> None:
        todo = "Leave it out; Word writes no such files."
        raise Unparsable("expands too much", expected="XML without entities", found="a document type", todo=todo)

    reader = expat.ParserCreate()
    reader.StartElementHandler, reader.EndElementHandler = start, end
    reader.StartDoctypeDeclHandler = document_type
    try:
        while piece := source.read(_PIECE):
            reader.Parse(piece, False)
        reader.Parse(b"", True)
    except expat.ExpatError as error:
        raise not_readable(media.DOCX, f"damaged XML ({expat.ErrorString(error.code)})") from error
