"""How lines of Bedrock's Converse are checked: SageMaker AI, Nova and distillation."""

from collections.abc import Iterator
from typing import Any

from headrace.training.formats import rules
from headrace.training.formats.rules import Rule, Said, Violation
from headrace.training.limits import Limits

SCHEMA = "bedrock-conversation-2024"
_ROLES = ("user", "assistant")


def check(
    value: Any, limits: Limits, *, schema_required: bool = False, most: int | None = None, blocks: int | None = None
) -> Iterator[Violation]:
    """A line that ends with the answer to learn.

    Args:
        schema_required: whether `schemaVersion` must be there and name the one schema.
        most: messages at most.
        blocks: texts that a message may have.
    """
    required = ("schemaVersion", "messages") if schema_required else ("messages",)
    optional = ("system",) if schema_required else ("system", "schemaVersion")
    found = yield from rules.fields(value, "$", required, optional)
    if "schemaVersion" in found:
        yield from schema(found["schemaVersion"], schema_required)
    said = (yield from system(found["system"])) if "system" in found else []
    if "messages" in found:
        listed = yield from rules.items(found["messages"], "$.messages", 2, most)
        turns = []
        for number, one in enumerate(listed):
            turns += yield from message(one, f"$.messages[{number}]", blocks)
        if listed and len(turns) == len(listed):
            yield from rules.turns(turns, "$.messages", "assistant")
        said += turns
    yield from rules.reserved(said, limits)
    yield from rules.size(said, limits)


def schema(value: Any, exact: bool) -> Iterator[Violation]:
    """`schemaVersion` is a text; where it must be exact, the one that Bedrock knows."""
    if exact:
        yield from rules.one_of(value, "$.schemaVersion", (SCHEMA,), "schema version")
    else:
        yield from rules.text(value, "$.schemaVersion")


def system(value: Any) -> Rule[list[Said]]:
    """`system`: a list with one text. Returns it as something said."""
    return (yield from texts(value, "$.system", "system", 1))


def message(value: Any, at: str, blocks: int | None = None) -> Rule[list[Said]]:
    """One message. Returns it, or nothing where its role cannot be read."""
    found = yield from rules.fields(value, at, ("role", "content"))
    role = (yield from rules.one_of(found["role"], f"{at}.role", _ROLES, "role")) if "role" in found else None
    said = [Said(at, role or "", ())]
    if "content" in found:
        said = yield from texts(found["content"], at, role or "", blocks)
    return said if role else []


def texts(value: Any, at: str, role: str, most: int | None = None) -> Rule[list[Said]]:
    """A list of `{text}`. Returns them joined, as what `role` said."""
    parts = []
    place = at if at.endswith("system") else f"{at}.content"
    for number, one in enumerate((yield from rules.items(value, place, 1, most))):
        found = yield from rules.fields(one, f"{place}[{number}]", ("text",))
        part = (yield from rules.text(found["text"], f"{place}[{number}].text")) if "text" in found else None
        parts += [] if part is None else [part]
    return [Said(at, role, ("".join(parts),))]
