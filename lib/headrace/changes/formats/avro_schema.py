"""Avro schemas as Kafka Connect sees them: the schema block decoders read, and values as its JsonConverter writes them.

Names and types follow Connect's Avro converters (`connect.name`, `connect.type`, `connect.parameters`, map entries,
unions as structs). Logical types Connect has no name for get Debezium's, which say the same.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from headrace.changes.formats import avro_values
from headrace.changes.formats.avro_values import Convert
from headrace.changes.formats.payload import Unusable

_CONNECT, _TIME, _DATA = "org.apache.kafka.connect.data.", "io.debezium.time.", "io.debezium.data."
_PRIMITIVE = {
    "boolean": "boolean",
    "int": "int32",
    "long": "int64",
    "float": "float",
    "double": "double",
    "bytes": "bytes",
    "string": "string",
}
_LOGICAL = {
    ("int", "date"): f"{_CONNECT}Date",
    ("int", "time-millis"): f"{_CONNECT}Time",
    ("long", "time-micros"): f"{_TIME}MicroTime",
    ("long", "timestamp-millis"): f"{_CONNECT}Timestamp",
    ("long", "timestamp-micros"): f"{_TIME}MicroTimestamp",
    ("long", "timestamp-nanos"): f"{_TIME}NanoTimestamp",
    ("long", "local-timestamp-millis"): f"{_TIME}Timestamp",
    ("long", "local-timestamp-micros"): f"{_TIME}MicroTimestamp",
    ("long", "local-timestamp-nanos"): f"{_TIME}NanoTimestamp",
    ("string", "uuid"): f"{_DATA}Uuid",
}
_ENTRIES = (
    ("io.confluent.connect.avro", "MapEntry"),
    ("com.amazonaws.services.schemaregistry.kafkaconnect.avrodata", "MapEntry"),
)
_MOST_NODES, _DEEPEST = 20_000, 200


@dataclass(frozen=True, slots=True)
class Node:
    """One type.

    Attributes:
        wire: for fastavro. It reads the same bytes, without logical types; of a union with several types each stands
            in a record of its own, which takes no bytes and tells which one it was.
        block: as Connect's JSON schema, with what decoders read: no defaults, no documentation, no `optional`.
        convert: from what fastavro read, never None, to the JSON value; None where both are the same.
        width: whether a value takes at least a byte.
    """

    wire: Any
    block: dict[str, Any]
    convert: Convert | None = None
    width: bool = True


def compiled(text: str, imported: Sequence[str] = ()) -> Node:
    """The root type of a schema. Raises Unusable for one that is broken, refers to itself or cannot be Connect's."""
    compiler = _Compiler()
    try:
        for one in imported:
            compiler.node(json.loads(one), "")
        return compiler.node(json.loads(text), "")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        found = f"one that does not parse ({type(error).__name__})"
        raise _unusable("an Avro schema", found) from None


