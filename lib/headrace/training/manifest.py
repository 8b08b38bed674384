"""What lies beside a dataset's files: our manifest, those of SageMaker, and checksums."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headrace.training.layout import Split


@dataclass(frozen=True, slots=True)
class Part:
    """One file of lines.

    Attributes:
        name: its path in the folder of the version.
    """

    name: str
    rows: int
    size: int
    sha256: str


def manifest(facts: Mapping[str, Any], parts: Mapping[Split, Sequence[Part]]) -> bytes:
    """Our manifest: the facts, and each split with its rows, bytes and files."""
    splits = {
        split: {
            "rows": sum(one.rows for one in files),
            "bytes": sum(one.size for one in files),
            "files": [{"name": one.name, "rows": one.rows, "bytes": one.size, "sha256": one.sha256} for one in files],
        }
        for split, files in parts.items()
    }
    return as_json({**facts, "splits": splits})


def sagemaker_manifest(place: str, names: Sequence[str]) -> bytes:
    """What SageMaker's `S3DataType: ManifestFile` wants: a prefix, then the keys below it.

    Args:
        place: `s3://bucket/...` of the folder the names are in.
    """
    return as_json([{"prefix": place.rstrip("/") + "/"}, *names])


def checksums(digests: Mapping[str, str]) -> bytes:
    """As `sha256sum --check` reads them."""
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode()


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def as_json(value: Any) -> bytes:
    """JSON for people: indented, keys in their order."""
    return (json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode("utf-8")
