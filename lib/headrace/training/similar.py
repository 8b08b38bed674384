"""Which texts are nearly the same: MinHash names the pairs to look at, their true Jaccard similarity decides.

Texts that share a key of a band form a bucket. In a bucket of at most `ALL` texts each is compared with each. In a
larger one each is compared with the one of the smallest name, and with the `NEIGHBOURS` before it in the order of
further hashes, where texts that are alike stand together. So work grows with the number of texts, never with its
square. A pair can be missed only if no band brings it together, or if only large buckets do, as strangers in each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headrace.training.minhash import FEWEST, band_keys, banding, gram_count, true_similarities

ALL, NEIGHBOURS = 32, 8

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
    some = sorted(one for one in texts if gram_count(one.text) >= FEWEST)
    pairs = _met(some, likeness)
    found = true_similarities([one.text for one in some], pairs, likeness.threshold)
    near = np.flatnonzero(found)
    return {
        (some[a].name, some[b].name): value
        for (a, b), value in zip(pairs[near].tolist(), found[near].tolist(), strict=True)
    }


def candidates(texts: Sequence[Text], likeness: Likeness) -> set[Pair]:
    """The pairs that share a band and are to be compared; the smaller name comes first."""
    some = sorted(texts)
    return {(some[a].name, some[b].name) for a, b in _met(some, likeness).tolist()}


def _met(texts: Sequence[Text], likeness: Likeness) -> NDArray[np.intp]:
    """The pairs to be compared, each once, as places in `texts`, which are sorted by name; the smaller place first."""
    cut = banding(likeness.threshold)
    keys, orders = (one.ravel() for one in band_keys([one.text for one in texts], cut, likeness.seed))
    number = {family: at for at, family in enumerate(sorted({one.family for one in texts}))}
    family = np.repeat(np.array([number[one.family] for one in texts], np.intp), cut.bands)
    place = np.repeat(np.arange(len(texts)), cut.bands)
    sorting = np.lexsort((place, orders, keys, family))
    family, keys, place = family[sorting], keys[sorting], place[sorting]
    new = np.append(True, (family[1:] != family[:-1]) | (keys[1:] != keys[:-1]))[: len(place)]
    bucket, starts = np.cumsum(new) - 1, np.flatnonzero(new)
    size = np.diff(np.append(starts, len(place)))[bucket]
    least = np.minimum.reduceat(place, starts)[bucket] if len(place) else place
    reach = np.where(size <= ALL, ALL - 1, NEIGHBOURS)
    led = (size > ALL) & (least != place)
    pairs = [least[led] * len(texts) + place[led]]
    for step in range(1, ALL):
        near = (bucket[step:] == bucket[:-step]) & (reach[step:] >= step)
        one, other = place[:-step][near], place[step:][near]
        pairs.append(np.minimum(one, other) * len(texts) + np.maximum(one, other))
    return np.stack(np.divmod(np.unique(np.concatenate(pairs)), max(len(texts), 1)), axis=1)
