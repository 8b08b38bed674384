"""Units: what packing puts together and never cuts. A block that fits is one; a larger one is cut where it hurts least.

A table is cut between rows, a list between items, code at line ends; prose at sentence ends, then line ends, then
between words, at last between characters as readers see them.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from zlib import crc32

from headrace.knowledge.blocks import Block, Kind
from headrace.knowledge.tokens import count

Span = tuple[int, int]
Cutter = Callable[[str, int, int], Iterator[int]]
"""Where parts of `text[start:end]` begin, without the first."""


@dataclass(frozen=True, slots=True)
class Unit:
    """`text[start:end]`, which never holds more tokens than there is room for.

    Attributes:
        level: how much it hurts to cut before it: 0 between blocks, more within one.
        mark: a number made from its text alone. Cuts follow marks, so that what stands elsewhere moves none.
        lead: what a piece that starts here repeats before its text: the header of the table it is in.
    """

    start: int
    end: int
    tokens: int
    level: int
    mark: int
    lead: str = ""


def folded(text: str) -> str:
    """Text as it is embedded and compared: NFC, each run of white space one space."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


def units(text: str, blocks: list[Block], room: int) -> list[Unit]:
    """The units of a section, in order."""
    found: list[Unit] = []
    introduces = False
    for block in blocks:
        # A line such as "For example:" belongs to what follows.
        level = 1 if introduces else 0
        found.extend(_of_block(text, block, room, level))
        introduces = block.kind == "paragraph" and text[block.end - 1] in ":\uff1a"
    return found


def _of_block(text: str, block: Block, room: int, level: int) -> Iterator[Unit]:
    whole = _unit(text, block.start, block.end, level)
    if whole.tokens <= room:
        yield whole
        return
    lead, cost = _header(text, block, room)
    parts = _cut(text, (block.start, block.end), room - cost, _CUTTERS[block.kind], 2)
    for index, unit in enumerate(parts):
        if index == 0:
            yield Unit(unit.start, unit.end, unit.tokens, level, unit.mark)
        else:
            yield Unit(unit.start, unit.end, unit.tokens, unit.level, unit.mark, lead)


def _header(text: str, block: Block, room: int) -> tuple[str, int]:
    """A table's header row and its tokens; nothing where it would take more than a third of the room."""
    if block.kind != "table":
        return "", 0
    row = folded(_LINE_END.split(text[block.start : block.end], maxsplit=1)[0])
    tokens = count(row)
    return (row, tokens) if tokens <= room // 3 else ("", 0)


def _unit(text: str, start: int, end: int, level: int) -> Unit:
    content = folded(text[start:end])
    return Unit(start, end, count(content), level, _mark(content))


def _mark(content: str) -> int:
    return crc32(content.encode("utf-8", "surrogatepass"))


def _cut(text: str, span: Span, room: int, cutters: tuple[Cutter, ...], level: int) -> Iterator[Unit]:
    """Units of a span that is too large: cut by the first cutter, what is still too large by the next ones."""
    if not cutters:
        yield from _words(text, span, room, level)
        return
    for start, end in _parts(text, span, cutters[0]):
        unit = _unit(text, start, end, level)
        if unit.tokens <= room:
            yield unit
        else:
            yield from _cut(text, (start, end), room, cutters[1:], level + 1)


def _parts(text: str, span: Span, cutter: Cutter) -> Iterator[Span]:
    start, end = span
    for cut in [*cutter(text, start, end), end]:
        # White space between two parts belongs to none, save for what indents the second.
        stop = start + len(text[start:cut].rstrip())
        if start < stop:
            yield start, stop
        start = cut


_LINE_END = re.compile(r"\r\n|\r|\n")
_BLANK_LINES = re.compile(r"(?:\r\n|\r|\n)(?:[ \t]*(?:\r\n|\r|\n))+")
_ITEM = re.compile(r"(?<=[\r\n])([ \t]*)(?:[-*+]|\d{1,9}[.)])[ \t]")
_CLOSERS = "\"')\\]*_\u201d\u2019\xbb"
_WIDE_STOPS = "\u3002\uff01\uff1f\uff61\uff0e"
_SENTENCE_END = re.compile(
    # A small letter goes on with a sentence: the stop was an abbreviation's.
    f"(?<=[.!?])[{_CLOSERS}]*\\s+(?=[^\\sa-z])"
    # Danda, khan, Ethiopic, Armenian and Arabic stops.
    "|(?<=[\u0964\u0965\u17d4\u1362\u0589\u061f\u06d4])\\s*"
    # Chinese and Japanese, which have no space after them.
    f"|(?<=[{_WIDE_STOPS}])(?![{_WIDE_STOPS}])[{_CLOSERS}\u300d\u300f\uff09\u3011\u300b]*\\s*"
)
_WORD = re.compile(r"\S+")


