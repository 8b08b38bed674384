"""A version in another place: what beside its rows says where it lies is written anew, all else stays as it was."""

from itertools import islice
from pathlib import Path

from headrace.errors import DatasetRefused
from headrace.training.layout import CHECKSUMS, SPLITS
from headrace.training.manifest import checksums, sagemaker_manifest, sha256_of
from headrace.training.records import wrong_checksums

_SHOWN = 3


def moved(folder: Path, place: str | None) -> None:
    """Make a copy fit its new place: SageMaker's manifests and the checksums.

    Args:
        folder: the copy, on this machine.
        place: `s3://bucket/...` where it will lie; None where SageMaker cannot read it, and then it needs no manifests.

    Raises:
        DatasetRefused: its files are not those that were written.
    """
    _whole(folder)
    text = (folder / CHECKSUMS).read_text("utf-8")
    told = {name: digest for digest, _, name in (line.partition("  ") for line in text.splitlines())}
    for split in SPLITS:
        manifest = f"{split}.manifest"
        told.pop(manifest, None)
        (folder / manifest).unlink(missing_ok=True)
        names = sorted(name.partition("/")[2] for name in told if name.startswith(f"{split}/"))
        if place and names:
            (folder / manifest).write_bytes(sagemaker_manifest(f"{place.rstrip('/')}/{split}", names))
            told[manifest] = sha256_of(folder / manifest)
    (folder / CHECKSUMS).write_bytes(checksums(told))


def _whole(folder: Path) -> None:
    todo = "Delete the folder, and let `headrace dataset build` write it anew."
    if not (folder / CHECKSUMS).is_file():
        raise DatasetRefused(where=folder.name, expected=f"a file {CHECKSUMS}", found="none", todo=todo)
    if wrong := list(islice(wrong_checksums(folder, {}), _SHOWN)):
        found = "; ".join(f"{one.at}: {one.found}" for one in wrong)
        raise DatasetRefused(where=folder.name, expected="the files that were written", found=found, todo=todo)
