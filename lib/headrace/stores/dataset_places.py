"""Where versions of datasets lie: a folder, or S3. In S3 the manifest comes last: what has one is whole."""

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from headrace.errors import NotThere
from headrace.stores.files import LakeFiles

BESIDE = ("README.md", "SHA256SUMS", "manifest.json")
"""What lies beside the rows; the last one is written last."""


class DatasetPlaces:
    """Folders below one root: `<dataset>/<version>.<format>`."""

    def __init__(self, root: str) -> None:
        self.root = root.rstrip("/")
        self._files = LakeFiles(self.root)

    @staticmethod
    def folder_of(version: str, format: str) -> str:
        """The name of a version's folder for a format."""
        return f"{version}.{format}"

    def place(self, dataset: str, version: str, format: str) -> str:
        """The whole path or URL of a version."""
        return f"{self.root}/{self._below(dataset, version, format)}"

    def exists(self, dataset: str, version: str, format: str) -> bool:
        """Whether the version lies there whole."""
        return self._files.exists(f"{self._below(dataset, version, format)}/{BESIDE[-1]}")

    def write(self, dataset: str, version: str, format: str, make: Callable[[Path], Path]) -> None:
        """Put a version there.

        Args:
            make: writes it below the folder it is given, and returns where.
        """
        if "://" not in self.root:
            make(Path(self.root))
            return
        with tempfile.TemporaryDirectory(prefix="headrace-dataset-") as folder:
            self.put(dataset, version, format, make(Path(folder)))

    def put(self, dataset: str, version: str, format: str, made: Path) -> None:
        """Copy a version from a folder of this machine, over what is there: its manifest last."""
        below = self._below(dataset, version, format)
        names = sorted(str(path.relative_to(made)) for path in made.rglob("*") if path.is_file())
        names.sort(key=lambda name: name == BESIDE[-1])
        for name in names:
            self._files.put(f"{below}/{name}", made / name)

    def fetch(self, dataset: str, version: str, format: str, folder: Path) -> Path:
        """Copy a version to this machine. Returns its folder, which is below the one given.

        Raises:
            NotThere: it does not lie there whole.
        """
        below = self._below(dataset, version, format)
        self.manifest(dataset, version, format)
        made = folder / self.folder_of(version, format)
        made.mkdir(parents=True)
        for name in self._files.names(below):
            self._files.get(f"{below}/{name}", made / name)
        for split in self._files.folders(below):
            self.split(dataset, version, format, split, made)
        return made

    def split(self, dataset: str, version: str, format: str, split: str, folder: Path) -> Sequence[Path]:
        """Copy one split to this machine. Returns its files, in order; none where there is no such split."""
        below = f"{self._below(dataset, version, format)}/{split}"
        made = folder / split
        made.mkdir(parents=True, exist_ok=True)
        names = self._files.names(below)
        for name in names:
            self._files.get(f"{below}/{name}", made / name)
        return [made / name for name in names]

    def manifest(self, dataset: str, version: str, format: str) -> dict[str, Any]:
        """What the manifest of a version says. Raises NotThere where it does not lie there whole."""
        content = self._files.read_bytes(f"{self._below(dataset, version, format)}/{BESIDE[-1]}")
        if content is None:
            place = self.place(dataset, version, format)
            todo = "`headrace run curate_dataset --once` writes versions, `headrace dataset publish` copies them."
            raise NotThere(where=place, expected=f"a whole version, with {BESIDE[-1]}", found="none", todo=todo)
        found: dict[str, Any] = json.loads(content)
        return found

    @contextmanager
    def beside(self, dataset: str, version: str, format: str) -> Iterator[Sequence[Path]]:
        """Copies of what lies beside the rows, for as long as they are needed."""
        with tempfile.TemporaryDirectory(prefix="headrace-dataset-") as folder:
            found = []
            for name in BESIDE:
                content = self._files.read_bytes(f"{self._below(dataset, version, format)}/{name}")
                if content is not None:
                    found.append(Path(folder, name))
                    found[-1].write_bytes(content)
            yield found

    def delete(self, dataset: str, version: str, format: str) -> None:
        """Take a version away: its manifest first, so that nobody takes the rest for whole."""
        below = self._below(dataset, version, format)
        self._files.delete(f"{below}/{BESIDE[-1]}")
        self._files.delete_folder(below)

    def versions(self, dataset: str) -> list[tuple[str, str]]:
        """Version and format of every folder of a dataset, whole or not."""
        found = (name.partition(".") for name in self._files.folders(dataset))
        return [(version, format) for version, dot, format in found if dot]

    def _below(self, dataset: str, version: str, format: str) -> str:
        return f"{dataset}/{self.folder_of(version, format)}"
