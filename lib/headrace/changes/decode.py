"""Raw messages -> envelope DataFrame.

Decoding is Python (`mapInArrow`): formats are many and odd, and a decoder that is a plain function can be tested on
every captured event. Everything after it is Spark SQL on text columns.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import msgspec
import pyarrow as pa
from pyspark.sql import DataFrame

from headrace.changes.envelope import ENVELOPE, Change, Decoded, Ignored, Message, Reject
from headrace.changes.formats import decoder
from headrace.changes.formats.avro import avro_library, reader_of
from headrace.changes.formats.mask import masked
from headrace.changes.formats.wrapped import unwrapped
from headrace.changes.routes import Route, Routes
from headrace.changes.widen import wider
from headrace.config_sources import Source
from headrace.ports import SchemaLookup
from headrace.tables import REFUSED_HEADER, TYPES_HEADER

_HEADERS = pa.list_(pa.struct([("key", pa.string()), ("value", pa.binary())]))
_TIME = pa.timestamp("us", tz="UTC")
_ORIGIN = pa.struct([("stream", pa.string()), ("partition", pa.int32()), ("offset", pa.int64()), ("part", pa.int32())])
_ARROW = pa.schema(
    [
        ("source", pa.string()), ("source_table", pa.string()), ("table", pa.string()), ("op", pa.string()),
        ("key", pa.string()), ("position", pa.string()), ("after", pa.string()), ("sent", pa.list_(pa.string())),
        ("types", pa.string()), ("changed_at", _TIME), ("arrived_at", _TIME), ("transaction", pa.string()),
        ("initiator", pa.string()), ("moved_from", pa.string()), ("snapshot", pa.string()),
        ("left_out", pa.list_(pa.string())), ("reason", pa.string()),
        ("detail", pa.string()), ("message_key", pa.binary()), ("message", pa.binary()), ("headers", _HEADERS),
        ("origin", _ORIGIN),
    ]
)  # fmt: skip

Known = Mapping[str, Mapping[str, str]]
"""Types already learned: table -> source column -> Spark type."""


def decoded(
    messages: DataFrame,
    name: str,
    source: Source,
    routes: Routes,
    known: Known,
    *,
    ignore_unknown: bool = False,
    replayed: bool = False,
    registry: Callable[[], SchemaLookup] | None = None,
) -> DataFrame:
    """Every message as one or more envelope rows, schema `ENVELOPE`.

    Args:
        messages: raw messages, schema `tables.MESSAGES`.
        name: the source's name in the settings.
        known: types learned so far; a row's `types` says only what is new to it.
        ignore_unknown: count rows of tables no settings name instead of refusing them.
        replayed: the messages come from the lake, where masked columns are null: those count as not sent.
        registry: makes, in a worker, the client of the registry that the source's Avro messages refer to.
    """
    lines = source.transport == "files" and not replayed
    if registry is not None:
        avro_library()  # a missing package shows here, and not in a worker

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        decode, as_json = decoder(source, routes), reader_of(source, registry)
        seen: dict[tuple[str, int], int] = {}
        for batch in batches:
            writer = _Writer(name, source, routes, known, ignore_unknown, replayed)
            for message in _numbered(_messages(batch), seen) if lines else _messages(batch):
                message = as_json(message)
                writer.add(message, _refused(message) or decode(message))
            yield pa.RecordBatch.from_pylist(writer.rows, schema=_ARROW)

    return messages.mapInArrow(run, ENVELOPE)


def _messages(batch: pa.RecordBatch) -> Iterator[Message]:
    arrived = batch.column("arrived_at").cast(pa.int64()).to_pylist()
    names = ("message_key", "message", "headers", "stream", "partition", "offset")
    columns = [batch.column(column).to_pylist() for column in names]
    for key, value, headers, stream, partition, offset, at in zip(*columns, arrived, strict=True):
        pairs = tuple((header["key"], header["value"]) for header in headers or ())
        yield Message(key, value, pairs, stream or "", partition or 0, offset or 0, at or 0)


def _numbered(messages: Iterator[Message], seen: dict[tuple[str, int], int]) -> Iterator[Message]:
    """Lines of files: offset = start of the block plus the line's number in it; `key/value` lines unwrapped."""
    for message in messages:
        place = (message.stream, message.offset)
        number = seen[place] = seen.get(place, -1) + 1
        yield unwrapped(replace(message, offset=message.offset + number))


