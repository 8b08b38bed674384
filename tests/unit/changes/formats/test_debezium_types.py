from typing import Any

import pytest

from headrace.changes.envelope import Reject

CONNECT, TIME, DATA = "org.apache.kafka.connect.data.", "io.debezium.time.", "io.debezium.data."


def field(type_: str, name: str | None = None, **more: Any) -> dict[str, Any]:
    return {"type": type_, "optional": True, "field": "c"} | ({"name": name} if name else {}) | more


def decimal(scale: int, precision: int | None = None) -> dict[str, Any]:
    parameters = {"scale": str(scale)} | ({"connect.decimal.precision": str(precision)} if precision else {})
    return field("bytes", CONNECT + "Decimal", parameters=parameters)


def event(column: dict[str, Any], value: Any, op: str = "c") -> dict[str, Any]:
    image = {"type": "struct", "optional": True, "fields": [{"type": "int32", "field": "id"}, column]}
    fields = [image | {"field": "before"}, image | {"field": "after"}]
    fields += [{"type": "string", "field": "op"}, {"type": "struct", "fields": [], "field": "source"}]
    source = {"connector": "postgresql", "schema": "public", "table": "t", "lsn": 7}
    payload = {"before": None, "after": {"id": 1, "c": value}, "source": source, "op": op}
    return {"schema": {"type": "struct", "fields": fields}, "payload": payload}


POINT = [{"type": "double", "field": "x"}, {"type": "bytes", "field": "wkb", "optional": True}]


