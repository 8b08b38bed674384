"""`headrace dataset evaluate`: two models on a server of this machine are asked the test split."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from headrace.cli import main
from headrace.errors import Fatal, Unreachable
from headrace.pipelines.dataset_evaluating import ATTEMPTS, ask, compared
from headrace.ports import Throttled, Unacceptable
from headrace.ports_chat import ChatEnd, ChatMessage
from headrace.training.asked_lines import Question
from unit.chat.openai_stream import chunk, sse
from unit.chat.scripted import Scripted
from unit.cli.conftest import SmallLake
from unit.cli.dataset_world import SETTINGS, folders, printed, tell, version
from unit.cli.small_world import lines
from unit.embedders.model_server import Call, ModelServer, Reply, model_server

NEW = "ab22"
EVALUATE = """
      evaluate:
        tuned: {{provider: openai, url: '{url}', model: tuned}}
        base: {{provider: openai, url: '{url}', model: base}}
"""
QUESTION = Question("Be kind.", (ChatMessage("user", "May my dog come?"),), "Yes, it may.")
BUSY = {"expected": "an answer", "found": "too many", "todo": "Wait."}


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with model_server() as one:
        yield one


@pytest.fixture
def written(small: SmallLake, server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> SmallLake:
    monkeypatch.setenv("DATASETS_KEY", "a key for tests only")
    server.calls.clear()
    tell(small, version(NEW, 0, folder=folders(small.folder / "exports", NEW, ("trl_sft",)), formats=["trl_sft"]))
    settings = SETTINGS.rstrip() + EVALUATE.format(url=server.url)
    Path(small.settings).write_text(settings.replace("[trl_sft, nova]", "[trl_sft]"))
    return small


def streamed(text: str, **usage: int) -> Reply:
    told = {"choices": [], "usage": usage} if usage else None
    body = sse(chunk(text), chunk("", "stop"), *([told] if told else []))
    return Reply(headers={"Content-Type": "text/event-stream"}, body=body)


def number(call: Call) -> str:
    return str(call.body["messages"][-1]["content"]).rstrip("?").split()[-1]


def learned(call: Call) -> Reply:
    """The tuned one says what people liked, but once; the base refuses."""
    if call.body["model"] == "base":
        return streamed("I'm sorry, but I can't help with that.", prompt_tokens=20, completion_tokens=9)
    if number(call) == "17":
        return streamed("No.")
    return streamed(
        f"Yes, a dog under 8 kg travels free on flight {number(call)}.", prompt_tokens=20, completion_tokens=9
    )


def evaluate(small: SmallLake, *arguments: str) -> int:
    return main(["dataset", "evaluate", "support", *arguments, "--config", small.settings])


def test_both_are_asked_every_question_of_the_test_split_and_compared(written, server, capsys):
    server.answer = learned
    assert evaluate(written, "--json") == 0
    found = printed(capsys)
    assert (found["version"], found["questions"]) == (NEW, 4)
    tuned, base = found["tuned"], found["base"]
    assert (tuned["rates"]["exact"]["value"], base["rates"]["exact"]["value"]) == (0.75, 0.0)
    assert (tuned["rates"]["refused"]["value"], base["rates"]["refused"]["value"]) == (0.0, 1.0)
    # Wilson's interval of 3 in 4.
    assert tuned["rates"]["exact"]["low"] == pytest.approx(0.3006, abs=1e-3)
    assert tuned["rates"]["exact"]["high"] == pytest.approx(0.9544, abs=1e-3)
    assert tuned["overlap"] == pytest.approx(0.75)
    assert (base["input_tokens"], base["output_tokens"]) == (80, 36)
    assert tuned["input_tokens"] is None, "the service did not count all of them"
    assert found["difference"]["exact"] == {"tuned_only": 3, "base_only": 0}
    assert found["difference"]["overlap"]["better"] == 3
    asked = {json.dumps(call.body["messages"]) for call in server.calls}
    assert (len(server.calls), len(asked)) == (8, 4)
    roles = [one["role"] for one in server.calls[0].body["messages"]]
    assert roles == ["system", "user", "assistant", "user"], "earlier turns are part of the question"
    assert sorted({number(call) for call in server.calls}) == ["16", "17", "18", "19"], "the test split and no other"


def test_for_people_and_only_so_many(written, server, capsys):
    server.answer = learned
    assert evaluate(written, "--limit", "1") == 0
    out = lines(capsys.readouterr().out)
    assert out[0] == "support ab22: 1 questions of the test split; fewer than 30, too few to trust"
    assert out[2] == "measure tuned base tuned against base"
    assert any(line.startswith("the same words 100.0% (20.7% to 100.0%) 0.0% (0.0% to 79.3%) 1 to 0") for line in out)
    assert len(server.calls) == 2


def test_an_error_of_one_answer_is_counted_and_the_rest_goes_on(written, server, capsys):
    def broken(call: Call) -> Reply:
        if number(call) == "16" and call.body["model"] == "base":
            return Reply(400, b'{"error": {"message": "too long", "code": "context_length_exceeded"}}')
        return learned(call)

    server.answer = broken
    assert evaluate(written, "--json") == 0
    found = printed(capsys)
    assert (found["base"]["rates"]["error"]["value"], found["tuned"]["rates"]["error"]["value"]) == (0.25, 0.0)
    assert found["base"]["rates"]["refused"]["value"] == 0.75, "an error is no refusal"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (
            ["--model", "better"],
            2,
            "datasets.sets.support.evaluate: expected one of the models base, tuned; found better",
        ),
        (["--version", "zz"], 1, "support: expected a version; found zz"),
    ],
)
def test_names_that_are_none(written, capsys, arguments, code, said):
    assert evaluate(written, *arguments) == code
    assert said in capsys.readouterr().err


def test_a_version_without_a_test_split(written, capsys):
    tell(written, version("ff00", 3, folder=folders(written.folder / "bare", "ff00", ("trl_sft",), test=0)))
    Path(written.settings).write_text(SETTINGS.rstrip() + EVALUATE.format(url="http://127.0.0.1:9/v1"))
    assert evaluate(written, "--version", "ff") == 1
    assert "support ff00: expected a test split with questions; found none" in capsys.readouterr().err


def test_a_revoked_version_is_not_asked(written, server, capsys):
    at = version(NEW, 9)["slot"]
    settings = Path(written.settings).read_text()
    tell(written, version(NEW, 9, folder=str(written.folder / "exports"), revoked_at=at, revoked_why="erased"))
    Path(written.settings).write_text(settings)
    assert evaluate(written, "--version", NEW) == 1
    assert "found revoked at 2026-03-10 00:00: erased" in capsys.readouterr().err and not server.calls


def test_a_busy_service_is_asked_again_after_the_pause_it_wants():
    model = Scripted("m", [Throttled(**BUSY, retry_after=7.0)], [Unreachable(**BUSY)], ["Yes", ChatEnd("done", 5, 1)])
    waited: list[float] = []
    found = ask(model, QUESTION, waited.append)
    assert (found.text, found.error, found.input_tokens) == ("Yes", None, 5)
    assert waited == [7.0, 2.0]
    assert [one.system for one in model.asked] == ["Be kind."] * 3


def test_a_service_that_stays_busy_is_an_error_of_the_question_and_a_fatal_one_of_all():
    waited: list[float] = []
    given_up = ask(Scripted("m", *[[Unreachable(**BUSY)]] * ATTEMPTS), QUESTION, waited.append)
    assert (given_up.error, len(waited)) == ("Unreachable: too many", ATTEMPTS - 1)
    assert ask(Scripted("m", [Unacceptable(**BUSY)]), QUESTION).error == "Unacceptable: too many"
    with pytest.raises(Fatal):
        compared([QUESTION], Scripted("m", [Fatal(**BUSY)]), Scripted("b", ["a", ChatEnd("done")]), 1)


def test_what_ended_early_is_told_apart():
    calls: list[Callable[[], list[object]]] = [lambda: ["Yes, it", ChatEnd("length")], lambda: [ChatEnd("refused")]]
    cut, refused = (ask(Scripted("m", call()), QUESTION) for call in calls)
    assert (cut.text, cut.cut, cut.refused) == ("Yes, it", True, False)
    assert (refused.text, refused.cut, refused.refused) == ("", False, True)
