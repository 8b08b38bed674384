"""Debezium change events: the envelope of every connector, with or without a schema block."""

from collections.abc import Mapping
from typing import Any

from headrace.changes.envelope import Change, Decoded, Ignored, Message, Row
from headrace.changes.formats import debezium_positions
from headrace.changes.formats.connect import Image, Records, Shape
from headrace.changes.formats.flattened import Flattened
from headrace.changes.formats.image import (
    Facts,
    Targets,
    arrival,
    changed_key,
    column_parts,
    delete,
    micros,
    missing_key,
    truncate,
    unreadable,
    upsert,
)
from headrace.changes.formats.markers import Markers
from headrace.changes.formats.mongodb import Documents
from headrace.changes.formats.payload import Unusable, kind
from headrace.changes.routes import Routes
from headrace.config_sources import SourceBase
from headrace.ordering import position as positions
from headrace.ordering.position import SNAPSHOT_RANK, UnreadablePosition

_OPERATIONS = frozenset("crudt")
_NOT_SNAPSHOT = (None, False, "false", "")
_TABLE_DONE = ("last", "last_in_data_collection")
_TIMES = {"ts_ms", "ts_us", "ts_ns"}
_TRANSACTION = _TIMES | {"status", "id", "event_count", "data_collections"}
_ADVICE = "Set position: arrival, or position: [columns that order the rows], or use a connector that sends one"


