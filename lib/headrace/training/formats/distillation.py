"""Model distillation on Bedrock: one question each, and the answer to learn from."""

from collections.abc import Iterator
from typing import Any

from headrace.training.example import Example
from headrace.training.formats import converse_rules, prompts
from headrace.training.formats.format import Format
from headrace.training.formats.rules import Violation
from headrace.training.limits import Limits


def _write(example: Example) -> dict[str, Any]:
    told = prompts.converse(example, prompts.answer(example.completion))
    return {"schemaVersion": converse_rules.SCHEMA, **told}


def _check(value: Any, limits: Limits) -> Iterator[Violation]:
    return converse_rules.check(value, limits, schema_required=True, most=2, blocks=1)


FORMAT = Format("distillation", "Amazon Bedrock, model distillation", ("sft",), _write, _check, files=1)
