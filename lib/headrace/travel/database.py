"""A very small transactional database: five tables of rows, and the log of changes that transactions leave."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from headrace.travel.columns import SHAPES, TOAST_BYTES, Key, Row, Value

Operation = Literal["read", "insert", "update", "delete", "truncate"]
SnapshotMark = Literal["first", "first_in_data_collection", "true", "last_in_data_collection", "last"]


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the log.

    Attributes:
        row: the row after the change; for a delete its last values; empty for a truncate.
        kept: large columns an update did not touch; the log does not hold their values.
        lsn, committed_lsn: place in the log, and the last commit before it.
        snapshot: set on the rows of the initial snapshot.
        moved_to, moved_from: the other key of a primary-key change, which is a delete followed by an insert.
    """

    table: str
    op: Operation
    row: Row
    lsn: int
    committed_lsn: int | None
    transaction: int
    at: datetime
    kept: tuple[str, ...] = ()
    snapshot: SnapshotMark | None = None
    moved_to: Key | None = None
    moved_from: Key | None = None

    @property
    def key(self) -> Key | None:
        """The primary key's values; None for a truncate."""
        return SHAPES[self.table].key_of(self.row) if self.row else None


class Database:
    """Rows by table and key, and everything that ever happened to them.

    `rows` is the truth the lake must equal; `log` is what a change-data-capture connector would read.
    """

    def __init__(self, began: datetime) -> None:
        self.rows: dict[str, dict[Key, Row]] = {name: {} for name in SHAPES}
        self.log: list[Event] = []
        self.now = began.astimezone(UTC).replace(microsecond=0)
        self._lsn = 23_400_000
        self._committed: int | None = None
        self._transaction = 740

    def begin(self, after: timedelta) -> None:
        """Start a transaction, this long after the last one."""
        if self.log:
            self._committed = self._lsn
        self.now += after
        self._transaction += 1
        self._lsn += 56

    def snapshot(self) -> None:
        """Put every current row into the log the way a connector's first snapshot does: all at one log position."""
        self.begin(timedelta(seconds=1))
        tables = [name for name in self.rows if self.rows[name]]
        for name in tables:
            rows = list(self.rows[name].values())
            for index, row in enumerate(rows):
                mark = _mark(name, index, len(rows), tables)
                self.log.append(
                    Event(name, "read", dict(row), self._lsn, None, self._transaction, self.now, snapshot=mark)
                )

    def insert(self, table: str, row: Row) -> None:
        """Add a row. Raises KeyError where its key is taken."""
        key = SHAPES[table].key_of(row)
        if key in self.rows[table]:
            raise KeyError(f"expected a new key for {table}, found {key}, which is taken")
        self.rows[table][key] = dict(row)
        self._write(table, "insert", row)

    def load(self, table: str, rows: Iterable[Row]) -> None:
        """Add rows that were there before the log began."""
        self.rows[table].update({SHAPES[table].key_of(row): dict(row) for row in rows})

    def update(self, table: str, key: Key, **values: Value) -> None:
        """Change columns of a row, its key excepted. Raises KeyError where there is no such row."""
        row = self.rows[table][key]
        kept = tuple(name for name, value in row.items() if name not in values and _is_large(value))
        row.update(values)
        self._write(table, "update", row, kept=kept)

    def delete(self, table: str, key: Key) -> None:
        """Remove a row. Raises KeyError where there is no such row."""
        self._write(table, "delete", self.rows[table].pop(key))

    def change_key(self, table: str, old: Key, new: Key) -> None:
        """Give a row another primary key: in the log a delete and an insert at one position."""
        row = self.rows[table].pop(old)
        self._write(table, "delete", dict(row), moved_to=new)
        row.update(zip(SHAPES[table].key, new, strict=True))
        self.rows[table][new] = row
        self._write(table, "insert", row, moved_from=old, same_lsn=True)

    def truncate(self, table: str) -> None:
        """Remove all rows of a table at once."""
        self.rows[table].clear()
        self._write(table, "truncate", {})

    def _write(
        self,
        table: str,
        op: Operation,
        row: Row,
        *,
        kept: tuple[str, ...] = (),
        moved_to: Key | None = None,
        moved_from: Key | None = None,
        same_lsn: bool = False,
    ) -> None:
        if not same_lsn:
            self._lsn += 64 + 8 * len(row)
        self.log.append(
            Event(
                table,
                op,
                dict(row),
                self._lsn,
                self._committed,
                self._transaction,
                self.now,
                kept=kept,
                moved_to=moved_to,
                moved_from=moved_from,
            )
        )


def _is_large(value: Value) -> bool:
    return isinstance(value, str) and len(value.encode()) > TOAST_BYTES


def _mark(table: str, index: int, count: int, tables: list[str]) -> SnapshotMark:
    if table == tables[0] and index == 0:
        return "first"
    if table == tables[-1] and index == count - 1:
        return "last"
    if index == count - 1:
        return "last_in_data_collection"
    return "first_in_data_collection" if index == 0 else "true"
