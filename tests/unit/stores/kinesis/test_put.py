"""Records into a stream, and the stream as a store of passages."""

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.config_indexes import KinesisIndex
from headrace.errors import Fatal
from headrace.ports import Written
from headrace.stores import indexes
from headrace.stores.kinesis.api import Kinesis
from headrace.stores.kinesis.backoff import Backoff
from headrace.stores.kinesis.options import Place
from headrace.stores.kinesis.put import MOST_BYTES, MOST_OF_ONE, Event, put_events
from headrace.stores.kinesis_index import KinesisVectorIndex
from headrace.testing.passages import direction, gone, put
from kinesis_sim import SimKinesis, Trouble, fault

PATIENT = Backoff(sleep=lambda _: None, clock=lambda: 0.0)


class Calls(SimKinesis):
    """Keeps what each call held."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.held: list[list[Mapping[str, Any]]] = []

    def put_records(self, **asked: Any) -> Mapping[str, Any]:
        self.held.append(list(asked["Records"]))
        return super().put_records(**asked)


def sent(service: SimKinesis, events: list[Event], backoff: Backoff = PATIENT) -> list[Any]:
    return put_events(Kinesis(Place("s"), client=service, backoff=backoff), events, backoff)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=60),
    st.sampled_from([0.0, 0.5]), st.sampled_from([0.0, 0.3]), st.integers(0, 99),
)  # fmt: skip
def test_every_event_arrives_once_and_in_the_order_of_its_key(
    given_: list[tuple[int, int]], refused: float, throttled: float, seed: int
) -> None:
    service = Calls(seed=seed, trouble=Trouble(short=refused, throttled=throttled))
    events = [Event(f"k{key}", b"%d" % at) for at, (key, _) in enumerate(given_)]
    assert sent(service, events) == []
    by_key: dict[str, list[int]] = defaultdict(list)
    for row in service.all:
        by_key[row.key].append(int(row.data))
    assert sum(map(len, by_key.values())) == len(events)
    assert all(found == sorted(found) for found in by_key.values())
    assert all(len({one["PartitionKey"] for one in call}) == len(call) for call in service.held)


def test_a_call_holds_at_most_500_records_and_5_megabytes() -> None:
    service = Calls()
    sent(service, [Event(f"k{number}", b"x") for number in range(1201)])
    assert [len(call) for call in service.held] == [500, 500, 201]
    service = Calls()
    sent(service, [Event(f"k{number}", b"x" * 900_000) for number in range(12)])
    sizes = [sum(len(one["Data"]) + len(one["PartitionKey"]) for one in call) for call in service.held]
    assert [len(call) for call in service.held] == [5, 5, 2] and max(sizes) <= MOST_BYTES


def test_a_record_that_is_too_big_is_named_and_the_rest_is_sent() -> None:
    service = Calls()
    (failed,) = sent(service, [Event("a", b"x"), Event("b", b"x" * MOST_OF_ONE), Event("c", b"x" * (MOST_OF_ONE - 1))])
    assert (failed.index, failed.retry) == (1, False) and "expected at most 1048576 bytes" in failed.reason
    assert [row.key for row in service.all] == ["a", "c"]


def test_what_stays_refused_can_be_tried_again_and_what_is_forbidden_cannot() -> None:
    ticks = iter(range(10_000))
    impatient = Backoff(give_up=20, sleep=lambda _: None, clock=lambda: next(ticks))
    failed = sent(SimKinesis(trouble=Trouble(short=1.0)), [Event("a", b"x")], impatient)
    assert [(one.index, one.retry) for one in failed] == [(0, True)] and "Throughput" in failed[0].reason
    service = SimKinesis()
    service.put_records = lambda **_: (_ for _ in ()).throw(fault("AccessDeniedException", 400))  # type: ignore[method-assign]
    failed = sent(service, [Event("a", b"x"), Event("a", b"y")])
    assert [(one.index, one.retry) for one in failed] == [(0, False), (1, False)]


def test_a_key_longer_than_kinesis_takes_is_sent_as_its_hash() -> None:
    service = SimKinesis()
    sent(service, [Event("k" * 300, b"x"), Event("", b"y")])
    assert [len(row.key) for row in service.all] == [64, 64]


def settings(**more: Any) -> KinesisIndex:
    return KinesisIndex(store="kinesis", stream="passages", region="eu-west-1", **more)


def opened(service: SimKinesis, **more: Any) -> KinesisVectorIndex:
    index = KinesisVectorIndex(settings(**more), "g1", client=service, backoff=PATIENT)
    index.open("outbox-1")
    return index


def test_each_passage_comes_once_with_its_version_and_vector() -> None:
    service = SimKinesis(trouble=Trouble(short=0.5))
    index = opened(service)
    written = index.write([put("a", 1), put("a", 2, "new", vector=direction(1, 1)), gone("b", 3)])
    assert written == Written(applied=2, stale=1)
    found = {row.key: json.loads(row.data) for row in service.all}
    assert found["a"]["row"] == {"key": "a", "version": 2, "deleted": False}
    assert found["a"]["text"] == "new" and found["a"]["vector"][:3] == pytest.approx([0.5**0.5, 0.5**0.5, 0])
    assert found["b"] == {
        "row": {"key": "b", "version": 3, "deleted": True}, "owner": "outbox-1", "generation": "g1",
    }  # fmt: skip


def test_a_reader_that_keeps_the_highest_version_ends_as_the_rows_say() -> None:
    service = SimKinesis(shards=3, trouble=Trouble(short=0.3))
    index = opened(service)
    newest: dict[str, int] = {}
    for version in range(1, 60):
        key = f"k{version * 7 % 11}"
        index.write([gone(key, version) if version % 5 == 0 else put(key, version)])
        newest[key] = version
    kept: dict[str, int] = {}
    for row in sorted(service.all, key=lambda one: one.data):  # in any order
        told = json.loads(row.data)["row"]
        kept[told["key"]] = max(kept.get(told["key"], 0), told["version"])
    assert kept == newest


def test_rows_that_cannot_be_sent_are_reported_while_the_rest_arrives() -> None:
    index = opened(SimKinesis(), bytes_per_write=3_000)
    written = index.write([put("a", 1), put("large", 1, "x" * 5_000), put("zero", 1, vector=[0.0] * 8)])
    assert written.applied == 1
    assert {failed.key: failed.retry for failed in written.failed} == {"large": False, "zero": False}
    huge = opened(SimKinesis()).write([put("huge", 1, "x" * 1_100_000)])
    assert "1048576 bytes" in huge.failed[0].reason and not huge.failed[0].retry


def test_a_stream_is_written_and_neither_read_nor_trusted_with_order() -> None:
    made = indexes.index(settings(), "g1")
    assert isinstance(made, KinesisVectorIndex)
    assert (made.newest(), list(made.held()), made.generations(), made.active()) == (-1, [], ["g1"], "g1")
    assert not indexes.refuses_older(settings()) and not indexes.tells_keys(settings())
    with pytest.raises(Fatal, match="stream is read by what follows it"):
        indexes.reader(settings())
    with pytest.raises(Fatal, match="open"):
        made.write([put("a", 1)])
