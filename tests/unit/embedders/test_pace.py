"""The arithmetic of the rate limit, on a clock that only moves when told."""

import heapq
import itertools
import random
from bisect import bisect_left

import pytest

from headrace.stores.pace import BURST, LONGEST, Pace, Rates, Turn, packed, unpacked

START = 1_000.0
FOREVER = float("inf")


def at(turn: Turn | None) -> float:
    assert turn is not None
    return turn[0]


def refuse(pace: Pace, now: float, rates: Rates, retry_after: float | None) -> None:
    """The service refuses a call made just now."""
    pace.throttled(now, rates, (now, pace.epoch), retry_after)


def turns(pace: Pace, rates: Rates, count: int, now: float = START, tokens: int = 1) -> list[float]:
    """Turns asked for by one caller that uses each before it asks for the next."""
    found = []
    for _ in range(count):
        now = at(pace.turn(now, rates, tokens, FOREVER))
        found.append(now)
    return found


def most_in(times: list[float], window: float) -> int:
    return max(bisect_left(times, start + window) - place for place, start in enumerate(times))


@pytest.mark.parametrize("quota", [6, 60, 300, 2_000])
def test_no_minute_holds_more_than_the_quota_and_every_later_one_nearly_all_of_it(quota):
    times = turns(Pace(), Rates.per_minute(quota, None), quota * 4)
    assert most_in(times, 60) <= quota
    later = sum(START + 60 <= time < START + 180 for time in times) / 2
    assert later >= 0.97 * quota - 1


def test_the_first_second_has_no_burst_of_a_minute():
    times = turns(Pace(), Rates.per_minute(600, None), 600)
    assert sum(time < START + 1 for time in times) <= 2 * 10 + 1


def test_after_a_quiet_hour_there_is_one_second_of_burst_and_no_more():
    pace, rates = Pace(), Rates.per_minute(600, None)
    turns(pace, rates, 10)
    times = turns(pace, rates, 100, now=START + 3600)
    assert sum(time == START + 3600 for time in times) in range(int(10 * BURST), int(10 * BURST) + 2)


def test_tokens_are_shared_out_as_requests_are_and_the_scarcer_one_rules():
    for requests, tokens, each, wanted in ((600, 6_000, 50, 120), (60, 60_000, 50, 60)):
        times = turns(Pace(), Rates.per_minute(requests, tokens), 400, tokens=each)
        assert wanted * 0.95 <= sum(START + 60 <= time < START + 120 for time in times) <= wanted


def test_a_call_larger_than_the_burst_is_made_and_paid_for_later():
    pace, rates = Pace(), Rates(tokens=100.0)
    assert turns(pace, rates, 3, tokens=1_000) == pytest.approx([START, START + 10 - BURST, START + 20 - BURST])


def test_a_turn_that_would_come_too_late_is_not_taken_from_others():
    pace, rates = Pace(), Rates(requests=1.0)
    found = [pace.turn(START, rates, 1, START + 1.5) for _ in range(5)]
    assert found == [(START, 0), (START, 0), (START + 1, 0), None, None]
    assert at(pace.turn(START, rates, 1, FOREVER)) == START + 2


def test_without_a_limit_there_is_no_waiting():
    assert turns(Pace(), Rates(), 1_000) == [START] * 1_000


def test_a_pause_is_kept_by_all_and_ends_without_a_rush():
    pace, rates = Pace(), Rates(requests=10.0)
    turns(pace, rates, 50)
    refuse(pace, START + 5, rates, 7.0)
    times = turns(pace, rates, 50, now=START + 5)
    assert times[0] == START + 12
    assert sum(time < START + 13 for time in times) <= 10


def test_a_service_that_asks_for_too_much_gets_five_minutes():
    pace = Pace()
    refuse(pace, START, Rates(), 86_400.0)
    assert pace.paused_until == START + LONGEST


def test_own_pauses_double_while_the_service_goes_on_throttling_and_begin_anew_later():
    pace, now, pauses = Pace(), START, []
    for _ in range(9):
        refuse(pace, now, Rates(), None)
        pauses.append(pace.paused_until - now)
        now = pace.paused_until
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    refuse(pace, now + 120, Rates(), None)
    assert pace.paused_until == now + 120.5


def test_calls_refused_together_slow_us_down_once():
    pace, rates = Pace(), Rates(requests=10.0)
    under_way = [pace.turn(START, rates, 1, FOREVER) or (0, 0) for _ in range(8)]
    for seconds, turn in enumerate(under_way):
        pace.throttled(START + seconds, rates, turn, None)
    assert (pace.epoch, pace.pause, pace.paused_until) == (1, 0.5, START + 0.5)
    assert not any(pace.stands(turn) for turn in under_way)


