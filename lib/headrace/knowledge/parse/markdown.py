"""Markdown and plain text. Front matter goes into title and metadata; the rest stays as written."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from headrace.knowledge.parse import media
from headrace.knowledge.parse.blocks import too_much_text
from headrace.knowledge.parse.charset import decode
from headrace.knowledge.parse.clean import fence_end
from headrace.knowledge.parse.front_matter import split
from headrace.knowledge.parse.outcome import Draft

if TYPE_CHECKING:
    from headrace.config_knowledge import Parse

_ATX = re.compile(r" {0,3}(#{1,6})[ \t]+(\S.*)")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*")
_BLOCK_START = re.compile(r"\s*(?:#{1,6}\s|[-*+>|]|\d+[.)]\s|<)| {4}|\t")
"""A line of these is no paragraph, so `---` below it is a rule and no underline."""


def parse_markdown(content: bytes, charset: str | None, limits: "Parse") -> Draft:
    """Underlined headings become `#` ones, comments go, code stays as it is."""
    front, body = split(_decoded(content, charset, limits).replace("\r\n", "\n").replace("\r", "\n"))
    lines = list(_headings(_without_comments(body.split("\n"))))
    metadata = dict(front)
    title = metadata.pop("title", None) or _first_heading(lines)
    language = metadata.pop("language", None) or metadata.pop("lang", None)
    return Draft(title, "\n".join(lines), media.MARKDOWN, language, metadata)


def parse_text(content: bytes, charset: str | None, limits: "Parse") -> Draft:
    """The text as it is. It has no title: a first line may be anything."""
    return Draft(None, _decoded(content, charset, limits), media.TEXT)


def _decoded(content: bytes, charset: str | None, limits: "Parse") -> str:
    """The text, refused here when it is so long that tidying it cannot make it short enough, save for blank lines."""
    text = decode(content, charset)
    if len(text) > 2 * limits.max_characters:
        raise too_much_text(limits.max_characters)
    return text


def _first_heading(lines: list[str]) -> str | None:
    fence: str | None = None
    for line in lines:
        fence = fence_end(line, fence)
        found = _ATX.match(line) if fence is None else None
        if found and len(found[1]) == 1:
            return found[2].rstrip("# \t") or None
    return None


def _headings(lines: Iterator[str]) -> Iterator[str]:
    """Underlined headings of one line as ATX ones."""
    fence: str | None = None
    held: str | None = None
    for line in lines:
        was, fence = fence, fence_end(line, fence)
        outside = was is None and fence is None
        if held is not None:
            under = _UNDERLINE.fullmatch(line) if outside else None
            if under:
                yield f"{'#' if under[1][0] == '=' else '##'} {held.strip()}"
                held = None
                continue
            yield held
        # Only a paragraph's one line is held: in longer ones the underline makes them all a heading, which is rare.
        held = line if outside and line.strip() and not _BLOCK_START.match(line) and held is None else None
        if held is None:
            yield line
    if held is not None:
        yield held


def _without_comments(lines: list[str]) -> Iterator[str]:
    """The lines without `<!-- -->` outside code. One that never ends is text."""
    fence: str | None = None
    inside = False
    last = max((at for at, line in enumerate(lines) if "-->" in line), default=-1)
    for at, line in enumerate(lines):
        if not inside:
            was, fence = fence, fence_end(line, fence)
            if fence is not None or was is not None:
                yield line
                continue
        # A line of which nothing is left stays as an empty one: a comment ends a paragraph.
        kept, inside = _uncommented(line, inside, at < last)
        yield kept


def _uncommented(line: str, inside: bool, ends_later: bool) -> tuple[str, bool]:
    kept = []
    while line:
        if inside:
            _, end, line = line.partition("-->")
            inside = not end
            continue
        text, start, rest = line.partition("<!--")
        if start and "-->" not in rest and not ends_later:
            text, rest = line, ""
        elif start:
            inside = True
        kept.append(text)
        line = rest
    return "".join(kept), inside
