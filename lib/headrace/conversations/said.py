"""One turn as the conversation store keeps it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from headrace.conversations.events import utc

MOST_CHARACTERS = 32_000
"""Of a question or an answer: both then fit into a row of DynamoDB, whatever they are written in."""
FOR_TEXT = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,200}")
"""What a conversation's id looks like."""


@dataclass(frozen=True, slots=True)
class Said:
    """A turn.

    Attributes:
        at: when it was asked, UTC.
        regenerates: the turn whose answer this one was asked to better.
        revision: the highest counts.
        withdrawn: without content; only its number is taken.
        asked: an id of the asking, to know a repeat.
    """

    conversation: str
    turn: int
    at: datetime
    question: str
    answer: str
    person: str | None = None
    regenerates: int | None = None
    revision: int = 0
    withdrawn: bool = False
    asked: str = ""


def body(said: Said) -> dict[str, Any]:
    """What is stored. Texts are cut at `MOST_CHARACTERS`."""
    return {
        "kind": "turn",
        "conversation": said.conversation,
        "turn": said.turn,
        "at": utc(said.at),
        "question": _fitting(said.question),
        "answer": _fitting(said.answer),
        "person": said.person,
        "regenerates": said.regenerates,
        "revision": said.revision,
        "withdrawn": said.withdrawn,
        "asked": said.asked,
    }


def from_body(stored: Mapping[str, Any]) -> Said:
    """The turn of what is stored."""
    values = {name: each for name, each in stored.items() if name != "kind"}
    return Said(**values | {"at": datetime.fromisoformat(stored["at"]).astimezone(UTC)})


def _fitting(text: str) -> str:
    # Half of a surrogate pair, as a cut answer may end with, is taken by no store.
    return text[:MOST_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
