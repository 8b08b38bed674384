"""MinHash over character 5-grams in numpy, and the true Jaccard similarity that has the last word.

A text here has parts, such as a question and its answer, with `PART` between them. Its grams are all runs of five
characters inside one part, and a shorter part as a whole; a gram counts together with the part it stands in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, log

import numpy as np
from numpy.typing import NDArray

GRAM = 5
FEWEST = 10
"""Texts of fewer grams are compared by equality alone: one more digit would make them near."""
PART = "\x1e"
_END = "\x1f"
HASHES = 128
CATCH = 0.9995
_AT_ONCE = 1 << 15  # grams: with their hashes they stay in the core's cache
_PAIRS_AT_ONCE = 4096
_BITS = 4096

Shingles = list[set[str]]


@dataclass(frozen=True, slots=True)
class Banding:
    """Which MinHashes of two texts must be equal for them to be compared: all `rows` of one of the `bands`."""

    bands: int
    rows: int

    def catch(self, similarity: float) -> float:
        """The probability that two texts of this similarity are compared."""
        return float(1 - (1 - similarity**self.rows) ** self.bands)


def banding(threshold: float) -> Banding:
    """The most rows, hence the fewest texts compared in vain, that catch a pair at the threshold as `CATCH` asks.

    At 0.8: 20 bands of 5 rows.
    """
    if not 0.5 <= threshold <= 1:
        raise ValueError(f"expected a similarity from 0.5 to 1; found {threshold}. 0.8 suits chat.")
    if threshold == 1:
        return Banding(bands=1, rows=16)
    found = Banding(ceil(log(1 - CATCH) / log(1 - threshold)), 1)
    for rows in range(2, HASHES):
        bands = ceil(log(1 - CATCH) / log(1 - threshold**rows))
        if bands * rows > HASHES:
            break
        found = Banding(bands, rows)
    return found


def shingles(text: str) -> Shingles:
    """The grams of each part."""
    parts = text.split(PART)
    return [{part[at : at + GRAM] for at in range(max(len(part) - GRAM + 1, 1 if part else 0))} for part in parts]


def jaccard(one: Shingles, other: Shingles) -> float:
    """Of the grams of both, the share that both have."""
    both = sum(len(a & b) for a, b in zip(one, other, strict=False))
    together = sum(map(len, one)) + sum(map(len, other)) - both
    return both / together if together else 0.0


def true_similarities(texts: Sequence[str], pairs: NDArray[np.intp], threshold: float) -> NDArray[np.float64]:
    """The true Jaccard similarity of each pair that reaches the threshold; 0 of the others.

    Args:
        pairs: of places in `texts`, one a row.
    """
    found = np.zeros(len(pairs))
    for first in range(0, len(pairs), _PAIRS_AT_ONCE):
        places, rows = np.unique(pairs[first : first + _PAIRS_AT_ONCE], return_inverse=True)
        some = [texts[place] for place in places]
        ones, others = rows.reshape(-1, 2).T
        likely = np.flatnonzero(_at_most(some, ones, others) >= threshold)
        grams = {row: shingles(some[row]) for row in {*ones[likely].tolist(), *others[likely].tolist()}}
        exact = np.array([jaccard(grams[int(ones[at])], grams[int(others[at])]) for at in likely])
        found[first + likely] = np.where(exact >= threshold, exact, 0)
    return found


def _at_most(texts: Sequence[str], ones: NDArray[np.intp], others: NDArray[np.intp]) -> NDArray[np.float64]:
    """What the Jaccard similarity of each pair cannot exceed.

    Each gram sets one of `_BITS` bits. Where two texts differ in x bits they differ in x grams or more. That says
    little of a text of many more grams than bits.
    """
    bits = np.zeros((len(texts), _BITS // 64), np.uint64)
    counts: list[NDArray[np.intp]] = []
    done = 0
    for some in _steps(texts):
        hashes, starts = _gram_hashes(some)
        counts.append(np.diff(np.append(starts, len(hashes))))
        set_ = np.zeros((len(some), _BITS), np.uint8)
        set_[np.repeat(np.arange(len(some)), counts[-1]), hashes & np.uint64(_BITS - 1)] = 1
        bits[done : done + len(some)] = np.packbits(set_, axis=1).view(np.uint64)
        done += len(some)
    sizes = np.concatenate(counts)
    together = sizes[ones] + sizes[others]
    apart = np.bitwise_count(bits[ones] ^ bits[others]).sum(axis=1, dtype=np.intp)
    return np.asarray((together - apart) / (together + apart), np.float64)


def band_keys(texts: Sequence[str], cut: Banding, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each band of each text, `(texts, bands)`, a key and an order.

    Keys are equal where all rows of the band are. Among equal keys, texts that are alike have orders that are: it is
    made of the hashes that follow the band. Both are the same for the same text, whatever else is asked for, on any
    machine. A text without grams has those of no meaning.
    """
    keys, orders = np.empty((2, len(texts), cut.bands), np.int64)
    done = 0
    for some in _steps(texts):
        hashes, starts = _gram_hashes(some)
        found = _signatures((hashes >> np.uint64(32)).astype(np.uint32), starts, cut, seed)
        keys[done : done + len(some)] = _keys(found, cut)
        orders[done : done + len(some)] = _orders(found, cut)
        done += len(some)
    return keys, orders


