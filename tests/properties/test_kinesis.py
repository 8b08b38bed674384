"""The Kinesis source against a Kinesis in memory: whatever the shards do, every record is in exactly one batch."""

import json
import logging
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from headrace.errors import Fatal
from headrace.stores.kinesis.api import Kinesis
from headrace.stores.kinesis.backoff import Backoff
from headrace.stores.kinesis.options import Place, ReadOptions, Start
from headrace.stores.kinesis.plan import UNSTARTED, Offset, Planner
from headrace.stores.kinesis.positions import END
from headrace.stores.kinesis.ranges import Ranges
from kinesis_sim import HOUR, SimKinesis, Trouble

troubles = st.builds(
    Trouble,
    throttled=st.sampled_from([0.0, 0.2]),
    expired=st.sampled_from([0.0, 0.1]),
    empty=st.sampled_from([0.0, 0.4]),
    short=st.sampled_from([0.0, 0.5]),
    disorder=st.sampled_from([0, 3000]),
    mute=st.booleans(),
    refuse_deleted=st.booleans(),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(1, 300), st.integers(0, 40)),
        st.tuples(st.just("split"), st.integers(0, 9), st.just(0)),
        st.tuples(st.just("merge"), st.integers(0, 9), st.just(0)),
        st.tuples(st.just("wait"), st.integers(1, 90_000), st.just(0)),
        st.tuples(st.just("batch"), st.just(0), st.just(0)),
        st.tuples(st.just("restart"), st.just(0), st.just(0)),
    ),
    max_size=30,
)
few_rows = st.sampled_from([7, 150, 100_000])


class Job:
    """What Spark does with a source: plan, log, read, forget everything, go on from the log."""

    def __init__(self, service: SimKinesis, options: ReadOptions) -> None:
        self.service, self.options = service, options
        self.log: list[Offset] = [UNSTARTED]
        self.rows: list[list[tuple[str, int]]] = []
        self.restart()

    def kinesis(self) -> Kinesis:
        patient = Backoff(sleep=lambda _: None, clock=lambda: 0.0)
        return Kinesis(self.options.place, client=self.service, backoff=patient, pause=0)

    def restart(self) -> None:
        self.planner = Planner(self.kinesis(), self.options, lambda: self.service.now)
        self.log = json.loads(json.dumps(self.log))

    def batch(self, **limits: Any) -> bool:
        """Run one batch; whether there was one."""
        end = self.planner.next(self.log[-1], **limits)
        if end == self.log[-1]:
            return False
        self.log.append(json.loads(json.dumps(end)))
        self.rows.append(self.read(end))
        return True

    def read(self, end: Offset, page: int = 10_000) -> list[tuple[str, int]]:
        """(shard, sequence number) of every row of a batch."""
        found = []
        for shard, start in end["from"].items():
            for some in Ranges(self.kinesis(), page).records(shard, start, end["shards"][shard]):
                found += [(shard, int(one.sequence)) for one in some]
        return found

    def drain(self) -> None:
        """Run batches until there is nothing more; time passes, or the newest second would never be read."""
        idle = 0
        while idle < 3:
            idle = 0 if self.batch() else idle + 1
            self.service.pass_time(700)
            assert len(self.log) < 5000


def played(service: SimKinesis, options: ReadOptions, story: list[tuple[str, int, int]]) -> Job:
    job = Job(service, options)
    for what, count, spacing in story:
        if what == "put":
            for number in range(count):
                service.put(f"key{number % 13}")
                service.pass_time(spacing)
        elif what == "split":
            service.split(count)
        elif what == "merge":
            service.merge(count)
        elif what == "wait":
            service.pass_time(count)
        elif what == "restart":
            job.restart()
        else:
            job.batch()
    job.drain()
    return job


def options(rows: int = 100_000, **more: Any) -> ReadOptions:
    return ReadOptions(Place("sim"), max_rows=rows, max_seconds=60, **more)


@given(st.integers(1, 3), troubles, steps, few_rows, st.integers(0, 2**16))
def test_every_record_is_read_once_in_the_order_of_its_key(
    shards: int, trouble: Trouble, story: list[tuple[str, int, int]], rows: int, seed: int
) -> None:
    service = SimKinesis(shards, seed, trouble)
    job = played(service, options(rows), story)
    read = [row for batch in job.rows for row in batch]
    assert sorted(sequence for _, sequence in read) == [row.sequence for row in service.all]
    assert all(service.home[sequence] == shard for shard, sequence in read)
    keys = {row.sequence: row.key for row in service.all}
    by_key: dict[str, list[int]] = defaultdict(list)
    for batch in job.rows:
        for _, sequence in batch:
            by_key[keys[sequence]].append(sequence)
    assert all(found == sorted(found) for found in by_key.values())


@given(st.integers(1, 2), troubles, steps, few_rows, st.integers(1, 50), st.integers(0, 2**16))
def test_a_logged_batch_is_the_same_whenever_it_is_read_again(
    shards: int, trouble: Trouble, story: list[tuple[str, int, int]], rows: int, page: int, seed: int
) -> None:
    job = played(SimKinesis(shards, seed, trouble), options(rows), story)
    for offset, first in zip(job.log[1:], job.rows, strict=True):
        assert job.read(offset, page) == first


