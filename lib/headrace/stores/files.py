"""Small text files of the lake: requests, checkpoints, probes. A local folder, `s3://...` or `/Volumes/...`."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from headrace.errors import MissingDependency, Unreachable

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem


_PIECE = 1024 * 1024


class LakeFiles:
    """Files under one root; every path is relative to it.

    Raises (every method): Unreachable where the folder or bucket does not answer or refuses; MissingDependency
    without pyarrow.
    """

    def __init__(self, root: str) -> None:
        self.root = root.rstrip("/") or "/"
        self._fs: FileSystem | None = None
        self._base = ""

    def read_text(self, path: str) -> str | None:
        """The file as UTF-8 text; None where there is no such file."""
        content = self.read_bytes(path)
        return None if content is None else content.decode("utf-8")

    def read_bytes(self, path: str) -> bytes | None:
        """The whole file; None where there is no such file."""
        with self._answering(path):
            fs, full = self._at(path)
            try:
                with fs.open_input_file(full) as file:
                    return bytes(file.read())
            except FileNotFoundError:
                return None

    def write_text(self, path: str, text: str) -> bool:
        """Write a new file whole; False, and nothing written, where the file is there already.

        On a local folder two writers cannot both succeed. S3 gives no such promise: use a name nobody else takes.
        """
        with self._answering(path):
            fs, full = self._at(path)
            if self.exists(path):
                return False
            fs.create_dir(full.rpartition("/")[0], recursive=True)
            if fs.type_name == "local":
                return _write_new(Path(full), text)
            with fs.open_output_stream(full) as file:
                file.write(text.encode("utf-8"))
            return True

    def replace_text(self, path: str, text: str) -> None:
        """Write a file whole, whether it is there or not: a reader sees the old text or the new one."""
        with self._answering(path):
            fs, full = self._at(path)
            fs.create_dir(full.rpartition("/")[0], recursive=True)
            if fs.type_name == "local":
                unfinished = Path(full).with_name(f".{Path(full).name}.{secrets.token_hex(4)}")
                unfinished.write_text(text, encoding="utf-8")
                unfinished.replace(full)
                return
            with fs.open_output_stream(full) as file:
                file.write(text.encode("utf-8"))

    def exists(self, path: str = "") -> bool:
        """Whether there is a file or folder of that name."""
        from pyarrow.fs import FileType

        with self._answering(path):
            fs, full = self._at(path)
            return bool(fs.get_file_info(full).type != FileType.NotFound)

    def names(self, folder: str = "") -> list[str]:
        """Names of the files directly in a folder, sorted; empty where there is no such folder."""
        from pyarrow.fs import FileSelector, FileType

        with self._answering(folder):
            fs, full = self._at(folder)
            found = fs.get_file_info(FileSelector(full, allow_not_found=True))
            return sorted(info.base_name for info in found if info.type == FileType.File)

    def folders(self, folder: str = "") -> list[str]:
        """Names of the folders directly in a folder, sorted; empty where there is no such folder."""
        from pyarrow.fs import FileSelector, FileType

        with self._answering(folder):
            fs, full = self._at(folder)
            found = fs.get_file_info(FileSelector(full, allow_not_found=True))
            return sorted(info.base_name for info in found if info.type == FileType.Directory)

    def put(self, path: str, file: Path) -> None:
        """Write a file of this machine whole, over one that is there."""
        with self._answering(path):
            fs, full = self._at(path)
            fs.create_dir(full.rpartition("/")[0], recursive=True)
            with file.open("rb") as given, fs.open_output_stream(full) as taken:
                shutil.copyfileobj(given, taken, _PIECE)

    def get(self, path: str, file: Path) -> bool:
        """Copy a file to this machine; False, and nothing written, where there is none."""
        with self._answering(path):
            fs, full = self._at(path)
            try:
                with fs.open_input_stream(full) as given, file.open("wb") as taken:
                    shutil.copyfileobj(given, taken, _PIECE)
            except FileNotFoundError:
                return False
            return True

    def delete_folder(self, path: str) -> None:
        """Delete a folder with all in it; nothing happens where it is not there."""
        with self._answering(path):
            fs, full = self._at(path)
            if self.exists(path):
                fs.delete_dir(full)

    def delete(self, path: str) -> None:
        """Delete a file; nothing happens where it is not there."""
        with self._answering(path):
            fs, full = self._at(path)
            if self.exists(path):
                fs.delete_file(full)

    def create(self) -> None:
        """Create the root folder unless it is there. A bucket is not created."""
        with self._answering(""):
            fs, full = self._at("")
            if fs.type_name == "local":
                fs.create_dir(full, recursive=True)

    def _at(self, path: str) -> tuple["FileSystem", str]:
        if self._fs is None:
            from pyarrow.fs import FileSystem, LocalFileSystem

            if "://" in self.root:
                self._fs, self._base = FileSystem.from_uri(self.root.replace("s3a://", "s3://", 1))
            else:
                self._fs, self._base = LocalFileSystem(), os.path.abspath(self.root)
        return self._fs, f"{self._base}/{path}".rstrip("/")

    @contextmanager
    def _answering(self, path: str) -> Iterator[None]:
        place = f"{self.root}/{path}".rstrip("/")
        try:
            yield
        except ModuleNotFoundError as error:
            todo = "Run `pip install 'headrace[read]'`."
            raise MissingDependency(expected="pyarrow", found=f"no module {error.name}", todo=todo) from error
        # Invalid URIs are ValueErrors in pyarrow, everything a file system answers is an OSError.
        except (OSError, ValueError) as error:
            todo = "Check that it exists and that you may use it, then run `headrace check`."
            found = str(error).splitlines()[0][:300]
            raise Unreachable(where=place, expected="a folder that answers", found=found, todo=todo) from error


def _write_new(file: Path, text: str) -> bool:
    # A reader must never see half a file: written beside it, then linked in place, which fails if the name is taken.
    unfinished = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    unfinished.write_text(text, encoding="utf-8")
    try:
        os.link(unfinished, file)
    except FileExistsError:
        return False
    except OSError:  # /Volumes and some network folders know no hard links
        unfinished.replace(file)
        return True
    finally:
        unfinished.unlink(missing_ok=True)
    return True
