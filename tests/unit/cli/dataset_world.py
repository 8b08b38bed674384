"""A lake with versions of a dataset, written without Spark."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from headrace.training.folder import write
from headrace.training.formats import FORMATS
from headrace.training.layout import Split
from headrace.training.limits import limits_of
from unit.cli.conftest import TIME, SmallLake
from unit.training.some_examples import ABOUT, example

START = datetime(2026, 3, 1, tzinfo=UTC)
ROLE = "arn:aws:iam::123456789012:role/training"
SETTINGS = f"""
lake: ./lake
sources:
  events: {{from: files, path: ./events, format: json, position: [at]}}
feedback: {{sources: [events]}}
datasets:
  key: {{secret: env:DATASETS_KEY}}
  sets:
    support:
      kind: sft
      formats: [trl_sft, nova]
      launch:
        llama: {{service: sagemaker, image: trl, role: '{ROLE}', output: 's3://models/a'}}
        nova: {{service: bedrock, base_model: amazon.nova-lite-v1, format: nova, role: '{ROLE}', output: 's3://models/b'}}
        chat: {{service: sagemaker, image: trl, format: converse, role: '{ROLE}', output: 's3://models/c'}}
"""
COUNTS = pa.map_(pa.string(), pa.int64())
VERSIONS = pa.schema(
    [("dataset", pa.string()), ("slot", TIME), ("as_of", TIME), ("version", pa.string()), ("kind", pa.string()),
     ("formats", pa.list_(pa.string())), ("settings", pa.string()), ("sources", COUNTS), ("rows", COUNTS),
     ("refused", COUNTS), ("moved", pa.int64()), ("folder", pa.string()), ("built_at", TIME), ("revoked_at", TIME),
     ("revoked_why", pa.string())]
)  # fmt: skip
ROWS = pa.schema(
    [("dataset", pa.string()), ("version", pa.string()), ("example", pa.string()), ("split", pa.string())]
)  # the rest is not read here


def version(digest: str, day: int, **told: Any) -> dict[str, Any]:
    """A row of the table of versions."""
    at = START + timedelta(days=day)
    return {
        "dataset": "support", "slot": at, "as_of": at, "version": digest, "kind": "sft", "formats": ["trl_sft", "nova"],
        "settings": "0123", "sources": {"turns": day, "ratings": 0}, "rows": {"train": 12, "validation": 4, "test": 4},
        "refused": {"quality: refusal": 2, "choose: no_consent": 1}, "moved": 0, "folder": "s3://datasets/exports",
        "built_at": at, "revoked_at": None, "revoked_why": None,
    } | told  # fmt: skip


def tell(small: SmallLake, *versions: Mapping[str, Any]) -> None:
    """Settings, and rows of the table of versions."""
    Path(small.settings).write_text(SETTINGS)
    small.write("datasets/versions", versions, VERSIONS)


def hold(small: SmallLake, digest: str, splits: Mapping[str, str]) -> None:
    """Rows of a version: split by example."""
    rows = [
        {"dataset": "support", "version": digest, "example": name, "split": split} for name, split in splits.items()
    ]
    small.write("datasets/rows", rows, ROWS)


def folders(root: Path, digest: str, formats: tuple[str, ...] = ("trl_sft", "nova"), test: int = 4) -> str:
    """Folders of a version below a root, which comes back."""
    for name in formats:
        format = FORMATS[name]
        about = replace(ABOUT, dataset="support", version=f"{digest}.{name}")
        limits = limits_of(name, {"rows_at_least": 1})
        write(root, rows(test), about, format, limits)
    return str(root)


def rows(test: int = 4) -> list[tuple[Split, Any]]:
    """Of all splits."""
    sizes: list[tuple[Split, int]] = [("train", 12), ("validation", 4), ("test", test)]
    splits = [split for split, size in sizes for _ in range(size)]
    return [(split, example("sft", number)) for number, split in enumerate(splits)]


def printed(capsys: Any) -> Any:
    """What was printed, as JSON."""
    return json.loads(capsys.readouterr().out)
