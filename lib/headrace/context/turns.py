"""Messages as a model gets them."""

import re
from collections.abc import Iterable

from headrace.context.plain import in_lines
from headrace.ports_chat import ChatMessage

_CITED = re.compile(r" ?\[[rfp][0-9]{1,3}(?:, ?[rfp][0-9]{1,3})*\]")
_MARK = re.compile(r"<(?=[|\uff5c/a-zA-Z])|\[(?=/?(?:INST|SYSTEM|TOOL|AVAILABLE))")


def plain(text: str) -> str:
    """A message without what is not seen, and without marks of a model's own chat format.

    Some servers read `<|im_end|>`, `</s>` or `[INST]` as the end of a turn wherever they stand.
    """
    return _MARK.sub(lambda mark: f"{mark[0]} ", in_lines(text))


def earlier(conversation: Iterable[ChatMessage]) -> list[ChatMessage]:
    """Earlier messages, answers without the ids of their items, as these mean others now; no empty ones."""
    turns = []
    for role, text in conversation:
        if shown := plain(_CITED.sub("", text) if role == "assistant" else text):
            turns.append(ChatMessage(role, shown))
    return turns


def taking_turns(turns: Iterable[ChatMessage]) -> tuple[ChatMessage, ...]:
    """The messages, those in a row of the same speaker as one: services take turns only."""
    messages: list[ChatMessage] = []
    for role, text in turns:
        before = f"{messages.pop().text}\n\n" if messages and messages[-1].role == role else ""
        messages.append(ChatMessage(role, before + text))
    return tuple(messages)
