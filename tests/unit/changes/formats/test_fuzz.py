"""No bytes whatsoever may stop a decoder, and what it answers keeps the envelope's promises."""

import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.changes.envelope import Change, Decoded, Ignored, Message, Reject
from headrace.changes.formats import decoder
from headrace.changes.routes import Routes
from headrace.config import Table
from headrace.config_sources import KafkaSource, SourceBase

EVENTS = Path(__file__).parents[3] / "data" / "events"
FORMATS = get_args(SourceBase.model_fields["format"].annotation)
REASONS = {
    "not JSON", "wrong UTF-8", "unknown shape", "no key", "null key", "unreadable position", "unknown operation",
    "oversize message", "oversize row", "incompatible value", "unresolved patch",
}  # fmt: skip
TYPES = {
    "c": "decimal(10,2) from scaled(2)",
    "age": "date",
    "name": "binary from hex",
    "timestamp": "timestamp from millis",
}
TABLES = {
    "customers": Table(source="s", key="id", types=TYPES),
    "hotels": Table(source="s", key="hotel_id"),
    "mongo": Table(source="s", source_table="inventory.customers", key="_id"),
    "foo": Table(source="s", key="id", types=TYPES),
    # As no settings can: of rows that name no table, beside other tables.
    "objects": Table(source="s", key=("bucket", "key")).model_copy(update={"source_table": ""}),
}


def decoders(form: str) -> list[Any]:
    """One decoder of the format for each way to order its rows."""
    positions: list[Any] = [["sequenceNum"], "arrival"] if form in ("json", "snapshot") else [None, "arrival", ["id"]]
    made = []
    for position in positions:
        if form == "snapshot" and position == "arrival":
            continue
        more: dict[str, Any] = {"omitted": "keep"} if form in ("json", "dms") else {}
        if form in ("json", "snapshot"):
            more["changed_at"] = "ts_ms"
        if form == "json":
            more["operation"] = {"column": "op", "delete": ["d"]}
        if form == "debezium" and position == "arrival":
            more["delete_mode"] = "tombstone"
        source = KafkaSource(**{"from": "kafka"}, servers="-", topics=("t",), format=form, position=position, **more)
        made.append(decoder(source, Routes(TABLES)))
    return made


DECODERS = {form: decoders(form) for form in FORMATS}


def check(found: list[Decoded]) -> None:
    """The promises of the envelope; a bug that a decoder catches for the stream's sake is a failure here."""
    for one in found:
        if isinstance(one, Reject):
            assert one.reason in REASONS, one
            assert len(one.detail) <= 1000
        elif isinstance(one, Change):
            texts = [one.position, *one.after, *one.types.values(), *(v for v in one.after.values() if v is not None)]
            assert all(type(text) is str for text in texts)
            json.dumps(texts).encode()
            assert "\ud800" not in one.position
            assert one.changed_at is None or -(2**63) <= one.changed_at < 2**63
            assert one.op != "truncate" or not one.after
            assert one.sent is None or set(one.sent) == set(one.after)
        else:
            assert isinstance(one, Ignored)
    assert found


def run(form: str, key: bytes | None, value: bytes | None, headers: Any = ()) -> None:
    message = Message(key, value, headers, "shop.public.customers", 1, 5, 1_700_000_000_000_000)
    for decode in DECODERS[form]:
        found = decode(message)
        check(found)
        assert found == decode(message), "a repeat must read the same"


@pytest.mark.parametrize("form", FORMATS)
@given(key=st.none() | st.binary(), value=st.none() | st.binary())
def test_random_bytes_never_stop_a_decoder(form: str, key: bytes | None, value: bytes | None) -> None:
    run(form, key, value)


NAMES = (
    "op", "source", "after", "before", "payload", "schema", "data", "metadata", "dynamodb", "NewImage", "Records", "s3",
    "object", "id", "lsn", "connector", "__op", "__lsn", "type", "fields", "field", "name", "updateDescription",
)  # fmt: skip
WORDS = st.sampled_from(["c", "u", "d", "struct", "mongodb"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | st.text(), inner, max_size=6),
    max_leaves=25,
)


