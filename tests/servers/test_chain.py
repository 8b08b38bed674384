"""PostgreSQL -> Debezium -> Kafka -> `headrace run apply_changes` -> Delta: every table ends equal, row for row."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pytest

from .chain import TABLES, Chain
from .kafka import Kafka
from .postgres import Postgres

CHANGES = 10_000


@pytest.fixture(scope="module")
def chain(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, kafka: Kafka) -> Iterator[Chain]:
    """10,000 changes have gone through; the driver and Connect were each killed once while changes flowed."""
    folder = tmp_path_factory.mktemp("chain")
    postgres = Postgres(folder / "postgres").start()
    chain = Chain(folder, kafka, postgres, seed=1, apply={"trigger": "1s"})
    try:
        chain.open()
        chain.workload.run(1_500)
        chain.driver.wait_commits(["bookings"])
        chain.driver.kill9()  # in the middle of a batch: some tables have it, others not
        chain.workload.run(1_000)
        chain.kill_connect()
        chain.workload.run(1_000)
        chain.workload.truncate("prices")
        chain.driver.start()
        chain.connect.restart()
        chain.workload.evolve()
        chain.workload.run(max(0, CHANGES - chain.workload.changes))
        chain.drain()
        assert chain.driver.stop() == 0
        chain.driver.once()
        request.getfixturevalue("spark")  # the comparison reads widened tables with it
        yield chain
    finally:
        chain.close()
        postgres.stop()


@pytest.mark.parametrize("table", TABLES)
def test_every_row_and_column_equals_postgresql(chain: Chain, table: str) -> None:
    assert chain.differences(table) == []


def test_the_history_is_what_the_events_call_for(chain: Chain) -> None:
    assert chain.history_problems() == []


def test_the_open_intervals_of_the_history_equal_postgresql_in_every_column(chain: Chain) -> None:
    assert chain.differences("bookings", current_of_history=True) == []


def test_nothing_was_rejected(chain: Chain) -> None:
    assert Counter((row["table"], row["reason"]) for row in chain.rejects()) == {}


def test_the_stream_held_what_makes_it_hard(chain: Chain) -> None:
    """Otherwise the tests above would prove nothing: repeats, markers, key changes, a truncate, positions that fall."""
    events = [event for table in TABLES for event in chain.events(table)]
    changes = [event.value for event in events if event.value]
    ops = Counter(change["op"] for change in changes)
    places = Counter((change["source"]["table"], change["source"]["lsn"], change["op"]) for change in changes)
    markers = [change for change in changes if "__debezium_unavailable_value" in str(change["after"])]
    lsns = [change["source"]["lsn"] for change in changes if change["source"]["table"] == "hotels"]
    assert sum(ops.values()) >= CHANGES
    assert ops["t"] == 1 and ops["r"] == 50 * len(TABLES)
    assert sum(1 for count in places.values() if count > 1) > 100, "no event came twice"
    assert sum(1 for change in markers if change["op"] == "c") > 20, "no key change carried a marker"
    assert sum(1 for left, right in pairwise(lsns) if right < left) > 20, "positions only rose"
    assert sum(1 for event in events if event.value is None) > 500, "no tombstones"
