"""Documented and captured events of MySQL, SQL Server, Oracle and Flink CDC."""

from itertools import pairwise
from typing import Any

import pytest

from headrace.changes.envelope import Ignored

ANNE = {"id": "1004", "first_name": "Anne", "last_name": "Kretchmar", "email": "annek@noanswer.org"}


def place(change: Any) -> str:
    """Position without the hash."""
    return str(change.position)[:-12]


def test_the_documented_events_of_mysql(decoding: Any, samples: Any) -> None:
    events = samples("debezium_mysql")
    decode = decoding("debezium", "inventory.customers")
    names = ("create_c_with_schema", "update_u", "delete_d", "truncate_t")
    found = [decode(events[name], events["key_with_schema"]) for name in names]
    assert [[(c.table, c.op, place(c), c.changed_at) for c in changes] for changes in found] == [
        [("inventory.customers", "upsert", "0000-0000000003-00000000000000000154-0000000000-4", None)],
        [("inventory.customers", "upsert", "0000-0000000003-00000000000000000484-0000000000-4", 1465581029100000)],
        [("inventory.customers", "delete", "0000-0000000003-00000000000000000805-0000000000-3", 1465581902300000)],
        [("inventory.customers", "truncate", "0000-0000000003-00000000000000000484-0000000000-2", 1465581029100000)],
    ]
    assert found[0][0].after == ANNE
    assert found[1][0].after == ANNE | {"first_name": "Anne Marie"}
    # The documented key says 1001, the row says 1004: the message key is what Kafka compacts by, it wins.
    assert found[2][0].after == {"id": "1001"}
    assert decode(events["schema_change_topic"]) == [Ignored("schema change")]
    assert [decode(one) for one in events["transaction_topic"]] == [[Ignored("transaction marker")]] * 2


def test_captured_mysql_rows_with_a_decimal(decoding: Any, samples: Any) -> None:
    events = samples("debezium_captured")["mysql_with_schema_r_r_c"]
    decode = decoding("debezium", "cdc.product")
    found = [decode({"schema": events[0]["schema"], "payload": event["payload"]}) for event in events]
    assert [[(c.op, place(c), c.after.get("price")) for c in changes] for changes in found] == [
        [("upsert", "0000-0000000002-00000000000000000757-0000000000-1", "10000")],
        [
            ("upsert", "0000-0000000002-00000000000000000757-0000000000-1", "10000"),
            ("truncate", "0000-0000000002-00000000000000000757-0000000000-0", None),
        ],
        [("upsert", "0000-0000000002-00000000000000000973-0000000000-4", "10000")],
    ]
    assert found[0][0].types == {"id": "int", "name": "string", "price": "decimal(10,0)"}


def test_a_captured_mysql_delete_with_schema_blocks(decoding: Any, samples: Any) -> None:
    pair = samples("debezium_captured")["mysql_delete_with_schema"]
    (change,) = decoding("debezium", "inventory.customers")(pair["value"], pair["key"])
    assert (change.op, change.after, change.types) == ("delete", {"id": "1004"}, {"id": "int"})
    assert place(change) == "0000-0000000003-00000000000000000632-0000000000-3"


def test_mysql_positions_order_by_file_number_then_place_then_row(decoding: Any, samples: Any) -> None:
    event = samples("debezium_mysql")["update_u"]["payload"]
    decode = decoding("debezium", "inventory.customers")
    rising = [("bin.000009", 900, 0), ("bin.000010", 4, 0), ("bin.000010", 4, 1), ("bin.000010", 30, 0),
              ("bin.999999", 1, 0), ("bin.1000000", 1, 0)]  # fmt: skip
    found = []
    for file, pos, row in rising:
        event["source"] |= {"file": file, "pos": pos, "row": row}
        found.append(decode(event)[0].position)
    assert all(one < other for one, other in pairwise(found))