class _Compiler:
    def __init__(self) -> None:
        self._named: dict[str, tuple[dict[str, Any], str]] = {}
        self._inside: list[str] = []
        self._count = 0

    def node(self, schema: Any, space: str) -> Node:
        """The node of a schema that stands in this namespace."""
        self._count += 1
        if self._count > _MOST_NODES or len(self._inside) > _DEEPEST:
            raise _unusable(f"a schema of at most {_MOST_NODES} types", "more, once names are put in")
        if isinstance(schema, list):
            return self._union(schema, space)
        if isinstance(schema, str):
            if schema in _PRIMITIVE or schema == "null":
                return self._simple(schema, {})
            return self._by_name(schema, space)
        kind = schema["type"]
        if isinstance(kind, dict | list) or (kind not in _OF_KIND and kind not in _PRIMITIVE and kind != "null"):
            return self.node(kind, space)
        make = _OF_KIND.get(kind)
        return self._simple(kind, schema) if make is None else make(self, schema, space)

    def _by_name(self, name: str, space: str) -> Node:
        found = self._named.get(_full(name, space)) or self._named.get(name)
        if found is None:
            raise _unusable("a schema that holds every type it names", f"no {name[:100]}")
        return self.node(*found)

    def _define(self, schema: dict[str, Any], space: str) -> tuple[str, str, str]:
        """(full name, its namespace, a name for fastavro that nothing else has)."""
        name = _full(schema["name"], schema.get("namespace", space) or "")
        self._named.setdefault(name, (schema, space))
        return name, name.rpartition(".")[0], f"n{self._count}"

    def _simple(self, kind: str, schema: Mapping[str, Any]) -> Node:
        if kind == "null":
            return Node("null", {"type": "string"}, width=False)
        if kind == "bytes":
            return _of_bytes("bytes", schema)
        name = _LOGICAL.get((kind, str(schema.get("logicalType"))))
        narrow = schema.get("connect.type")
        block = _block(narrow if narrow in ("int8", "int16") else _PRIMITIVE[kind], schema, name)
        return Node(kind, block, {"float": avro_values.single, "double": avro_values.double}.get(kind))

    def _fixed(self, schema: dict[str, Any], space: str) -> Node:
        _, _, unique = self._define(schema, space)
        wire = {"type": "fixed", "name": unique, "size": schema["size"]}
        if schema.get("logicalType") == "uuid" and schema["size"] == 16:
            return Node(wire, _block("string", schema, f"{_DATA}Uuid"), lambda value: str(UUID(bytes=value)))
        return _of_bytes(wire, schema)

    def _enum(self, schema: dict[str, Any], space: str) -> Node:
        _, _, unique = self._define(schema, space)
        return Node({"type": "enum", "name": unique, "symbols": schema["symbols"]}, _block("string", schema))

    def _record(self, schema: dict[str, Any], space: str) -> Node:
        name, own_space, unique = self._define(schema, space)
        if name in self._inside:
            raise _unusable("a schema with an end", f"{name[:100]}, which holds itself")
        self._inside.append(name)
        fields = {field["name"]: self.node(field["type"], own_space) for field in schema["fields"]}
        self._inside.pop()
        wire = [{"name": field, "type": node.wire} for field, node in fields.items()]
        block = _block("struct", schema, name)
        block["fields"] = [{**node.block, "field": field} for field, node in fields.items()]
        converts = [(field, node.convert) for field, node in fields.items() if node.convert is not None]
        return Node(
            {"type": "record", "name": unique, "fields": wire},
            block,
            avro_values.record(converts) if converts else None,
            any(node.width for node in fields.values()),
        )

    def _array(self, schema: dict[str, Any], space: str) -> Node:
        item = self.node(schema["items"], space)
        if not item.width:
            # A few bytes could claim any number of them.
            raise _unusable("arrays whose items take bytes", "an array of empty items")
        wire = {"type": "array", "items": item.wire}
        if _is_entry(schema["items"]):
            key, value = ({**one} for one in item.block["fields"])
            block = _block("map", schema) | {"keys": _unnamed(key), "values": _unnamed(value)}
            return Node(wire, block, avro_values.entries(key["field"], value["field"], item.convert))
        return Node(wire, _block("array", schema) | {"items": item.block}, avro_values.items(item.convert))

    def _map(self, schema: dict[str, Any], space: str) -> Node:
        item = self.node(schema["values"], space)
        block = _block("map", schema) | {"keys": {"type": "string"}, "values": item.block}
        return Node({"type": "map", "values": item.wire}, block, avro_values.mapping(item.convert))

    def _union(self, members: Sequence[Any], space: str) -> Node:
        unique = f"u{self._count}"
        nodes = [self.node(member, space) for member in members]
        real = [place for place, node in enumerate(nodes) if node.wire != "null"]
        if len(real) == 1:
            only = nodes[real[0]]
            return Node([node.wire for node in nodes], only.block, only.convert)
        if not real:
            return Node([node.wire for node in nodes], {"type": "string"})
        wire, names = list[Any](), {}
        for place, node in enumerate(nodes):
            if place in real:
                names[f"f{place}"] = (_member_name(members[place]), node.convert)
                field = {"name": f"f{place}", "type": node.wire}
                wire.append({"type": "record", "name": f"{unique}_{place}", "fields": [field]})
            else:
                wire.append("null")
        fields = [{**nodes[place].block, "field": names[f"f{place}"][0]} for place in real]
        block = {"type": "struct", "name": "io.confluent.connect.avro.Union", "fields": fields}
        return Node(wire, block, avro_values.member(names))


_OF_KIND: dict[str, Callable[[_Compiler, dict[str, Any], str], Node]] = {
    "record": _Compiler._record,
    "error": _Compiler._record,
    "enum": _Compiler._enum,
    "fixed": _Compiler._fixed,
    "array": _Compiler._array,
    "map": _Compiler._map,
}


def _unusable(expected: str, found: str) -> Unusable:
    todo = "Correct the schema at the producer, or take this source as JSON"
    return Unusable("unusable schema", f"expected {expected}; found {found}. {todo}")


def _full(name: str, space: str) -> str:
    return name if "." in name or not space else f"{space}.{name}"


def _block(kind: str, schema: Mapping[str, Any], name: str | None = None) -> dict[str, Any]:
    """What Connect knows itself (`connect.name`) goes before what the Avro type says."""
    named, parameters = schema.get("connect.name") or name, schema.get("connect.parameters")
    block: dict[str, Any] = {"type": kind}
    if named:
        block["name"] = named
    if isinstance(parameters, dict) and parameters:
        block["parameters"] = {key: value for key, value in parameters.items() if key in _READ}
    return block


_READ = ("scale", "connect.decimal.precision")
"""Parameters that decoders read; the others, such as an enum's values, only make a message longer."""


def _of_bytes(wire: Any, schema: Mapping[str, Any]) -> Node:
    if schema.get("logicalType") != "decimal":
        return Node(wire, _block("bytes", schema), avro_values.base64_text)
    block = _block("bytes", schema, f"{_CONNECT}Decimal")
    told = {"scale": str(schema.get("scale", 0))}
    if isinstance(schema.get("precision"), int) and not (schema["precision"] == 64 and "connect.name" in schema):
        told["connect.decimal.precision"] = str(schema["precision"])  # 64 is what Connect writes for an unknown one
    block["parameters"] = told | block.get("parameters", {})
    return Node(wire, block, avro_values.base64_text)


def _is_entry(schema: Any) -> bool:
    """Whether a record is one pair of a map of Connect's whose keys are no text."""
    if not isinstance(schema, dict) or schema.get("type") != "record":
        return False
    named = (schema.get("namespace"), schema.get("name"))
    return schema.get("connect.internal.type") == "MapEntry" or named in _ENTRIES


def _member_name(schema: Any) -> str:
    """What Connect calls the field of a union's member: the last part of its name, or its type."""
    if isinstance(schema, str):
        return schema.rpartition(".")[2]
    kind = schema["type"]
    if kind in ("record", "enum", "fixed"):
        return str(schema["name"]).rpartition(".")[2]
    return kind if isinstance(kind, str) else _member_name(kind)


def _unnamed(field: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in field.items() if name != "field"}
