"""Which verdicts are told: never twice, never within the cool-down, and none is lost by a crash."""

import itertools
import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from headrace.config_alerts import Rule, Threshold
from headrace.conversations.alert_rules import Verdict
from headrace.conversations.alert_series import Series
from headrace.conversations.alert_state import RECENT, State, decided, from_json, taken, to_json, without_old
from headrace.conversations.alerts import alert, newest_minute, replayed, told
from unit.conversations.alert_worlds import MINUTE, NOW, series


def rule(cooldown: int = 60, **more: object) -> Threshold:
    settings = {"rule": "threshold", "measure": "errors", "above": 0.1, "cooldown": timedelta(minutes=cooldown), **more}
    return TypeAdapter(Rule).validate_python(settings)


def verdict(minute: int, fires: bool = True) -> Verdict:
    return Verdict("r", NOW + minute * MINUTE, "fires" if fires else "calm", {"value": 0.2, "n": 40.0})


verdicts = st.lists(st.tuples(st.integers(0, 300), st.booleans()), max_size=60)


def run(one: Threshold, some: list[tuple[int, bool]], last: int | None = None) -> list[int]:
    """The minutes that are told, one after the other."""
    found = []
    for minute, fires in some:
        if told(one, verdict(minute, fires), None if last is None else NOW + last * MINUTE):
            found.append(minute)
            last = minute
    return found


@given(some=verdicts, cooldown=st.integers(0, 120))
def test_what_is_told_fires_and_lies_apart_by_the_cool_down_whatever_comes_again_or_late(some, cooldown):
    found = run(rule(cooldown), some)
    assert set(found) <= {minute for minute, fires in some if fires}
    assert all(after - before >= max(cooldown, 1) for before, after in itertools.pairwise(found))


@given(some=verdicts, cooldown=st.integers(0, 120))
def test_a_replay_of_what_was_judged_before_tells_nothing(some, cooldown):
    one = rule(cooldown)
    in_order = sorted(dict(some).items())
    found = run(one, in_order)
    assert run(one, in_order, found[-1] if found else None) == [] or not found


@given(some=verdicts, cooldown=st.integers(0, 120))
def test_in_order_each_that_fires_is_told_or_follows_one_that_was_within_the_cool_down(some, cooldown):
    in_order = sorted(dict(some).items())
    found = run(rule(cooldown), in_order)
    for minute in (minute for minute, fires in in_order if fires and minute not in found):
        assert any(minute - cooldown < before < minute for before in found)


class Crash(Exception):
    pass


class World:
    """A file and outputs that write down what they got; each step may be the last of a process."""

    def __init__(self, crashes: set[int]) -> None:
        self.stored, self.got, self.steps, self.crashes = to_json(State()), list[tuple[str, str]](), 0, crashes

    def step(self) -> None:
        self.steps += 1
        if self.steps in self.crashes:
            raise Crash

    def store(self, state: State) -> None:
        self.step()
        self.stored = to_json(state)

    def send(self, id: str, output: str) -> None:
        self.step()
        self.got.append((id, output))
        self.step()

    def judged(self, one: Threshold, minute: int) -> None:
        state = from_json(self.stored)
        if told(one, verdict(minute), state.last):
            state = decided(state, alert(one, verdict(minute)), one.send)
            self.store(state)
        for waiting in state.open:
            for output in waiting.to:
                self.send(waiting.alert.id, output)
                state = taken(state, waiting.alert, output)
                self.store(state)


@given(minutes=st.lists(st.integers(0, 60), min_size=1, max_size=8), crashes=st.sets(st.integers(1, 40), max_size=5))
def test_a_crash_anywhere_loses_no_alert_and_repeats_only_what_was_not_written_down(minutes, crashes):
    one, world = rule(5, send=["a", "b"]), World(crashes)
    for minute in sorted(minutes):
        try:
            world.judged(one, minute)
        except Crash:
            pass
    world.crashes = set()
    world.judged(one, max(minutes))
    expected = {(each.id, output) for each in from_json(world.stored).recent for output in ("a", "b")}
    assert set(world.got) == expected
    assert len(world.got) - len(expected) <= len(crashes)
    assert crashes or len(world.got) == len(expected)


def test_the_state_survives_its_file_and_remembers_so_many():
    one, state = rule(0, slice={"model": "nova"}), State()
    for minute in range(RECENT + 5):
        state = decided(state, alert(one, verdict(minute)), ["log", "hook"])
    assert from_json(to_json(state)) == state
    assert len(state.recent) == RECENT
    assert state.last == state.recent[0].at == NOW + (RECENT + 4) * MINUTE
    assert len(without_old(state, NOW + timedelta(days=1, minutes=3)).open) == RECENT + 1


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"last": 1, "open": [], "recent": []}', '{"last": null, "open": [1]}']
)
def test_a_file_that_is_none_of_ours_is_a_value_error(text):
    with pytest.raises(ValueError):
        from_json(text)


def test_an_alert_says_what_was_found_and_is_the_same_each_time():
    one = rule(60, slice={"model": "nova"}, window="30m")
    found = alert(one, verdict(0))
    assert found.text == ("r: errors, model nova is 0.2 over the 30 minutes to 2026-11-26 09:30 UTC (n 40)")
    assert found == alert(one, verdict(0)) and found.id != alert(one, verdict(1)).id
    assert json.loads(json.dumps(found.as_dict()))["numbers"] == {"value": 0.2, "n": 40.0}


def test_the_newest_minute_is_whole_and_has_settled():
    assert newest_minute(NOW + timedelta(seconds=59), timedelta(minutes=2)) == NOW - 2 * MINUTE


def test_a_replay_counts_minutes_and_tells_as_the_job_would():
    faulty = Series([one for minute in range(120) for one in series(
        (NOW + minute * MINUTE, 20.0 if 30 <= minute < 90 else 0.0, 40.0)).minutes])  # fmt: skip
    one = rule(30, window="10m", at_least=40)
    found = replayed("r", one, faulty, NOW, NOW + 130 * MINUTE, share=True)
    # The ten minutes to 33 hold 3 faulty ones: 15 %; those to 98 hold 2.
    assert (found.minutes, found.fired) == (131, 98 - 33)
    # Not at NOW, where there is no minute yet, nor after 129, where the last one is out of the window.
    assert found.judged == 129
    assert [(each.at - NOW) / MINUTE for each in found.alerts] == [33, 63, 93]
    assert found.firing_share == 65 / 129
    assert found.alerts_a_week == pytest.approx(3 * 10080 / 131)
