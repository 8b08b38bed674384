"""Files of JSON Lines, read strictly and one line at a time."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from headrace.training.formats.rules import Violation

LONGEST = 64 * 1024 * 1024
"""Bytes of a line; a longer one is not read."""
_BOM = b"\xef\xbb\xbf"
_NOTHING = object()


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Attributes:
        number: from 1.
        raw: its bytes as they stand in the file, with their end of line; b"" of a line that is too long.
        value: its JSON value, where `readable`.
        violations: what is wrong with it as a line of JSON.
    """

    number: int
    raw: bytes
    value: Any = _NOTHING
    violations: list[Violation] = field(default_factory=list)

    @property
    def readable(self) -> bool:
        """Whether there is a value."""
        return self.value is not _NOTHING


def lines(path: Path, longest: int = LONGEST) -> Iterator[Line]:
    """Every line of a file, in order."""
    with path.open("rb") as file:
        number = 0
        while raw := file.readline(longest + 1):
            number += 1
            if len(raw) > longest and not raw.endswith(b"\n"):
                _skip(file)
                todo = "Split the row, or leave it out."
                too_long = Violation("line length", "", f"at most {longest} bytes", "more", todo)
                yield Line(number, b"", violations=[too_long])
                continue
            yield _line(number, raw)


def _skip(file: BinaryIO) -> None:
    while (rest := file.readline(1024 * 1024)) and not rest.endswith(b"\n"):
        pass


def _line(number: int, raw: bytes) -> Line:
    found: list[Violation] = []
    content = raw
    if number == 1 and content.startswith(_BOM):
        todo = "Save the file as UTF-8 without a byte order mark."
        found.append(Violation("byte order mark", "", "UTF-8 without a mark", "one", todo))
        content = content.removeprefix(_BOM)
    if not content.endswith(b"\n"):
        todo = "The file may have been cut off: write it again."
        found.append(Violation("last line", "", "an end of line", "none", todo))
    content = content.removesuffix(b"\n")
    if content.endswith(b"\r"):
        found.append(Violation("end of line", "", "\\n", "\\r\\n", "Write the file with \\n alone."))
    if not content.strip():
        found.append(Violation("blank line", "", "a JSON object", "nothing", "Take the line out."))
        return Line(number, raw, violations=found)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        at = f"byte {content[error.start]:#04x} at {error.start + 1}"
        found.append(Violation("UTF-8", "", "UTF-8", at, "Save the file as UTF-8."))
        return Line(number, raw, violations=found)
    value, wrong = _parsed(text)
    return Line(number, raw, value, [*found, *wrong])


def _parsed(text: str) -> tuple[Any, list[Violation]]:
    found: list[Violation] = []

    def no_constant(name: str) -> None:
        found.append(Violation("JSON number", "", "a number of JSON", name, "JSON has no such number: leave it out."))

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            found.append(Violation("key twice", "", "each key once", twice[:40], "Readers differ in which one counts."))
        return value

    try:
        return json.loads(text, parse_constant=no_constant, object_pairs_hook=once), found
    except json.JSONDecodeError as error:
        said = f"{error.msg} at character {error.pos + 1}"
    except (ValueError, RecursionError):
        said = "a number too long or a value too deep"
    return _NOTHING, [*found, Violation("JSON", "", "one JSON object", said, "Write one object on each line.")]
