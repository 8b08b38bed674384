"""Avro messages of a schema registry as the JSON that decoders read.

What comes out is what is logged: replays need no registry, and masks find their columns. Exact types travel with it:

* `format: debezium`: as Kafka Connect's JsonConverter writes it with schemas, `{"schema": ..., "payload": ...}`. The
  schema block is cut down to what decoders read: the types of the row, not those of the envelope around it.
* other formats: the row alone, dates and times as ISO 8601 text, its types in a header, as of Parquet files.
"""

import json
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from io import BytesIO
from typing import Any
from uuid import UUID

from headrace.changes.envelope import Message
from headrace.changes.formats.avro_frames import Framed, broken, framed
from headrace.changes.formats.avro_schema import compiled
from headrace.changes.formats.debezium_types import Reader, fields, reader
from headrace.changes.formats.payload import Unusable, to_bytes
from headrace.config_sources import KafkaSource, KinesisSource
from headrace.errors import HeadraceError, MissingDependency
from headrace.ports import SchemaLookup, WriterSchema
from headrace.tables import REFUSED_HEADER, TYPES_HEADER

_IDS = {"value": "__value_schema_id", "key": "__key_schema_id"}
"""Headers in which newer clients of Confluent's send the schema's id, instead of before the bytes."""
_OLD_KEY = "__debezium.oldkey"
_BROKEN = (EOFError, IndexError, ValueError, OverflowError, struct.error)
Headers = tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class _Plan:
    """How messages of one schema are read. `head`: the schema block as bytes."""

    read: Callable[[bytes], Any]
    head: bytes
    columns: dict[str, Reader] | None
    whole: Reader | None


class AvroMessages:
    """Reads the messages of one source. An instance belongs to one worker and one batch."""

    def __init__(self, source: KafkaSource | KinesisSource, lookup: SchemaLookup) -> None:
        self._glue = source.registry is not None and source.registry.kind == "glue"
        self._most, self._connect = source.max_message_bytes, source.format == "debezium"
        self._lookup = lookup
        self._plans: dict[int | UUID, _Plan | Unusable | None] = {}

    def __call__(self, message: Message) -> Message:
        """The message with JSON for its value, key and old key; with the reason of its reject where it has none.

        A key that is not Avro stays as it is. Raises HeadraceError where the registry does not answer or refuses.
        """
        kept = tuple(pair for pair in message.headers if pair[0] != REFUSED_HEADER)
        message = replace(message, headers=kept)
        if len(message.value or b"") > self._most:
            return message
        try:
            value, types = self._value(message)
        except HeadraceError:
            raise
        except Unusable as error:
            return replace(message, headers=(*kept, _refusal(error)))
        except Exception as error:
            # A bug here must cost one message, not the stream; the type alone, as the text may show values.
            bug = Unusable("decoder error", f"{type(error).__name__} while reading Avro. Please report it")
            return replace(message, headers=(*kept, _refusal(bug)))
        headers = [(name, self._header(name, text)) for name, text in kept if name not in _IDS.values()]
        key = self._other(message.key, _header(kept, _IDS["key"]))
        return replace(message, key=key, value=value, headers=(*headers, *types))

    def _value(self, message: Message) -> tuple[bytes | None, Headers]:
        raw, told = message.value, _header(message.headers, _IDS["value"])
        if raw is None or (told is None and raw.lstrip()[:1] in (b"{", b"[")):
            return raw, ()
        found = framed(raw, told, glue=self._glue, most=self._most)
        if found is None:
            kind = "AWS Glue's header (03 00 or 03 05)" if self._glue else "Confluent's (00 and the schema's id)"
            raise Unusable(
                "not Avro",
                f"expected {kind} or JSON; found {len(raw)} bytes that begin with {raw[:2].hex(' ') or 'nothing'}. "
                "Check the converter of the producer and registry.kind",
            )
        plan = self._plan(found.id)
        if plan is None:
            return found.body, ()
        return self._as_json(plan, _read(plan, found))

    def _header(self, name: str, value: bytes | None) -> bytes | None:
        return self._other(value, None) if name == _OLD_KEY else value

    def _other(self, raw: bytes | None, told: bytes | None) -> bytes | None:
        """A key as JSON; as it is where it cannot be read: many keys are no Avro, and few messages need theirs."""
        try:
            found = framed(raw, told, glue=self._glue, most=self._most) if raw else None
            plan = self._plan(found.id) if found else None
            return raw if found is None or plan is None else self._as_json(plan, _read(plan, found))[0]
        except HeadraceError:
            raise
        except Exception:
            return raw

    def _plan(self, id: int | UUID) -> _Plan | None:
        """None for a schema of JSON: its messages are JSON behind the id."""
        if id not in self._plans:
            try:
                self._plans[id] = self._made(id)
            except Unusable as error:
                self._plans[id] = error
        found = self._plans[id]
        if isinstance(found, Unusable):
            raise Unusable(found.reason, found.detail)
        return found

    def _made(self, id: int | UUID) -> _Plan | None:
        schema = self._lookup.schema(id)
        if schema is None:
            raise Unusable(
                "unknown schema",
                f"expected a schema of id {id} in the registry; found none. Correct `registry` of the source, or "
                "register the schema again, then run `headrace replay`",
            )
        if schema.kind == "JSON":
            return None
        if schema.kind != "AVRO":
            detail = f"expected an Avro schema of id {id}; found one of {schema.kind[:20]}. Send Avro or JSON"
            raise Unusable("unusable schema", detail)
        try:
            return _planned(schema)
        except Unusable as error:
            raise Unusable(error.reason, f"schema {id}: {error.detail}") from None

    def _as_json(self, plan: _Plan, value: Any) -> tuple[bytes, Headers]:
        if self._connect:
            return b'{"schema":%b,"payload":%b}' % (plan.head, to_bytes(value)), ()
        if plan.columns is None or value is None:
            return to_bytes(plan.whole.nested(value) if plan.whole and value is not None else value), ()
        row = {name: _plain(plan.columns.get(name), one) for name, one in value.items()}
        types = {name: one.type for name, one in plan.columns.items()}
        return to_bytes(row), ((TYPES_HEADER, json.dumps(types).encode()),)


