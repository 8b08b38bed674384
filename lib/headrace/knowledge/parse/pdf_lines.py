"""Lines of PDF pages, and which of them only repeat: page headers, footers and page numbers.

They go, since a date or a page number there would change with every edit, and with it every passage.
"""

import re
from collections import defaultdict
from typing import NamedTuple


class Line(NamedTuple):
    """One line of a page. Places in points from the lower left corner; `size` is 0 where they are not known.

    Attributes:
        size: height of the font, from its lowest to its highest point.
    """

    text: str
    left: float
    bottom: float
    size: float


_DEEPEST = 4
"""Lines a header or footer has at most."""

_NUMBER = re.compile(
    r"\W*(?:(?:page|seite|página|pagina|p\.|pg\.?|s\.)\s*)?(?:\d{1,4}|[ivxlc]{1,7})"
    r"(?:\s*(?:/|of|von|de|sur|di|\|)\s*\d{1,4})?\W*",
    re.I,
)
_PAGE = re.compile(r"^\d{1,4}(?=\s)|(?<=\s)\d{1,4}$")
_DIGITS = re.compile(r"\d+")
_CONTENTS = re.compile(r"(?:\. ?){4,}\s*[\divxlc]+$|…+\s*\d+$")
"""A line of a table of contents: its page number changes with edits elsewhere, and its words come again below."""


def without_repeats(pages: list[list[Line]]) -> list[list[Line]]:
    """The pages without what stands at the edges of several, digits aside, and without tables of contents."""
    pages = [[line for line in page if not _CONTENTS.search(line.text)] for page in pages]
    if len(pages) < 2:
        return pages
    edges = [(_edge(page, top=True), _edge(page, top=False)) for page in pages]
    repeats = [_repeats([edge[side] for edge in edges]) for side in (0, 1)]
    counted = _counted(edges)
    peeled = [_peeled(page, edges[at], repeats, counted) for at, page in enumerate(pages)]
    # Pages that are all alike, such as labels, have nothing else.
    return peeled if any(peeled) else pages


def _edge(page: list[Line], *, top: bool) -> list[Line]:
    """The outermost lines, the outermost first. By place, for files often hold footers before the text."""
    if all(line.size for line in page):
        page = sorted(page, key=lambda line: -line.bottom)
    return page[:_DEEPEST] if top else page[: -_DEEPEST - 1 : -1]


def _repeats(edges: list[list[Line]]) -> set[str]:
    """What is on three pages (two, if there are no more) and on half of those between its first and its last.

    So chapter titles count, and titles that stand on left pages only.
    """
    seen: dict[str, list[int]] = defaultdict(list)
    for number, edge in enumerate(edges):
        for text in {_folded(line) for line in edge}:
            seen[text].append(number)
    enough = min(3, len(edges))
    return {text for text, on in seen.items() if len(on) >= enough and len(on) * 2 >= on[-1] - on[0] + 1}


def _counted(edges: list[tuple[list[Line], list[Line]]]) -> set[int]:
    """Lines, by identity, that begin or end with a number that grows with the pages: `Chapter 2: Names   17`."""
    runs: dict[tuple[int, int], list[tuple[int, Line]]] = defaultdict(list)
    for number, sides in enumerate(edges):
        for side, edge in enumerate(sides):
            for line in edge[:2]:
                for offset in {int(found) - number for found in _PAGE.findall(line.text)}:
                    runs[side, offset].append((number, line))
    enough = [run for run in runs.values() if len(run) >= 3 and len(run) * 2 >= run[-1][0] - run[0][0] + 1]
    return {id(line) for run in enough for _, line in run}


def _folded(line: Line) -> str:
    """What lines have in common that repeat: words and, within some points, the place."""
    return f"{round(line.bottom / 4)} {_DIGITS.sub('0', ' '.join(line.text.lower().split()))}"


def _peeled(
    page: list[Line], edges: tuple[list[Line], list[Line]], repeats: list[set[str]], counted: set[int]
) -> list[Line]:
    """From outside to the first line that is neither: a repeated line inside the text is text."""
    gone: set[int] = set()
    for edge, repeated in zip(edges, repeats, strict=True):
        for line in edge:
            if not (_folded(line) in repeated or id(line) in counted or _NUMBER.fullmatch(line.text)):
                break
            gone.add(id(line))
    return [line for line in page if id(line) not in gone]
