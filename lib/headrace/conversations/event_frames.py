"""Raw messages -> turns and ratings as rows, each with its key and position, or with the reason why it is refused."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from headrace.conversations.arrived import Arrived, Refused, arrived
from headrace.conversations.settled import TOO_OLD
from headrace.erasure import ERASED, Suppressed
from headrace.lake import struct
from headrace.tables import MESSAGES, RATINGS, REFUSED_HEADER, TURNS, TableContract

SYSTEM = ("_position", "_changed_at")
FELT = ("sentiment", "valence", "text_language", "felt_of")
"""Columns of `ratings` that no event brings."""
_NOTHING = dict.fromkeys(("message_key", "message", "headers"))
_MESSAGE = ("message_key", "message", "headers", "stream", "partition", "offset", "arrived_at")


def columns(table: TableContract) -> list[str]:
    """The columns that events bring."""
    return [name for name in struct(table.schema).names if name not in (*SYSTEM, *FELT)]


def _ddl(table: TableContract) -> str:
    fields, kept = struct(table.schema), columns(table)
    return ", ".join(f"`{one.name}`: {one.dataType.simpleString()}" for one in fields if one.name in kept)


@cache
def schema() -> StructType:
    """Of what `events` gives: `op` is `upsert`, `delete`, `reject` or `erased`; of the first two one of `turn` and
    `rating` is there, of the last one nothing but, in `key`, a conversation that an erased person was in as well."""
    return struct(
        f"""kind string, op string, key string, position string, reason string, detail string,
        turn struct<{_ddl(TURNS)}>, rating struct<{_ddl(RATINGS)}>, {MESSAGES}"""
    )


def events(
    messages: DataFrame, *, lines: bool, suppressed: Suppressed | None = None, settled: datetime | None = None
) -> DataFrame:
    """Every message as one row, of `schema`.

    Args:
        messages: schema `tables.MESSAGES`.
        lines: they are lines of files; an offset is then that of a block, and becomes that of the line.
        suppressed: whose events are refused without keeping anything of them.
        settled: turns and ratings from before then are refused likewise; withdrawals are taken.
    """
    arrow = to_arrow_schema(schema())

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        seen: dict[tuple[str, int], int] = {}
        for batch in batches:
            rows = []
            for message in batch.to_pylist():
                if lines:
                    block = (message["stream"] or "", message["offset"] or 0)
                    seen[block] = seen.get(block, -1) + 1
                    message["offset"] = block[1] + seen[block]
                rows.append(_row(message, suppressed, settled))
            yield pa.RecordBatch.from_pylist(rows, schema=arrow)

    return messages.select(*_MESSAGE).mapInArrow(run, schema())


def _row(message: Mapping[str, Any], suppressed: Suppressed | None, settled: datetime | None) -> dict[str, Any]:
    found = _refused(message) or arrived(message["message"], message["arrived_at"])
    if suppressed:
        values = _values(message) if isinstance(found, Refused) else found.values
        if suppressed.conversation(values.get("conversation"), values.get("turn")):
            return _erased(message, None)
        if suppressed.person(values.get("person")):
            return _erased(message, str(values["conversation"]) if isinstance(found, Arrived) else None)
        if suppressed.person(values.get("rater")):
            return _erased(message, None)
    if isinstance(found, Refused):
        return {**message, "op": "reject", "reason": found.reason, "detail": found.detail}
    if settled and not found.deleted and found.values["at"] < settled:
        return _too_old(message, found, settled)
    return {**message, **_told(found)}


def _too_old(message: Mapping[str, Any], found: Arrived, settled: datetime) -> dict[str, Any]:
    """What is left of an event from before the border: that there was one, and when and where."""
    expected = f"turns and ratings since {settled:%Y-%m-%d %H:%M} UTC, as old ones have left by feedback.keep"
    of = f"a {found.kind} of {found.values['at']:%Y-%m-%d %H:%M}"
    detail = f"expected {expected}; found {of}. Nothing of it was kept."
    return {**message, **_NOTHING, "op": "reject", "reason": TOO_OLD, "detail": detail}


def _erased(message: Mapping[str, Any], conversation: str | None) -> dict[str, Any]:
    """What is left of an erased person's event: that there was one, and where."""
    detail = "expected nobody who was erased; found an event of somebody who was. Nothing of it was kept."
    return {**message, **_NOTHING, "op": "erased", "reason": ERASED, "detail": detail, "key": conversation}


def _values(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """The properties of a message that is no event."""
    try:
        told = json.loads(message["message"] or b"")
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _told(one: Arrived) -> dict[str, Any]:
    op = "delete" if one.deleted else "upsert"
    return {"kind": one.kind, "op": op, "key": one.key, "position": one.position, one.kind: one.values}


def _refused(message: Mapping[str, Any]) -> Refused | None:
    """The reject of what the transport itself could not read."""
    for header in message["headers"] or ():
        if header["key"] == REFUSED_HEADER:
            told = json.loads(header["value"])
            return Refused(told["reason"], told["detail"])
    return None


def rejects(found: DataFrame, source: str, batch: str) -> DataFrame:
    """Those of `events` that are refused, as `tables.REJECTS` has them."""
    day = F.to_date(F.coalesce(F.col("arrived_at"), F.current_timestamp()))
    none = F.lit(None).cast("string")
    return found.where(F.col("op").isin("reject", "erased")).select(
        F.lit(source).alias("source"), none.alias("source_table"), none.alias("table"), "reason", "detail",
        none.alias("key"), none.alias("position"), "arrived_at", F.current_timestamp().alias("rejected_at"),
        "message_key", "message", "headers",
        F.struct("stream", "partition", "offset", F.lit(0).alias("part")).alias("origin"),
        F.lit(batch).alias("batch"), day.alias("day"),
    )  # fmt: skip
