"""The chain at length: 200,000 changes, 20 kills of the driver, Connect and Kafka at random moments.

`make soak` runs it; HEADRACE_SOAK_CHANGES and HEADRACE_SOAK_KILLS change its size, HEADRACE_SOAK_SEED its course.
"""

import os
from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest

from . import values
from .chain import TABLES, Chain
from .kafka import Kafka
from .postgres import Postgres

CHANGES = int(os.environ.get("HEADRACE_SOAK_CHANGES", "200000"))
KILLS = int(os.environ.get("HEADRACE_SOAK_KILLS", "20"))
SEED = int(os.environ.get("HEADRACE_SOAK_SEED", "1"))

pytestmark = pytest.mark.soak


def wound(chain: Chain, victim: str, pause: int) -> None:
    """Kills one part while changes flow and starts it again some changes later."""
    if victim == "driver":
        chain.driver.wait_commits(["bookings"])
        chain.driver.kill9()
        chain.workload.run(pause)
        chain.driver.start()
        return
    part = chain.connect if victim == "connect" else chain.kafka
    if victim == "connect":
        chain.connect.wait_offsets()
    part.kill9()
    chain.workload.run(pause)
    part.restart()
    if not chain.driver.process.running():  # a stream may give up while the broker is away
        chain.driver.start()


def evolve(chain: Chain, step: int) -> None:
    """Now and then a truncate, once all the schema changes."""
    if step % 4 == 1:
        chain.workload.truncate("prices")
    if step == KILLS // 2:
        chain.workload.evolve()
        chain.workload.widen("prices", "amount", "numeric(14,4)", values.decimal(14, 4))


@pytest.fixture(scope="module")
def chain(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """All changes have gone through."""
    rng = Random(SEED)
    folder = tmp_path_factory.mktemp("soak")
    kafka, postgres = Kafka(folder / "kafka").start(), Postgres(folder / "postgres").start()
    chain = Chain(folder, kafka, postgres, SEED, apply={"trigger": "1s"})
    try:
        chain.open(rows=500)
        for step in range(KILLS):
            chain.workload.run(CHANGES // KILLS - 500)
            evolve(chain, step)
            victim = rng.choice(["driver", "driver", "connect", "connect", "kafka"])
            print(f"{chain.workload.changes} changes, kill {step + 1}: {victim}", flush=True)
            wound(chain, victim, 500)
        chain.workload.run(max(0, CHANGES - chain.workload.changes))
        chain.drain(600)
        chain.driver.stop()
        chain.driver.once(3600)
        request.getfixturevalue("spark")  # the comparison reads widened tables with it
        yield chain
    finally:
        chain.close()
        kafka.stop()
        postgres.stop()


@pytest.mark.parametrize("table", TABLES)
def test_every_row_and_column_equals_postgresql_after_the_soak(chain: Chain, table: str) -> None:
    assert chain.differences(table) == []


def test_the_history_is_what_the_events_call_for_after_the_soak(chain: Chain) -> None:
    assert chain.history_problems() == []
    assert chain.differences("bookings", current_of_history=True) == []


def test_nothing_was_rejected_in_the_soak(chain: Chain) -> None:
    assert Counter((row["table"], row["reason"]) for row in chain.rejects()) == {}
