"""Preferences for SageMaker AI model customization and Nova (DPO): the last message holds two candidates."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from headrace.training.example import Example
from headrace.training.formats import converse_rules, prompts, rules
from headrace.training.formats.format import Format
from headrace.training.formats.rules import Rule, Said, Violation
from headrace.training.limits import Limits

_LABELS = ("preferred", "non-preferred")


def _write(example: Example) -> dict[str, Any]:
    candidates = [
        {"content": prompts.blocks(text or ""), "preferenceLabel": label}
        for text, label in zip((example.chosen, example.rejected), _LABELS, strict=True)
    ]
    return prompts.converse(example, {"role": "assistant", "candidates": candidates})


def _check(value: Any, limits: Limits) -> Iterator[Violation]:
    found = yield from rules.fields(value, "$", ("messages",), ("system", "schemaVersion"))
    if "schemaVersion" in found:
        yield from converse_rules.schema(found["schemaVersion"], exact=False)
    said = (yield from converse_rules.system(found["system"])) if "system" in found else []
    if "messages" in found:
        listed = yield from rules.items(found["messages"], "$.messages", 2)
        turns = []
        for number, one in enumerate(listed):
            check = _pair if number == len(listed) - 1 else converse_rules.message
            turns += yield from check(one, f"$.messages[{number}]")
        if listed and len(turns) == len(listed):
            yield from rules.turns(turns, "$.messages", "assistant")
        said += turns
    yield from rules.reserved(said, limits)
    yield from rules.size(said, limits)


def _pair(value: Any, at: str) -> Rule[list[Said]]:
    found = yield from rules.fields(value, at, ("role", "candidates"))
    role = None
    if "role" in found:
        role = yield from rules.one_of(found["role"], f"{at}.role", ("assistant",), "role")
    labels: Counter[str | None] = Counter()
    texts: list[str] = []
    listed = (yield from rules.items(found["candidates"], f"{at}.candidates", 2, 2)) if "candidates" in found else []
    for number, one in enumerate(listed):
        here = f"{at}.candidates[{number}]"
        inner = yield from rules.fields(one, here, ("content", "preferenceLabel"))
        if "preferenceLabel" in inner:
            label = yield from rules.one_of(inner["preferenceLabel"], f"{here}.preferenceLabel", _LABELS, "label")
            labels[label] += 1
        if "content" in inner:
            (said,) = yield from converse_rules.texts(inner["content"], here, "assistant")
            texts += said.texts
    if sum(labels.values()) == 2 and None not in labels and len(labels) != 2:
        yield Violation(
            "one of each", at, "one preferred and one non-preferred", f"{next(iter(labels))} twice", "Correct one."
        )
    if len(texts) == 2:
        yield from rules.differ(texts[0], texts[1], at)
    return [Said(at, role, tuple(texts))] if role else []


FORMAT = Format("sagemaker_dpo", "SageMaker AI model customization and Nova, DPO", ("dpo",), _write, _check)
