"""AWS DMS records on Kinesis or Kafka: `{"data": {...}, "metadata": {...}}`."""

from collections.abc import Mapping
from typing import Any

from headrace.changes.envelope import Decoded, Ignored, Message, Row
from headrace.changes.formats.image import (
    Facts,
    Targets,
    arrival,
    changed_key,
    column_parts,
    delete,
    micros,
    read_row,
    truncate,
    unreadable,
    upsert,
)
from headrace.changes.formats.payload import Fraction, Unusable, kind, parse
from headrace.changes.formats.values import fraction_text, whole_type
from headrace.changes.routes import Routes
from headrace.config_sources import SourceBase
from headrace.ordering import position as positions
from headrace.ordering.position import SNAPSHOT_RANK, UnreadablePosition

_OPERATIONS = ("load", "insert", "update", "delete")
_LOAD = ("0" * 20, "0" * 20, "0" * 10)
_POSITION = ("commit-timestamp", "transaction-id", "transaction-record-id")
_ADVICE = "Set IncludeTransactionDetails: true on the DMS target endpoint, or position: arrival"


class Dms:
    """Decodes the records of one source."""

    def __init__(self, source: SourceBase, routes: Routes) -> None:
        self._source, self._targets = source, Targets(routes)

    def __call__(self, message: Message) -> list[Decoded]:
        """What one record says. Raises Unusable."""
        if message.value is None:
            return [Ignored("tombstone")]
        record = parse(message.value)
        about = record.get("metadata") if isinstance(record, dict) else None
        if not isinstance(about, dict):
            raise Unusable("unknown shape", f"expected a DMS record with metadata; found {kind(record)} without")
        name, schema = about.get("table-name"), about.get("schema-name")
        if not isinstance(name, str) or not name:
            raise Unusable("unknown shape", "expected metadata.table-name; found none")
        table = f"{schema}.{name}" if isinstance(schema, str) and schema else name
        if name.startswith("awsdms_"):
            return [Ignored("DMS housekeeping table", table)]
        try:
            return self._record(message, record, about, table)
        except Unusable as error:
            error.table = table
            raise

    def _record(
        self, message: Message, record: Mapping[str, Any], about: Mapping[str, Any], table: str
    ) -> list[Decoded]:
        op = about.get("operation")
        data = record.get("data")
        if about.get("record-type") == "control":
            if op == "truncate-table":
                return [truncate(self._facts(message, about, table, op, {}))]
            return [Ignored("control record", table)]
        if op not in _OPERATIONS:
            raise Unusable("unknown operation", f"expected one of {_OPERATIONS}; found {str(op)[:40]!r}")
        if not isinstance(data, dict):
            raise Unusable("unknown shape", f"expected the row as an object in data; found {kind(data)}")
        return self._row(self._facts(message, about, table, op, data), record, dict(data), op)

    def _row(self, facts: Facts, record: Mapping[str, Any], data: dict[str, Any], op: str) -> list[Decoded]:
        before = self._before(record, data) if op in ("update", "delete") else {}
        if op == "delete":
            wanted = facts.target.key or data.keys()
            known = {column: before[column] for column in wanted if before.get(column) is not None}
            held = {column: data[column] for column in wanted if column in data}
            known = held | known | {column: value for column, value in held.items() if value is not None}
            return [delete(facts, *self._read(known, facts))]
        row, types = self._read(data, facts)
        changes: list[Decoded] = []
        moved_from = None
        if before:
            old, old_types = self._read({c: before[c] for c in facts.target.key if c in before}, facts)
            # A before-image may hold only the key columns that changed.
            key = {column: row.get(column) for column in facts.target.key}
            moved_from = changed_key(facts.target.key, key | old, row)
            if moved_from:
                changes.append(delete(facts, moved_from, old_types))
        sent = tuple(row) if self._source.omitted == "keep" else None
        rank = SNAPSHOT_RANK if op == "load" else None
        changes.append(upsert(facts, row, types, sent=sent, moved_from=moved_from, rank=rank))
        return changes

    def _before(self, record: Mapping[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        """The before-image: its own object, or prefixed columns, which are taken out of `data`."""
        image = record.get("before-image")
        if isinstance(image, dict):
            return image
        prefix = self._source.before_prefix
        held = {name: name[len(prefix) :] for name in data if prefix and name.startswith(prefix)}
        # A table may own a column whose name starts so: the prefix means a before-image once one base name is there.
        if not any(base in data for base in held.values()):
            return {}
        return {base: data.pop(name) for name, base in held.items()}

    def _read(self, data: Mapping[str, Any], facts: Facts) -> tuple[Row, dict[str, str]]:
        row, types = read_row(data, facts.target.declared)
        for column, value in data.items():
            if type(value) is Fraction and column not in facts.target.declared:
                of = _bigint(value)
                if of:
                    row[column], types[column] = of
        return row, types

    def _facts(self, message: Message, about: Mapping[str, Any], table: str, op: Any, data: Mapping[str, Any]) -> Facts:
        transaction, committed = about.get("transaction-id"), micros(about.get("commit-timestamp"))
        return Facts(
            table,
            self._targets.find(table),
            self._parts(message, about, op, data, committed),
            self._source.epoch,
            committed,
            None if transaction is None else str(transaction)[:200],
            size=len(message.value or b""),
        )

    def _parts(
        self, message: Message, about: Mapping[str, Any], op: Any, data: Mapping[str, Any], committed: int | None
    ) -> tuple[str, ...]:
        if self._source.position == "arrival":
            return arrival(message)
        if self._source.position is not None:
            return column_parts(self._source, data)
        if op == "load":
            return _LOAD
        transaction, record = about.get("transaction-id"), about.get("transaction-record-id")
        if committed is None or transaction is None or record is None:
            raise unreadable(f"expected {', '.join(_POSITION)} in metadata; found {_named(about)}. {_ADVICE}")
        try:
            return positions.integer(committed), positions.integer(transaction), positions.integer(record, 10)
        except UnreadablePosition as error:
            raise unreadable(f"{error}. {_ADVICE}") from None


def _named(about: Mapping[str, Any]) -> str:
    return ", ".join(name for name in _POSITION if about.get(name) is not None) or "none of them"


def _bigint(value: Fraction) -> tuple[str, str] | None:
    """DMS writes BIGINTs of more than 16 digits in scientific notation: `1.2345678901234568E+17`."""
    raw = bytes(value)
    if b"e" not in raw and b"E" not in raw:
        return None
    head, _, tail = fraction_text(value).partition(".")
    if tail.strip("0") or len(head.lstrip("-")) < 16:
        return None
    return head, whole_type(int(head))