def gram_count(text: str) -> int:
    """Grams of a text, each as often as it stands there."""
    return sum(max(len(part) - GRAM + 1, 1 if part else 0) for part in text.split(PART))


def _steps(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Runs of texts of about `_AT_ONCE` characters."""
    first = size = 0
    for at, text in enumerate(texts):
        size += len(text)
        if size >= _AT_ONCE:
            yield texts[first : at + 1]
            first, size = at + 1, 0
    if first < len(texts):
        yield texts[first:]


def _gram_hashes(texts: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.intp]]:
    """64 well-mixed bits of every gram, and where those of each text start; a text without grams has one too."""
    whole = _END.join(texts) + _END + "\0" * GRAM
    codes = np.frombuffer(whole.encode("utf-32-le", "surrogatepass"), np.uint32)
    stops = np.flatnonzero((codes == ord(PART)) | (codes == ord(_END)))
    ends = codes[stops] == ord(_END)
    begins = np.concatenate(([0], stops[:-1] + 1))
    lengths = stops - begins
    counts = np.where(lengths > 0, np.maximum(lengths - GRAM + 1, 1), ends)
    # Parts are numbered within their text; the one after an end is the first.
    number = np.arange(len(stops))
    firsts = np.concatenate(([0], np.flatnonzero(ends)[:-1] + 1))
    part = number - np.repeat(firsts, np.diff(np.concatenate((firsts, [len(stops)]))))
    offsets = np.cumsum(counts) - counts
    at = np.arange(counts.sum()) + np.repeat(begins - offsets, counts)
    # A whole short part is as if it went on with its end.
    last = np.repeat(stops, counts)
    mixed = np.repeat(part, counts).astype(np.uint64)
    for step in range(GRAM):
        place = at + step
        code = codes[place].astype(np.uint64)
        mixed = mixed * _MULTIPLIER + np.where(place < last, code, np.uint64(0x1F))
    return _mix(mixed), offsets[firsts]


_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Bits spread over the whole number (the finaliser of SplitMix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _signatures(hashes: NDArray[np.uint32], starts: NDArray[np.intp], cut: Banding, seed: int) -> NDArray[np.uint32]:
    """`(hashes of the banding, texts)`: the smallest value that each permutation gives the grams of each text."""
    wanted = cut.bands * cut.rows
    drawn = _mix(np.arange(1, 2 * wanted + 1, dtype=np.uint64) + np.uint64(seed * int(_MULTIPLIER) % 2**64)).astype(
        np.uint32
    )
    factors, terms = drawn[:wanted] | np.uint32(1), drawn[wanted:]
    found = np.empty((wanted, len(starts)), np.uint32)
    room = np.empty_like(hashes)
    for at in range(wanted):
        np.multiply(hashes, factors[at], out=room)
        np.add(room, terms[at], out=room)
        np.minimum.reduceat(room, starts, out=found[at])
    return found


def _keys(signatures: NDArray[np.uint32], cut: Banding) -> NDArray[np.int64]:
    """`(texts, bands)`: one number for the rows of a band and its place."""
    rows = signatures.reshape(cut.bands, cut.rows, -1)
    keys = np.repeat(np.arange(1, cut.bands + 1, dtype=np.uint64)[:, None], rows.shape[2], axis=1)
    for at in range(cut.rows):
        keys = _mix(keys * _MULTIPLIER + rows[:, at])
    return keys.T.view(np.int64)


def _orders(signatures: NDArray[np.uint32], cut: Banding) -> NDArray[np.int64]:
    """`(texts, bands)`: eight bits of each of the eight hashes after the band, the first of them highest."""
    low = (signatures & np.uint32(0xFF)).astype(np.int64)
    firsts = (np.arange(cut.bands) + 1) * cut.rows
    found = np.zeros((cut.bands, signatures.shape[1]), np.int64)
    for step in range(8):
        found = (found << 8) | low[(firsts + step) % len(low)]
    return found.T
