"""SageMaker AI model customization: SFT in the shape of Bedrock's Converse."""

from typing import Any

from headrace.training.example import Example
from headrace.training.formats import converse_rules, prompts
from headrace.training.formats.format import Format


def _write(example: Example) -> dict[str, Any]:
    return prompts.converse(example, prompts.answer(example.completion))


FORMAT = Format("converse", "SageMaker AI model customization, SFT", ("sft",), _write, converse_rules.check)
