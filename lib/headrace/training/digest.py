"""One short name for what is in a dataset: the same rows give the same, in any order and from any partitions."""

from dataclasses import dataclass
from hashlib import sha256, shake_256

_BYTES = 512
# A sum of short hashes can be hit by choosing rows (Wagner's generalised birthday); with 4,096 bits it cannot.
_SIZE = 1 << (8 * _BYTES)


@dataclass(frozen=True, slots=True)
class ContentDigest:
    """The digest of rows seen so far; `+` joins those of two partitions.

    Attributes:
        total: the sum of the rows' hashes, so that a row that is there twice counts twice.
        rows: how many.
    """

    total: int = 0
    rows: int = 0

    def with_row(self, split: str, line: bytes) -> "ContentDigest":
        """The digest with one more row: the canonical bytes of its line, and the split it is in."""
        hashed = shake_256(split.encode() + b"\0" + line).digest(_BYTES)
        return ContentDigest((self.total + int.from_bytes(hashed)) % _SIZE, self.rows + 1)

    def __add__(self, other: "ContentDigest") -> "ContentDigest":
        return ContentDigest((self.total + other.total) % _SIZE, self.rows + other.rows)

    def hexadecimal(self) -> str:
        """64 digits."""
        return sha256(self.total.to_bytes(_BYTES) + self.rows.to_bytes(8)).hexdigest()

    def short(self) -> str:
        """32 digits, which MLflow takes as a dataset's digest: it refuses more than 36."""
        return self.hexadecimal()[:32]