def test_a_key_changed_inside_one_mysql_update_is_a_delete_and_an_upsert(decoding: Any, samples: Any) -> None:
    event = samples("debezium_mysql")["update_u"]["payload"]
    event["before"]["id"] = 1003
    decode = decoding("debezium", "inventory.customers")
    for key in (None, {"id": 1004}):
        old, new = decode(event, key)
        assert (old.op, old.after) == ("delete", {"id": "1003"})
        assert (new.op, new.after["id"], new.moved_from) == ("upsert", "1004", {"id": "1003"})
        assert place(old)[:-1] == place(new)[:-1]


def test_the_documented_events_of_sql_server(decoding: Any, samples: Any) -> None:
    events = samples("debezium_sqlserver")
    decode = decoding("debezium", "dbo.customers")
    found = [decode(events[name]) for name in ("create_c_with_schema", "update_u", "delete_d")]
    assert [[(c.op, place(c), c.after["id"]) for c in changes] for changes in found] == [
        [("upsert", "0000-00000027000007580005-00000027000007580003-0000000001-4", "1005")],
        [("upsert", "0000-0000002700000ac00007-0000002700000ac00002-0000000002-4", "1005")],
        [("delete", "0000-0000002700000db00007-0000002700000db00005-0000000001-3", "1005")],
    ]
    assert found[2][0].after == {"id": "1005"}
    assert [decode(one) for one in events["transaction_topic"]] == [[Ignored("transaction marker")]] * 2


def test_a_sql_server_snapshot_row_has_no_change_lsn(decoding: Any, samples: Any) -> None:
    event = samples("debezium_sqlserver")["create_c_with_schema"]["payload"]
    event["source"] |= {"change_lsn": None, "event_serial_no": None, "snapshot": "true"}
    (change,) = decoding("debezium", "dbo.customers")(event | {"op": "r"})
    assert place(change) == "0000-00000027000007580005-00000000000000000000-0000000000-1"


def test_the_documented_events_of_oracle(decoding: Any, samples: Any) -> None:
    events = samples("debezium_oracle")
    decode = decoding("debezium", "DEBEZIUM.CUSTOMERS", key=("ID",))
    topic = {"stream": "server1.DEBEZIUM.CUSTOMERS"}
    found = [
        decode(events[name], events["key_with_schema"], **topic)
        for name in ("create_c_with_schema", "update_u", "delete_d", "truncate_t")
    ]
    record = "000000123400000123450000000124-0000000001"
    assert [[(c.table, c.op, place(c)) for c in changes] for changes in found] == [
        [("DEBEZIUM.CUSTOMERS", "upsert", f"0000-00000000000002122185-00000000000002122185-{record}-4")],
        [("DEBEZIUM.CUSTOMERS", "upsert", f"0000-00000000000002125544-00000000000002125544-{record}-4")],
        [("DEBEZIUM.CUSTOMERS", "delete", f"0000-00000000000002122184-00000000000002122184-{record}-3")],
        [("DEBEZIUM.TEST_TABLE", "truncate", f"0000-00000000000013234397-00000000000013271102-{record}-2")],
    ]
    assert found[2][0].after == {"ID": "1004"}
    assert found[3][0].transaction == "02000a0037030000"


@pytest.mark.parametrize(
    ("rs_id", "part"),
    [
        (" 0x00007d.0000a5a5.0010 ", "000000007d000000a5a50000000010"),
        (None, "0" * 30),
        ("", "0" * 30),
    ],
)
def test_oracle_record_ids_have_a_fixed_width(decoding: Any, samples: Any, rs_id: Any, part: str) -> None:
    event = samples("debezium_oracle")["update_u"]["payload"]
    event["source"] |= {"rs_id": rs_id, "commit_scn": None, "ssn": None}
    (change,) = decoding("debezium", "DEBEZIUM.CUSTOMERS", key=("ID",))(event)
    assert place(change) == f"0000-00000000000002125544-00000000000002125544-{part}-0000000000-4"