class _Writer:
    """Collects the envelope rows of one Arrow batch."""

    def __init__(
        self, name: str, source: Source, routes: Routes, known: Known, ignore_unknown: bool, replayed: bool
    ) -> None:
        self.rows: list[dict[str, Any]] = []
        self._name, self._routes, self._before_prefix = name, routes, source.before_prefix
        self._ignore_unknown, self._replayed = ignore_unknown, replayed
        self._known = {table: dict(types) for table, types in known.items()}
        self._find: dict[str, Route | None] = {}
        # A message whose table cannot be told may hold any table's masked columns.
        self._every_mask = {column for route in routes.all() for column in set(route.mask) - set(route.key)}

    def add(self, message: Message, found: list[Decoded]) -> None:
        told = _told_types(message)
        for part, one in enumerate(found):
            if told and isinstance(one, Change):
                one = replace(one, types={name: told.get(name, kind) for name, kind in one.types.items()})
            row = self._row(one)
            masked_columns = row.pop("mask")
            value = message.value
            if masked_columns and value is not None:
                value = masked(value, masked_columns, before_prefix=self._before_prefix)
            row.update(
                source=self._name,
                arrived_at=message.arrived_at,
                message_key=message.key,
                message=value,
                headers=[{"key": key, "value": text} for key, text in message.headers] or None,
                origin={
                    "stream": message.stream, "partition": message.partition, "offset": message.offset, "part": part,
                },
            )  # fmt: skip
            self.rows.append(row)

    def _row(self, one: Decoded) -> dict[str, Any]:
        route = self._route(one.table)
        base: dict[str, Any] = {
            "source_table": one.table,
            "table": route.name if route else None,
            "mask": set(route.mask) - set(route.key) if route else self._every_mask,
        }
        if isinstance(one, Ignored):
            return {**base, "op": "ignored", "reason": one.why}
        if isinstance(one, Reject):
            return {**base, "op": "reject", "reason": one.reason, "detail": one.detail}
        if route is None:
            return {**base, **self._unknown(one), "position": one.position}
        return {**base, **self._change(one, route)}

    def _change(self, change: Change, route: Route) -> dict[str, Any]:
        key = [change.after.get(column) for column in route.key]
        row: dict[str, Any] = {
            "op": change.op, "position": change.position, "changed_at": change.changed_at,
            "transaction": change.transaction, "initiator": change.initiator, "snapshot": change.snapshot,
        }  # fmt: skip
        if change.op == "truncate":
            return row
        row["key"] = _json(key)
        after = _json(change.after)
        if problem := _key_problem(key, route) or _size_problem(after, route):
            return {**row, "op": "reject", "reason": problem[0], "detail": problem[1]}
        row.update(
            after=after,
            sent=self._sent(change, route),
            types=self._news(route.name, change.types),
            moved_from=_json(change.moved_from) if change.moved_from else None,
            left_out=self._left_out(change, route),
        )
        return row

    def _sent(self, change: Change, route: Route) -> list[str] | None:
        if not (self._replayed and route.mask):
            return list(change.sent) if change.sent is not None else None
        everything = change.sent if change.sent is not None else {*change.after, *self._known.get(route.name, {})}
        return sorted(set(everything) - _masked_of(route, everything))

    def _left_out(self, change: Change, route: Route) -> list[str] | None:
        """What the source held back; None where it does not tell."""
        if not change.left_out:
            return None
        everything = (*change.after, *self._known.get(route.name, {}))
        return [*change.left_out, *(sorted(_masked_of(route, everything)) if self._replayed else ())]

    def _unknown(self, change: Change) -> dict[str, Any]:
        if self._ignore_unknown:
            return {"op": "ignored", "reason": "unknown table"}
        detail = (
            f"expected a table of the settings; found {change.table or '(no name)'}. "
            f"Add it under tables with source: {self._name} and source_table: {change.table}, "
            "then run `headrace replay`."
        )
        return {"op": "reject", "reason": "unknown table", "detail": detail}

    def _news(self, table: str, types: Mapping[str, str]) -> str | None:
        """Types the table does not hold yet. Every row tells its own, so that the most frequent one can be learned."""
        known = self._known.get(table, {})
        news = {column: kind for column, kind in types.items() if not _held(known.get(column), kind)}
        return _json(news) if news else None

    def _route(self, source_table: str) -> Route | None:
        if source_table not in self._find:
            self._find[source_table] = self._routes.find(source_table)
        return self._find[source_table]


def _masked_of(route: Route, columns: Iterable[str]) -> set[str]:
    masked_names = {column.casefold() for column in route.mask}
    return {column for column in columns if column.casefold() in masked_names}


def _key_problem(key: list[str | None], route: Route) -> tuple[str, str] | None:
    missing = [column for column, value in zip(route.key, key, strict=True) if value is None]
    if not missing:
        return None
    return "null key", f"expected a value in every key column of {route.name}; found none in {', '.join(missing)}"


def _size_problem(after: str, route: Route) -> tuple[str, str] | None:
    size = len(after.encode())
    if size <= route.max_row_bytes:
        return None
    return (
        "oversize row",
        f"expected at most {route.max_row_bytes} bytes; found {size}. "
        f"Raise tables.{route.name}.max_row_bytes, then run `headrace replay`.",
    )


@cache
def _held(known: str | None, kind: str) -> bool:
    return known is not None and wider(known, kind) == known


def _told_types(message: Message) -> dict[str, str] | None:
    """Column types the file itself tells (Parquet), where the reader put them into a header."""
    return _header(message, TYPES_HEADER)


def _refused(message: Message) -> list[Decoded]:
    """The reject of what the transport itself could not read; empty for everything else."""
    told = _header(message, REFUSED_HEADER)
    return [Reject(told["reason"], told["detail"])] if told else []


def _header(message: Message, wanted: str) -> dict[str, str] | None:
    told = next((value for name, value in message.headers if name == wanted), None)
    return msgspec.json.decode(told, type=dict[str, str]) if told else None


def _json(value: Mapping[str, str | None] | list[str | None]) -> str:
    return msgspec.json.encode(value).decode()
