"""Where a notebook works: a new folder, the settings in it, and jobs run on it."""

import atexit
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from headrace import config_file
from headrace.config import Config
from headrace.errors import ConfigError, Fatal
from headrace.pipelines.runtime import INTERPRETED, SHORT_LIVED, Runtime

_SHARED = re.compile(r"(?<![\w./])\./(lake|in|people|policies)\b")


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of the notebook's own.

    Attributes:
        local: on this machine: the notebook writes files here. Removed when the notebook's kernel ends.
        shared: where Spark's workers read them and where the lake lies: `local` on a laptop, else a path of its own.
    """

    runtime: Runtime
    local: Path
    shared: str
    _seen: dict[str, tuple[int, int]] = field(default_factory=dict)

    def share(self, folder: str) -> None:
        """Bring `shared/folder` in step with `local/folder`; nothing to do where they are one."""
        if self.shared == str(self.local):
            return
        from pyarrow.fs import FileSystem, LocalFileSystem, copy_files

        target, base = FileSystem.from_uri(self.shared)
        target.create_dir(f"{base}/{folder}", recursive=True)
        here = {name: _state(self.local / folder / name) for name in sorted(os.listdir(self.local / folder))}
        known = {name.rpartition("/")[2]: state for name, state in self._seen.items() if name.startswith(f"{folder}/")}
        for name in known.keys() - here.keys():
            target.delete_file(f"{base}/{folder}/{name}")
            del self._seen[f"{folder}/{name}"]
        for name, state in here.items():
            if known.get(name) != state and not name.startswith("."):
                ours, theirs = str(self.local / folder / name), f"{base}/{folder}/{name}"
                copy_files(ours, theirs, source_filesystem=LocalFileSystem(), destination_filesystem=target)
                self._seen[f"{folder}/{name}"] = state

    def settings(self, text: str) -> Config:
        """Write `headrace.yaml` and load it; `./lake`, `./in`, `./people` and `./policies` are those of `shared`."""
        file = self.local / "headrace.yaml"
        file.write_text(_SHARED.sub(lambda found: f"{self.shared}/{found[1]}", text), encoding="utf-8")
        return config_file.load(file).model_copy(update={"runtime": self.runtime})


def make_place(folder: str, runtime: Runtime) -> Place:
    """A new place, with an empty folder `in`.

    Args:
        folder: `s3://bucket/folder` or `/Volumes/...`, which workers reach too; on a laptop "" for a temporary one.

    Raises:
        ConfigError: no folder, where Spark's workers are other machines.
    """
    if not folder and runtime != "local":
        todo = "Set FOLDER in the notebook's first cell."
        expected = "a folder that Spark's workers reach: s3://bucket/folder or /Volumes/catalog/schema/volume/folder"
        raise ConfigError(where="FOLDER", expected=expected, found="none", todo=todo)
    local = Path(tempfile.mkdtemp(prefix="headrace-notebook-"))
    atexit.register(shutil.rmtree, local, ignore_errors=True)
    (local / "in").mkdir()
    place = Place(runtime, local, f"{folder.rstrip('/')}/{local.name}" if folder else str(local))
    place.share("in")
    return place


def quick(runtime: Runtime) -> Mapping[str, str]:
    """Spark settings for few rows and minutes on a laptop; none elsewhere, where Spark is set up already."""
    return {**SHORT_LIVED, **INTERPRETED} if runtime == "local" else {}


def run_once(job: Callable[[Config, bool, threading.Event], int], config: Config) -> None:
    """Run a job (its module's `run`) until all that is there is processed. Raises what the job raises."""
    code = job(config, True, threading.Event())
    if code:
        raise Fatal(expected="the job to end with 0", found=str(code), todo="Look at its messages above.")


def _state(file: Path) -> tuple[int, int]:
    about = file.stat()
    return about.st_mtime_ns, about.st_size
