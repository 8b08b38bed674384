"""Texts to vectors in a given time, with embedders that fail on purpose."""

import threading
import time
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from headrace.errors import Fatal, Retryable
from headrace.knowledge.embedding import LATER, Limiter, Missed, Turn, embed_all, estimate
from headrace.ports import Embedder, Purpose, Throttled, Unacceptable, Vectors
from headrace.stores.limiter import PacedLimiter, in_process
from headrace.stores.pace import Rates

SAID = {"expected": "a", "found": "b", "todo": "c"}


class Model:
    """Vectors that hold the text's number; `before` may raise."""

    model, dimension, fingerprint = "m", 2, "f"

    def __init__(self, batch: int = 4, before: Callable[[list[str]], None] = lambda texts: None) -> None:
        self.batch, self.before, self.calls = batch, before, list[list[str]]()
        self.most, self._now, self._lock = 0, 0, threading.Lock()

    def embed(self, texts: Sequence[str], purpose: Purpose = "document") -> Vectors:
        with self._lock:
            self.calls.append(list(texts))
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            self.before(list(texts))
        finally:
            with self._lock:
                self._now -= 1
        return np.array([[float(text), 0] for text in texts], dtype=np.float32)

    def close(self) -> None:
        pass


def free() -> PacedLimiter:
    return PacedLimiter(Rates(), in_process())


def texts(count: int) -> list[str]:
    return [str(number) for number in range(count)]


def outcomes(model: Embedder, count: int, seconds: float = 10, limiter: Limiter | None = None, **more: int):
    found = list(embed_all(model, texts(count), limiter or free(), seconds, **more))
    assert sorted(index for index, _ in found) == list(range(count)), "each text has one outcome"
    return dict(found)


@pytest.mark.parametrize("parallel", [1, 5])
@pytest.mark.parametrize("count", [0, 1, 4, 23])
def test_every_text_gets_its_own_vector(parallel, count):
    model = Model()
    found = outcomes(model, count, parallel=parallel)
    assert [found[index][0] for index in range(count)] == list(range(count))
    assert max(map(len, model.calls), default=0) <= 4
    assert sum(map(len, model.calls)) == count


def test_calls_run_side_by_side_as_many_as_asked_for():
    together = threading.Barrier(3, timeout=10)
    model = Model(batch=1, before=lambda texts: together.wait() and None)
    outcomes(model, 6, parallel=3)
    assert model.most == 3


def test_the_embedder_may_say_how_many_calls_it_wants():
    together = threading.Barrier(2, timeout=10)
    model = Model(batch=1, before=lambda texts: together.wait() and None)
    model.parallel = 2
    outcomes(model, 4)
    assert model.most == 2


@pytest.mark.parametrize("parallel", [1, 3])
def test_one_bad_text_does_not_sink_the_rest(parallel):
    def refuse(batch: list[str]) -> None:
        if {"5", "17"} & set(batch):
            raise Unacceptable(**SAID)

    model = Model(batch=16, before=refuse)
    found = outcomes(model, 32, parallel=parallel)
    assert {index for index, outcome in found.items() if isinstance(outcome, Missed)} == {5, 17}
    assert found[5] == Missed("expected a; found b. c", retry=False)
    assert found[5].tried
    # Halving 16 down to one: at most 2 calls on each of 4 levels, and the first.
    assert len(model.calls) <= 2 * 9


def test_a_failure_that_may_pass_is_reported_to_be_tried_later():
    def fail(batch: list[str]) -> None:
        if "1" in batch:
            raise Retryable(**SAID)

    found = outcomes(Model(batch=2, before=fail), 6, parallel=2)
    missed = {index: outcome for index, outcome in found.items() if isinstance(outcome, Missed)}
    assert missed == {1: Missed("expected a; found b. c", retry=True)}


def test_a_throttled_call_is_made_again_after_the_pause_and_no_text_is_lost():
    refused: list[float] = []

    def throttle(batch: list[str]) -> None:
        if len(refused) < 3:
            refused.append(time.monotonic())
            raise Throttled(**SAID, retry_after=0.2)

    model, quick = Model(batch=1, before=throttle), PacedLimiter(Rates(requests=1_000.0), in_process())
    found = outcomes(model, 10, limiter=quick, parallel=3)
    assert not [outcome for outcome in found.values() if isinstance(outcome, Missed)]
    assert time.monotonic() - refused[0] >= 0.2


def test_a_pause_beyond_the_time_given_leaves_the_rest_for_later_and_is_no_failed_attempt():
    def throttle(batch: list[str]) -> None:
        raise Throttled(**SAID, retry_after=60)

    began = time.monotonic()
    model = Model(batch=1, before=throttle)
    found = outcomes(model, 10, seconds=40, parallel=2)
    assert set(found.values()) == {Missed(LATER, retry=True)}
    assert not found[0].tried
    assert time.monotonic() - began < 30 and len(model.calls) <= 2


def test_no_call_begins_after_the_time_given():
    model = Model(batch=1, before=lambda batch: time.sleep(0.05))
    found = outcomes(model, 100, seconds=0.3, parallel=2)
    missed = [outcome for outcome in found.values() if isinstance(outcome, Missed)]
    assert 4 <= 100 - len(missed) <= 14
    assert set(missed) == {Missed(LATER, retry=True)}


