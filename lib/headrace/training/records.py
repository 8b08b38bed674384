"""Checks the records that lie beside a dataset's files, where there are any: checksums and manifest."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from headrace.training.formats.format import Format
from headrace.training.formats.rules import Violation
from headrace.training.layout import CHECKSUMS, MANIFEST, SPLITS
from headrace.training.manifest import sha256_of


class Known(Protocol):
    """What reading the files told."""

    sha256: dict[str, str]
    rows: dict[str, int]

    def rows_of(self, split: str) -> int:
        """Lines of a split."""


def records(folder: Path, format: Format, known: Known) -> Iterator[Violation]:
    """What the records say otherwise than the files. `at` names the file."""
    if (folder / CHECKSUMS).is_file():
        yield from wrong_checksums(folder, known.sha256)
    if (folder / MANIFEST).is_file():
        yield from _manifest(folder, format, known)


def wrong_checksums(folder: Path, known: Mapping[str, str]) -> Iterator[Violation]:
    """What `SHA256SUMS` says otherwise than the files.

    Args:
        known: digests that somebody took already, by name.
    """
    text = (folder / CHECKSUMS).read_text("utf-8", errors="replace")
    listed = {name: digest for digest, _, name in (one.partition("  ") for one in text.splitlines())}
    there = {one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()} - {CHECKSUMS}
    todo = "Copy the folder again, or write the dataset anew."
    for name in sorted(there | listed.keys()):
        if name not in there:
            yield Violation("checksum", name, f"a file that {CHECKSUMS} lists", "none", todo)
        elif name not in listed:
            yield Violation("checksum", name, f"a line in {CHECKSUMS}", "none", todo)
        elif listed[name] != (known.get(name) or sha256_of(folder / name)):
            yield Violation("checksum", name, "the content that was written", "another", todo)


def _manifest(folder: Path, format: Format, known: Known) -> Iterator[Violation]:
    todo = "Write the dataset anew."
    try:
        found: Any = json.loads((folder / MANIFEST).read_bytes())
        named = found["format"]
        rows = {split: about["rows"] for split, about in found["splits"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        yield Violation("manifest", MANIFEST, "a manifest", "something else", todo)
        return
    if named != format.name:
        yield Violation("manifest", MANIFEST, f"format {format.name}", str(named)[:40], "Check it as what it is.")
    for split in SPLITS:
        if rows.get(split, 0) != known.rows_of(split):
            told = f"{rows.get(split, 0)} rows in {split}"
            yield Violation("manifest", MANIFEST, told, str(known.rows_of(split)), todo)
