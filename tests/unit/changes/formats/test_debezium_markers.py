import base64
from typing import Any

import pytest

MARKER = "__debezium_unavailable_value"
SHAPES = {
    "text": MARKER,
    "bytea": base64.b64encode(MARKER.encode()).decode(),
    "bytea as hex": MARKER.encode().hex(),
    "text[]": [MARKER],
    "bytea[]": [base64.b64encode(MARKER.encode()).decode()],
    "int[]": list(MARKER.encode()),
    "hstore": {MARKER: MARKER},
    "hstore as json": f'{{"{MARKER}":"{MARKER}"}}',
    # Java's UUID.nameUUIDFromBytes of the marker: an MD5 UUID without a name space.
    "uuid[]": ["b68a35a7-17ad-35b3-af2a-ae46edb4545a"],
}


def event(image: dict[str, Any], op: str = "u", connector: str = "postgresql") -> dict[str, Any]:
    source = {"connector": connector, "schema": "public", "table": "t", "lsn": 7, "scn": "7", "commit_lsn": "7"}
    return {"before": None, "after": image, "source": source, "op": op}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_column_holding_the_marker_is_left_out(decoding: Any, shape: str) -> None:
    (change,) = decoding("debezium", "public.t")(event({"id": 1, "a": 5, "c": SHAPES[shape]}))
    assert (change.after, change.sent, change.left_out) == ({"id": "1", "a": "5"}, ("id", "a"), ("c",))


@pytest.mark.parametrize(
    "value", [MARKER + " ", [MARKER, MARKER], [], {}, {MARKER: 1}, [95, 95], [None], {MARKER: MARKER, "a": "b"}, None]
)
def test_what_only_resembles_the_marker_is_a_value(decoding: Any, value: Any) -> None:
    (change,) = decoding("debezium", "public.t")(event({"id": 1, "c": value}))
    assert "c" in change.after
    assert change.sent is None


def test_a_key_column_is_never_a_marker(decoding: Any) -> None:
    (change,) = decoding("debezium", "public.t")(event({"id": MARKER, "c": MARKER}))
    assert (change.after, change.sent) == ({"id": MARKER}, ("id",))
    (whole,) = decoding("debezium", "public.t")(event({"id": MARKER, "c": "x"}))
    assert (whole.after, whole.sent, whole.left_out) == ({"id": MARKER, "c": "x"}, None, ())


@pytest.mark.parametrize("connector", ["oracle", "sqlserver"])
def test_large_objects_of_oracle_and_sql_server_use_the_same_marker(decoding: Any, connector: str) -> None:
    (change,) = decoding("debezium", "public.t")(event({"id": 1, "c": MARKER}, connector=connector))
    assert change.sent == ("id",)


@pytest.mark.parametrize(
    ("placeholder", "value"),
    [
        ("(gone)", "(gone)"),
        ("(gone)", list(b"(gone)")),
        ("hex:cafe", "yv4="),
        ("hex:cafe", [202, 254]),
        ("hex:414243", "ABC"),
    ],
)
def test_the_placeholder_is_configured(decoding: Any, placeholder: str, value: Any) -> None:
    decode = decoding("debezium", "public.t", unavailable=placeholder)
    (change,) = decode(event({"id": 1, "c": value}))
    assert change.sent == ("id",)
    (kept,) = decode(event({"id": 1, "c": MARKER}))
    assert kept.after["c"] == MARKER


def test_two_events_that_differ_in_what_they_sent_have_different_positions(decoding: Any) -> None:
    decode = decoding("debezium", "public.t")
    (full,), (part,) = decode(event({"id": 1, "c": "x"})), decode(event({"id": 1, "c": MARKER}))
    assert full.position != part.position
    assert full.position[:27] == part.position[:27]
