"""The simulated database: what its log says must lead to the rows it holds."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from headrace.travel.agency import Agency
from headrace.travel.columns import SHAPES, TOAST_BYTES, Key, Row
from headrace.travel.database import Database, Event

BEGAN = datetime(2026, 3, 1, 6, tzinfo=UTC)


@pytest.fixture(scope="module")
def agency() -> Agency:
    return Agency(seed=7, steps=1_000)


def replay(log: Sequence[Event]) -> dict[str, dict[Key, Row]]:
    """The slow obvious way: read the log from its beginning, in order."""
    rows: dict[str, dict[Key, Row]] = {name: {} for name in SHAPES}
    for event in log:
        table, key = rows[event.table], event.key
        if event.op == "truncate":
            table.clear()
        elif event.op == "delete":
            del table[key]
        else:
            old = table.get(key, {})
            table[key] = event.row | {name: old[name] for name in event.kept}
    return rows


def test_the_log_read_in_order_gives_the_rows_of_the_database(agency: Agency) -> None:
    assert replay(agency.database.log) == agency.database.rows


def test_every_kind_of_change_happens_in_the_demo_history(agency: Agency) -> None:
    log = agency.database.log
    deleted = {(event.table, event.key) for event in log if event.op == "delete"}
    seen = {
        "read": any(event.op == "read" for event in log),
        "update": any(event.op == "update" for event in log),
        "delete": bool(deleted),
        "truncate": sum(event.op == "truncate" for event in log) == 1,
        "key change": any(event.moved_to for event in log) and any(event.moved_from for event in log),
        "revived key": any(event.op == "insert" and (event.table, event.key) in deleted for event in log),
        "large value left out": any(event.kept == ("description",) for event in log),
        "prices after the truncate": bool(agency.database.rows["prices"]),
    }
    assert [what for what, happened in seen.items() if not happened] == []


def test_positions_in_the_log_rise_except_inside_the_snapshot_and_a_key_change(agency: Agency) -> None:
    log = agency.database.log
    for before, after in pairwise(log):
        together = after.snapshot is not None or after.moved_from is not None
        assert after.lsn == before.lsn if together else after.lsn > before.lsn


def test_the_snapshot_is_marked_from_first_to_last() -> None:
    database = Database(BEGAN)
    database.load("flights", [{"flight_id": 1}])
    database.load("prices", [{"hotel_id": 1, "night": night} for night in ("a", "b", "c")])
    database.snapshot()
    assert [(event.table, event.snapshot) for event in database.log] == [
        ("flights", "first"),
        ("prices", "first_in_data_collection"),
        ("prices", "true"),
        ("prices", "last"),
    ]


def test_an_update_that_leaves_a_large_text_alone_does_not_log_it() -> None:
    database = Database(BEGAN)
    database.load("hotels", [{"hotel_id": 1, "rooms_left": 5, "description": "x" * (TOAST_BYTES + 1)}])
    database.begin(timedelta(seconds=1))
    database.update("hotels", (1,), rooms_left=4)
    database.update("hotels", (1,), description="y" * (TOAST_BYTES + 1))
    database.update("hotels", (1,), description="short")
    database.update("hotels", (1,), rooms_left=3)
    assert [event.kept for event in database.log] == [("description",), (), (), ()]


def test_a_key_change_is_a_delete_and_an_insert_at_one_position() -> None:
    database = Database(BEGAN)
    database.load("customers", [{"customer_id": 1, "name": "Ada"}])
    database.begin(timedelta(seconds=1))
    database.change_key("customers", (1,), (9,))
    gone, new = database.log
    assert (gone.op, gone.key, gone.moved_to) == ("delete", (1,), (9,))
    assert (new.op, new.key, new.moved_from, new.row) == ("insert", (9,), (1,), {"customer_id": 9, "name": "Ada"})
    assert gone.lsn == new.lsn
    assert database.rows["customers"] == {(9,): {"customer_id": 9, "name": "Ada"}}


def test_a_taken_key_cannot_be_inserted() -> None:
    database = Database(BEGAN)
    database.load("customers", [{"customer_id": 1}])
    with pytest.raises(KeyError, match="expected a new key for customers"):
        database.insert("customers", {"customer_id": 1})


def test_the_same_seed_gives_the_same_history_and_another_seed_another() -> None:
    logs = [Agency(seed=seed, steps=40).database.log for seed in (1, 1, 2)]
    assert logs[0] == logs[1]
    assert logs[0] != logs[2]
