"""Acts side by side: what they say shows at once, what they tell one after the other."""

import threading

import pytest

from headrace.pipelines.demo_clock import Clock, side_by_side


def test_acts_play_at_the_same_time_and_are_told_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    met = threading.Barrier(2, timeout=30)
    second_told = threading.Event()

    def first(say: Clock) -> bool:
        met.wait()
        second_told.wait(30)
        say.tell("first", "")
        return True

    def second(say: Clock) -> bool:
        met.wait()
        say("happened")
        say.tell("second")
        second_told.set()
        return True

    assert side_by_side(Clock(), [first, second])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith(" s] happened")
    assert lines[1:] == ["first", "", "second"]


def test_one_act_that_goes_wrong_counts() -> None:
    assert not side_by_side(Clock(), [lambda say: True, lambda say: False])


def test_what_made_an_act_fail_is_raised_after_all_have_ended() -> None:
    ended = []

    def fails(say: Clock) -> bool:
        raise ValueError("the cause")

    def ends(say: Clock) -> bool:
        ended.append(True)
        return True

    with pytest.raises(ValueError, match="the cause"):
        side_by_side(Clock(), [fails, ends])
    assert ended == [True]
