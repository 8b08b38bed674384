"""Documents cut into pieces to embed: at headings first, then where the text itself says.

Heading lines are not in a piece's text. They are its path and, with the title, stand before what is embedded. A heading
with nothing below it makes a piece of its own, so that its words can be found.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

from headrace.config_knowledge import Chunk
from headrace.knowledge import tokens
from headrace.knowledge.blocks import Block, Section, sections
from headrace.knowledge.packing import packed
from headrace.knowledge.units import folded, units

VERSION = 1
"""Raise it with every change that makes other pieces of the same document."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One passage of a document.

    Attributes:
        id: the same as long as the document has this passage below these headings, wherever they stand.
        heading: headings above it, outermost first.
        text: `text[start:end]` of the document.
        start, end: offsets in characters.
        ordinal: its place in the document, from 0.
        tokens: of `embedded`, by `headrace.knowledge.tokens`.
        embedded: title and headings where the settings say so, a table's header where the piece begins below it, the
            text; NFC, white space folded.
        content_hash: of `embedded`; equal wherever the same would be embedded.
    """

    id: str
    heading: tuple[str, ...]
    text: str
    start: int
    end: int
    ordinal: int
    tokens: int
    embedded: str
    content_hash: str


def chunks(document: str, text: str, title: str | None, settings: Chunk) -> list[Piece]:
    """The pieces of a document, in order. `document` is its id; only the pieces' ids depend on it."""
    seen: Counter[tuple[tuple[str, ...], str]] = Counter()
    pieces: list[Piece] = []
    for heading, start, end, embedded in _passages(text, title, settings):
        content_hash = _hash(embedded)
        seen[heading, content_hash] += 1
        pieces.append(
            Piece(
                id=_hash(document, *heading, content_hash, str(seen[heading, content_hash])),
                heading=heading,
                text=text[start:end],
                start=start,
                end=end,
                ordinal=len(pieces),
                tokens=tokens.count(embedded),
                embedded=embedded,
                content_hash=content_hash,
            )
        )
    return pieces


def fingerprint(settings: Chunk) -> str:
    """Another one whenever the same document would make other pieces."""
    return f"headrace-{VERSION}.{tokens.VERSION}-{settings.tokens}-{'heading' if settings.heading else 'plain'}"


def _passages(text: str, title: str | None, settings: Chunk) -> Iterator[tuple[tuple[str, ...], int, int, str]]:
    """Heading, start, end and what is embedded of each piece."""
    for section in sections(text):
        path, blocks = _with_own_heading(section)
        prefix = _prefix(title, path, settings.tokens // 4) if settings.heading else ""
        room = settings.tokens - tokens.count(prefix)
        found = units(text, blocks, room)
        for first, last in packed(found, room):
            start, end = found[first].start, found[last - 1].end
            embedded = (prefix, found[first].lead, folded(text[start:end]))
            yield path, start, end, " ".join(part for part in embedded if part)


def _with_own_heading(section: Section) -> tuple[tuple[str, ...], list[Block]]:
    """Path and blocks; a heading with nothing below it is a block of the section above."""
    if section.blocks or section.parent or not section.path:
        return section.path, section.blocks
    return section.path[:-1], [Block("paragraph", *section.heading)]


def _prefix(title: str | None, path: tuple[str, ...], most: int) -> str:
    """Title and headings for `embedded`, of at most `most` tokens: what says least is left out first."""
    names = [folded(name) for name in (title or "", *path)]
    if len(names) > 1 and names[0].casefold() == names[1].casefold():
        del names[0]
    names = [name for name in names if name]
    while len(names) > 1 and tokens.count(_joined(names)) > most:
        del names[1 if len(names) > 2 else 0]
    joined = _joined(names)
    while tokens.count(joined) > most:
        names = [names[0][: len(names[0]) * 3 // 4].rstrip()]
        joined = _joined(names)
    return joined


def _joined(names: list[str]) -> str:
    return " > ".join(names) + ":" if any(names) else ""


def _hash(*parts: str) -> str:
    """Blake2b-128 of texts, each with its length so that no two lists of texts look alike."""
    digest = blake2b(digest_size=16)
    for part in parts:
        content = part.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(content))
        digest.update(content)
    return digest.hexdigest()
