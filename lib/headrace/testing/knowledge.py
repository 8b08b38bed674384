"""A model and helpers for tests of the knowledge job: no download, no service."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from random import Random

import numpy as np

from headrace.errors import ConfigError, Retryable, Unreachable
from headrace.ports import Purpose, Vectors
from headrace.stores.limiter import PacedLimiter, in_process
from headrace.stores.pace import Rates


@dataclass(slots=True)
class HashEmbedder:
    """Vectors from hashed words: texts that share words are near each other. Deterministic, needs nothing."""

    dimension: int = 16
    model: str = "hash"
    batch: int = 32

    @property
    def fingerprint(self) -> str:
        """Of model and dimension."""
        return blake2b(f"{self.model}/{self.dimension}".encode(), digest_size=16).hexdigest()

    def embed(self, texts: Sequence[str], purpose: Purpose = "document") -> Vectors:
        """Vectors of shape (len(texts), dimension), each of length 1."""
        found = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(found, texts, strict=True):
            for word in text.lower().split() or [""]:
                row += np.random.default_rng(_seed(word)).standard_normal(self.dimension, dtype=np.float32)
            row /= np.linalg.norm(row)
        return found

    def close(self) -> None:
        """Nothing to give back."""


class FlakyEmbedder(HashEmbedder):
    """The same, but one call in four fails."""

    def embed(self, texts: Sequence[str], purpose: Purpose = "document") -> Vectors:
        """Vectors, or Retryable."""
        if Random().random() < 0.25:
            raise Retryable(expected="an answer", found="none", todo="Try again.")
        return HashEmbedder.embed(self, texts, purpose)


@dataclass(slots=True)
class SwitchedEmbedder(HashEmbedder):
    """The same, but a file says how it does: `away`, `wrong` (a setting) or well."""

    says: str = ""

    def embed(self, texts: Sequence[str], purpose: Purpose = "document") -> Vectors:
        """Vectors, Unreachable or ConfigError."""
        said = Path(self.says).read_text(encoding="utf-8")
        if said == "away":
            raise Unreachable(expected="an answer", found="500", todo="Wait.")
        if said == "wrong":
            raise ConfigError(where="embed", expected="8 numbers", found="16", todo="Set `dimension: 16`.")
        return HashEmbedder.embed(self, texts, purpose)


def _seed(word: str) -> int:
    return int.from_bytes(blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def free_limiter() -> PacedLimiter:
    """A limiter without limits."""
    return PacedLimiter(Rates(), in_process())
