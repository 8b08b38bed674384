"""One row of a dataset before a format writes it. Everything in `training` takes and returns these."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal

Kind = Literal["sft", "kto", "dpo", "text"]
Role = Literal["user", "assistant"]
KINDS: tuple[Kind, ...] = ("sft", "kto", "dpo", "text")


@dataclass(frozen=True, slots=True)
class Message:
    """What somebody said."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Example:
    """What a model is to learn from.

    Attributes:
        id: 32 hexadecimal digits, the same for the same source rows.
        kind: `sft`, a good answer; `kto`, an answer and whether it was good; `dpo`, a better and a worse answer;
            `text`, a text of the field.
        messages: the prompt, from a user's message to a user's message, in turns; empty for `text`.
        completion: the answer; the text of `text`; None for `dpo`.
        label: of `kto`.
        chosen, rejected: of `dpo`.
        system: what stands before the messages; None for nothing.
        context: what was retrieved for the last message; None where it is not part of the dataset.
        conversation: "" for `text`.
        turn: of the answer.
        person: a keyed hash; None where nobody is known.
        group: what else belongs on the same side of a split: the document of a `text`.
        beside: the conversation and the person of the other answer of a `dpo`, where that is another one.
        origin: why it was chosen, such as `correction` or `thumbs`.
        at: when the question was asked, UTC.
    """

    id: str
    kind: Kind
    conversation: str
    turn: int
    at: datetime
    origin: str
    messages: tuple[Message, ...] = ()
    completion: str | None = None
    label: bool | None = None
    chosen: str | None = None
    rejected: str | None = None
    system: str | None = None
    context: str | None = None
    person: str | None = None
    group: str | None = None
    beside: tuple[tuple[str, str | None], ...] = ()
    tenant: str | None = None
    channel: str | None = None
    language: str | None = None
    intent: str | None = None
    model: str | None = None

    def texts(self) -> tuple[str, ...]:
        """Every text that a trainer would see, in reading order."""
        said = [self.system, self.context, *[one.content for one in self.messages]]
        return tuple(one for one in [*said, self.completion, self.chosen, self.rejected] if one is not None)

    def to_json(self) -> dict[str, Any]:
        """As JSON values; `from_json` reads it."""
        return asdict(self) | {"at": self.at.astimezone(UTC).isoformat()}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> "Example":
        """The example that `to_json` wrote."""
        messages = tuple(Message(one["role"], one["content"]) for one in row["messages"])
        beside = tuple((conversation, person) for conversation, person in row["beside"])
        return cls(**{**row, "at": datetime.fromisoformat(row["at"]), "messages": messages, "beside": beside})


def example_id(kind: Kind, *source: object) -> str:
    """The id of an example: of its kind and of what tells its source rows apart."""
    told = json.dumps([kind, *source], ensure_ascii=False, separators=(",", ":"))
    return sha256(told.encode()).hexdigest()[:32]
