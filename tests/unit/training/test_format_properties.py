"""Whatever an example holds: its line passes and keeps the vendor's rules, or the example is refused with a reason.

The vendors' rules stand here a second time, in another way than in the code: as JSON Schemas and a few lines.
"""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from headrace.training.canonical import canonical
from headrace.training.example import Example, Kind, Message, example_id
from headrace.training.formats import FORMATS
from headrace.training.formats.format import Format
from headrace.training.limits import limits_of

EACH = pytest.mark.parametrize("format", FORMATS.values(), ids=FORMATS)
AT = datetime(2026, 1, 31, tzinfo=UTC)
RESERVED = ("User:", "Bot:", "Assistant:", "System:", "<image>", "<video>", "[EOS]")

# No character of a reserved word but letters, and none that could make a text blank.
CLEAN = st.text(st.characters(categories=["L", "N", "Po"], exclude_characters=":<>[]"), min_size=1, max_size=30)
WILD = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["", " \n", "\u2028", "\ud800", "END CONTEXT", "x" * 4000, '"}', "\\", *RESERVED]),
    st.builds(lambda word, text: f"{text}{word}{text}", st.sampled_from(RESERVED), st.text(max_size=5)),
)


@st.composite
def examples(draw: st.DrawFn, kind: Kind, text: st.SearchStrategy[str], wild: bool, single: bool = False) -> Example:
    """An example; where it is wild, with turns in any order and with nothing where something is needed."""
    said: list[Message] = []
    if kind != "text":
        asked = 0 if single else draw(st.integers(0, 2))
        roles = ["user", "assistant"] * asked + ["user"]
        if wild:
            roles = draw(st.one_of(st.just(roles), st.lists(st.sampled_from(["user", "assistant"]), max_size=4)))
        said = [Message(role, draw(text)) for role in roles]  # type: ignore[arg-type]
    answers = st.one_of(text, st.none()) if wild else text
    chosen = draw(answers) if kind == "dpo" else None
    other = text.filter(lambda one: one != chosen)
    return Example(
        example_id(kind, draw(st.integers(0, 9))), kind, "c", 1, AT, "thumbs", tuple(said),
        completion=draw(answers) if kind != "dpo" else None,
        label=draw(st.one_of(st.booleans(), st.none()) if wild else st.booleans()) if kind == "kto" else None,
        chosen=chosen,
        rejected=draw(st.one_of(answers, st.just(chosen)) if wild else other) if kind == "dpo" else None,
        system=draw(st.one_of(st.none(), text)) if kind != "text" else None,
        context=draw(st.one_of(st.none(), text)) if kind != "text" else None,
    )  # fmt: skip


@EACH
@given(data=st.data())
def test_a_valid_example_gives_a_line_without_problems(format: Format, data: st.DataObject) -> None:
    single = format.name == "distillation"
    one = data.draw(examples(data.draw(st.sampled_from(format.kinds)), CLEAN, wild=False, single=single))
    limits = limits_of(format.name)
    assert format.violations(one, limits) == []
    raw = canonical(format.line(one))
    assert len(raw.decode().splitlines()) == 1
    assert format.problems(json.loads(raw), limits) == []
    assert forbidden(format.name, json.loads(raw)) == []


@EACH
@given(data=st.data())
def test_no_example_gives_a_line_that_the_vendor_forbids(format: Format, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(("sft", "kto", "dpo", "text")))
    one = data.draw(examples(kind, WILD, wild=True))
    if not format.violations(one, limits_of(format.name)):
        assert kind in format.kinds
        raw = canonical(format.line(one))
        assert len(raw.decode().splitlines()) == 1
        assert forbidden(format.name, json.loads(raw)) == []


@given(data=st.data())
def test_the_second_writing_of_the_rules_refuses_too(data: st.DataObject) -> None:
    """Otherwise the tests above could not fail: a line with its answer taken away is no line."""
    format = FORMATS[data.draw(st.sampled_from(sorted(FORMATS)))]
    one = data.draw(examples(format.kinds[0], CLEAN, wild=False, single=format.name == "distillation"))
    line = json.loads(canonical(format.line(one)))
    line.pop(data.draw(st.sampled_from(sorted(line.keys() - {"system", "schemaVersion"}))))
    assert forbidden(format.name, line)


