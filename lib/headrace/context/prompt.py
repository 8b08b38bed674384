"""A context as a request to a model: the template with the items as lines of JSON, then the conversation.

The items stand between two lines with a number that is a hash of everything in the request and occurs nowhere in it. An
item is one line of JSON, so that no text in it can end the item, the block, or a turn of a model's own chat format.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from itertools import count

from headrace.config_context import PartName
from headrace.context.context import Context
from headrace.context.gather import Gap
from headrace.context.items import line
from headrace.context.template import Template
from headrace.context.turns import taking_turns
from headrace.ports_chat import ChatMessage, ChatRequest

_DIGITS = 16
_NOW = "%Y-%m-%d %H:%M UTC, a %A"
_LONGEST_NOW = "2026-11-25 14:05 UTC, a Wednesday"
_WHAT: dict[PartName, str] = {
    "rows": "current rows", "profile": "the customer's profile", "conversation": "the conversation",
    "passages": "passages of documents",
}  # fmt: skip


def request(
    context: Context,
    template: Template,
    *,
    max_tokens: int = 1024,
    temperature: float | None = None,
    metadata: Mapping[str, str] | None = None,
) -> ChatRequest:
    """What to ask a model. `metadata` gets `prompt`, the template's version; the rest of it is the caller's."""
    lines = [line(item) for item in context.items]
    messages = taking_turns([*context.turns, ChatMessage("user", context.question)])
    now, gaps = f"{context.now:{_NOW}}", missing(context.gaps)
    begin, end = _bounds([*lines, *(turn.text for turn in messages), now, *gaps], template.text)
    return ChatRequest(
        system=_filled(template, begin, end, lines, now, gaps),
        messages=messages,
        items=context.items,
        max_tokens=max_tokens,
        temperature=temperature,
        metadata={**(metadata or {}), "prompt": template.version},
    )


def missing(gaps: Sequence[Gap]) -> tuple[str, ...]:
    """What did not answer, in words, each once."""
    return tuple(dict.fromkeys(_WHAT[gap.part] for gap in gaps if gap.why != "unknown person"))


def overhead(template: Template, gaps: Sequence[str]) -> str:
    """A system text as long as one without items gets."""
    nothing = "0" * _DIGITS
    return _filled(template, *_bound(nothing), [], _LONGEST_NOW, gaps)


def _filled(template: Template, begin: str, end: str, lines: Sequence[str], now: str, gaps: Sequence[str]) -> str:
    items = "".join(f"{one}\n" for one in (begin, *lines)) + end
    sentence = f"- These could not be read just now: {', '.join(gaps)}. Say so where it matters.\n" if gaps else ""
    return template.filled(items=items, begin=begin, end=end, now=now, missing=sentence)


def _bound(number: str) -> tuple[str, str]:
    return f"BEGIN ITEMS {number}", f"END ITEMS {number}"


def _bounds(texts: Iterable[str], template: str) -> tuple[str, str]:
    everything = "\0".join([template, *texts])
    digest = sha256(everything.encode("utf-8", "surrogatepass")).digest()
    numbers = (sha256(digest + str(attempt).encode()).hexdigest()[:_DIGITS] for attempt in count())
    return _bound(next(number for number in numbers if number not in everything))
