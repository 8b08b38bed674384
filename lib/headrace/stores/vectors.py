"""What every embedder does with texts before a call and with vectors after it."""

import hashlib
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from headrace.config_embed import PrefixedEmbed
from headrace.errors import ConfigError, Retryable
from headrace.ports import Unacceptable, Vectors

# Below this a vector has no direction worth the name, and a cosine index refuses it.
_SHORTEST = 1e-12


def usable(texts: Sequence[str]) -> list[str]:
    """The texts as valid Unicode: half a surrogate pair, which no encoder takes, becomes a question mark.

    Raises Unacceptable where a text holds nothing but white space: no model has a direction for it.
    """
    empty = [number for number, text in enumerate(texts) if not text.strip()]
    if empty:
        found = f"an empty text (number {empty[0]} of {len(texts)})"
        raise Unacceptable(expected="texts with words in them", found=found, todo="Leave empty passages out.")
    return [text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8") for text in texts]


def prefixes(settings: PrefixedEmbed) -> dict[str, str]:
    """What goes before a text, by purpose."""
    return {"document": settings.document_prefix, "query": settings.query_prefix}


def checked(raw: Any, count: int, dimension: int, where: str) -> Vectors:
    """Numbers as a model gave them, made vectors of length 1: shape (count, dimension), float32.

    Raises:
        Retryable: the answer is no list of `count` vectors; servers behind a proxy give such answers now and then.
        ConfigError: the vectors have another dimension.
        Unacceptable: a vector is zero or holds NaN or infinity, which comes from its text.
    """
    if count == 0:
        return np.empty((0, dimension), dtype=np.float32)
    wide = _numbers(raw, count, where)
    if wide.shape[1] != dimension:
        raise ConfigError(
            where=where,
            expected=f"vectors of {dimension} numbers",
            found=f"{wide.shape[1]}",
            todo=f"Set `dimension: {wide.shape[1]}`, or name the model that gives {dimension}.",
        )
    lengths = np.linalg.norm(wide, axis=1)
    bad = np.flatnonzero(~np.isfinite(lengths) | (lengths < _SHORTEST))
    if bad.size:
        found = f"zero, NaN or infinity for text number {bad[0]} of {count}"
        todo = "The passage goes to `rejects`; look at its text there."
        raise Unacceptable(where=where, expected="a vector with a direction", found=found, todo=todo)
    return np.ascontiguousarray(wide / lengths[:, None], dtype=np.float32)


def _numbers(raw: Any, count: int, where: str) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    todo = "It is tried again; where it goes on, check that this is an embedding model."
    try:
        # Lengths are taken in float64: the square of a large float32 overflows.
        wide = np.asarray(raw, dtype=np.float64)
    except (TypeError, ValueError) as error:
        found = "something that is no table of numbers"
        raise Retryable(where=where, expected=f"{count} vectors", found=found, todo=todo) from error
    if wide.ndim != 2 or len(wide) != count:
        found = f"an array of shape {wide.shape}"
        raise Retryable(where=where, expected=f"{count} vectors", found=found, todo=todo)
    return wide


def fingerprint(**parts: Any) -> str:
    """32 hexadecimal digits for everything that changes a vector. The order of `parts` does not matter."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode("ascii"), digest_size=16).hexdigest()


def brief(text: str, most: int = 300) -> str:
    """A service's own words on one line, cut: some repeat the whole input."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[:most] + "..."


def seconds_of(text: str | None) -> float | None:
    """A plain number of seconds, not below zero; None for anything else."""
    try:
        number = float(text or "")
    except ValueError:
        return None
    return max(0.0, number) if math.isfinite(number) else None
