"""Writes one version of a dataset: `<root>/<dataset>/<version>/{train,validation,test}/part-00001-of-000NN.jsonl`.

The folder gets its name as the last step, so what has the name is whole and was checked. Memory does not grow with
rows, but for 8 bytes of each that the check keeps.
"""

import os
import secrets
import shutil
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from headrace.errors import DatasetRefused
from headrace.training import manifest
from headrace.training.about import About
from headrace.training.canonical import canonical
from headrace.training.card import Tally, card, kto_weights
from headrace.training.digest import ContentDigest
from headrace.training.example import Example
from headrace.training.formats.format import Format
from headrace.training.layout import ALLOWED, CARD, CHECKSUMS, MANIFEST, SPLITS, Split
from headrace.training.limits import Limits
from headrace.training.manifest import Part
from headrace.training.parts import Parts
from headrace.training.validate import problems

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Written:
    """A dataset that was written.

    Attributes:
        digest: of its content, 64 hexadecimal digits.
        rows: of each split.
    """

    folder: Path
    digest: str
    rows: Mapping[Split, int]


def write(
    root: Path,
    rows: Iterable[tuple[Split, Example]],
    about: About,
    format: Format,
    limits: Limits,
    *,
    files: Mapping[Split, int] | None = None,
    place: str | None = None,
) -> Written:
    """Write the rows, in the order they come, and what lies beside them.

    Args:
        files: how many files each split gets; 1 where nothing is said.
        place: `s3://bucket/...` of the root once it is published; gives each split a manifest for SageMaker.

    Raises:
        DatasetRefused: the version is there, a name or a number of files cannot be, a row does not fit the format, a
            split that must be there is empty, or the whole breaks a rule. Then nothing is left behind.
    """
    wanted = _wanted(format, files or {})
    target = _target(root, about)
    unfinished = target.with_name(f"{_unfinished(target)}{secrets.token_hex(4)}")
    unfinished.mkdir(parents=True)
    try:
        inside = unfinished / target.name
        written = _fill(inside, rows, about, format, limits, wanted, place)
        _check(inside, format, limits)
        _sync(inside)
        inside.rename(target)
    except (OSError, DatasetRefused) as error:
        if target.exists():  # another writer was first, and took this one's folder away
            raise _there(target) from error
        raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    # What a crash left of this version: its writers could only fail now.
    for left in target.parent.glob(f"{_unfinished(target)}*"):
        shutil.rmtree(left, ignore_errors=True)
    return Written(target, written.digest, written.rows)


def _wanted(format: Format, files: Mapping[Split, int]) -> dict[Split, int]:
    wanted = {split: files.get(split, 1) for split in SPLITS}
    for split, number in wanted.items():
        if not 1 <= number <= 99_999 or (format.files is not None and number > format.files):
            expected = f"1 to {format.files or 99_999} for {format.name}"
            raise DatasetRefused(
                where=f"files of {split}", expected=expected, found=str(number), todo="Change the number."
            )
    return wanted


def _target(root: Path, about: About) -> Path:
    for what, name in (("dataset", about.dataset), ("version", about.version)):
        if not ALLOWED.fullmatch(name):
            todo = "Bedrock takes no other characters, and = would make the folder a partition."
            expected = "letters, digits, _, - and ., the first a letter or digit"
            raise DatasetRefused(where=f"name of the {what}", expected=expected, found=name[:200], todo=todo)
    target = root / about.dataset / about.version
    if target.exists():
        raise _there(target)
    return target


def _there(target: Path) -> DatasetRefused:
    todo = "A version never changes: give the new one another name, or delete this folder first."
    return DatasetRefused(where=str(target), expected="a new version", found="one of that name", todo=todo)


def _unfinished(target: Path) -> str:
    return f".{target.name}.unfinished-"