@pytest.mark.parametrize(
    ("column", "value", "type_", "text"),
    [
        (field("int8"), -5, "int", "-5"),
        (field("int16"), 5, "int", "5"),
        (field("int32"), 2147483647, "int", "2147483647"),
        (field("int64"), 9223372036854775807, "bigint", "9223372036854775807"),
        (field("float"), 1.5, "float", "1.5"),
        (field("double"), "NaN", "double", "NaN"),
        (field("double"), "-Infinity", "double", "-Infinity"),
        (field("boolean"), False, "boolean", "false"),
        (field("string"), "12", "string", "12"),
        (field("bytes"), "yv4=", "binary", "yv4="),
        (field("bytes", DATA + "Bits", parameters={"length": "9"}), "AgE=", "binary", "AgE="),
        (decimal(2, 10), "JxA=", "decimal(10,2)", "100.00"),
        (decimal(2, 10), "/w==", "decimal(10,2)", "-0.01"),
        (decimal(0, 10), "JxA=", "decimal(10,0)", "10000"),
        (decimal(2), "JxA=", "decimal(38,2)", "100.00"),
        (decimal(2, 10), 12.50, "decimal(10,2)", "12.5"),
        (decimal(-2, 5), "Ag==", "decimal(7,0)", "200"),
        (decimal(2, 60), "JxA=", "string", "100.00"),
        (field("struct", DATA + "VariableScaleDecimal"), {"scale": 3, "value": "JxA="}, "string", "10.000"),
        (field("int32", TIME + "Date"), 19753, "date", "19753"),
        (field("int32", CONNECT + "Date"), -1, "date", "-1"),
        (field("string", TIME + "IsoDate"), "2017-09-15Z", "date", "2017-09-15"),
        (field("int64", TIME + "Timestamp"), 1720740233012, "timestamp", "1720740233012000"),
        (field("int64", CONNECT + "Timestamp"), -1, "timestamp", "-1000"),
        (field("int64", TIME + "MicroTimestamp"), 1720740233012995, "timestamp", "1720740233012995"),
        (field("int64", TIME + "NanoTimestamp"), 1720740233012995999, "timestamp", "1720740233012995"),
        (field("string", TIME + "ZonedTimestamp"), "2024-01-31T10:00+01:00", "timestamp", "2024-01-31T10:00+01:00"),
        (field("string", TIME + "IsoTimestamp"), "2017-09-15T17:45:20Z", "timestamp", "2017-09-15T17:45:20Z"),
        (field("int32", TIME + "Time"), 57022001, "string", "15:50:22.001000"),
        (field("int32", CONNECT + "Time"), 57022000, "string", "15:50:22"),
        (field("int64", TIME + "MicroTime"), 57022000001, "string", "15:50:22.000001"),
        (field("int64", TIME + "MicroTime"), -57022000001, "string", "-15:50:22.000001"),
        (field("int64", TIME + "NanoTime"), 57022000001999, "string", "15:50:22.000001"),
        (field("string", TIME + "ZonedTime"), "10:00:00Z", "string", "10:00:00Z"),
        (field("string", TIME + "IsoTime"), "17:45:20Z", "string", "17:45:20"),
        (field("int64", TIME + "MicroDuration"), -19555525349639, "bigint", "-19555525349639"),
        (field("string", TIME + "Interval"), "P1Y2M", "string", "P1Y2M"),
        (field("int32", TIME + "Year"), 2024, "int", "2024"),
        (field("string", DATA + "Uuid"), "a1071f8e-7997-431c-a143-df74282880d0", "string",
         "a1071f8e-7997-431c-a143-df74282880d0"),
        (field("string", DATA + "Enum", parameters={"allowed": "a,b"}), "a", "string", "a"),
        (field("string", DATA + "EnumSet", parameters={"allowed": "a,b"}), "a,b", "string", "a,b"),
        (field("string", DATA + "Json"), '{"a": 1.0}', "string", '{"a": 1.0}'),
        (field("string", DATA + "Xml"), "<a/>", "string", "<a/>"),
        (field("string", DATA + "Ltree"), "Top.A", "string", "Top.A"),
        (field("array", items={"type": "int32"}), [1, None], "array<int>", "[1,null]"),
        (field("array", items={"type": "int32", "name": TIME + "Date"}), [0], "array<date>", '["1970-01-01"]'),
        (field("array", items={"type": "int64", "name": TIME + "MicroTimestamp"}), [1_500_000], "array<timestamp>",
         '["1970-01-01T00:00:01.500000Z"]'),
        (field("array", items=decimal(2, 10)), ["JxA="], "array<decimal(10,2)>", "[100.00]"),
        (field("array", items={"type": "array", "items": {"type": "string"}}), [["a"]],
         "array<array<string>>", '[["a"]]'),
        (field("map", keys={"type": "string"}, values={"type": "string"}), {"a": "b"},
         "map<string,string>", '{"a":"b"}'),
        (field("map", keys={"type": "int16"}, values={"type": "double"}), [[1, 0.5]],
         "map<string,double>", '{"1":0.5}'),
        (field("struct", DATA + "geometry.Point", fields=POINT), {"x": 1.0, "wkb": "yv4="},
         "struct<x:double,wkb:binary>", '{"x":1.0,"wkb":"yv4="}'),
        (field("struct", fields=[{"type": "int32", "field": "a b"}]), {"a b": None},
         "struct<`a b`:int>", '{"a b":null}'),
        (field("array", DATA + "FloatVector", items={"type": "float"}), [1.5, 2], "array<float>", "[1.5,2]"),
        (field("array", DATA + "DoubleVector", items={"type": "double"}), [1.5], "array<double>", "[1.5]"),
        (field("struct", DATA + "SparseVector", fields=[
            {"type": "int16", "field": "dimensions"},
            {"type": "map", "keys": {"type": "int16"}, "values": {"type": "double"}, "field": "vector"},
        ]), {"dimensions": 25, "vector": [[1, 10.0]]}, "struct<dimensions:int,vector:map<string,double>>",
         '{"dimensions":25,"vector":{"1":10.0}}'),
        (field("unheard-of"), {"a": 1}, "string", '{"a":1}'),
        (decimal(2, 10), None, "decimal(10,2)", None),
    ],
)  # fmt: skip
def test_a_schema_field_gives_the_type_and_reads_the_value(
    decoding: Any, column: dict[str, Any], value: Any, type_: str, text: str | None
) -> None:
    (change,) = decoding("debezium", "public.t")(event(column, value))
    assert (change.types.get("c"), change.after["c"]) == (type_, text)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (field("int32"), "twelve"),
        (field("int32"), [1]),
        (field("boolean"), "yes"),
        (field("string"), 5),
        (field("bytes"), "not base64!"),
        (decimal(2, 10), "###"),
        (field("int64", TIME + "MicroTimestamp"), {}),
        (field("array", items={"type": "int32"}), {"a": 1}),
        (field("struct", fields=POINT), [1]),
        (field("map", keys={"type": "string"}, values={"type": "string"}), [["a"]]),
        (field("struct", DATA + "VariableScaleDecimal"), {"scale": 99999, "value": "JxA="}),
    ],
)
def test_a_value_that_breaks_its_schema_is_refused_naming_the_column_and_not_the_value(
    decoding: Any, column: dict[str, Any], value: Any
) -> None:
    (reject,) = decoding("debezium", "public.t")(event(column, value))
    assert isinstance(reject, Reject)
    assert (reject.reason, reject.table) == ("incompatible value", "public.t")
    assert "column 'c': expected" in reject.detail
    assert "twelve" not in reject.detail


