"""Which texts are nearly the same: MinHash names the pairs to look at, their true Jaccard similarity decides.

Texts that share a key of a band form a bucket. In a bucket of at most `ALL` texts each is compared with each. In a
larger one each is compared with the one of the smallest name, and with the `NEIGHBOURS` before it in the order of
further hashes, where texts that are alike stand together. So work grows with the number of texts, never with its
square. A pair can be missed only if no band brings it together, or if only large buckets do, as strangers in each.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from headrace.training.minhash import FEWEST, band_keys, banding, gram_count, true_similarities

ALL, NEIGHBOURS = 16, 4

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Likeness:
    """What "nearly the same" means.

    Attributes:
        threshold: true Jaccard similarity of character 5-grams from which on two texts are near duplicates.
        seed: of the MinHashes. Two searches with different seeds miss different pairs.
    """

    threshold: float = 0.8
    seed: int = 1


class Text(NamedTuple):
    """Texts of different families are never compared. The name is unique; in a large bucket the smallest leads."""

    name: str
    family: str
    text: str


def similar(texts: Sequence[Text], likeness: Likeness) -> dict[Pair, float]:
    """Near duplicates among different texts with their similarity; the smaller name comes first.

    Texts with fewer than `FEWEST` grams have none.
    """
    long_enough = [one for one in texts if gram_count(one.text) >= FEWEST]
    row = {one.name: at for at, one in enumerate(long_enough)}
    pairs = [(row[one], row[other]) for one, other in sorted(candidates(long_enough, likeness))]
    found = true_similarities([one.text for one in long_enough], pairs, likeness.threshold)
    return {(long_enough[one].name, long_enough[other].name): value for (one, other), value in found.items()}


def candidates(texts: Sequence[Text], likeness: Likeness) -> set[Pair]:
    """The pairs that share a band and are to be compared; the smaller name comes first."""
    keys, orders = band_keys([one.text for one in texts], banding(likeness.threshold), likeness.seed)
    buckets: dict[tuple[str, int], list[tuple[int, str]]] = defaultdict(list)
    for one, own_keys, own_orders in zip(texts, keys.tolist(), orders.tolist(), strict=True):
        for key, order in zip(own_keys, own_orders, strict=True):
            buckets[one.family, key].append((order, one.name))
    return {pair for bucket in buckets.values() if len(bucket) > 1 for pair in _met(bucket)}


def _met(bucket: list[tuple[int, str]]) -> set[Pair]:
    names = [name for _, name in sorted(bucket)]
    least = min(names)
    met: set[Pair] = set()
    for at, name in enumerate(names):
        before = names[:at] if len(names) <= ALL else [*names[max(at - NEIGHBOURS, 0) : at], least]
        met |= {(name, other) if name < other else (other, name) for other in before if other != name}
    return met
