"""One answer out of models that answer, refuse, fail, hang, drip and lie."""

from collections.abc import Iterator
from dataclasses import fields
from datetime import UTC, date, datetime
from itertools import repeat
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.config_assistant import Answers
from headrace.config_chat import Price
from headrace.context.answer import Answering, answer
from headrace.context.answered import Answer, cost
from headrace.errors import Fatal, Retryable
from headrace.ports import Throttled, Unacceptable
from headrace.ports_chat import ChatEnd, ChatRequest
from unit.chat.requests import request
from unit.chat.scripted import HANGS, Scripted, told

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PRICE = Price(input=1.0, output=10.0, cached=0.5, as_of=date(2026, 2, 1))
WORDS = {"expected": "an answer", "found": "none", "todo": "Wait."}
DONE = ChatEnd("done", 100, 20, 40)
AWAY, BUSY, LONG, GONE = Retryable(**WORDS), Throttled(**WORDS), Unacceptable(**WORDS), Fatal(**WORDS)


class Asked:
    """Runs answers and keeps the pauses; lets every model go at the end."""

    def __init__(self) -> None:
        self.pauses: list[float] = []
        self._models: list[Scripted] = []

    def start(self, *models: Scripted, price: Price | None = None, **limits: Any) -> Answering:
        self._models += models
        settings = Answers.model_validate({"timeout": "20s", "first_piece": "10s", **limits})
        return answer(told(*models, price=price), request(), settings, now=lambda: NOW, wait=self.pauses.append)

    def __call__(self, *models: Scripted, **more: Any) -> tuple[list[str], Answer]:
        running = self.start(*models, **more)
        return list(running), running.answer

    def close(self) -> None:
        for one in self._models:
            one.close()


@pytest.fixture
def ask() -> Iterator[Asked]:
    one = Asked()
    yield one
    one.close()


def failures(found: Answer) -> list[tuple[str, str | None]]:
    return [(one.model, one.failure) for one in found.tries]


def test_pieces_show_as_they_come_and_all_of_it_is_recorded(ask):
    pieces, found = ask(Scripted("a", ["Sixty ", "[p", "1], not [p7]", " fifty [p2]", DONE]), price=PRICE)
    assert pieces == ["Sixty", " [p1], not", " fifty [p2]"]
    assert found.text == "Sixty [p1], not fifty [p2]" == "".join(pieces)
    assert (found.outcome, found.ended, found.fallback) == ("answered", "done", False)
    assert (found.citations, found.invalid_citations) == (("p1", "p2"), ("p7",))
    assert (found.provider, found.model, found.started_at) == ("provider of a", "a", NOW)
    assert (found.input_tokens, found.output_tokens, found.cached_tokens) == (100, 20, 40)
    # 60 of the input at 1, 40 cached at 0.5, 20 of the output at 10, for a million.
    assert found.cost == pytest.approx((60 + 20 + 200) / 1e6)
    assert (found.currency, found.price_as_of) == ("USD", "2026-02-01")
    assert failures(found) == [("a", None)]
    assert found.seconds_to_first is not None and 0 <= found.seconds_to_first <= found.seconds


def test_every_field_of_the_record_is_documented():
    assert Answer.__doc__
    text = Answer.__doc__.replace(",", " ").replace(":", " ")
    assert [one.name for one in fields(Answer) if one.name not in text.split()] == []


@pytest.mark.parametrize(
    ("steps", "outcome", "text"),
    [
        (["Sorry.", ChatEnd("refused")], "refused", "Sorry."), ([ChatEnd("refused")], "refused", ""),
        ([ChatEnd("done")], "empty", ""), ([" ", "\n", ChatEnd("done")], "empty", " \n"),
        ([" [p9]", ChatEnd("done")], "empty", ""), (["Sixty, and", ChatEnd("length")], "answered", "Sixty, and"),
    ],
)  # fmt: skip
def test_a_refusal_and_an_empty_answer_are_answers_and_nobody_else_is_asked(ask, steps, outcome, text):
    second = Scripted("b", ["mine", DONE])
    _, found = ask(Scripted("a", steps), second)
    assert (found.outcome, found.text, found.model, found.ended) == (outcome, text, "a", steps[-1].reason)
    assert second.asked == [] and len(found.tries) == 1