@pytest.mark.parametrize("form", FORMATS)
@given(value=values, key=values)
def test_random_json_never_stops_a_decoder(form: str, value: Any, key: Any) -> None:
    run(form, json.dumps(key).encode(), json.dumps(value).encode("utf-8", "surrogatepass"))


def real_events() -> list[tuple[str, Any]]:
    """(format, event) of every sample."""
    found: list[tuple[str, Any]] = []
    for path in sorted(EVENTS.glob("*.json")):
        form = {"dms": "dms", "dyn": "dynamodb", "s3_": "objects"}.get(path.name[:3], "debezium")
        for content in json.loads(path.read_text(encoding="utf-8")).values():
            found += [(form, one) for one in (content if isinstance(content, list) else [content])]
    for path in sorted(EVENTS.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            value = json.loads(line)["value"]
            if value:
                found.append(("debezium", json.loads(value)))
    return found


ODD = (
    None, True, -1, 0, 2**70, 1e300, 0.1, "", "x", "\u0000", "9" * 400, [], {}, [None], {"a": {}}, "2024-13-45",
    "__debezium_unavailable_value", {"S": 5}, '{"a"', "é\U0001f600",
)  # fmt: skip


def mutated(value: Any, random: Random) -> Any:
    """The event with one place changed: removed, replaced, renamed, wrapped or repeated."""
    places = list(walk(value))
    if not places:
        return random.choice(ODD)
    holder, name = random.choice(places)
    how = random.randrange(5)
    if how == 0:
        del holder[name]
    elif how == 1:
        holder[name] = random.choice(ODD)
    elif how == 2:
        holder[name] = [holder[name]]
    elif how == 3 and isinstance(holder, dict):
        holder[random.choice(NAMES)] = holder.pop(name)
    else:
        other, its = random.choice(places)
        holder[name] = json.loads(json.dumps(other[its]))
    return value


def walk(value: Any) -> Iterator[tuple[Any, Any]]:
    names = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for name in names:
        yield value, name
        yield from walk(value[name])


def test_twenty_thousand_mutated_real_events_never_stop_a_decoder() -> None:
    random, events = Random(20261122), [(form, pickle.dumps(event)) for form, event in real_events()]
    kinds: dict[str, int] = {}
    for turn in range(20_000):
        form, event = events[turn % len(events)]
        event = pickle.loads(event)
        for _ in range(random.choice((1, 1, 2, 4))):
            event = mutated(event, random)
        raw = json.dumps(event).encode()
        if turn % 10 == 0:
            cut = bytearray(raw)
            for _ in range(3):
                cut[random.randrange(len(cut))] = random.randrange(256)
            raw = bytes(cut[: random.randrange(len(cut))] if turn % 20 == 0 else cut)
        message = Message(
            raw[:40] if turn % 3 else b'{"id":1}', raw, (("__debezium.oldkey", raw[:30]),), "a.public.foo", 0, turn
        )
        found = DECODERS[form][turn % len(DECODERS[form])](message)
        check(found)
        for one in found:
            kind = one.reason if isinstance(one, Reject) else type(one).__name__
            kinds[kind] = kinds.get(kind, 0) + 1
    # The mutations must reach past the parser: most events still say something, and every reason is met.
    assert kinds["Change"] > 4_000
    assert REASONS - kinds.keys() <= {"oversize message", "oversize row"}


def test_a_bug_in_a_decoder_costs_one_message_and_says_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any) -> Any:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("headrace.changes.formats.rows.read_row", broken)
    (found,) = DECODERS["json"][0](Message(None, b'{"id":1,"sequenceNum":1}'))
    assert isinstance(found, Reject)
    assert (found.reason, "ZeroDivisionError" in found.detail, "secret" in found.detail) == (
        "decoder error",
        True,
        False,
    )
