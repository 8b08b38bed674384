"""TRL's KTOTrainer: an answer, and whether it was good."""

from collections.abc import Iterator
from typing import Any

from headrace.training.example import Example
from headrace.training.formats import chat_rules, prompts, rules
from headrace.training.formats.format import Format
from headrace.training.formats.rules import Violation
from headrace.training.limits import Limits


def _write(example: Example) -> dict[str, Any]:
    answer = {"role": "assistant", "content": example.completion}
    return {"prompt": prompts.chat(example), "completion": [answer], "label": example.label}


def _check(value: Any, limits: Limits) -> Iterator[Violation]:
    found = yield from rules.fields(value, "$", ("prompt", "completion", "label"))
    said = (yield from chat_rules.messages(found["prompt"], "$.prompt", "user")) if "prompt" in found else []
    if "completion" in found:
        said += yield from chat_rules.answer(found["completion"], "$.completion")
    if "label" in found and not isinstance(found["label"], bool):
        todo = "Write it without quotes."
        yield Violation("label", "$.label", "true or false", rules.kind(found["label"]), todo)
    yield from chat_rules.whole(said, limits)


def _label(value: Any) -> bool | None:
    found = value.get("label") if isinstance(value, dict) else None
    return found if isinstance(found, bool) else None


FORMAT = Format("trl_kto", "TRL, KTOTrainer", ("kto",), _write, _check, label=_label)
