"""SageMaker JumpStart, domain adaptation: texts of the field, in exactly one file."""

from collections.abc import Iterator
from typing import Any

from headrace.training.example import Example
from headrace.training.formats import rules
from headrace.training.formats.format import Format
from headrace.training.formats.rules import Said, Violation
from headrace.training.limits import Limits


def _write(example: Example) -> dict[str, Any]:
    return {"text": example.completion}


def _check(value: Any, limits: Limits) -> Iterator[Violation]:
    found = yield from rules.fields(value, "$", ("text",))
    if "text" in found:
        text = yield from rules.text(found["text"], "$.text")
        if text is not None:
            yield from rules.size([Said("$.text", "text", (text,))], limits)


# JumpStart takes CSV, JSON and TXT here, and JSON Lines under the name of JSON.
FORMAT = Format(
    "jumpstart_text", "SageMaker JumpStart, domain adaptation", ("text",), _write, _check, suffix=".json", files=1
)
