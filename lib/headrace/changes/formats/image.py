"""Row images and the changes made of them: what every decoder ends with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from headrace.changes.envelope import Change, Message, Row
from headrace.changes.formats import values
from headrace.changes.formats.declared import Declared, columns
from headrace.changes.formats.payload import Unusable, canonical
from headrace.changes.routes import Route, Routes
from headrace.config_sources import SourceBase
from headrace.ordering import position as positions
from headrace.ordering.position import Operation
from headrace.tables import SEQUENCE_HEADER


@dataclass(frozen=True, slots=True)
class Target:
    """What a decoder knows of one source table: its key columns, declared types and the largest row it takes."""

    key: tuple[str, ...]
    declared: Mapping[str, Declared]
    max_row_bytes: int


UNROUTED = Target((), {}, 2**62)
"""A table no settings name: its rows pass unchecked, the applier rejects or ignores them by name."""


class Targets:
    """The targets of one source, by source table."""

    def __init__(self, routes: Routes, *, debezium: bool = False) -> None:
        self._routes, self._debezium = routes, debezium
        self._found: dict[str, Target] = {}
        for route in routes.all():
            columns(route.types)

    def find(self, table: str) -> Target:
        """The target of a source table, `UNROUTED` where no settings name it."""
        target = self._found.get(table)
        if target is None:
            target = self._target(self._routes.find(table))
            if len(self._found) > 10_000:
                self._found.clear()
            self._found[table] = target
        return target

    def _target(self, route: Route | None) -> Target:
        if route is None:
            return UNROUTED
        return Target(tuple(route.key), columns(route.types, debezium=self._debezium), route.max_row_bytes)


@dataclass(slots=True)
class Facts:
    """What one message says about all its changes. `parts` are encoded position parts; `size` the message's bytes."""

    table: str
    target: Target
    parts: tuple[str, ...]
    epoch: int
    changed_at: int | None = None
    transaction: str | None = None
    initiator: str | None = None
    size: int = 0


def read_row(raw: Mapping[str, Any], declared: Mapping[str, Declared]) -> tuple[Row, dict[str, str]]:
    """(text, types) of a plain row: declared columns by their declaration, all others learned. Raises Unusable."""
    row: Row = {}
    types: dict[str, str] = {}
    learn = values.learn
    for column, value in raw.items():
        if column in declared:
            how = declared[column]
            row[column] = named(column, how, value)
            types[column] = how.type
        elif type(value) is str:
            row[column] = value
            types[column] = "string"
        else:
            try:
                row[column], of = learn(value)
            except Unusable as error:
                raise in_column(column, error) from None
            if of is not None:
                types[column] = of
    return row, types


def named(column: str, how: Declared, value: Any) -> str | None:
    """A declared column's value as text; an error names the column."""
    try:
        return how.text(value)
    except Unusable as error:
        raise in_column(column, error) from None


def in_column(column: str, error: Unusable) -> Unusable:
    """The same error, naming its column."""
    return Unusable(error.reason, f"column {column[:100]!r}: {error.detail}", error.table)


def upsert(
    facts: Facts,
    row: Row,
    types: dict[str, str],
    *,
    sent: tuple[str, ...] | None = None,
    left_out: tuple[str, ...] = (),
    moved_from: Row | None = None,
    rank: str | None = None,
    dump: bool = False,
) -> Change:
    """The row as it is now. Raises Unusable for a missing or null key column and for an oversize row."""
    target = facts.target
    for column in target.key:
        if row.get(column) is None:
            raise missing_key(target.key, row)
    if facts.size > target.max_row_bytes:
        _refuse_oversize(row, target)
    return Change(
        facts.table,
        "upsert",
        _position(facts, "upsert", row, rank),
        row,
        sent,
        types,
        facts.changed_at,
        moved_from,
        facts.transaction,
        facts.initiator,
        "dump" if dump else None,
        left_out,
    )


def delete(facts: Facts, row: Row, types: Mapping[str, str]) -> Change:
    """The row is gone. Of `row` only the key columns are kept (all of it for an unrouted table). Raises Unusable."""
    key = facts.target.key
    for column in key:
        if row.get(column) is None:
            raise missing_key(key, row)
    kept = {column: row[column] for column in key} if key else row
    return Change(
        facts.table,
        "delete",
        _position(facts, "delete", kept, None),
        kept,
        None,
        {column: types[column] for column in kept if column in types},
        facts.changed_at,
        None,
        facts.transaction,
        facts.initiator,
    )


def truncate(facts: Facts) -> Change:
    """All rows of the table are gone."""
    return Change(
        facts.table,
        "truncate",
        positions.position(facts.parts, "truncate", b"", epoch=facts.epoch),
        changed_at=facts.changed_at,
        transaction=facts.transaction,
        initiator=facts.initiator,
    )


def missing_key(key: Iterable[str], row: Mapping[str, Any]) -> Unusable:
    """`no key` where key columns are missing, `null key` where they are null."""
    absent = [column for column in key if column not in row]
    if absent:
        return Unusable(
            "no key",
            f"expected the key columns {list(key)}; found no {absent} in the message. Set the table's key to columns "
            "every message carries, named as the source names them",
        )
    null = [column for column in key if row[column] is None]
    return Unusable("null key", f"expected values in the key columns {list(key)}; found null in {null}")


def changed_key(key: Iterable[str], old: Mapping[str, str | None], new: Mapping[str, str | None]) -> Row | None:
    """The old identifying columns where `old` has them all and they differ from `new`, else None."""
    before = {column: old.get(column) for column in key}
    if not before or None in before.values() or all(new.get(column) == value for column, value in before.items()):
        return None
    return before


def arrival(message: Message) -> tuple[str, ...]:
    """Position parts of a source ordered by arrival: the transport's time, then its offset, or its whole number."""
    number = next((value for key, value in message.headers if key == SEQUENCE_HEADER and value), None)
    last = positions.integer(max(message.offset, 0)) if number is None else positions.integer(number.decode(), 56)
    return positions.integer(max(message.arrived_at, 0)), last


def column_parts(source: SourceBase, row: Mapping[str, Any]) -> tuple[str, ...]:
    """Position parts from the configured columns of a raw row. Raises Unusable `unreadable position`."""
    parts = []
    for column in source.position if isinstance(source.position, tuple) else ():
        try:
            parts.append(positions.column_value(values.as_text(row.get(column.column)), column.type))
        except ValueError as error:
            raise unreadable(f"position column {column.column!r}: {error}") from None
    return tuple(parts)


def unreadable(detail: str) -> Unusable:
    """The error for a position that cannot be read; `detail` says what was found and what to do."""
    return Unusable("unreadable position", detail)


def micros(value: Any) -> int | None:
    """A change time (ISO 8601 text, or a number of seconds, milli-, micro- or nanoseconds) in microseconds, or None."""
    try:
        if type(value) is str:
            moment = positions.timestamp_micros(value.strip())
            if moment is not None:
                return int(moment)
        return None if value is None else values.epoch_micros(values.whole(value))
    except (Unusable, ArithmeticError):
        return None


def _position(facts: Facts, op: Operation, row: Row, rank: str | None) -> str:
    return positions.position(facts.parts, op, canonical([op, row]), epoch=facts.epoch, rank=rank)


def _refuse_oversize(row: Row, target: Target) -> None:
    size = sum(len(value.encode("utf-8", "replace")) for value in row.values() if value)
    if size > target.max_row_bytes:
        raise Unusable(
            "oversize row",
            f"expected a row of at most {target.max_row_bytes} bytes; found {size}. Raise max_row_bytes of the table, "
            "or leave the large column out at the source",
        )
