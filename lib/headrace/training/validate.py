"""Checks a dataset as a trainer would, before the trainer does: every line, every rule, and the whole.

Vendors' own scripts look at less, some at the first line only (docs/dataset-formats.md). Memory: 8 bytes a line.
"""

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from headrace.training.duplicate_lines import duplicates, fingerprint
from headrace.training.formats.format import Format
from headrace.training.formats.rules import Violation
from headrace.training.layout import ALLOWED, BESIDE, SPLITS, part_of
from headrace.training.limits import Limits
from headrace.training.lines import lines
from headrace.training.records import records


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        rule: which rule is broken.
        file: its path in the folder; "" for the whole.
        line: its number from 1; None for a whole file.
        at: where in the line.
    """

    rule: str
    file: str
    line: int | None
    at: str
    expected: str
    found: str
    todo: str

    def __str__(self) -> str:
        place = (self.file or "the dataset") + (f":{self.line}" if self.line else "")
        place += f" {self.at}" if self.at else ""
        return f"{place}: {self.rule}: expected {self.expected}; found {self.found}. {self.todo}"


@dataclass(slots=True)
class Counted:
    """What is known of the whole after its lines were read.

    Attributes:
        rows: by path of a file.
        size: bytes, by path of a file.
        sha256: by path of a file.
        labels: of `train`.
        files: of each split.
        prints: of the lines, in the order of reading.
    """

    rows: dict[str, int] = field(default_factory=dict)
    size: dict[str, int] = field(default_factory=dict)
    sha256: dict[str, str] = field(default_factory=dict)
    labels: Counter[bool] = field(default_factory=Counter)
    files: dict[str, list[str]] = field(default_factory=dict)
    prints: "array[int]" = field(default_factory=lambda: array("Q"))

    def rows_of(self, split: str) -> int:
        """Lines of a split."""
        return sum(self.rows[name] for name in self.files.get(split, ()))


def problems(folder: Path, format: Format, limits: Limits) -> Iterator[Problem]:
    """Everything that is wrong with a version of a dataset, in the order it is found; nothing for a good one.

    Args:
        folder: it holds `train` and `validation`, and `test` where there is one.
    """
    if not folder.is_dir():
        yield _whole("folder", str(folder), "a folder of a dataset", "none", "Name the folder of one version.")
        return
    counted = Counted()
    yield from _names(folder, format, counted)
    for split in SPLITS:
        for name in counted.files.get(split, ()):
            yield from _file(folder, name, format, limits, counted)
    yield from _rows(format, limits, counted)
    yield from _sizes(limits, counted)
    yield from _parts(counted)
    yield from _again(folder, counted)
    yield from (_whole(one.rule, one.at, one.expected, one.found, one.todo) for one in records(folder, format, counted))


def _names(folder: Path, format: Format, counted: Counted) -> Iterator[Problem]:
    if not ALLOWED.fullmatch(folder.resolve().name):
        yield _bad_name(folder.resolve().name)
    for one in sorted(folder.iterdir()):
        if one.is_dir() and one.name in SPLITS:
            yield from _split_names(one, format, counted)
        elif one.name not in BESIDE or not one.is_file():
            expected = f"{', '.join(SPLITS)} and {', '.join(BESIDE)} only"
            yield _whole("unexpected file", one.name, expected, "something else", "Take it out of the folder.")
    for split in SPLITS[:2]:
        if not counted.files.get(split):
            todo = "JumpStart splits at random without it." if split == "validation" else "A trainer needs it."
            yield _whole("missing split", split, f"a folder {split} with lines", "none", todo)


def _split_names(folder: Path, format: Format, counted: Counted) -> Iterator[Problem]:
    split, names = folder.name, []
    for one in sorted(folder.iterdir()):
        name = f"{split}/{one.name}"
        if not ALLOWED.fullmatch(one.name):
            yield _bad_name(name)
        if one.is_symlink() or not one.is_file():
            yield _whole("unexpected file", name, "a file", "a link or a folder", "Take it out of the folder.")
        elif one.name in format.beside:
            if format.check_beside:
                for wrong in format.check_beside(name, one.read_bytes()):
                    yield _line_problem(name, None, wrong)
        elif one.suffix != format.suffix:
            expected = " or ".join([f"files ending in {format.suffix}", *format.beside])
            yield _whole("unexpected file", name, expected, one.suffix or "no suffix", "Rename it or take it out.")
        else:
            names.append(name)
    counted.files[split] = names
    if format.files is not None and len(names) > format.files:
        yield _whole("files", split, f"{format.files} in each folder", str(len(names)), "Write one file a split.")


def _file(folder: Path, name: str, format: Format, limits: Limits, counted: Counted) -> Iterator[Problem]:
    digest, rows, size = hashlib.sha256(), 0, 0
    for line in lines(folder / name):
        rows, size = rows + 1, size + len(line.raw)
        digest.update(line.raw)
        for one in line.violations:
            yield _line_problem(name, line.number, one)
        if not line.readable:
            continue
        for one in format.problems(line.value, limits):
            yield _line_problem(name, line.number, one)
        counted.prints.append(fingerprint(line))
        if format.label and name.startswith("train/") and (label := format.label(line.value)) is not None:
            counted.labels[label] += 1
    counted.rows[name], counted.size[name], counted.sha256[name] = rows, size, digest.hexdigest()
    if not rows:
        yield _whole("empty file", name, "lines", "none", "Leave the file out, or write fewer files.")


def _rows(format: Format, limits: Limits, counted: Counted) -> Iterator[Problem]:
    rows = counted.rows_of("train")
    if rows < limits.rows_at_least:
        yield _whole("too few rows", "train", f"at least {limits.rows_at_least} rows", str(rows), "Collect more.")
    if limits.rows_at_most and rows > limits.rows_at_most:
        yield _whole("too many rows", "train", f"at most {limits.rows_at_most} rows", str(rows), "Sample fewer.")
    if format.label and len(counted.labels) < 2:
        found = f"only {str(next(iter(counted.labels))).lower()}" if counted.labels else "none"
        yield _whole("both labels", "train", "rows of both labels", found, "Add rows of the other, or use SFT.")


def _sizes(limits: Limits, counted: Counted) -> Iterator[Problem]:
    for name, size in counted.size.items():
        if limits.file_bytes and size > limits.file_bytes:
            yield _whole(
                "file size", name, f"at most {limits.file_bytes} bytes", str(size), "Write more, smaller files."
            )
    total = sum(counted.size.values())
    if limits.total_bytes and total > limits.total_bytes:
        yield _whole("dataset size", "", f"at most {limits.total_bytes} bytes", str(total), "Sample fewer rows.")


def _parts(counted: Counted) -> Iterator[Problem]:
    for split, names in counted.files.items():
        numbers = [part for name in names if (part := part_of(name.partition("/")[2]))]
        if not numbers:
            continue
        of = numbers[0][1]
        if len(numbers) != len(names) or sorted(numbers) != [(number + 1, of) for number in range(of)]:
            expected = f"parts 1 to {of} and nothing else"
            there = ", ".join(name.partition("/")[2] for name in names[:5])
            yield _whole("missing part", split, expected, there, "Copy the whole folder again.")
        rows = [counted.rows[name] for name in names]
        if max(rows) - min(rows) > 1:
            todo = "Write them in turns, so that machines that share the files end together."
            yield _whole(
                "unequal parts", split, "as many rows in each, or one more", f"{min(rows)} to {max(rows)}", todo
            )


def _again(folder: Path, counted: Counted) -> Iterator[Problem]:
    names = [name for split in SPLITS for name in counted.files.get(split, ())]
    for one in duplicates(folder, names, counted.prints):
        first, second = one.first[0].partition("/")[0], one.file.partition("/")[0]
        rule = "duplicate line" if first == second else "line in two splits"
        todo = "Keep one of them." if first == second else "Keep it on one side: what is trained on tests nothing."
        yield Problem(rule, one.file, one.line, "", "each line once", f"that of {one.first[0]}:{one.first[1]}", todo)


def _line_problem(name: str, number: int | None, one: Violation) -> Problem:
    return Problem(one.rule, name, number, one.at, one.expected, one.found, one.todo)


def _bad_name(name: str) -> Problem:
    todo = "Rename it: Bedrock takes no other characters, and = makes a folder a partition."
    return _whole("name", name[:200], "letters, digits, _, - and . only", name[:200], todo)


def _whole(rule: str, file: str, expected: str, found: str, todo: str) -> Problem:
    return Problem(rule, file, None, "", expected, found, todo)
