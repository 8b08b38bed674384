"""Where versions of datasets lie: a folder, or S3. In S3 the manifest comes last: what has one is whole."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

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
            made = make(Path(folder))
            names = sorted(str(path.relative_to(made)) for path in made.rglob("*") if path.is_file())
            names.sort(key=lambda name: name == BESIDE[-1])
            for name in names:
                self._files.put(f"{self._below(dataset, version, format)}/{name}", made / name)

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