def test_without_time_nothing_is_called():
    model = Model()
    outcomes(model, 10, seconds=-1)
    assert model.calls == []


def test_the_rate_is_kept():
    model = Model(batch=1)
    slow = PacedLimiter(Rates(requests=20.0), in_process())
    began = time.monotonic()
    outcomes(model, 41, parallel=4, limiter=slow)
    # 20 at once from the second of burst, the rest at 20 a second.
    assert time.monotonic() - began == pytest.approx(1.0, abs=0.25)


def test_a_turn_that_no_longer_stands_is_taken_anew():
    class Interrupted(PacedLimiter):
        refused = 0

        def stands(self, turn: Turn) -> bool:
            self.refused += 1
            return self.refused > 2

    limiter = Interrupted(Rates(), in_process())
    model = Model()
    outcomes(model, 1, limiter=limiter)
    assert (limiter.refused, len(model.calls)) == (3, 1)


def test_tokens_are_counted_as_the_caller_says():
    asked: list[int] = []

    class Counting(PacedLimiter):
        def turn(self, tokens: int, latest: float) -> Turn | None:
            asked.append(tokens)
            return super().turn(tokens, latest)

    list(embed_all(Model(), ["1", "22", "333"], Counting(Rates(), in_process()), 1, tokens=len))
    assert asked == [6]


@pytest.mark.parametrize("error", [Fatal(**SAID), Retryable(**SAID)])
@pytest.mark.parametrize("parallel", [1, 3])
def test_a_bad_text_in_every_batch_spoils_none_of_its_neighbours(error, parallel):
    bad = {str(number) for number in range(0, 60, 10)}

    def fail(batch: list[str]) -> None:
        if bad & set(batch):
            raise error

    found = dict(embed_all(Model(batch=10, before=fail), texts(60), free(), 10, parallel=parallel))
    missed = {str(index): outcome for index, outcome in found.items() if isinstance(outcome, Missed)}
    assert set(missed) == bad and len(found) == 60
    assert all(one.retry and one.tried and one.reason == str(error) for one in missed.values())


@pytest.mark.parametrize("parallel", [1, 3])
def test_a_service_that_is_away_gets_few_calls_and_every_text_counts_as_tried(parallel):
    def fail(batch: list[str]) -> None:
        raise Retryable(**SAID)

    model = Model(batch=10, before=fail)
    found = dict(embed_all(model, texts(100), free(), 10, parallel=parallel))
    assert len(found) == 100 and len(model.calls) < 20
    assert sum(outcome.tried for outcome in found.values()) == 100


def test_a_batch_too_large_for_a_quota_is_made_smaller():
    def fail(batch: list[str]) -> None:
        if len(batch) > 2:
            raise Throttled(**SAID, retry_after=0.01)

    found = dict(embed_all(Model(batch=4, before=fail), texts(4), free(), 30))
    assert not [outcome for outcome in found.values() if isinstance(outcome, Missed)] and len(found) == 4


@pytest.mark.parametrize("parallel", [1, 3])
def test_a_fatal_error_is_raised_where_nothing_works_after_few_calls(parallel):
    def fail(batch: list[str]) -> None:
        raise Fatal(**SAID)

    model = Model(batch=10, before=fail)
    with pytest.raises(Fatal):
        list(embed_all(model, texts(1_000), free(), 10, parallel=parallel))
    assert len(model.calls) < 20


@pytest.mark.parametrize("parallel", [1, 3])
def test_a_bug_is_raised_at_once_after_what_was_done(parallel):
    kind = ZeroDivisionError("a bug")

    def fail(batch: list[str]) -> None:
        if batch == ["2"]:
            raise kind
        time.sleep(0.02)

    model, found = Model(batch=1, before=fail), []
    with pytest.raises(type(kind)):
        for outcome in embed_all(model, texts(1_000), free(), 10, parallel=parallel):
            found.append(outcome)
    assert found and len(model.calls) < 20
    assert len(found) == len(model.calls) - 1


def test_threads_waiting_for_their_turn_stop_when_another_fails():
    def fail(batch: list[str]) -> None:
        raise Fatal(**SAID)

    began = time.monotonic()
    with pytest.raises(Fatal):
        list(embed_all(Model(1, fail), texts(9), PacedLimiter(Rates(requests=4.0), in_process()), 60, parallel=4))
    assert time.monotonic() - began < 20


def test_a_reader_who_leaves_early_stops_the_threads():
    model = Model(batch=1, before=lambda batch: time.sleep(0.01))
    reader = embed_all(model, texts(1_000), free(), 60, parallel=4)
    next(reader)
    reader.close()
    made = len(model.calls)
    assert made < 50
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("embed")]


@pytest.mark.parametrize(
    ("text", "least"), [("", 0), ("a word or two", 4), ("Straße", 2), ("海の見える部屋", 7), ("\ud83d", 1)]
)
def test_the_estimate_is_at_least_what_tokenizers_count(text, least):
    assert estimate(text) >= least
