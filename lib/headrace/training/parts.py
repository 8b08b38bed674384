"""The files of one split, filled in turns: rows of any two differ by one at most, whatever comes."""

import hashlib
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from headrace.training.formats.format import Format
from headrace.training.layout import Split, part
from headrace.training.manifest import Part


class Parts:
    """Exactly so many files; they are made with the first row.

    Args:
        folder: of the version.
        stack: closes the files.
    """

    def __init__(self, folder: Path, split: Split, count: int, format: Format, stack: ExitStack) -> None:
        self.rows = 0
        self._names = [f"{split}/{part(number + 1, count, format.suffix)}" for number in range(count)]
        self._folder, self._stack = folder, stack
        self._files: list[BinaryIO] = []
        self._hashes = [hashlib.sha256() for _ in self._names]
        self._rows, self._sizes = [0] * count, [0] * count

    def add(self, line: bytes) -> None:
        """Write one more line; it has no end of line yet."""
        if not self._files:
            paths = [self._folder / name for name in self._names]
            paths[0].parent.mkdir(parents=True)
            self._files = [self._stack.enter_context(path.open("xb")) for path in paths]
        turn = self.rows % len(self._names)
        content = line + b"\n"
        self._files[turn].write(content)
        self._hashes[turn].update(content)
        self._rows[turn] += 1
        self._sizes[turn] += len(content)
        self.rows += 1

    def done(self) -> list[Part]:
        """What was written, file by file."""
        told = zip(self._names, self._rows, self._sizes, self._hashes, strict=True)
        return [Part(name, rows, size, digest.hexdigest()) for name, rows, size, digest in told]
