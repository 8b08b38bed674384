"""Rows of passages for tests: whole bodies from a few words."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from headrace.passages import packed
from headrace.ports import Projected, Vectors

DIMENSION = 8
MODEL = ("test-model", DIMENSION, "test-model/8/v1")
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
"""When the tests' readers believe it is."""


def direction(*numbers: float, dimension: int = DIMENSION) -> Vectors:
    """A vector of length 1 that begins with these numbers, then zeros."""
    vector = np.zeros(dimension, dtype=np.float32)
    vector[: len(numbers)] = numbers
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def random_direction(seed: int, dimension: int = DIMENSION) -> Vectors:
    """The vector of a seed, of length 1."""
    vector = np.random.default_rng(seed).standard_normal(dimension).astype(np.float32)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def body(
    text: str = "some words",
    vector: Vectors | Sequence[float] | None = None,
    model: tuple[str, int, str] = MODEL,
    **fields: Any,
) -> dict[str, Any]:
    """A passage's body; `fields` replace what they name."""
    name, dimension, fingerprint = model
    whole: dict[str, Any] = {
        "source": "handbook",
        "document": "d1",
        "title": None,
        "url": "https://example.org/d1",
        "language": "en",
        "heading": ["Part", "Chapter"],
        "text": text,
        "start": 0,
        "end": len(text),
        "ordinal": 0,
        "tags": [],
        "audience": [],
        "tenant": None,
        "modality": "text",
        "metadata": {"pages": 3, "nested": {"kind": "a", "": [1, None, True]}},
        "content_hash": "0f",
        "model": name,
        "dimension": dimension,
        "fingerprint": fingerprint,
        "vector": packed(np.asarray(random_direction(1, dimension) if vector is None else vector)),
        "position": "00-01",
        "changed_at": NOW.isoformat(),
    }
    return {**whole, **fields}


def put(key: str, version: int, text: str = "some words", **fields: Any) -> Projected:
    """A living passage."""
    return Projected(key, version, False, body(text, **fields))


def gone(key: str, version: int) -> Projected:
    """A deleted passage."""
    return Projected(key, version, True, None)


def without_vector(whole: Mapping[str, Any]) -> dict[str, Any]:
    """A body as a reader returns it."""
    return {name: value for name, value in whole.items() if name != "vector"}
