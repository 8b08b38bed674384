"""Lines that are there twice, found in little memory: 64 bits of each, and a second look only where two agree."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np

from headrace.training.canonical import canonical
from headrace.training.lines import Line, lines


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A line that was there before.

    Attributes:
        first: the file and the line that was first.
    """

    file: str
    line: int
    first: tuple[str, int]


def fingerprint(line: Line) -> int:
    """64 bits of a readable line; how its JSON is spelt does not count."""
    return int.from_bytes(blake2b(_spelt(line), digest_size=8).digest())


def duplicates(folder: Path, names: Sequence[str], prints: "array[int]") -> Iterator[Duplicate]:
    """Every line that was there before. `prints` are those of all readable lines of the files."""
    found, times = np.unique(np.frombuffer(prints, dtype=np.uint64), return_counts=True)
    again = set(found[times > 1].tolist())
    if not again:
        return
    seen: dict[bytes, tuple[str, int]] = {}
    for name in names:
        for line in lines(folder / name):
            if line.readable and fingerprint(line) in again:
                whole = blake2b(_spelt(line), digest_size=32).digest()
                if first := seen.get(whole):
                    yield Duplicate(name, line.number, first)
                else:
                    seen[whole] = (name, line.number)


def _spelt(line: Line) -> bytes:
    try:
        return canonical(line.value)
    except (ValueError, RecursionError):  # half a surrogate pair, or NaN: other rules tell of them
        return line.raw
