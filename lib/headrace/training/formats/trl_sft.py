"""TRL's SFTTrainer: prompt and completion as messages, so that the completion alone is learnt."""

from collections.abc import Iterator
from typing import Any

from headrace.training.example import Example
from headrace.training.formats import chat_rules, prompts, rules
from headrace.training.formats.format import Format
from headrace.training.formats.rules import Violation
from headrace.training.limits import Limits


def _write(example: Example) -> dict[str, Any]:
    answer = {"role": "assistant", "content": example.completion}
    return {"prompt": prompts.chat(example), "completion": [answer]}


def _check(value: Any, limits: Limits) -> Iterator[Violation]:
    found = yield from rules.fields(value, "$", ("prompt", "completion"))
    said = (yield from chat_rules.messages(found["prompt"], "$.prompt", "user")) if "prompt" in found else []
    if "completion" in found:
        said += yield from chat_rules.answer(found["completion"], "$.completion")
    yield from chat_rules.whole(said, limits)


FORMAT = Format("trl_sft", "TRL, SFTTrainer", ("sft",), _write, _check)
