"""Bad input: real events damaged at random, and payloads that have broken other programs."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from headrace.changes.envelope import Message

EVENTS = Path(__file__).parents[1] / "data" / "events"
FORMATS = {"debezium": "debezium_*.json", "dms": "dms_*.json", "dynamodb": "dynamodb_*.json", "objects": "s3_*.json"}
MARKS = {"op", "payload", "before", "after", "__op", "dynamodb", "metadata", "detail", "Records"}
ARRIVED = 1_800_000_000_000_000

_DEEP = 3_000
POISON: dict[str, bytes | None] = {
    "null": None,
    "empty": b"",
    "blank": b" \n\t ",
    "zero bytes": b"\x00\x00\x00",
    "JSON null": b"null",
    "a number": b"42",
    "a text": b'"text"',
    "an array": b"[]",
    "an array of arrays": b"[[[]]]",
    "an empty object": b"{}",
    "cut off": b'{"op": "c", "after": {"id": 1',
    "two documents": b'{"id": 1}{"id": 2}',
    "a trailing comma": b'{"id": 1,}',
    "single quotes": b"{'id': 1}",
    "a comment": b'{"id": 1 /* x */}',
    "NaN": b'{"id": NaN, "sequenceNum": Infinity}',
    "wrong UTF-8": b'{"id": "\xff\xfe"}',
    "overlong UTF-8": b'{"id": "\xc0\xaf"}',
    "a UTF-8 surrogate": b'{"id": "\xed\xa0\x80"}',
    "a lone escaped surrogate": b'{"id": "\\ud800", "sequenceNum": 1}',
    "UTF-16": '{"id": 1}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"id": 1, "sequenceNum": 1}',
    "NUL in a text": b'{"id": "a\\u0000b", "sequenceNum": 1}',
    "NUL in a name": b'{"id": "a", "sequenceNum": 1, "x\\u0000y": 1}',
    "an empty name": b'{"id": "a", "sequenceNum": 1, "": 1}',
    "the same name twice": b'{"id": 1, "id": 2, "sequenceNum": 1}',
    "names that differ in case": b'{"id": 1, "ID": 2, "Id": 3, "sequenceNum": 1}',
    "names Headrace uses itself": b'{"id": "s", "sequenceNum": 1, "_position": "9", "_key": 1, "_op": "delete"}',
    "a number of 5000 digits": b'{"id": "n", "sequenceNum": 1, "x": ' + b"9" * 5000 + b"}",
    "a huge exponent": b'{"id": "n", "sequenceNum": 1, "x": 1e999999999}',
    "a huge exponent as position": b'{"id": "n", "sequenceNum": 1e999999999}',
    "a tiny exponent as position": b'{"id": "n", "sequenceNum": 1e-999999999}',
    "a position of 5000 digits": b'{"id": "n", "sequenceNum": ' + b"9" * 5000 + b"}",
    "a position that is an object": b'{"id": "n", "sequenceNum": {"a": 1}}',
    "a null key": b'{"id": null, "sequenceNum": 1}',
    "a key that is an object": b'{"id": {"a": 1}, "sequenceNum": 1}',
    "a very long key": b'{"id": "' + b"k" * 100_000 + b'", "sequenceNum": 1}',
    "deep objects": b'{"a":' * _DEEP + b"1" + b"}" * _DEEP,
    "deep arrays": b"[" * _DEEP + b"]" * _DEEP,
    "XML": b"<row><id>1</id></row>",
    "Avro of a schema registry": b"\x00\x00\x00\x00\x07\x02\x06abc",
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
    "debezium without source": b'{"op": "c", "after": {"id": 1}}',
    "debezium with an unknown operation": b'{"op": "z", "after": {"id": 1}, "source": {"lsn": 5, "table": "hotels"}}',
    "debezium with a negative position": b'{"op": "c", "after": {"id": 1}, "source": {"lsn": -5, "table": "hotels"}}',
    "debezium with arrays for objects": b'{"op": "c", "after": [1], "before": [], "source": [2]}',
    "debezium with a schema of nonsense": b'{"schema": {"fields": 7}, "payload": {"op": "c", "after": {"id": 1}}}',
    "DMS without metadata": b'{"data": {"id": 1}}',
    "DMS with odd metadata": b'{"data": 5, "metadata": {"operation": [], "table-name": {}}}',
    "DynamoDB with two types in one value": b'{"dynamodb": {"Keys": {"id": {"S": "x", "N": "1"}}}}',
    "S3 without records": b'{"Records": [{}]}',
    "S3 with a bad key": b'{"Records": [{"s3": {"object": {"key": "%ZZ%", "sequencer": "xyz"}}}]}',
}
"""Payloads by what is wrong with them."""

ODD_VALUES: tuple[Any, ...] = (
    None, "", " ", "null", 0, -1, 1e308, -0.0, 10**30, True, [], {}, [None], {"": None}, {"a": [{"b": {}}]}, "\x00",
    "\ud800", "é\U0001f600", "9" * 400, "2024-13-45", "AAAA=", "__debezium_unavailable_value", float("nan"),
    float("inf"), "x" * 70_000,
)  # fmt: skip
ODD_NAMES = (
    "", " ", "a.b", "`", "ID", "_position", "_key", "_carried", "é", "a\nb", "x\x00y", "select", "a,b;{}()=", "n" * 300,
)  # fmt: skip


def captured(form: str) -> list[Message]:
    """The real events of one format."""
    found = []
    for file in sorted(EVENTS.glob(FORMATS[form])):
        for number, event in enumerate(_events(json.loads(file.read_text(encoding="utf-8")))):
            found.append(Message(None, json.dumps(event).encode(), (), file.stem, 0, number, ARRIVED))
    if form == "debezium":
        for file in sorted(EVENTS.glob("postgres_*.jsonl")):
            found += [_kafka(json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]
    return found


def rows(number: int) -> list[Message]:
    """Plain JSON rows, as a source with configured columns sends them."""
    return [
        Message(None, json.dumps({"id": f"p{n % 50}", "sequenceNum": n, "price": n / 4, "tags": ["a"]}).encode())
        for n in range(number)
    ]


def damaged(random: Random, message: Message) -> Message:
    """The message with one to three things wrong: in its bytes, in its JSON, in its key."""
    value, key = message.value, message.key
    for _ in range(random.randint(1, 3)):
        kind = random.random()
        if kind < 0.25:
            value = _bytes_damaged(random, value)
        elif kind < 0.32:
            key = random.choice([None, b"", b"{}", b"null", b'"x"', b'{"id":null}', _bytes_damaged(random, key)])
        else:
            value = _json_damaged(random, value)
    return replace(message, key=key, value=value)


def _bytes_damaged(random: Random, value: bytes | None) -> bytes | None:
    if not value:
        return b"\xff"
    place = random.randrange(len(value))
    kind = random.randint(0, 4)
    if kind == 0:
        return value[:place]
    if kind == 1:
        return value[:place] + bytes([random.randrange(256)]) + value[place + 1 :]
    if kind == 2:
        return value[:place] + value[place + random.randint(1, 20) :]
    if kind == 3:
        return value[:place] + random.choice([b'"', b"{", b"}", b"\x00", b"\xff", b"\\", b"e999"]) + value[place:]
    return random.choice([b"", value + value, b"\xef\xbb\xbf" + value])


def _json_damaged(random: Random, value: bytes | None) -> bytes | None:
    try:
        document = json.loads(value or b"")
    except (ValueError, RecursionError):
        return value
    parent, name = _place(random, document)
    if parent is None:
        return json.dumps(random.choice(ODD_VALUES)).encode()
    kind = random.randint(0, 3)
    if kind == 0:
        del parent[name]
    elif kind == 1 and isinstance(parent, dict):
        parent[random.choice(ODD_NAMES)] = parent.pop(name)
    elif kind == 2 and isinstance(parent[name], str):
        parent[name] = parent[name][: random.randint(0, 3)] + random.choice(["", "e5", "-", "\u2028", "9" * 30])
    else:
        parent[name] = random.choice(ODD_VALUES)
    return json.dumps(document).encode()


def _place(random: Random, document: Any) -> tuple[Any, Any]:
    """A random node, as its parent and its name there; (None, None) where the document is no container."""
    parent, name, node = None, None, document
    while isinstance(node, dict | list) and node and (parent is None or random.random() < 0.75):
        parent, name = node, random.choice(list(node) if isinstance(node, dict) else range(len(node)))
        node = parent[name]
    return parent, name


def _events(found: Any) -> Iterator[Any]:
    if isinstance(found, dict) and MARKS & set(found):
        yield found
    elif isinstance(found, dict | list):
        for part in found.values() if isinstance(found, dict) else found:
            yield from _events(part)


def _kafka(record: dict[str, Any]) -> Message:
    key, value = (record[name].encode() if record[name] else None for name in ("key", "value"))
    headers = tuple((name, text.encode()) for name, text in record["headers"])
    return Message(key, value, headers, record["topic"], record["partition"], record["offset"], ARRIVED)