def _read(plan: _Plan, found: Framed) -> Any:
    try:
        return plan.read(found.body)
    except _BROKEN as error:
        raise broken(found.id, f"{len(found.body)} bytes it does not fit ({type(error).__name__})") from None


@lru_cache(maxsize=2_000)
def _planned(schema: WriterSchema) -> _Plan:
    """Kept for the worker's life: a schema of Debezium's takes milliseconds to prepare. Raises Unusable."""
    fastavro = avro_library()
    node = compiled(schema.text, schema.imported)
    try:
        wire = fastavro.parse_schema(node.wire)
    except Exception as error:
        detail = f"expected an Avro schema; found one that cannot be read ({type(error).__name__}). Correct it"
        raise Unusable("unusable schema", detail) from None

    def read(body: bytes) -> Any:
        stream = BytesIO(body)
        value = fastavro.schemaless_reader(stream, wire, None)
        if stream.tell() != len(body):
            raise ValueError("bytes are left over")
        return value if node.convert is None or value is None else node.convert(value)

    columns = fields(node.block) if node.block["type"] == "struct" else None
    return _Plan(read, to_bytes(_of_the_row(node.block)), columns, reader(node.block))


def _of_the_row(block: dict[str, Any]) -> dict[str, Any]:
    """Of Debezium's envelope the type of the row alone: the others say nothing that decoders read."""
    inside = {field["field"]: field for field in block.get("fields", ())}
    if not {"op", "source", "after"} <= inside.keys():
        return block
    kept = [inside["after"], {"type": "struct", "field": "source"}, {"type": "string", "field": "op"}]
    return {"type": "struct", "fields": kept}


def _plain(of: Reader | None, value: Any) -> Any:
    return value if value is None or of is None else of.nested(value)


def _header(headers: Iterable[tuple[str, bytes | None]], wanted: str) -> bytes | None:
    return next((value for name, value in headers if name == wanted), None)


def _refusal(error: Unusable) -> tuple[str, bytes]:
    told = {"reason": error.reason, "detail": error.detail[:1000]}
    return REFUSED_HEADER, json.dumps(told).encode()


def avro_library() -> Any:
    """The package `fastavro`. Raises MissingDependency where it is not installed."""
    try:
        import fastavro
    except ModuleNotFoundError as error:
        todo = "Run `pip install 'headrace[avro]'`."
        raise MissingDependency(expected="fastavro", found=f"no module {error.name}", todo=todo) from error
    return fastavro


def reader_of(source: object, opened: Callable[[], SchemaLookup] | None) -> Callable[[Message], Message]:
    """What makes JSON of a source's messages; of a source without a registry they are left as they are.

    Args:
        opened: makes the client of the registry, in the worker.
    """
    if opened is None or not isinstance(source, KafkaSource | KinesisSource):
        return lambda message: message
    return AvroMessages(source, opened())
