"""A context: what an answer may use, what it may not, and why. Its JSON form is described in docs/context-schema.md."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from headrace.config_context import PartName
from headrace.context.gather import Gap
from headrace.ports_chat import ChatMessage, Item

SCHEMA = 1
Reason = Literal[
    "budget", "shortened", "limit", "consent", "purpose", "audience", "stale", "suspicious", "duplicate", "not fitting"
]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that is not in a context, by choice.

    Attributes:
        reason: `budget` (no room), `shortened` (lines of an item), `limit` (rows or turns beyond the settings'),
            `consent` (not agreed to), `purpose` (agreed to, but not for what was asked), `audience` (passages that the
            reader may not see: they are never found, so nobody can count them), `stale`, `suspicious` (by the
            settings), `duplicate` (the same text), `not fitting` (turns that cannot begin a conversation).
        count: how many; None where nobody can know.
        source, key: which; None for several, and always for what was not agreed to.
    """

    part: PartName
    reason: Reason
    count: int | None = 1
    source: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Tokens:
    """What was counted.

    Attributes:
        fixed: the template and the question.
        parts: by part, what its items or turns take.
    """

    limit: int
    fixed: int
    parts: Mapping[PartName, int]

    @property
    def used(self) -> int:
        """All of them."""
        return self.fixed + sum(self.parts.values())


@dataclass(frozen=True, slots=True)
class Context:
    """What an answer may use.

    Attributes:
        now: what ages are counted to.
        person: whose profile it holds; None for nobody's.
        items: in the order of the settings' parts, best first within one.
        turns: earlier messages, oldest first.
        suspicions: by item id, the rules that its text meets.
        left_out, gaps: what is not here, by choice and for want of an answer.
    """

    question: str
    now: datetime
    person: str | None
    items: tuple[Item, ...]
    turns: tuple[ChatMessage, ...]
    suspicions: Mapping[str, tuple[str, ...]]
    left_out: tuple[LeftOut, ...]
    gaps: tuple[Gap, ...]
    tokens: Tokens

    def to_json(self) -> dict[str, Any]:
        """The context as JSON values, the same for the same context."""
        return {
            "schema": SCHEMA,
            "question": self.question,
            "now": self.now.isoformat().replace("+00:00", "Z"),
            "person": self.person,
            "items": [asdict(item) | {"suspicions": list(self.suspicions.get(item.id, ()))} for item in self.items],
            "turns": [{"role": turn.role, "text": turn.text} for turn in self.turns],
            "left_out": [asdict(one) for one in self.left_out],
            "gaps": [asdict(one) for one in self.gaps],
            "tokens": {
                "limit": self.tokens.limit,
                "used": self.tokens.used,
                "fixed": self.tokens.fixed,
                "parts": dict(self.tokens.parts),
            },
        }