@pytest.mark.parametrize("error", [AWAY, BUSY])
def test_a_passing_failure_is_tried_again_after_a_pause_that_doubles(ask, error):
    model = Scripted("a", [error], [error], ["Sixty", DONE])
    _, found = ask(model, attempts=3, retry_after="1s")
    assert (found.outcome, found.text, ask.pauses) == ("answered", "Sixty", [1.0, 2.0])
    kind = "throttled" if error is BUSY else "unavailable"
    assert failures(found) == [("a", kind), ("a", kind), ("a", None)]
    assert found.tries[0].error == "expected an answer; found none. Wait."
    assert found.fallback is False


def test_a_pause_that_the_service_names_is_kept_unless_it_is_longer_than_the_first_words_are_worth(ask):
    _, found = ask(Scripted("a", [Throttled(**WORDS, retry_after=3.0)], ["ok", DONE]))
    assert (ask.pauses, found.outcome) == ([3.0], "answered")
    _, found = ask(Scripted("a", [Throttled(**WORDS, retry_after=11.0)], ["no", DONE]), Scripted("b", ["ok", DONE]))
    assert ask.pauses == [3.0]
    assert (found.text, found.model, found.fallback) == ("ok", "b", True)


@pytest.mark.parametrize(("error", "kind"), [(LONG, "unacceptable"), (GONE, "fatal"), (KeyError("sk-1"), "unexpected")])
def test_a_lasting_failure_goes_to_the_next_model_at_once(ask, error, kind, caplog):
    _, found = ask(Scripted("a", [error], ["no", DONE]), Scripted("b", ["ok", DONE]), attempts=3)
    assert (found.text, found.model, found.fallback, ask.pauses) == ("ok", "b", True, [])
    assert failures(found) == [("a", kind), ("b", None)]
    assert "sk-1" not in repr(found) and "sk-1" not in caplog.text


def test_where_every_model_fails_the_answer_is_failed_and_says_why(ask):
    pieces, found = ask(Scripted("a", [AWAY], [AWAY]), Scripted("b", [GONE]), price=PRICE)
    assert pieces == []
    assert (found.outcome, found.text, found.model, found.provider, found.ended) == ("failed", "", None, None, None)
    assert (found.cost, found.currency, found.seconds_to_first) == (None, None, None)
    assert failures(found) == [("a", "unavailable"), ("a", "unavailable"), ("b", "fatal")]


@pytest.mark.parametrize("error", [AWAY, BUSY, GONE, ValueError("x")])
def test_a_stream_that_breaks_after_the_first_piece_fails_with_what_came(ask, error):
    second = Scripted("b", ["other", DONE])
    model = Scripted("a", ["Sixty [p1] eu", "ro [p", error], ["again", DONE])
    pieces, found = ask(model, second, price=PRICE)
    assert "".join(pieces) == found.text == "Sixty [p1] euro [p"
    assert (found.outcome, found.model, found.citations, found.cost) == ("failed", "a", ("p1",), None)
    assert len(model.asked) == 1 and second.asked == [] and len(found.tries) == 1


def test_a_stream_without_an_end_is_tried_again(ask):
    _, found = ask(Scripted("a", [], ["Sixty", DONE]))
    assert (found.text, failures(found)) == ("Sixty", [("a", "unavailable"), ("a", None)])


def test_a_model_that_hangs_before_its_first_piece_is_left_for_the_next(ask):
    hung = Scripted("a", [HANGS, "late", DONE])
    _, found = ask(hung, Scripted("b", ["ok", DONE]), first_piece="0.5s", attempts=1)
    assert (found.text, found.fallback) == ("ok", True)
    assert failures(found) == [("a", "timeout"), ("b", None)]
    hung.close()
    assert hung.left.wait(10), "its thread ends, and its stream is closed"


def test_a_model_that_hangs_after_a_piece_ends_the_answer_as_failed(ask):
    _, found = ask(Scripted("a", ["Sixty", HANGS]), Scripted("b", ["ok", DONE]), timeout="0.5s", first_piece="0.5s")
    assert (found.outcome, found.text, failures(found)) == ("failed", "Sixty", [("a", "timeout")])


