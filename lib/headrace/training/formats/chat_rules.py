"""How messages of `{role, content}` with text are checked: JumpStart, OpenAI and TRL."""

from collections.abc import Iterator
from typing import Any

from headrace.training.formats import rules
from headrace.training.formats.rules import Rule, Said, Violation
from headrace.training.limits import Limits

_ROLES = ("system", "user", "assistant")


def messages(value: Any, at: str, last: str, least: int = 1) -> Rule[list[Said]]:
    """A system message or none, then user and assistant in turns up to `last`. Returns what could be read."""
    said = []
    listed = yield from rules.items(value, at, least)
    for number, one in enumerate(listed):
        here = f"{at}[{number}]"
        found = yield from rules.fields(one, here, ("role", "content"))
        role = (yield from rules.one_of(found["role"], f"{here}.role", _ROLES, "role")) if "role" in found else None
        text = (yield from rules.text(found["content"], f"{here}.content")) if "content" in found else None
        if role == "system" and number:
            yield Violation("system first", here, "a system message at the start only", "one later", "Move it up.")
        if role:
            said.append(Said(here, role, () if text is None else (text,)))
    if listed and len(said) == len(listed):
        yield from rules.turns([one for one in said if one.role != "system"], at, last)
    return said


def answer(value: Any, at: str) -> Rule[list[Said]]:
    """A list with one message of the assistant. Returns what could be read."""
    said = []
    for number, one in enumerate((yield from rules.items(value, at, 1, 1))):
        here = f"{at}[{number}]"
        found = yield from rules.fields(one, here, ("role", "content"))
        if "role" in found:
            yield from rules.one_of(found["role"], f"{here}.role", ("assistant",), "role")
        text = (yield from rules.text(found["content"], f"{here}.content")) if "content" in found else None
        if text is not None:
            said.append(Said(here, "assistant", (text,)))
    return said


def whole(said: list[Said], limits: Limits) -> Iterator[Violation]:
    """What concerns all messages of a line together."""
    yield from rules.reserved(said, limits)
    yield from rules.size(said, limits)
