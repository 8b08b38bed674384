"""Fine-tuning of Amazon Nova on Bedrock (SFT)."""

from typing import Any

from headrace.training.example import Example
from headrace.training.formats import converse_rules, prompts
from headrace.training.formats.format import Format


def _write(example: Example) -> dict[str, Any]:
    told = prompts.converse(example, prompts.answer(example.completion))
    return {"schemaVersion": converse_rules.SCHEMA, **told}


# Bedrock takes one object of S3 for training and one for validation.
FORMAT = Format("nova", "Amazon Bedrock, fine-tuning of Nova", ("sft",), _write, converse_rules.check, files=1)