def test_thin_sources_of_flink_need_arrival_order(decoding: Any, samples: Any) -> None:
    events = samples("debezium_captured")["flink_cdc_debezium_json_multitable_thin_source"]
    refused = decoding("debezium", "$databaseName.customers")(events[0])
    assert [(one.reason, one.table) for one in refused] == [("unreadable position", "$databaseName.customers")]
    assert "position: arrival" in refused[0].detail
    decode = decoding("debezium", "$databaseName.products", position="arrival")
    found = [change for event in events for change in decode(event)]
    assert len(found) == len(events)
    assert {place(change) for change in found} == {"0000-00001700000000000000-00000000000000000007-4"}
    assert found[5].after["weight"] == "5.1"


def test_configured_columns_may_order_debezium_events(decoding: Any, samples: Any) -> None:
    event = samples("debezium_postgres")["update_u"]["payload"]
    event["after"]["version"] = 12
    (by_row,) = decoding("debezium", "public.customers", position=["version"])(event)
    (by_source,) = decoding("debezium", "public.customers", position=["source.ts_us", "source.lsn"])(event)
    assert place(by_row) == "0000-n0212-4"
    assert place(by_source) == "0000-n161559033904863769-n0824023128-4"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"op": "x"}, "unknown operation"),
        ({"after": None}, "unknown shape"),
        ({"after": {"first_name": "x"}}, "no key"),
        ({"after": {"id": None}}, "null key"),
        ({"source": {"connector": "postgresql", "schema": "public", "table": "customers"}}, "unreadable position"),
        ({"source": {"connector": "postgresql", "schema": "public", "table": "customers", "lsn": -5}},
         "unreadable position"),
        ({"source": {"connector": "vitess", "table": "customers", "vgtid": "[]"}}, "unreadable position"),
        ({"source": "public"}, "unknown shape"),
    ],
)  # fmt: skip
def test_a_broken_event_is_refused_by_its_reason(
    decoding: Any, samples: Any, changed: dict[str, Any], reason: str
) -> None:
    event = samples("debezium_postgres")["update_u"]["payload"] | changed
    (refused,) = decoding("debezium", "public.customers")(event)
    assert refused.reason == reason
    assert "expected" in refused.detail


def test_heartbeats_are_ignored(decoding: Any) -> None:
    assert decoding("debezium")({"ts_ms": 1700000000000}) == [Ignored("heartbeat")]


def test_a_delete_joins_message_key_and_before_where_the_key_spans_both(decoding: Any, samples: Any) -> None:
    event = samples("debezium_mysql")["delete_d"]["payload"]
    decode = decoding("debezium", "inventory.customers", key=("id", "email"))
    (change,) = decode(event, {"id": 1004})
    assert change.after == {"id": "1004", "email": "annek@noanswer.org"}
    (refused,) = decode(event | {"before": None}, {"id": 1004})
    assert (refused.reason, "['email']" in refused.detail) == ("no key", True)


@pytest.mark.parametrize("key", [b"Struct{id=1004}", b"\xff", b"[1]", b'{"other": 1}', None])
def test_an_unreadable_message_key_falls_back_to_before(decoding: Any, samples: Any, key: bytes | None) -> None:
    (change,) = decoding("debezium", "inventory.customers")(samples("debezium_mysql")["delete_d"], key)
    assert change.after == {"id": "1004"}


def test_a_message_key_of_one_bare_value_is_the_key(decoding: Any, samples: Any) -> None:
    (change,) = decoding("debezium", "inventory.customers")(samples("debezium_mysql")["delete_d"], b"77")
    assert change.after == {"id": "77"}


def test_rows_of_a_table_nobody_configured_pass_for_the_applier_to_judge(decoding: Any, samples: Any) -> None:
    decode = decoding("debezium", "public.other")
    (upsert,) = decode(samples("debezium_mysql")["update_u"])
    (delete,) = decode(samples("debezium_mysql")["delete_d"], {"id": 1004})
    assert (upsert.table, upsert.op, delete.op, delete.after) == (
        "inventory.customers", "upsert", "delete", {"id": "1004"},
    )  # fmt: skip