@pytest.mark.parametrize(
    ("column", "value", "declared", "text"),
    [
        (decimal(2, 10), "JxA=", "decimal(20,4)", "100.00"),
        (field("int64"), 1720740233012, "timestamp from millis", "1720740233012000"),
        (field("int64"), 1720740233012995, "timestamp", "1720740233012995"),
        (field("int32", TIME + "Date"), 1, "string", "1970-01-02"),
        (field("int32", TIME + "Date"), 1, "date", "1"),
        (field("int64", TIME + "MicroTimestamp"), 1_500_000, "string", "1970-01-01T00:00:01.500000Z"),
        (field("string"), "ca fe", "binary from hex", "yv4="),
    ],
)
def test_a_declared_type_wins_over_the_schema_and_keeps_the_meaning(
    decoding: Any, column: dict[str, Any], value: Any, declared: str, text: str
) -> None:
    (change,) = decoding("debezium", "public.t", types={"c": declared})(event(column, value))
    assert (change.types["c"], change.after["c"]) == (declared.partition(" from")[0], text)


@pytest.mark.parametrize(
    ("value", "declared", "text"),
    [
        (19753, "date", "19753"),
        (1720740233012995, "timestamp", "1720740233012995"),
        (1720740233012, "timestamp from millis", "1720740233012000"),
        ("2024-01-31T10:00:00Z", "timestamp", "2024-01-31T10:00:00Z"),
        ("JxA=", "decimal(10,2)", "100.00"),
        ("12.50", "decimal(10,2)", "12.50"),
        (12.5, "decimal(10,2)", "12.5"),
        ({"scale": 3, "value": "JxA="}, "decimal(38,3)", "10.000"),
        ("yv4=", "binary", "yv4="),
    ],
)
def test_without_a_schema_block_declared_types_read_what_debezium_writes(
    decoding: Any, value: Any, declared: str, text: str
) -> None:
    payload = event(field("string"), value)["payload"]
    (change,) = decoding("debezium", "public.t", types={"c": declared})(payload)
    assert (change.types["c"], change.after["c"]) == (declared.partition(" from")[0], text)


def test_a_schema_block_in_any_order_or_spacing_is_the_same(decoding: Any) -> None:
    decode = decoding("debezium", "public.t")
    framed = event(decimal(2, 10), "JxA=")
    turned = {"payload": framed["payload"], "schema": framed["schema"]}
    assert decode(framed) == decode(turned)
    without = {"schema": None, "payload": framed["payload"]}
    assert decode(without) == decode(framed["payload"])
    assert decode(without)[0].after["c"] == "JxA="


def test_columns_the_schema_block_does_not_know_are_learned(decoding: Any) -> None:
    framed = event(field("int32"), 5)
    framed["payload"]["after"]["new"] = 12
    (change,) = decoding("debezium", "public.t")(framed)
    assert change.types == {"id": "int", "c": "int", "new": "bigint"}
    framed["payload"]["after"].pop("new")
    (change,) = decoding("debezium", "public.t")(framed)
    assert change.types == {"id": "int", "c": "int"}


def test_two_schema_blocks_of_one_table_do_not_mix(decoding: Any) -> None:
    decode = decoding("debezium", "public.t")
    found = [decode(one)[0].after["c"] for one in (event(decimal(2, 9), "JxA="), event(decimal(0, 9), "JxA="))] * 2
    assert found == ["100.00", "10000"] * 2
