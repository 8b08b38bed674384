"""`headrace ask` over the travel company's passages in a real embedded index. No Spark."""

import json
from pathlib import Path

import pytest

from headrace import cli
from headrace.config_knowledge import StaticEmbed
from headrace.conversations.events import checked
from headrace.errors import Unreachable
from headrace.stores.embedders import embedder
from retrieval_world import index
from unit.chat.openai_stream import chunk, sse
from unit.embedders.model_server import Reply, model_server

STREAM = {"Content-Type": "text/event-stream"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ask")
    index(folder, embedder(StaticEmbed())).close()
    (folder / "notes").mkdir()
    return folder


def settings(world: Path, assistant: str = "") -> str:
    (file,) = world.glob("*.db")
    path = world / "headrace.yaml"
    path.write_text(
        f"lake: ./lake\nknowledge:\n  documents: {{notes: {{from: folder, path: ./notes}}}}\n"
        f"  indexes: {{main: {{store: sqlite, path: {file}}}}}\n{assistant}",
        encoding="utf-8",
    )
    return str(path)


def test_it_answers_with_quotes_and_lists_what_it_cites(world, capsys):
    assert cli.main(["ask", "How long is a voucher valid?", "--config", settings(world)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Quoted from what I was given, not written by a language model:")
    assert "“A voucher is valid for 18 months, may be used in parts and by anyone you give its number to.” [p1]" in said
    assert "\n[p1] Cancelled and delayed flights, refunds > Vouchers (policies)\n" in said
    assert "answered by extractive in " in said


def test_passages_ask_no_model(world, capsys):
    assistant = 'assistant: {model: {provider: openai, url: "http://127.0.0.1:9/v1", model: m}}\n'
    assert cli.main(["ask", "voucher", "--passages", "--limit", "2", "--config", settings(world, assistant)]) == 0
    assert capsys.readouterr().out.endswith("2 passages\n")


def test_a_model_gets_the_passages_and_what_it_may_not_cite_or_print_is_left_out(world, capsys, monkeypatch):
    answer = [chunk("18 months [p1], "), chunk("see [p77].\x1b[31m"), chunk("", "stop")]
    monkeypatch.setenv("CHAT_KEY", "sk-hidden")
    with model_server() as server:
        server.answer = lambda call: Reply(headers=STREAM, parts=(sse(*answer),))
        model = f"{{provider: openai, url: '{server.url}', model: m, key: {{secret: env:CHAT_KEY}}}}"
        config = settings(world, f"assistant: {{model: {model}}}\n")
        assert cli.main(["ask", "How long is a voucher valid?", "--limit", "3", "--config", config]) == 0
    said = capsys.readouterr()
    assert said.out.startswith("18 months [p1], see. [31m\n\n[p1] Cancelled and delayed flights")
    assert "left out citations of what was not given: p77" in said.out
    assert "sk-hidden" not in said.out + said.err and "\x1b" not in said.out
    system, question = server.calls[0].body["messages"]
    assert question == {"role": "user", "content": "How long is a voucher valid?"}
    lines = [json.loads(line) for line in system["content"].splitlines() if line.startswith("{")]
    assert [line["id"] for line in lines] == ["p1", "p2", "p3"]
    assert "A voucher is valid for 18 months" in system["content"]


def test_a_model_that_does_not_answer_ends_with_1_and_says_why(world, capsys):
    with model_server() as server:
        server.answer = lambda call: Reply(401, b"who are you?")
        config = settings(world, f"assistant: {{model: {{provider: openai, url: '{server.url}', model: m}}}}\n")
        assert cli.main(["ask", "voucher", "--config", config]) == 1
        said = capsys.readouterr()
        assert "failed by nobody" in said.out and "401 who are you?" in said.err
        assert "Check assistant.model.key" in said.err
        assert cli.main(["ask", "voucher", "--json", "--config", config]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["outcome"], found["tries"][0]["failure"]) == ("failed", "fatal")


def test_json_holds_the_answer_and_its_items(world, capsys):
    assert cli.main(["ask", "How long is a voucher valid?", "--json", "--limit", "2", "--config", settings(world)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["outcome"], found["citations"][0], found["model"]) == ("answered", "p1", "extractive")
    assert [item["id"] for item in found["context"]["items"]] == ["p1", "p2"]


def test_a_conversation_is_remembered_and_told(world, capsys, tmp_path):
    answers = iter(["It is valid for 18 months [p1].", "Yes, in parts."])
    with model_server() as server:
        server.answer = lambda call: Reply(headers=STREAM, parts=(sse(chunk(next(answers)), chunk("", "stop")),))
        config = settings(
            world,
            f"assistant:\n  model: {{provider: openai, url: '{server.url}', model: m}}\n"
            f"  conversations: {{store: {{store: sqlite, path: {tmp_path / 'c.db'}}}}}\n"
            f"  events: {{to: files, path: {tmp_path / 'events'}}}\n",
        )
        first, second = "How long is a voucher valid?", "May I use it twice?"
        assert cli.main(["ask", first, "--conversation", "c1", "--config", config]) == 0
        capsys.readouterr()
        assert cli.main(["ask", second, "--conversation", "c1", "--json", "--config", config]) == 0
        told = json.loads(capsys.readouterr().out)
    assert (told["conversation"], told["turn"]) == ("c1", 2)
    assert [(one["role"], one["content"]) for one in server.calls[1].body["messages"][1:]] == [
        ("user", first), ("assistant", "It is valid for 18 months."), ("user", second),
    ]  # fmt: skip
    lines = [line for file in sorted((tmp_path / "events").rglob("*.jsonl")) for line in file.read_text().splitlines()]
    turns = [checked(json.loads(line)) for line in lines]
    assert [(one.conversation, one.turn, one.question, one.citations) for one in turns] == [
        ("c1", 1, first, ("p1",)), ("c1", 2, second, ()),
    ]  # fmt: skip
    assert turns[0].items[0].source == "policies" and turns[0].items[0].text is None
    assert (turns[0].model, turns[0].prompt) == ("m", turns[1].prompt)


def test_a_conversation_without_a_store_is_refused_before_anything_is_asked(world, capsys):
    assert cli.main(["ask", "voucher", "--conversation", "c1", "--config", settings(world)]) == 2
    assert "assistant.conversations: expected a store; found none" in capsys.readouterr().err


def test_an_answer_shows_even_where_it_cannot_be_remembered(world, capsys, tmp_path, monkeypatch):
    def away(self, *given, **more):
        raise Unreachable(expected="a store", found="nothing", todo="Wait.")

    monkeypatch.setattr("headrace.conversations.store.Conversations.add", away)
    assistant = (
        f"assistant:\n  conversations: {{store: {{store: sqlite, path: {tmp_path / 'c.db'}}}}}\n"
        f"  events: {{to: files, path: {tmp_path / 'events'}}}\n"
    )
    question = "How long is a voucher valid?"
    assert cli.main(["ask", question, "--conversation", "c1", "--config", settings(world, assistant)]) == 0
    said = capsys.readouterr()
    assert "18 months" in said.out and "not remembered: expected a store" in said.err
    (file,) = (tmp_path / "events").rglob("*.jsonl")
    turn = checked(json.loads(file.read_text()))
    assert turn.conversation.startswith("unremembered-") and (turn.question, turn.outcome) == ("", "answered")


def test_a_single_question_is_told_too(world, capsys, tmp_path):
    assistant = f"assistant: {{events: {{to: files, path: {tmp_path / 'events'}, texts: true}}}}\n"
    assert cli.main(["ask", "How long is a voucher valid?", "--config", settings(world, assistant)]) == 0
    (file,) = (tmp_path / "events").rglob("*.jsonl")
    turn = checked(json.loads(file.read_text()))
    assert (turn.turn, turn.model, len(turn.conversation)) == (1, "extractive", 32)
    assert "18 months" in turn.items[0].text