def test_a_model_that_never_stops_is_stopped(ask):
    model = Scripted("a", repeat("la "))  # type: ignore[arg-type]
    pieces, found = ask(model, timeout="0.5s", first_piece="0.5s")
    assert (found.outcome, failures(found)) == ("failed", [("a", "timeout")])
    assert "".join(pieces) == found.text and found.text.startswith("la la")
    assert model.left.wait(10)


def test_no_model_is_asked_when_the_time_is_up(ask):
    hung, second = Scripted("a", [HANGS], [HANGS]), Scripted("b", ["ok", DONE])
    _, found = ask(hung, second, timeout="0.1s", first_piece="0.1s")
    assert (found.outcome, second.asked, failures(found)) == ("failed", [], [("a", "timeout")])


def test_nobody_reads_on(ask):
    model = Scripted("a", ["Sixty ", "[p1] ", "euro", HANGS])
    running = ask.start(model)
    assert next(running) == "Sixty"
    running.stop()
    assert list(running) == []
    assert (running.answer.outcome, running.answer.text) == ("failed", "Sixty")
    assert failures(running.answer) == [("a", "left")]
    unread = ask.start(Scripted("b", ["x", DONE]))
    unread.stop()
    assert (unread.answer.outcome, unread.answer.tries) == ("failed", ())


def test_the_record_can_be_asked_for_without_reading(ask):
    running = ask.start(Scripted("a", ["Sixty", DONE]))
    assert running.answer.text == "Sixty" and running.answer is running.answer


@pytest.mark.parametrize(
    ("price", "end", "amount"),
    [
        (PRICE, ChatEnd("done", 1_000_000, 0, 0), 1.0),
        (PRICE, ChatEnd("done", 1_000_000, 100_000, 1_000_000), 1.5),
        (PRICE, ChatEnd("done", 10, 0, 30), 5e-6),
        (PRICE.model_copy(update={"cached": None}), ChatEnd("done", 1_000_000, 0, 500_000), 1.0),
        (PRICE, ChatEnd("done", None, 5), None),
        (PRICE, ChatEnd("done", 5, None), None),
    ],
)
def test_cost(price, end, amount):
    assert cost(price, end) == (pytest.approx(amount) if amount is not None else None)


steps = st.one_of(
    st.sampled_from(["Sixty", " [p1]", " [p", "9] ", "[p2", "]", " ", ""]),
    st.sampled_from([DONE, ChatEnd("refused"), ChatEnd("length"), AWAY, BUSY, LONG, GONE]),
)
scripts = st.lists(st.lists(st.lists(steps, max_size=5), min_size=2, max_size=2), min_size=1, max_size=3)


def expected(calls: list[list[list[Any]]]) -> tuple[str, int | None, int]:
    """The outcome, which model said it, and the number of calls: as slow and plain as can be."""
    count = 0
    for number, model in enumerate(calls):
        for call in model:
            count += 1
            said, last = "", None
            for step in call:
                if isinstance(step, str):
                    said += step
                else:
                    last = step
                    break
            if isinstance(last, ChatEnd):
                shown = said.replace("[p9]", "").replace(" [p9]", "").strip()
                answered = "answered" if shown else "empty"
                return "refused" if last.reason == "refused" else answered, number, count
            if said:
                return "failed", number, count
            if isinstance(last, Unacceptable | Fatal):
                break
    return "failed", None, count


@given(scripts)
def test_whatever_models_do_the_record_says_it_and_only_given_items_are_cited(calls):
    models = [Scripted(str(number), *one) for number, one in enumerate(calls)]
    asked: ChatRequest = request()
    settings = Answers.model_validate({"attempts": 2, "retry_after": "0s"})
    running = answer(told(*models), asked, settings, wait=lambda _: None)
    pieces, found = list(running), running.answer
    outcome, speaker, count = expected(calls)
    assert (found.outcome, found.model, len(found.tries)) == (outcome, None if speaker is None else str(speaker), count)
    assert "".join(pieces) == found.text and all(pieces)
    assert set(found.citations) <= {"p1", "p2"} and set(found.invalid_citations) <= {"p9"}
    assert "[p9]" not in found.text
    assert [one.failure for one in found.tries].count(None) == (found.ended is not None)
