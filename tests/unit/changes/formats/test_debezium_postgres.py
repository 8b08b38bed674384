"""Really captured events of PostgreSQL 16 and Debezium 3.7, and the documented ones."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from headrace.changes.envelope import Change, Ignored, Message, Reject
from headrace.changes.formats import decoder
from headrace.changes.routes import Routes
from headrace.config import Table
from headrace.config_sources import KafkaSource

TABLES = {
    "bookings": ("id",),
    "customers": ("id",),
    "flights": ("airline", "number", "day"),
    "hotels": ("hotel_id",),
    "prices": ("id",),
}


def decode_all(messages: list[Message], **source: Any) -> list[list[Any]]:
    settings = KafkaSource(**{"from": "kafka"}, servers="-", topics=("t",), format="debezium", **source)
    tables = {name: Table(source="s", source_table=f"public.{name}", key=key) for name, key in TABLES.items()}
    return [list(found) for found in map(decoder(settings, Routes(tables)), messages)]


Captured = Callable[[str], list[Message]]


def test_an_insert_is_an_upsert_of_the_full_row(captured: Captured) -> None:
    assert decode_all(captured("plain_precise"))[4] == [
        Change(
            table="public.bookings",
            op="upsert",
            position="0000-00000000000022626272-4e011668e2a5b",  # stored positions must not change with a new version
            after={
                "id": "86438957",
                "customer": "e251b0d7-8f98-423b-87e9-dc996ef1d311",
                "status": "paid",
                "price": "/QNUvA==",
                "guests": "-32768",
                "points": "2147483647",
                "notes": "null Zürich rain",
                "changed": "1885869901000000",
                "updated": "2015-10-02T08:38:22.197516Z",
            },
            sent=None,
            types={
                "id": "bigint",
                "customer": "string",
                "status": "string",
                "price": "string",
                "guests": "bigint",
                "points": "bigint",
                "notes": "string",
                "changed": "bigint",
                "updated": "string",
            },
            changed_at=1795372675657895,
            transaction="778",
        )
    ]


def test_a_schema_block_gives_types_and_readable_values(captured: Captured) -> None:
    (change,) = decode_all(captured("schema_precise"))[2]
    assert {column: (change.types[column], value) for column, value in change.after.items()} == {
        "id": ("int", "86438957"),
        "customer": ("string", "e251b0d7-8f98-423b-87e9-dc996ef1d311"),
        "status": ("string", "paid"),
        "price": ("decimal(12,2)", "-501133.48"),
        "guests": ("int", "-32768"),
        "points": ("int", "2147483647"),
        "notes": ("string", "null Zürich rain"),
        "changed": ("timestamp", "1885869901000000"),
        "updated": ("timestamp", "2015-10-02T08:38:22.197516Z"),
    }


def test_a_schema_block_reads_dates_clocks_intervals_arrays_and_numbers_of_any_scale(captured: Captured) -> None:
    flights, hotels = decode_all(captured("schema_precise"))[7][0], decode_all(captured("schema_precise"))[16][0]
    assert {column: (flights.types[column], value) for column, value in flights.after.items()} == {
        "airline": ("string", "BA "),
        "number": ("int", "7900"),
        "day": ("date", "18863"),
        "departs": ("timestamp", "1839800010000000"),
        "gate_opens": ("string", "18:17:54.128923"),
        "gate_closes": ("string", "17:47:34"),
        "distance": ("float", "-160085.44"),
        "delay": ("string", "P1Y5M4DT195H54M35.680145S"),
        "seats": ("array<int>", "[1120953431,null,2147483647,-37206879]"),
        "message": (
            "string",
            '{"a.b": 80030591392, "π": [null, true, 0.8671298163937785], '
            '"w": {"s p": " pad  say \\"hi\\" say \\"hi\\" two\\nlines"}}',
        ),
    }
    assert {column: (hotels.types[column], value) for column, value in hotels.after.items()} == {
        "hotel_id": ("bigint", "5975796506174135127"),
        "rating": ("double", "-8175532007501976"),
        "photo": ("binary", "M0I="),
        "description": ("string", "two\nlines "),
        "rooms": ("array<int>", "[-503159938]"),
        "big_rooms": ("array<bigint>", "[8409368145528456609,88098775284948005]"),
        "amenities": ("array<string>", '["naïve","rain say \\"hi\\"  pad ","😀"]'),
        "extra": ("string", "3683129223.79782"),
    }


def test_decimals_sent_as_text_and_as_bytes_read_the_same(captured: Captured) -> None:
    as_bytes = [Decimal(change.after["extra"]) for (change, *_) in decode_all(captured("schema_precise"))[13:]]
    as_text = [Decimal(change.after["extra"]) for (change, *_) in decode_all(captured("schema_string"))[1:]]
    assert as_bytes == as_text


@pytest.mark.parametrize(
    ("record", "missing", "present"),
    [
        (5, {"notes"}, {"id", "customer", "status", "price", "guests", "points", "changed", "updated"}),
        (15, {"settings"}, {"id", "name", "country", "vip", "born", "tags", "address"}),
        (31, {"rooms", "amenities"}, {"hotel_id", "rating", "photo", "description", "big_rooms", "extra"}),
        (32, {"photo"}, {"hotel_id", "rating", "description", "rooms", "big_rooms", "amenities", "extra"}),
    ],
)
def test_a_toasted_value_is_left_out_whatever_its_type(
    captured: Captured, record: int, missing: set[str], present: set[str]
) -> None:
    (change,) = decode_all(captured("plain_precise"))[record]
    assert set(change.after) == set(change.sent) == present
    assert not missing & set(change.after)


def test_the_row_after_a_key_change_says_its_old_key_and_misses_the_toasted_value(captured: Captured) -> None:
    for mode, record in (("plain_precise", 26), ("schema_precise", 11)):
        (change,) = decode_all(captured(mode))[record]
        assert change.op == "upsert"
        assert change.moved_from == {"airline": "BA ", "number": "9170", "day": "19297"}
        assert {column: change.after[column] for column in TABLES["flights"]} == {
            "airline": "LH ",
            "number": "2115",
            "day": "21713",
        }
        assert "message" not in change.after
        assert change.sent is not None


def test_a_delete_keeps_the_key_alone_and_none_of_the_made_up_values(captured: Captured) -> None:
    for mode, record, type_ in (("plain_precise", 22, "bigint"), ("schema_precise", 8, "int")):
        (change,) = decode_all(captured(mode))[record]
        assert (change.op, change.after) == ("delete", {"airline": "BA ", "number": "2805", "day": "18774"})
        assert change.types["number"] == type_
        assert change.position.startswith("0000-00000000000022549808-3")


def test_a_delete_without_a_message_key_takes_the_key_columns_of_before(captured: Captured) -> None:
    record = captured("plain_precise")[22]
    (change,) = decode_all([Message(None, record.value, (), record.stream)])[0]
    assert change.after == {"airline": "BA ", "number": "2805", "day": "18774"}


def test_tombstones_are_ignored_and_a_truncate_needs_no_key(captured: Captured) -> None:
    found = decode_all(captured("plain_precise"))
    assert found[3] == [Ignored("tombstone")]
    assert found[44] == [
        Change(
            "public.prices",
            "truncate",
            "0000-00000000000022873000-2000000000000",
            changed_at=1795372676100932,
            transaction="844",
        )
    ]


def test_snapshot_rows_rank_below_stream_events_of_the_same_position(captured: Captured) -> None:
    row, *_ = decode_all(captured("plain_precise"))[37]
    assert row.position.startswith("0000-00000000000022453792-1")


@pytest.mark.parametrize(("record", "table"), [(10, "public.customers"), (38, "public.prices")])
def test_the_last_row_of_a_snapshot_puts_a_floor_under_what_it_did_not_show(
    captured: Captured, record: int, table: str
) -> None:
    row, floor = decode_all(captured("plain_precise"))[record]
    assert (row.op, floor.op, floor.table) == ("upsert", "truncate", table)
    assert floor.position == "0000-00000000000022453792-0000000000000"
    assert floor.position < row.position


def test_partial_snapshots_put_no_floor(captured: Captured) -> None:
    assert len(decode_all(captured("plain_precise"), partial_snapshots=True)[38]) == 1
    assert len(decode_all(captured("plain_precise"), position="arrival")[38]) == 1


def test_an_incremental_snapshot_puts_no_floor(decoding: Any, samples: Any) -> None:
    event = samples("debezium_captured")["postgres_no_schema_r_d_u_c"][1]
    event["source"]["snapshot"] = "incremental"
    decode = decoding("debezium", "public.customers")
    (change,) = decode(event, {"id": 2})
    assert change.position.startswith("0000-00000000000022401960-1")


def test_a_snapshot_without_a_log_position_sorts_lowest_and_puts_no_floor(decoding: Any, samples: Any) -> None:
    event = samples("debezium_captured")["postgres_no_schema_r_d_u_c"][1]
    event["source"]["lsn"] = None
    (change,) = decoding("debezium", "public.customers")(event, {"id": 2})
    assert change.position.startswith("0000-00000000000000000000-1")


def test_every_captured_record_is_understood_and_a_repeat_has_an_equal_position(captured: Captured) -> None:
    for mode in ("plain_precise", "schema_precise", "schema_string"):
        once, again = decode_all(captured(mode)), decode_all(captured(mode))
        assert once == again
        assert not [one for found in once for one in found if isinstance(one, Reject)]


def test_the_epoch_stands_first(captured: Captured) -> None:
    (change,) = decode_all(captured("plain_precise"), epoch=3)[4]
    assert change.position.startswith("0003-00000000000022626272-4")


def test_arrival_orders_by_time_and_offset(captured: Captured) -> None:
    record = captured("plain_precise")[4]
    (change,) = decode_all([record], position="arrival")[0]
    assert change.position.startswith(f"0000-00001800000000000000-{record.offset:020d}-4")


def test_the_documented_events_of_the_postgresql_connector(decoding: Any, samples: Any) -> None:
    events = samples("debezium_postgres")
    decode = decoding("debezium", "public.customers")
    anne = {"id": "1", "first_name": "Anne", "last_name": "Kretchmar", "email": "annek@noanswer.org"}
    create, update, delete, truncate = (
        decode(events[name], {"id": 1}) for name in ("create_c_with_schema", "update_u", "delete_d", "truncate_t")
    )
    assert [(c.op, c.after, c.types["id"], c.changed_at, c.transaction) for c in create] == [
        ("upsert", anne, "int", 1559033904863123, "555")
    ]
    assert create[0].position.startswith("0000-00000000000024023128-1")  # a c that calls itself a snapshot row
    assert [(c.op, c.after["first_name"], c.moved_from) for c in update] == [("upsert", "Anne Marie", None)]
    assert [(c.op, c.after, c.types) for c in delete] == [("delete", {"id": "1"}, {"id": "bigint"})]
    assert [(c.op, c.after) for c in truncate] == [("truncate", {})]
    assert decode(events["message_m_transactional"]) == [Ignored("logical message")]
    assert decode(events["message_m_nontransactional"]) == [Ignored("logical message")]
    assert [decode(one) for one in events["transaction_topic"]] == [[Ignored("transaction marker")]] * 2
    assert decode(events["enriched_with_transaction"])[0].reason == "unreadable position"


def test_the_captured_events_of_debezium_2_5(decoding: Any, samples: Any) -> None:
    decode = decoding("debezium", "public.customers")
    events = samples("debezium_captured")["postgres_no_schema_r_d_u_c"]
    found = [decode(event, {"id": (event["after"] or event["before"])["id"]}) for event in events]
    assert [[(one.op, one.after.get("id"), one.position[:27]) for one in changes] for changes in found] == [
        [("upsert", "1", "0000-00000000000022401960-1")],
        [("upsert", "2", "0000-00000000000022401960-1"), ("truncate", None, "0000-00000000000022401960-0")],
        [("delete", "1", "0000-00000000000022402288-3")],
        [("upsert", "2", "0000-00000000000022402608-4")],
        [("upsert", "3", "0000-00000000000022403152-4")],
    ]
    assert found[2][0].after == {"id": "1"}