def _by(pattern: re.Pattern[str]) -> Cutter:
    """Cuts after each match."""
    return lambda text, start, end: (found.end() for found in pattern.finditer(text, start, end))


def _items(text: str, start: int, end: int) -> Iterator[int]:
    """The outermost items of a list, or of an item but for its first line."""
    found = [(len(item.group(1).expandtabs(4)), item.start()) for item in _ITEM.finditer(text, start + 1, end)]
    outermost = min((indent for indent, _ in found), default=0)
    # One blank apart is the same level, written carelessly.
    return (place for indent, place in found if indent <= outermost + 1)


def _rows(text: str, start: int, end: int) -> Iterator[int]:
    """The rows of a table from its second on: the first stays with the header and the rule below that."""
    return islice(_by(_LINE_END)(text, start, end), 2, None)


_PROSE: tuple[Cutter, ...] = (_by(_SENTENCE_END), _by(_LINE_END))
_CUTTERS: Mapping[Kind, tuple[Cutter, ...]] = {
    "paragraph": _PROSE,
    "list": (_items, _items, _items, _by(_BLANK_LINES), *_PROSE),
    "table": (_rows, _by(_LINE_END), *_PROSE),
    "code": (_by(_LINE_END), *_PROSE),
}


def _words(text: str, span: Span, room: int, level: int) -> Iterator[Unit]:
    """Runs of words, a few each: a unit for every word would make long lines slow."""
    return _runs(_atoms(text, span, room, level), max(1, room // 8))


def _atoms(text: str, span: Span, room: int, level: int) -> Iterator[Unit]:
    """Words, and the characters of those that are too large."""
    for word in _WORD.finditer(text, *span):
        unit = _unit(text, *word.span(), level)
        if unit.tokens <= room:
            yield unit
            continue
        for start, end in clusters(text, *word.span()):
            tokens = _alone(text[start:end])
            if tokens <= room:
                yield Unit(start, end, tokens, level + 1, _mark(text[start : min(start + 4, word.end())]))
            else:
                yield from (Unit(at, at + 1, _alone(text[at]), level + 2, _mark(text[at])) for at in range(start, end))


def _runs(atoms: Iterator[Unit], most: int) -> Iterator[Unit]:
    """Atoms joined to runs of up to `most` tokens. Where runs begin depends on what stands there, most of the time."""
    run: Unit | None = None
    for atom in atoms:
        if run is None:
            run = atom
        elif atom.mark % 8 == 0 or run.tokens + atom.tokens > most or atom.level > run.level + 1:
            yield run
            run = atom
        else:
            run = Unit(run.start, atom.end, run.tokens + atom.tokens, run.level, run.mark)
    if run is not None:
        yield run


@lru_cache(maxsize=4096)
def _alone(cluster: str) -> int:
    """The most tokens it can add to a word, wherever that is cut."""
    return sum(map(count, cluster))


def clusters(text: str, start: int, end: int) -> Iterator[Span]:
    """Characters as readers see them: with their accents, their joiners, flags in pairs. Close to UAX 29."""
    begin, flags = start, 0
    for at in range(start, end):
        before, here = text[at - 1 : at] if at > begin else "", text[at]
        if before and not _joined(before, here, flags):
            yield begin, at
            begin, flags = at, 0
        flags += "\U0001f1e6" <= here <= "\U0001f1ff"
    if begin < end:
        yield begin, end


def _joined(before: str, here: str, flags: int) -> bool:
    if here < "\u0300" and before < "\u0300":
        return False
    return (
        before == "\u200d"
        or here in "\u200c\u200d\u0e33\u0eb3"
        or "\U0001f3fb" <= here <= "\U0001f3ff"
        or "\U000e0020" <= here <= "\U000e007f"
        or "\u1160" <= here <= "\u11ff"
        or ("\U0001f1e6" <= here <= "\U0001f1ff" and flags == 1)
        or ("\ud800" <= before <= "\udbff" and "\udc00" <= here <= "\udfff")
        or unicodedata.category(here)[0] == "M"
        or unicodedata.combining(before) == _VIRAMA
    )


_VIRAMA = 9
"""The combining class of signs that join two consonants of an Indic script."""
