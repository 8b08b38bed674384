"""TRL's DPOTrainer: an explicit prompt, a chosen and a rejected answer, as messages."""

from collections.abc import Iterator
from typing import Any

from headrace.training.example import Example
from headrace.training.formats import chat_rules, prompts, rules
from headrace.training.formats.format import Format
from headrace.training.formats.rules import Said, Violation
from headrace.training.limits import Limits

_ANSWERS = ("chosen", "rejected")


def _write(example: Example) -> dict[str, Any]:
    answers = {name: [{"role": "assistant", "content": getattr(example, name)}] for name in _ANSWERS}
    return {"prompt": prompts.chat(example), **answers}


def _check(value: Any, limits: Limits) -> Iterator[Violation]:
    found = yield from rules.fields(value, "$", ("prompt", *_ANSWERS))
    said = (yield from chat_rules.messages(found["prompt"], "$.prompt", "user")) if "prompt" in found else []
    texts: list[str] = []
    for name in _ANSWERS:
        if name in found:
            texts += [each for one in (yield from chat_rules.answer(found[name], f"$.{name}")) for each in one.texts]
    if len(texts) == 2:
        yield from rules.differ(texts[0], texts[1], "$")
    yield from chat_rules.whole([*said, Said("$", "assistant", tuple(texts))], limits)


FORMAT = Format("trl_dpo", "TRL, DPOTrainer", ("dpo",), _write, _check)