def test_what_void_turns_had_reserved_is_free_again():
    pace, rates = Pace(), Rates(requests=10.0, tokens=10.0)
    waiting = [pace.turn(START, rates, 1, FOREVER) or (0, 0) for _ in range(100)]
    pace.throttled(START, rates, waiting[0], 1.0)
    assert at(pace.turn(START, rates, 1, FOREVER)) == START + 1
    assert not pace.stands(waiting[-1])


def test_the_rate_falls_by_a_quarter_and_comes_back_slowly_after_the_pause():
    pace, rates = Pace(), Rates(requests=10.0)
    refuse(pace, START, rates, 10.0)
    factors = []
    for now in (START + 10, START + 15, START + 26, START + 30, START + 99):
        pace.turn(now, rates, 1, FOREVER)
        factors.append(pace.factor)
    assert factors == pytest.approx([0.75, 0.825, 0.99, 1.0, 1.0])


def test_the_rate_never_falls_to_nothing():
    pace, rates, now = Pace(), Rates(requests=10.0), START
    for _ in range(50):
        refuse(pace, now, rates, None)
        now = pace.paused_until
    assert pace.factor >= 0.05


def _accepted(
    quota: float, rates: Rates, seconds: float, *, told: bool = False, latency: float = 0.05
) -> tuple[float, float]:
    """Share of the quota used, and of the calls refused, by 32 callers of a service that knows a bucket of 2 seconds.

    Args:
        quota: calls a second.
        told: the service says when the next call would pass.
        latency: of a call, in seconds.
    """
    pace, bucket, filled, good, bad = Pace(), quota * 2, START, 0, 0
    # What happens next: a caller's turn comes, or its answer does.
    events: list[tuple[float, int, Turn, float | None]] = []
    for number in range(32):
        turn = pace.turn(START, rates, 1, FOREVER) or (0, 0)
        heapq.heappush(events, (turn[0], number, turn, None))
    while events[0][0] < START + seconds:
        now, number, turn, wait = heapq.heappop(events)
        if wait is None and pace.stands(turn):
            bucket, filled = min(quota * 2, bucket + (now - filled) * quota), now
            passed = bucket >= 1
            good, bad, wait = good + passed, bad + (not passed), -1.0 if passed else (1 - bucket) / quota
            bucket -= passed
            heapq.heappush(events, (now + latency, number, turn, wait))
            continue
        if wait is not None and wait >= 0:
            pace.throttled(now, rates, turn, wait if told else None)
        turn = pace.turn(now, rates, 1, FOREVER) or (0, 0)
        heapq.heappush(events, (turn[0], number, turn, None))
    return good / (quota * seconds), bad / (good + bad)


@pytest.mark.parametrize("latency", [0.05, 0.8])
@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("rates", [Rates.per_minute(1_200, None), Rates()], ids=["twice the quota", "no limit set"])
def test_a_quota_other_than_the_settings_say_is_found_and_mostly_used(rates, told, latency):
    used, refused = _accepted(10.0, rates, 600, told=told, latency=latency)
    assert used >= 0.75 and refused <= 0.03


def test_a_quota_as_the_settings_say_is_used_without_a_refusal():
    used, refused = _accepted(10.0, Rates.per_minute(600, None), 600)
    assert used >= 0.97 and refused == 0


def test_a_rate_learned_is_forgotten_when_it_no_longer_holds():
    pace = Pace()
    turns(pace, Rates(), 100)
    refuse(pace, START + 1, Rates(), None)
    assert pace.learned > 0
    for now in itertools.takewhile(lambda now: now < START + 300, itertools.count(START + 2)):
        pace.turn(now, Rates(), 1, FOREVER)
    assert pace.learned == 0


def test_a_clock_that_began_anew_with_the_machine_does_not_block():
    pace, rates = Pace(), Rates(requests=1.0)
    refuse(pace, 1e6, rates, 300.0)
    assert at(pace.turn(5.0, rates, 1, FOREVER)) == 5.0


def test_a_pace_comes_back_from_its_bytes_and_broken_bytes_are_a_fresh_one():
    pace = Pace()
    turns(pace, Rates(1.0, 2.0), 5)
    assert unpacked(packed(pace)) == pace
    for broken in (b"", b"x", packed(pace)[:-1], packed(pace) + b"x"):
        assert unpacked(broken) == Pace()


def test_whatever_happens_turns_never_exceed_the_rate():
    """Random callers, pauses and quiet times, against a plain count."""
    for seed in range(20):
        chance, pace, rates, now, times = random.Random(seed), Pace(), Rates(requests=5.0), START, []
        for _ in range(300):
            now += chance.choice([0.0, 0.01, 0.3, 4.0])
            if chance.random() < 0.02:
                refuse(pace, now, rates, chance.choice([None, 2.0]))
                times = [time for time in times if time <= now]  # the others are void
            if (turn := pace.turn(now, rates, 1, now + chance.choice([0, 1, 30]))) is not None:
                times.append(turn[0])
        assert times == sorted(times)
        assert all(most_in(times, window) <= 5 * (window + BURST) + 1 for window in (1, 5, 60))
