"""The names in a folder that holds one version of a dataset."""

import re
from typing import Literal

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

MANIFEST, CHECKSUMS, CARD = "manifest.json", "SHA256SUMS", "README.md"
BESIDE = (MANIFEST, CHECKSUMS, CARD, *(f"{split}.manifest" for split in SPLITS))
"""What may lie beside the folders of the splits."""

ALLOWED = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
"""Names that every trainer takes: Bedrock refuses others, `=` would make a folder a partition."""

_PART = re.compile(r"part-([0-9]{5})-of-([0-9]{5})(\..+)")


def part(number: int, of: int, suffix: str) -> str:
    """The name of one of the files of a split; numbers begin with 1."""
    return f"part-{number:05d}-of-{of:05d}{suffix}"


def part_of(name: str) -> tuple[int, int] | None:
    """The number and the count in the name of a part; None for other names."""
    found = _PART.fullmatch(name)
    return (int(found[1]), int(found[2])) if found else None
