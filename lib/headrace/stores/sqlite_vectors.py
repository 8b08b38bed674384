"""Exact search by vector: over vectors held in memory and brought up to date, or over those of the file."""

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from headrace.ports import Filters, Vectors
from headrace.stores import sqlite_schema as schema

BLOCK = 4096
"""Rows read at a time."""
MOST_BYTES = 1 << 29
"""Of vectors held in memory. A larger generation is read from its file for each question."""
_SPARSE = 4
_COLUMNS = "p.id, p.tenant, p.source, p.language, p.tags, p.audience, p.changed_at, p.vector"
Best = list[tuple[int, float]]


class Kind(NamedTuple):
    """What filters look at, but for the age: few kinds make up all passages."""

    tenant: str | None
    source: str | None
    language: str | None
    tags: str
    audience: str

    def passes(self, filters: Filters) -> bool:
        """Whether a passage of this kind may be found, whatever its age."""
        tags, audience = msgspec.json.decode(self.tags), msgspec.json.decode(self.audience)
        return (
            self.tenant == filters.tenant
            and (not audience or not set(audience).isdisjoint(filters.audience))
            and set(tags).issuperset(filters.tags)
            and (not filters.languages or self.language in filters.languages)
            and (not filters.sources or self.source in filters.sources)
        )


class HeldVectors:
    """The vectors of a generation's living passages, as they stood after one of its changes.

    Args:
        of: which file and generation.
        last: the newest change of `changed_n` that it knows of.
    """

    def __init__(self, of: tuple[Any, ...], dimension: int, last: int) -> None:
        self.of, self.last, self._size = of, last, 0
        self._slots: dict[int, int] = {}
        self._ids = np.empty(0, np.int64)
        self._kind_of = np.empty(0, np.int32)
        self._changed = np.empty(0, np.float64)
        self._matrix = np.empty((0, dimension), np.float32)
        self._kinds: dict[Kind, int] = {}

    def follow(self, connection: sqlite3.Connection, number: int, last: int) -> None:
        """Take what changed since."""
        since = f"select id from changed_{number} where number > {self.last}"
        for (gone,) in connection.execute(f"select distinct id from ({since})").fetchall():
            self._remove(gone)
        self.take(connection.execute(f"select {_COLUMNS} from passages_{number} as p where p.id in ({since}) "
                                     "and not p.deleted"))  # fmt: skip
        self.last = last

    def take(self, rows: sqlite3.Cursor) -> None:
        """Add rows of `_COLUMNS` that are not held."""
        while block := rows.fetchmany(BLOCK):
            first, self._size = self._size, self._size + len(block)
            self._make_room()
            taken = slice(first, self._size)
            for slot, row in enumerate(block, first):
                self._slots[row[0]] = slot
                self._kind_of[slot] = self._kinds.setdefault(Kind(*row[1:6]), len(self._kinds))
            self._ids[taken] = [row[0] for row in block]
            self._changed[taken] = [np.nan if row[6] is None else row[6] for row in block]
            self._matrix[taken] = np.frombuffer(b"".join(row[7] for row in block), "<f4").reshape(len(block), -1)

    def nearest(self, asked: Vectors, filters: Filters, at: datetime, limit: int) -> Best:
        """Ids and cosine similarities of the best, best first. Ties: the lower id."""
        passing = np.fromiter((kind.passes(filters) for kind in self._kinds), np.bool_, len(self._kinds))
        open_to = passing[self._kind_of[: self._size]]
        if filters.max_age is not None:
            open_to &= self._changed[: self._size] >= (at - filters.max_age).timestamp()
        slots = np.flatnonzero(open_to)
        if len(slots) * _SPARSE < self._size:
            scores = self._matrix[slots] @ asked
        else:
            scores = (self._matrix[: self._size] @ asked)[slots]
        return best(self._ids[slots], scores, limit)

    def _remove(self, identity: int) -> None:
        """The last row takes the place of the one that goes."""
        slot = self._slots.pop(identity, None)
        if slot is None:
            return
        self._size -= 1
        if slot != self._size:
            for held in (self._ids, self._kind_of, self._changed, self._matrix):
                held[slot] = held[self._size]
            self._slots[int(self._ids[slot])] = slot

    def _make_room(self) -> None:
        room = len(self._ids)
        if self._size <= room:
            return
        more = max(self._size, room * 3 // 2) - room
        self._ids, self._kind_of, self._changed, self._matrix = (
            np.concatenate([held, np.empty((more, *held.shape[1:]), held.dtype)])
            for held in (self._ids, self._kind_of, self._changed, self._matrix)
        )


def held(
    connection: sqlite3.Connection, number: int, dimension: int, file: Any, before: HeldVectors | None
) -> HeldVectors | None:
    """The vectors as this transaction sees them: those held before, with what changed since, or all read again.

    Returns None where they are too many, or where an earlier Headrace made the generation and notes no changes.
    """
    span = schema.changes(connection, number)
    if span is None:
        return None
    first, last = span
    of = (file, schema.setting(connection, "made"), number)
    if before and before.of == of and first <= before.last + 1 <= last + 1:
        if last != before.last:
            before.follow(connection, number, last)
        return before
    (rows,) = connection.execute(f"select count(*) from passages_{number} where not deleted").fetchone()
    if rows * dimension * 4 > MOST_BYTES:
        return None
    made = HeldVectors(of, dimension, last)
    made.take(connection.execute(f"select {_COLUMNS} from passages_{number} as p where not p.deleted"))
    return made


def nearest(rows: sqlite3.Cursor, asked: Vectors, limit: int) -> Best:
    """As `HeldVectors.nearest`, over rows of id and vector, in bounded memory."""
    ids, scores = np.empty(0, np.int64), np.empty(0, np.float32)
    for some, matrix in _blocks(rows):
        found = best(np.concatenate([ids, some]), np.concatenate([scores, matrix @ asked]), limit)
        ids, scores = np.array([one for one, _ in found], np.int64), np.array([one for _, one in found], np.float32)
    return [(int(number), float(score)) for number, score in zip(ids, scores, strict=True)]


def _blocks(rows: sqlite3.Cursor) -> Iterator[tuple[NDArray[np.int64], Vectors]]:
    while block := rows.fetchmany(BLOCK):
        matrix = np.frombuffer(b"".join(vector for _, vector in block), dtype="<f4").reshape(len(block), -1)
        yield np.fromiter((number for number, _ in block), np.int64, len(block)), matrix


def best(ids: NDArray[np.int64], scores: Vectors, limit: int) -> Best:
    """The highest scores with their ids; of equal ones the lower id."""
    if len(ids) > limit:
        # All that reach the last place's score, so that ids decide among equals.
        reached = np.flatnonzero(scores >= np.partition(scores, len(scores) - limit)[len(scores) - limit])
        ids, scores = ids[reached], scores[reached]
    order = np.lexsort((ids, -scores))[:limit]
    return [(int(ids[at]), float(scores[at])) for at in order]
