"""A folder of this machine for events while their stream is away. Several processes may share it.

A file is written under a hidden name and then renamed, so it is whole or not there. Whoever has a stream that answers
delivers any file and then removes it. Two that do so at once deliver it twice, which the events' own order makes one.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import time_ns
from uuid import uuid4


def put_whole(folder: Path, name: str, content: bytes, mode: int = 0o666) -> None:
    """Make a file that appears with all its content, on the disk. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    hidden = folder / f".{name}"
    handle = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(hidden, folder / name)
        _sync(folder)
    except BaseException:
        hidden.unlink(missing_ok=True)
        raise


def _sync(folder: Path) -> None:
    """Have the folder's names on the disk too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def new_name() -> str:
    """A name for a file that nobody else takes; later ones sort behind earlier ones."""
    return f"{time_ns():020d}-{uuid4().hex}.jsonl"


class Spool:
    """The folder.

    Args:
        most_bytes: what all its files may hold together.
    """

    def __init__(self, folder: str, most_bytes: int) -> None:
        self._folder, self._most = Path(folder).expanduser(), most_bytes

    def add(self, lines: Sequence[bytes]) -> int:
        """Keep these lines; how many of them, from the first, there was room for."""
        room, kept = self._most - sum(size for _, size in self._files()), 0
        for line in lines:
            room -= len(line) + 1
            if room < 0:
                break
            kept += 1
        try:
            if kept:
                put_whole(self._folder, new_name(), b"".join(line + b"\n" for line in lines[:kept]), 0o600)
        except OSError:
            return 0
        return kept

    def batches(self) -> Iterator[tuple[Path, list[bytes]]]:
        """Its files with their lines, oldest first. Remove each that was delivered."""
        for path, _ in self._files():
            try:
                yield path, path.read_bytes().splitlines()
            except OSError:
                continue  # another process was faster

    def _files(self) -> list[tuple[Path, int]]:
        try:
            return sorted((Path(one.path), one.stat().st_size) for one in os.scandir(self._folder)
                          if one.name.endswith(".jsonl") and not one.name.startswith("."))  # fmt: skip
        except OSError:
            return []