class Debezium:
    """Decodes one source's events. An instance belongs to one worker: it remembers schema blocks."""

    def __init__(self, source: SourceBase, routes: Routes) -> None:
        self._source = source
        self._targets = Targets(routes, debezium=True)
        self._records = Records(self._targets, Markers(source.unavailable))
        self._flattened = Flattened(source, self._targets, self._records)
        self._documents = Documents()

    def __call__(self, message: Message) -> list[Decoded]:
        """Everything one message says. Raises Unusable."""
        if message.value is None:
            return self._flattened.tombstone(message)
        payload, shape = self._records.open(message.value)
        if not isinstance(payload, dict):
            if payload is None:
                return self._flattened.tombstone(message)
            raise Unusable("unknown shape", f"expected a Debezium event as a JSON object; found {kind(payload)}")
        source, op = payload.get("source"), payload.get("op")
        if isinstance(source, dict) and isinstance(op, str):
            table = table_name(source, message.stream)
            try:
                return self._event(message, payload, source, op, table, shape)
            except Unusable as error:
                error.table = table
                raise
        why = _housekeeping(payload)
        return [Ignored(why)] if why else self._flattened.row(message, payload, shape)

    def _event(
        self,
        message: Message,
        payload: dict[str, Any],
        source: dict[str, Any],
        op: str,
        table: str,
        shape: Shape | None,
    ) -> list[Decoded]:
        if op == "m":
            return [Ignored("logical message")]
        if op not in _OPERATIONS:
            raise Unusable("unknown operation", f"expected op c, r, u, d or t; found {op[:20]!r}")
        facts = self._facts(message, payload, source, op, table)
        if op == "t":
            return [truncate(facts)]
        if source.get("connector") == "mongodb" or isinstance(source.get("collection"), str):
            changes = self._documents.changes(facts, message, payload, op, _rank(source, op))
        elif op == "d":
            changes = [self._delete(facts, message, payload, shape)]
        else:
            changes = self._upsert(facts, message, payload, source, op, shape)
        if op == "r" and self._shows_every_row(source, facts):
            start = positions.snapshot_start(facts.parts, epoch=facts.epoch)
            changes.append(Change(table, "truncate", start, changed_at=facts.changed_at))
        return changes

    def _facts(
        self, message: Message, payload: Mapping[str, Any], source: Mapping[str, Any], op: str, table: str
    ) -> Facts:
        transaction = payload.get("transaction")
        who = transaction.get("id") if isinstance(transaction, dict) else None
        if who is None:
            who = source.get("txId") if source.get("txId") is not None else source.get("gtid")
        return Facts(
            table,
            self._targets.find(table),
            self._parts(message, payload, source, op),
            self._source.epoch,
            changed_at(source),
            str(who)[:200] if isinstance(who, str | int) else None,
            None,
            len(message.value or b""),
        )

    def _parts(
        self, message: Message, payload: Mapping[str, Any], source: Mapping[str, Any], op: str
    ) -> tuple[str, ...]:
        if self._source.position is None:
            snapshot = _rank(source, op) is not None
            try:
                return debezium_positions.parts(source, payload.get("transaction"), snapshot=snapshot)
            except UnreadablePosition as error:
                raise unreadable(f"{error}. {_ADVICE}") from None
        if self._source.position == "arrival":
            return arrival(message)
        image = payload.get("after") or payload.get("before")
        named = {f"source.{name}": value for name, value in source.items()}
        return column_parts(self._source, named | image if isinstance(image, dict) else named)

    def _shows_every_row(self, source: Mapping[str, Any], facts: Facts) -> bool:
        return (
            source.get("snapshot") in _TABLE_DONE
            and self._source.position is None
            and not self._source.partial_snapshots
            and not debezium_positions.is_zero(facts.parts)
        )

    def _upsert(
        self,
        facts: Facts,
        message: Message,
        payload: Mapping[str, Any],
        source: Mapping[str, Any],
        op: str,
        shape: Shape | None,
    ) -> list[Decoded]:
        image = self._records.image(payload.get("after"), shape, facts.table, facts.target)
        moved_from = self._old_key(facts, message) if op == "c" else None
        changes: list[Decoded] = []
        before = payload.get("before")
        if op == "u" and isinstance(before, dict):
            old = self._before(facts, before, shape)
            moved_from = changed_key(facts.target.key, old.row, image.row)
            if moved_from:
                changes.append(delete(facts, moved_from, old.types))
        sent = tuple(image.row) if image.left_out else None
        rank, left_out = _rank(source, op), image.left_out
        change = upsert(facts, image.row, image.types, sent=sent, left_out=left_out, moved_from=moved_from, rank=rank)
        changes.append(change)
        return changes

    def _delete(self, facts: Facts, message: Message, payload: Mapping[str, Any], shape: Shape | None) -> Change:
        """By the message key; `before` adds configured key columns only, its other values are made up."""
        key = self._records.key(message, facts.table, facts.target)
        wanted = facts.target.key
        if key is not None and all(column in key.row for column in wanted):
            return delete(facts, key.row, key.types)
        before = payload.get("before")
        if not isinstance(before, dict):
            raise missing_key(wanted or ("(any)",), key.row if key else {})
        image = self._before(facts, before, shape)
        if key is not None and wanted:
            image.row.update(key.row)
        return delete(facts, image.row, image.types)

    def _before(self, facts: Facts, before: Mapping[str, Any], shape: Shape | None) -> Image:
        wanted = facts.target.key or before.keys()
        identifying = {column: before[column] for column in wanted if column in before}
        return self._records.image(identifying, shape, facts.table, facts.target)

    def _old_key(self, facts: Facts, message: Message) -> Row | None:
        for name, value in message.headers:
            if name == "__debezium.oldkey":
                old = self._records.columns(value, facts.table, facts.target)
                key = facts.target.key or (tuple(old.row) if old else ())
                if old and all(old.row.get(column) is not None for column in key):
                    return {column: old.row[column] for column in key}
        return None


def table_name(source: Mapping[str, Any], stream: str) -> str:
    """`schema.table`, `db.table` or `db.collection`; from the topic's name where the source block has no table."""
    table = source.get("table") or source.get("collection")
    if not isinstance(table, str):
        return ".".join(stream.split(".")[1:])
    prefix = source.get("schema") or source.get("db")
    return f"{prefix}.{table}" if isinstance(prefix, str) else table


def changed_at(source: Mapping[str, Any]) -> int | None:
    """When the row changed at the source, microseconds UTC, from the finest clock the source block has."""
    for field in ("ts_us", "ts_ns", "ts_ms"):
        found = micros(source.get(field))
        if found is not None:
            return found
    return None


def _rank(source: Mapping[str, Any], op: str) -> str | None:
    if op == "r" or (op == "c" and source.get("snapshot") not in _NOT_SNAPSHOT):
        return SNAPSHOT_RANK
    return None


def _housekeeping(payload: Mapping[str, Any]) -> str | None:
    names = payload.keys()
    if names <= _TRANSACTION and payload.get("status") in ("BEGIN", "END"):
        return "transaction marker"
    if names and names <= _TIMES:
        return "heartbeat"
    if "databaseName" in names and ("ddl" in names or "tableChanges" in names):
        return "schema change"
    return None
