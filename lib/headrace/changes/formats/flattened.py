"""Debezium rows flattened by the ExtractNewRecordState transform, in both delete modes."""

from collections.abc import Mapping
from typing import Any

from headrace.changes.envelope import Decoded, Ignored, Message, Row
from headrace.changes.formats import debezium_positions
from headrace.changes.formats.connect import Records, Shape
from headrace.changes.formats.image import (
    Facts,
    Targets,
    arrival,
    column_parts,
    delete,
    micros,
    missing_key,
    truncate,
    unreadable,
    upsert,
)
from headrace.changes.formats.payload import Unusable
from headrace.config_sources import SourceBase
from headrace.ordering.position import SNAPSHOT_RANK, UnreadablePosition

_PREFIX = "__"
_ADVICE = (
    "Add the connector's position to the transform (add.fields: op,table,lsn,source.ts_ms), or set position: arrival, "
    "or position: [columns that order the rows]"
)


class Flattened:
    """Decodes flattened rows of one source."""

    def __init__(self, source: SourceBase, targets: Targets, records: Records) -> None:
        self._source, self._targets, self._records = source, targets, records

    def tombstone(self, message: Message) -> list[Decoded]:
        """A null value: nothing beside real delete events, the delete itself where the transform sends no other.

        It has no position of its own, so as a delete it needs `position: arrival`. Raises Unusable.
        """
        if self._source.delete_mode != "tombstone":
            return [Ignored("tombstone")]
        table = topic_table(message.stream)
        if self._source.position != "arrival":
            raise unreadable(
                "expected a position; found a null value, which has none. Set the transform's delete handling to "
                "rewrite and delete_mode: rewrite, or set position: arrival"
            )
        facts = self._facts(message, table, {}, arrival(message))
        key = self._records.key(message, table, facts.target)
        if key is None:
            raise missing_key(facts.target.key or ("(any)",), {})
        return [delete(facts, key.row, key.types)]

    def row(self, message: Message, payload: Mapping[str, Any], shape: Shape | None) -> list[Decoded]:
        """One flattened row. Raises Unusable."""
        added = {name[len(_PREFIX) :]: value for name, value in payload.items() if name.startswith(_PREFIX)}
        if not added and self._source.position is None:
            raise Unusable(
                "unknown shape",
                "expected a Debezium event (op and source), or a flattened row with __op, __lsn or __deleted; found "
                f"neither in an object of {len(payload)} members. Check the topic and the connector's transforms",
            )
        table = self._table(added, message.stream)
        facts = self._facts(message, table, added, self._parts(message, payload, added))
        op = added.get("op")
        if op == "t":
            return [truncate(facts)]
        if op not in ("c", "r", "u", "d", None):
            raise Unusable("unknown operation", f"expected __op c, r, u, d or t; found {str(op)[:20]!r}")
        columns = {name: value for name, value in payload.items() if not name.startswith(_PREFIX)}
        if op == "d" or str(added.get("deleted")).lower() == "true":
            return [self._delete(facts, message, columns, shape)]
        image = self._records.image(columns, shape, table, facts.target)
        types = {name: of for name, of in image.types.items() if not name.startswith(_PREFIX)}
        sent = tuple(image.row) if image.left_out else None
        rank = SNAPSHOT_RANK if op == "r" else None
        return [upsert(facts, image.row, types, sent=sent, rank=rank)]

    def _delete(self, facts: Facts, message: Message, columns: Mapping[str, Any], shape: Shape | None) -> Decoded:
        key = self._records.key(message, facts.table, facts.target)
        wanted = facts.target.key
        if key is not None and all(column in key.row for column in wanted):
            return delete(facts, key.row, key.types)
        identifying = {column: columns[column] for column in wanted or columns if column in columns}
        image = self._records.image(identifying, shape, facts.table, facts.target)
        return delete(facts, image.row, image.types)

    def _facts(self, message: Message, table: str, added: Mapping[str, Any], parts: tuple[str, ...]) -> Facts:
        when = next((added[name] for name in _clocks(added) if added[name] is not None), None)
        who: Row = {name: str(added[name]) for name in ("txId", "source_txId", "transaction_id") if added.get(name)}
        return Facts(
            table,
            self._targets.find(table),
            parts,
            self._source.epoch,
            micros(when),
            next(iter(who.values()), None),
            None,
            len(message.value or b""),
        )

    def _parts(self, message: Message, payload: Mapping[str, Any], added: Mapping[str, Any]) -> tuple[str, ...]:
        if self._source.position == "arrival":
            return arrival(message)
        if self._source.position is not None:
            return column_parts(self._source, payload)
        fields = {name.removeprefix("source_"): value for name, value in added.items()}
        try:
            return debezium_positions.parts(fields, None, snapshot=added.get("op") == "r")
        except UnreadablePosition as error:
            raise unreadable(f"{error}. {_ADVICE}") from None

    def _table(self, added: Mapping[str, Any], stream: str) -> str:
        table, prefix = added.get("table") or added.get("collection"), added.get("schema") or added.get("db")
        from_topic = topic_table(stream)
        if not isinstance(table, str):
            return from_topic
        if isinstance(prefix, str):
            return f"{prefix}.{table}"
        return from_topic if from_topic.endswith(f".{table}") else table


def topic_table(stream: str) -> str:
    """`schema.table` of a topic `prefix.schema.table`."""
    return stream.partition(".")[2] or stream


def _clocks(added: Mapping[str, Any]) -> list[str]:
    return [name for name in ("source_ts_us", "source_ts_ns", "source_ts_ms", "ts_us", "ts_ms") if name in added]
