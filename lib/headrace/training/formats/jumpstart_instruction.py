"""SageMaker JumpStart, fine-tuning on instructions: three texts a line, and a template that puts them together."""

import json
from collections.abc import Iterator
from string import Formatter
from typing import Any

from headrace.training.canonical import canonical
from headrace.training.example import Example
from headrace.training.formats import rules
from headrace.training.formats.format import Format
from headrace.training.formats.rules import Said, Violation
from headrace.training.limits import Limits

_KEYS = ("instruction", "context", "response")
_TEMPLATE = {
    "prompt": "### Instruction:\n{instruction}\n\n### Context:\n{context}\n\n### Response:\n",
    "completion": "{response}",
}


def _write(example: Example) -> dict[str, Any]:
    # One text has to hold all: what the system says, the turns before, and the question last.
    *before, question = [one.content for one in example.messages] or [""]
    roles = [one.role.capitalize() for one in example.messages]
    earlier = [f"{role}: {said}" for role, said in zip(roles, before, strict=False)]
    parts = [example.system or "", *earlier, f"User: {question}" if earlier else question]
    instruction = "\n\n".join(part for part in parts if part)
    return {"instruction": instruction, "context": example.context or "", "response": example.completion}


def _check(value: Any, limits: Limits) -> Iterator[Violation]:
    found = yield from rules.fields(value, "$", _KEYS)
    said = []
    for name, one in found.items():
        if name == "context" and one == "":
            continue
        text = yield from rules.text(one, f"$.{name}")
        if text is not None:
            said.append(Said(f"$.{name}", "assistant" if name == "response" else "user", (text,)))
    yield from rules.reserved(said, limits)
    yield from rules.size(said, limits)


def _check_template(name: str, content: bytes) -> Iterator[Violation]:
    try:
        value = json.loads(content)
    except ValueError:
        yield Violation("template", name, "JSON", "no JSON", "Write the template anew.")
        return
    found = yield from rules.fields(value, "$", ("prompt", "completion"))
    for key, one in found.items():
        text = yield from rules.text(one, f"$.{key}")
        try:
            names = [field for _, field, _, _ in Formatter().parse(text or "") if field is not None]
        except ValueError:
            yield Violation("template", f"$.{key}", "braces in pairs", "an odd one", "Write {{ for a brace as text.")
            continue
        wanted = ("response",) if key == "completion" else _KEYS[:2]
        if text and sorted(set(names)) != sorted(wanted):
            expected = " and ".join(f"{{{field}}}" for field in wanted)
            shown = ", ".join(names) or "none"
            yield Violation("template", f"$.{key}", expected, shown, "Name the keys that the lines have.")


FORMAT = Format(
    "jumpstart_instruction",
    "SageMaker JumpStart, instruction tuning",
    ("sft",),
    _write,
    _check,
    beside={"template.json": canonical(_TEMPLATE) + b"\n"},
    check_beside=_check_template,
)