def _fill(
    folder: Path,
    rows: Iterable[tuple[Split, Example]],
    about: About,
    format: Format,
    limits: Limits,
    files: Mapping[Split, int],
    place: str | None,
) -> Written:
    tally, digest = Tally(), ContentDigest()
    with ExitStack() as stack:
        open_parts = {split: Parts(folder, split, files[split], format, stack) for split in SPLITS}
        for split, example in rows:
            line = _line(example, format, limits)
            open_parts[split].add(line)
            tally.add(split, example)
            digest = digest.with_row(split, line)
    parts: dict[Split, list[Part]] = {split: one.done() for split, one in open_parts.items() if one.rows}
    _both_sides(tally, files)
    written = Written(folder, digest.hexadecimal(), dict(tally.rows))
    _beside(folder, about, format, limits, tally, written.digest, parts, place)
    return written


def _line(example: Example, format: Format, limits: Limits) -> bytes:
    if violations := format.violations(example, limits):
        first = violations[0]
        where = f"example {example.id} as {format.name}, {first.at}: {first.rule}"
        raise DatasetRefused(where=where, expected=first.expected, found=first.found, todo=first.todo)
    return canonical(format.line(example))


def _both_sides(tally: Tally, files: Mapping[Split, int]) -> None:
    for split in SPLITS:
        rows = tally.rows[split]
        if not rows and split != "test":
            todo = "A trainer without a validation channel splits at random, and conversations leak. Choose more rows, "
            todo += "or other proportions." if split == "validation" else "or a longer time."
            raise DatasetRefused(where=split, expected="rows in train and in validation", found="none", todo=todo)
        if 0 < rows < files[split]:
            found = f"{rows} rows for {files[split]} files"
            todo = "Ask for fewer files: an empty one fails the job."
            raise DatasetRefused(where=split, expected="a row for each file", found=found, todo=todo)


def _beside(
    folder: Path,
    about: About,
    format: Format,
    limits: Limits,
    tally: Tally,
    digest: str,
    parts: Mapping[Split, list[Part]],
    place: str | None,
) -> None:
    contents: dict[str, bytes] = {
        f"{split}/{name}": content for split in parts for name, content in format.beside.items()
    }
    contents[CARD] = card(about, format, limits, tally, digest).encode("utf-8")
    contents[MANIFEST] = manifest.manifest(_facts(about, format, limits, tally, digest), parts)
    if place:
        for split in parts:
            names = sorted([one.name.partition("/")[2] for one in parts[split]] + list(format.beside))
            at = f"{place.rstrip('/')}/{about.dataset}/{about.version}/{split}"
            contents[f"{split}.manifest"] = manifest.sagemaker_manifest(at, names)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    digests = {one.name: one.sha256 for files in parts.values() for one in files}
    digests |= {name: manifest.sha256_of(folder / name) for name in contents}
    (folder / CHECKSUMS).write_bytes(manifest.checksums(digests))


def _facts(about: About, format: Format, limits: Limits, tally: Tally, digest: str) -> dict[str, Any]:
    weights = kto_weights(tally.label[True], tally.label[False])
    return {
        "dataset": about.dataset, "version": about.version, "format": format.name, "digest": digest,
        "sources": dict(sorted(about.sources.items())), "refusals": dict(sorted(about.refusals.items())),
        "leak": dict(sorted(about.leak.items())), "licences": list(about.licences),
        "limits": limits.known(), "limits_as_of": limits.as_of.isoformat(),
        **({"kto_weights": {"desirable": weights[0], "undesirable": weights[1]}} if weights else {}),
    }  # fmt: skip


def _check(folder: Path, format: Format, limits: Limits) -> None:
    found = list(islice(problems(folder, format, limits), _SHOWN))
    if found:
        said = "; ".join(f"{one.file} {one.rule} ({one.found} instead of {one.expected})" for one in found)
        raise DatasetRefused(where="the dataset", expected="no problems", found=said, todo=found[0].todo)


def _sync(folder: Path) -> None:
    """Let the disk hold it all before it gets its name."""
    for path in [*(one for one in folder.rglob("*")), folder]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
