"""Search by words: the best by FTS5's BM25, found without a look at most passages that hold only frequent words.

The rarer words of a question come first. A passage with none of them scores less than what the frequent ones can add at
most; where enough passages with a rarer one score more, the others need not be looked at (MaxScore: Turtle and Flood
1995, Query evaluation: strategies and optimizations).
"""

import math
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from heapq import merge
from itertools import islice
from typing import NamedTuple

_BATCH = 256
_MOST_OF_IDF = 2.2
"""FTS5's k1 + 1: a word in a passage adds less than so often its inverse document frequency."""
_LEAST_IDF = 1e-6
Best = list[tuple[int, float]]


class Word(NamedTuple):
    """A word as FTS5 weighs it. `holding`: passages that hold it."""

    phrase: str
    holding: int
    idf: float


class Words:
    """One search in a generation, within a transaction.

    Args:
        condition, values: SQL on the passages `p`: which may be found.
        limit: how many are wanted.
    """

    def __init__(
        self, connection: sqlite3.Connection, number: int, condition: str, values: Sequence[object], limit: int
    ) -> None:
        self._connection, self._limit, self._values = connection, limit, values
        self._all = f"select count(*) from words_{number}_docsize"
        self._holding = f"select count(*) from words_{number} where words_{number} match ?"
        self._ranked = (
            f"select rowid, -bm25(words_{number}, 2.0, 1.5, 1.0) as score from words_{number} "
            f"where words_{number} match ? order by score desc"
        )
        self._open = f"select p.id, p.key from passages_{number} as p where {condition} and p.id in "

    def best(self, texts: Iterable[str]) -> Best:
        """Ids and scores of the best, best first; equal scores in the order of their keys."""
        words = self._weighed(texts)
        rare, frequent = parted(words, self._limit)
        if frequent:
            found = self._best([any_of(rare), f"({any_of(rare)}) AND ({any_of(frequent)})"])
            if len(found) == self._limit and found[-1][1] > most(frequent):
                return found
        return self._best([any_of(words)]) if words else []

    def _weighed(self, texts: Iterable[str]) -> list[Word]:
        """Those that are held, rarest first."""
        (everything,) = self._connection.execute(self._all).fetchone()
        found = []
        for phrase in (f'"{text}"' for text in texts):
            (holding,) = self._connection.execute(self._holding, [phrase]).fetchone()
            idf = math.log((everything - holding + 0.5) / (holding + 0.5))
            found.append(Word(phrase, holding, max(idf, _LEAST_IDF)))
        return sorted((one for one in found if one.holding), key=lambda one: one.holding)

    def _best(self, matches: Sequence[str]) -> Best:
        """The best of what one match finds, or any of several: of a passage in both the higher score counts."""
        found: list[tuple[float, str, int]] = []
        seen: set[int] = set()
        for batch in self._batches(matches):
            # Equals of the last one may still come.
            if len(found) >= self._limit and batch[0][1] < found[self._limit - 1][0]:
                break
            new = {identity: score for identity, score in reversed(batch) if identity not in seen}
            seen.update(new)
            found += [(new[identity], key, identity) for identity, key in self._keys(list(new))]
            found.sort(key=lambda one: (-one[0], one[1]))
        return [(identity, score) for score, _, identity in found[: self._limit]]

    def _batches(self, matches: Sequence[str]) -> Iterator[Best]:
        with closing(self._connection.cursor()) as first, closing(self._connection.cursor()) as second:
            cursors = (first, second)[: len(matches)]
            streams = [cursor.execute(self._ranked, [match]) for cursor, match in zip(cursors, matches, strict=True)]
            rows = merge(*streams, key=lambda row: -row[1])
            while batch := list(islice(rows, _BATCH)):
                yield batch

    def _keys(self, ids: Sequence[int]) -> Iterable[tuple[int, str]]:
        """Those that may be found, with their keys."""
        marks = ", ".join("?" * len(ids))
        return self._connection.execute(f"{self._open} ({marks})", [*self._values, *ids]).fetchall()


def parted(words: Sequence[Word], limit: int) -> tuple[Sequence[Word], Sequence[Word]]:
    """Words that come rarest first as those to look for, and those too frequent to lift a passage among the best.

    It is a guess: that many passages hold one of the first, and score as one of usual length that holds it once.
    """
    holding = 0
    for at, word in enumerate(words, 1):
        holding += word.holding
        if holding >= limit:
            first = next((cut for cut in range(at, len(words)) if most(words[cut:]) < word.idf), len(words))
            return words[:first], words[first:]
    return words, ()


def most(words: Iterable[Word]) -> float:
    """What a passage that holds only these scores less than."""
    return _MOST_OF_IDF * sum(word.idf for word in words)


def any_of(words: Iterable[Word]) -> str:
    """FTS5's expression."""
    return " OR ".join(word.phrase for word in words)
