"""One document: its size, its format, and where it is parsed."""

from typing import TYPE_CHECKING

from headrace.knowledge.parse import media
from headrace.knowledge.parse.outcome import Parsed, Unparsable

if TYPE_CHECKING:
    from headrace.config_knowledge import Parse

_SMALL = 32_768
"""Bytes. The slowest text of this size found, one letter with accents only, takes 0.6 s to normalise."""

_PLAIN = frozenset({media.MARKDOWN, media.TEXT, media.CSV, media.JSON, media.JSON_LINES})


def parse(content: bytes, name: str, media_type: str | None, limits: "Parse") -> Parsed:
    """The text of a document.

    What bounds it: small documents (32 KiB of UTF-8) in Markdown, plain text, CSV and JSON are read in this process,
    by code whose time and memory grow with the size only. Everything else is read in a helper process, one for each
    worker process, kept between documents: it is killed when `limits.seconds` have passed, and its memory is limited to
    2 GiB of address space (Linux; macOS ignores that). So a loop or a crash in a parser's C code costs one document,
    not the worker. Time is wall time and starts when the helper is ready; on a machine that stands still, a document
    can be refused that would pass otherwise. Threads of one process take turns.

    Args:
        content: the bytes as stored.
        name: file name, key or URL; its ending counts where no type is given.
        media_type: as the source says it, with a charset or without.
        limits: what is refused beyond.

    Raises:
        Unparsable: it gives no text, and will not at the next try.
        MissingDependency: the parser's package is not installed.
        Retryable: the helper process cannot be started.
    """
    if len(content) > limits.max_bytes:
        found, todo = f"{len(content):,}", "Split the document, or raise `parse.max_bytes`."
        raise Unparsable("too large", expected=f"at most {limits.max_bytes:,} bytes", found=found, todo=todo)
    if not content.strip(b"\0 \t\r\n"):
        raise empty("nothing but blanks" if content else "no bytes")
    kind = media.decide(content, name, media_type)
    charset = media.charset(media_type)
    if kind in _PLAIN and len(content) <= _SMALL and media.is_utf8(content):
        from headrace.knowledge.parse.direct import parse_here

        return parse_here(content, kind, charset, limits)
    from headrace.knowledge.parse.guarded import parse_guarded

    return parse_guarded(content, kind, charset, limits)


def empty(found: str) -> Unparsable:
    """The error for a document without text."""
    todo = "Scanned pages need OCR first. An older version stays served: delete the document to take it out."
    return Unparsable("empty", expected="a document with text", found=found, todo=todo)
