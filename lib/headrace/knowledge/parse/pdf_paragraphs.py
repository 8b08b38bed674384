"""Paragraphs, headings and list items from the lines of PDF pages."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from headrace.knowledge.parse.blocks import Blocks, heading, literal
from headrace.knowledge.parse.pdf_lines import Line

_ITEM = re.compile(r"(?:[•●▪■◦○‣∙·\uf0b7]|[-\u2013\u2014*](?=\s))\s*(?=\S)")
_NUMBERED = re.compile(r"\(?\d{1,3}[.)]\s+\S")
_SENTENCE_END = re.compile("[.!?:;][\"'\u201d\u2019)\\]]*$|[\u3002\uff01\uff1f]$")
_INNER_HYPHEN = re.compile("[\x02\ufffe](?=(\\w)?)")
"""PDFium joins the lines of a cut word itself and leaves this for the hyphen."""

_HYPHEN = re.compile("(?<=[^\\W\\d_])[-\u00ad\u2010\ufffe\x02]$")
_SECTION = re.compile(r"(?:\d+(?:\.\d+)*\.?|[IVX]+\.)\s+")
_LEVELS = ((1.7, 1), (1.35, 2), (1.15, 3))
"""Size of a heading's letters against those of the text. Fixed steps: ranks would all move with one new size."""

_LONGEST_HEADING = 200


@dataclass(slots=True)
class _Paragraph:
    """Lines that belong together. `level` 0: no heading."""

    level: int
    item: bool
    lines: list[str] = field(default_factory=list)


def written(pages: list[list[Line]], outline: dict[str, int], room: int) -> str:
    """The Markdown of all pages. `outline`: headings the document names, with their levels."""
    named = {_bare(title): level for title, level in outline.items()}
    blocks, was_item = Blocks(room), False
    for paragraph in _paragraphs(pages, named):
        text = _joined(paragraph.lines)
        if paragraph.level and len(text) <= _LONGEST_HEADING:
            blocks.add(heading(paragraph.level, text))
        elif paragraph.item:
            blocks.add(_ITEM.sub("- ", text, count=1), tight=was_item)
        else:
            blocks.add(literal(text))
        was_item = paragraph.item
    return blocks.text()


def _paragraphs(pages: list[list[Line]], named: dict[str, int]) -> Iterator[_Paragraph]:
    usual, step = _usual_size(pages), _usual_step(pages)
    open_one: _Paragraph | None = None
    last: Line | None = None
    for page in pages:
        turned = True
        for line in page:
            level = _level(line, usual, named)
            item = not level and bool(_ITEM.match(line.text) or _NUMBERED.match(line.text))
            if open_one is None or last is None or item or not _goes_on(open_one, last, line, level, step, turned):
                if open_one is not None:
                    yield open_one
                open_one = _Paragraph(level, item)
            open_one.lines.append(line.text)
            last, turned = line, False
    if open_one is not None:
        yield open_one


def _goes_on(paragraph: _Paragraph, last: Line, line: Line, level: int, step: float, turned: bool) -> bool:
    """Whether a line belongs to the paragraph of the last one."""
    if level != paragraph.level:
        return False
    ended = bool(_SENTENCE_END.search(last.text))
    down = last.bottom - line.bottom
    if turned or not line.size or not last.size or down < -0.5 * line.size:
        # Another page or column, or no places: only what is plainly the middle of a sentence goes on.
        return not level and not ended and line.text[:1].islower()
    if down > 1.35 * max(step, line.size) or abs(line.size - last.size) > 0.15 * last.size:
        return False
    indented = line.left > last.left + 0.5 * line.size
    return not (ended and indented and not paragraph.item)


def _level(line: Line, usual: float, named: dict[str, int]) -> int:
    """The level of a line that is a heading, 0 for others."""
    if len(line.text) > _LONGEST_HEADING or not any(map(str.isalpha, line.text)):
        return 0
    by_size = next((level for ratio, level in _LEVELS if usual and line.size >= ratio * usual), 0)
    return named.get(_bare(line.text), 0) or by_size


def _bare(title: str) -> str:
    return _SECTION.sub("", " ".join(title.split()), count=1).lower()


def _usual_size(pages: list[list[Line]]) -> float:
    """The size most characters have."""
    sizes: Counter[float] = Counter()
    for page in pages:
        for line in page:
            if line.size:
                sizes[round(line.size, 1)] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def _usual_step(pages: list[list[Line]]) -> float:
    """The distance from line to line in points: the smallest that is not rare."""
    steps: Counter[float] = Counter()
    for page in pages:
        for last, line in pairwise(page):
            down = last.bottom - line.bottom
            if last.size and line.size and down > 0.5 * line.size:
                steps[round(down * 2) / 2] += 1
    return min((step for step, count in steps.items() if count * 10 >= steps.total()), default=0.0)


def _joined(lines: list[str]) -> str:
    """One line of them; a hyphen at a line's end goes where the word goes on in small letters."""
    parts: list[str] = []
    for line in lines:
        if parts and line[:1].islower() and _HYPHEN.search(parts[-1]):
            parts[-1] = _HYPHEN.sub("", parts[-1])
        elif parts:
            parts.append(" ")
        parts.append(line)
    return _INNER_HYPHEN.sub(lambda found: "" if (found[1] or "-").islower() else "-", "".join(parts))
