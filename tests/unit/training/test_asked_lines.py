"""What a line asks, whatever format it is in."""

from dataclasses import replace

import pytest

from headrace.ports_chat import ChatMessage
from headrace.training.asked_lines import Question, question_of
from headrace.training.formats import FORMATS
from unit.training.some_examples import example, turns_for

SPOKEN = [one for one in FORMATS.values() if one.kinds != ("text",)]
ASKED = [{"role": "user", "content": "a"}]


@pytest.mark.parametrize("format", SPOKEN, ids=lambda one: one.name)
def test_every_format_gives_back_the_question_and_the_good_answer(format):
    given = example(format.kinds[0], 1, turns_for(format))
    found = question_of(format.line(given))
    assert found is not None
    assert found.reference == (given.chosen or given.completion)
    assert found.messages[-1].role == "user" and given.messages[-1].content in found.messages[-1].text
    assert "Dogs under 8 kg travel free." in found.system + found.messages[-1].text, "what was retrieved is there"
    if format.name != "jumpstart_instruction":
        assert found.system.startswith("You answer travellers.")
        assert found.messages == tuple(ChatMessage(one.role, one.content) for one in given.messages)


def test_the_preferred_of_two_candidates_is_the_good_answer_in_either_order():
    line = FORMATS["sagemaker_dpo"].line(example("dpo", 1))
    both = line["messages"][-1]["candidates"]
    answers = []
    for candidates in (both, both[::-1]):
        line["messages"][-1]["candidates"] = candidates
        answers.append(question_of(line).reference)
    assert answers == [example("dpo", 1).chosen] * 2


def test_without_a_system_text_there_is_none():
    given = replace(example("sft", 1, 1), system=None, context=None)
    for name in ("trl_sft", "converse", "openai_chat"):
        found = question_of(FORMATS[name].line(given))
        assert found == Question("", (ChatMessage("user", given.messages[0].content),), given.completion), name


@pytest.mark.parametrize(
    "line",
    [
        {"prompt": ASKED, "completion": [{"role": "assistant", "content": "b"}], "label": False},
        {"text": "Of the field."},
        {"messages": [{"role": "user", "content": "never answered"}]},
        {"messages": [{"role": "assistant", "content": "never asked"}]},
        {"prompt": "plain text", "completion": "b"},
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "  "}]},
        {},
    ],
)
def test_a_line_without_a_question_or_a_good_answer_asks_nothing(line):
    assert question_of(line) is None