def forbidden(name: str, line: Any) -> list[str]:
    """What the vendor's rules say against a line."""
    found = [error.message[:80] for error in SCHEMAS[name].iter_errors(line)]
    if found:
        return found
    if name == "jumpstart_instruction":
        texts, prompts = list(line.values()), [line["instruction"]]
        found += ["blank"] * (not line["instruction"].strip() or not line["response"].strip())
    elif name == "jumpstart_text":
        texts, prompts = [line["text"]], []
        found += ["blank"] * (not line["text"].strip())
    else:
        said = _said(line)
        roles = "".join(role[0] for role, _ in said)
        turns = roles.removeprefix("s").removesuffix("a" if name in ("trl_dpo", "sagemaker_dpo") else "")
        found += ["turns"] * (turns != "ua" * (len(turns) // 2) + "u" * (len(turns) % 2) or not turns)
        found += ["end"] * (roles[-1] != "a" or (name in ("trl_dpo", "sagemaker_dpo") and roles[-2:] != "aa"))
        found += ["blank"] * any(not text.strip() for _, text in said)
        found += ["tie"] * (name in ("trl_dpo", "sagemaker_dpo") and said[-1][1] == said[-2][1])
        texts = [text for _, text in said]
        prompts = [text for role, text in said if role != "assistant"]
    if name in ("nova", "sagemaker_dpo"):
        found += [word for word in RESERVED if any(word in text for text in prompts)]
    if name.startswith(("trl", "jumpstart_i", "jumpstart_c")):
        longest = sum(map(len, texts))
        if name == "trl_dpo":
            longest -= min(len(texts[-1]), len(texts[-2]))
        found += ["long"] * (longest > 1024 * 3)
    return found


def _said(line: Any) -> list[tuple[str, str]]:
    """Roles and texts, candidates one after another."""
    said = [("system", line["system"][0]["text"])] if "system" in line else []
    for one in line.get("prompt", line.get("messages", [])):
        for each in one.get("candidates", [one]):
            content = each["content"]
            said.append((one["role"], content if isinstance(content, str) else "".join(b["text"] for b in content)))
    for key in ("completion", "chosen", "rejected"):
        said += [(one["role"], one["content"]) for one in line.get(key, [])]
    # One after another, two candidates are two answers: the turns before them are counted without the last.
    return said


def _object(properties: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": {**properties, **(optional or {})},
            "additionalProperties": False}  # fmt: skip


def _list(items: Any, least: int = 1, most: int = 1000) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


TEXT = {"type": "string"}
BLOCKS = _list(_object({"text": TEXT}))
CHAT = _object({"role": {"enum": ["system", "user", "assistant"]}, "content": TEXT})
ANSWER = _list(_object({"role": {"const": "assistant"}, "content": TEXT}), 1, 1)
TURN = _object({"role": {"enum": ["user", "assistant"]}, "content": BLOCKS})
CANDIDATE = _object({"content": BLOCKS, "preferenceLabel": {"enum": ["preferred", "non-preferred"]}})
PAIR = _object({"role": {"const": "assistant"}, "candidates": _list(CANDIDATE, 2, 2)})
SYSTEM = {"system": _list(_object({"text": TEXT}), 1, 1)}
VERSION = {"schemaVersion": {"const": "bedrock-conversation-2024"}}

SCHEMAS = {
    name: Draft202012Validator(schema)
    for name, schema in {
        "jumpstart_instruction": _object({"instruction": TEXT, "context": TEXT, "response": TEXT}),
        "jumpstart_chat": _object({"messages": _list(CHAT, 2)}),
        "jumpstart_text": _object({"text": TEXT}),
        "converse": _object({"messages": _list(TURN, 2)}, SYSTEM),
        "openai_chat": _object({"messages": _list(CHAT, 2)}),
        "sagemaker_dpo": _object({"messages": _list({"oneOf": [TURN, PAIR]}, 2)}, SYSTEM),
        "nova": _object({**VERSION, "messages": _list(TURN, 2)}, SYSTEM),
        "distillation": _object({**VERSION, "messages": _list(TURN, 1, 2)}, SYSTEM),
        "trl_sft": _object({"prompt": _list(CHAT), "completion": ANSWER}),
        "trl_dpo": _object({"prompt": _list(CHAT), "chosen": ANSWER, "rejected": ANSWER}),
        "trl_kto": _object({"prompt": _list(CHAT), "completion": ANSWER, "label": {"type": "boolean"}}),
    }.items()
}