@given(st.integers(1, 2), troubles, steps, few_rows, st.integers(0, 2**16))
def test_a_child_is_read_in_a_later_batch_than_its_parents(
    shards: int, trouble: Trouble, story: list[tuple[str, int, int]], rows: int, seed: int
) -> None:
    service = SimKinesis(shards, seed, trouble)
    job = played(service, options(rows), story)
    for before, after in zip(job.log, job.log[1:], strict=False):
        for shard in after["from"]:
            assert all(before["shards"].get(parent) == END for parent in service.shards[shard].parents)


@given(st.integers(1, 2), troubles, steps, few_rows, st.data(), st.integers(0, 2**16))
def test_a_query_may_go_on_from_every_offset_it_logged(
    shards: int, trouble: Trouble, story: list[tuple[str, int, int]], rows: int, data: st.DataObject, seed: int
) -> None:
    job = played(SimKinesis(shards, seed, trouble), options(rows), story)
    assume(len(job.log) > 1)
    kept = data.draw(st.integers(1, len(job.log) - 1))
    before = [row for batch in job.rows[:kept] for row in batch]
    again = Job(job.service, job.options)
    again.log = job.log[: kept + 1]
    again.restart()
    again.drain()
    after = [row for batch in again.rows for row in batch]
    assert sorted(before + after) == sorted((job.service.home[row.sequence], row.sequence) for row in job.service.all)


@given(st.integers(1, 2), troubles, steps, st.integers(0, 2**16))
def test_latest_leaves_what_was_there_and_takes_all_that_comes(
    shards: int, trouble: Trouble, story: list[tuple[str, int, int]], seed: int
) -> None:
    trouble.mute = False  # a start must be certain
    service = SimKinesis(shards, seed, trouble)
    for number in range(250):
        service.put(f"key{number}")
        service.pass_time(3)
    service.split(0)
    for number in range(250):
        service.put(f"key{number}")
        service.pass_time(3)
    service.pass_time(2 * trouble.disorder + 1)
    old = {row.sequence for row in service.all}
    job = Job(service, options(start=Start("latest")))
    job.batch()
    story_job = played(service, job.options, [])  # a second query, started later still
    job.drain()
    for what, count, spacing in story:
        if what == "put":
            for number in range(count):
                service.put(f"key{number % 13}")
                service.pass_time(spacing)
        elif what == "split":
            service.split(count)
        elif what == "merge":
            service.merge(count)
        elif what == "wait":
            service.pass_time(count)
    for one in (job, story_job):
        one.drain()
        read = sorted(sequence for batch in one.rows for _, sequence in batch)
        assert read == [row.sequence for row in service.all if row.sequence not in old]


@given(st.integers(1, 2), troubles, steps, st.integers(1, 40), st.integers(0, 2**16))
def test_nothing_is_lost_without_a_word(
    shards: int, trouble: Trouble, story: list[tuple[str, int, int]], hours: int, seed: int
) -> None:
    trouble.disorder = 0
    service = SimKinesis(shards, seed, trouble)
    job = played(service, options(on_lost="continue"), story)
    for number in range(40):
        service.put(f"key{number % 13}")
        service.pass_time(50)
    service.split(1)
    for number in range(13):
        service.put(f"key{number}")
    service.pass_time(hours * HOUR)
    for number in range(20):
        service.put(f"key{number % 13}")
    job.restart()
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("headrace").addHandler(handler)
    try:
        job.drain()
    finally:
        logging.getLogger("headrace").removeHandler(handler)
    read = [sequence for batch in job.rows for _, sequence in batch]
    assert len(read) == len(set(read))
    missing = {row.sequence for row in service.all} - set(read)
    assert bool(missing) <= bool(said)
    assert {service.home[sequence] for sequence in missing} <= {text.split()[2][:-1] for text in said}
    if hours < 23:
        assert not missing and not said


def test_a_gap_stops_the_query_and_says_what_to_do() -> None:
    service = SimKinesis()
    job = Job(service, options(rows=10))
    for _ in range(20):
        service.put("a")
        service.pass_time(10)
    job.batch()
    service.pass_time(30 * HOUR)
    service.put("a")
    with pytest.raises(Fatal, match=r"shard shardId-0+: records that arrived between 2023.*24 hours.*on_lost"):
        job.batch()


def test_a_long_idle_stream_is_no_gap_while_the_query_runs() -> None:
    service = SimKinesis()
    job = Job(service, options())
    service.put("a")
    job.drain()
    for _ in range(100):
        service.pass_time(HOUR)
        job.batch()
    job.restart()
    service.put("a")
    job.drain()
    assert sum(map(len, job.rows)) == 2


def test_a_stream_made_anew_under_the_same_name_is_not_mistaken_for_the_old_one() -> None:
    service = SimKinesis()
    job = Job(service, options())
    service.put("a")
    job.drain()
    service.created += 60
    job.restart()
    with pytest.raises(Fatal, match="created later"):
        job.batch()


def test_a_shard_whose_parent_is_deleted_may_have_lost_its_own_first_records() -> None:
    service = SimKinesis()
    job = Job(service, options())
    service.put("a")
    job.batch()
    service.split(0)
    job.batch()
    assert set(job.log[-1]["shards"].values()) == {END}
    service.put("a")
    service.pass_time(30 * HOUR)
    job.restart()
    service.put("a")
    with pytest.raises(Fatal, match=r"shard shardId-0+[12]: records that arrived between"):
        job.batch()
