"""CSV: a paragraph for each row, a line `column: value` for each cell that is not empty.

Not a table: a passage cut from the middle of one would hold values without their columns, and neither words nor
vectors would find it. A row's paragraph says all of itself, and an edited row changes that paragraph only.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from headrace.knowledge.parse import media
from headrace.knowledge.parse.blocks import Blocks, literal
from headrace.knowledge.parse.charset import decode
from headrace.knowledge.parse.direct import not_readable
from headrace.knowledge.parse.outcome import Draft

if TYPE_CHECKING:
    from headrace.config_knowledge import Parse

_DELIMITERS = ",;\t|"
_SAMPLE = 65_536


def parse_csv(content: bytes, charset: str | None, limits: "Parse") -> Draft:
    """The first row names the columns, unless a cell in it is empty, a number or a repeat: then they are numbered."""
    text = decode(content, charset).replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    blocks = Blocks(limits.max_characters)
    rows = _rows(text, _delimiter(text))
    first = next(rows, [])
    named = _is_head(first)
    names = [" ".join(name.split()) for name in first] if named else []
    for row in _then(first, named, rows):
        paragraph = _paragraph(names, row)
        if paragraph:
            blocks.add(paragraph)
    if not blocks.text() and named:
        blocks.add(" ".join(names))
    return Draft(None, blocks.text(), media.CSV)


def _then(first: list[str], named: bool, rows: Iterator[list[str]]) -> Iterator[list[str]]:
    if not named:
        yield first
    yield from rows


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    # A longer cell, such as after a quote that is never closed, is an error. The limit holds for the whole process.
    csv.field_size_limit(max(csv.field_size_limit(), 1_000_000))
    try:
        yield from csv.reader(io.StringIO(text), delimiter=delimiter)
    except csv.Error as error:
        raise not_readable(media.CSV, str(error)) from error


def _delimiter(text: str) -> str:
    """The one that cuts the first rows into most columns, and into equally many."""
    lines = text[:_SAMPLE].split("\n")[:50]
    return max(_DELIMITERS, key=lambda delimiter: _fit(lines, delimiter))


def _fit(lines: list[str], delimiter: str) -> tuple[bool, float, int]:
    try:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
    except csv.Error:
        return False, 0.0, 0
    usual = max(set(widths), key=widths.count, default=0)
    return usual > 1, widths.count(usual) / max(len(widths), 1), usual


def _is_head(row: Sequence[str]) -> bool:
    names = [name.strip() for name in row]
    return bool(names) and all(names) and len(set(names)) == len(names) and not any(map(_is_number, names))


def _is_number(text: str) -> bool:
    return any(character.isdigit() for character in text) and not any(character.isalpha() for character in text)


def _paragraph(names: Sequence[str], row: Sequence[str]) -> str:
    lines = []
    for at, cell in enumerate(row):
        value = " ".join(cell.split())
        if value:
            name = names[at] if at < len(names) else f"column {at + 1}"
            lines.append(f"{name}: {value}")
    return literal("\n".join(lines))
