"""A turn and a rating as events: one JSON object each, as docs/conversation-events.md describes them."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal, TypeVar

from headrace.conversations.checking import Problem, problems
from headrace.conversations.schema import BOTH, SCHEMA
from headrace.errors import Fatal

Outcome = Literal["answered", "refused", "failed", "empty"]
Ended = Literal["done", "length", "refused"]
By = Literal["person", "agent", "model"]
Kind = Literal["thumbs", "stars", "comment", "correction", "regenerate", "copy", "abandon", "hand_off"]
Part = TypeVar("Part")
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""What says it is older has no time, but a default such as 0001-01-01 or 1970-01-01. It may still be withdrawn."""
_MOST_TOLD = 5


class WrongEvent(Fatal):
    """What is wrong with an event. Attributes: problems."""

    def __init__(self, found: list[Problem]) -> None:
        self.problems = tuple(found)
        first, more = found[0], len(found) - 1
        told = "; ".join(f"{one.at}: expected {one.expected}; found {one.found}" for one in found[1:_MOST_TOLD])
        todo = "Send it as docs/conversation-events.md describes." + (f" {more} more: {told}." if more else "")
        super().__init__(expected=first.expected, found=first.found, todo=todo, where=first.at or "event")


@dataclass(frozen=True, slots=True)
class GivenItem:
    """Something that an answer might use; see `ports_chat.Item`. `text`: only where the settings keep it."""

    id: str
    kind: str
    source: str
    key: str
    version: int
    position: str | None = None
    age: float | None = None
    stale: bool = False
    text: str | None = None


@dataclass(frozen=True, slots=True)
class MissingPart:
    """A source that did not answer."""

    part: str
    source: str
    why: str


@dataclass(frozen=True, slots=True)
class ModelCall:
    """A call of a model. `failure`: its kind; its words stay in the log."""

    provider: str
    model: str
    seconds: float
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and its answer.

    Attributes:
        at: when it was asked, UTC; the same in every revision.
        revision: the highest counts.
        deleted: withdrawn, without content.
        regenerates: the turn whose answer this one was asked to better.
    """

    conversation: str
    turn: int
    at: datetime
    revision: int = 0
    deleted: bool = False
    person: str | None = None
    tenant: str | None = None
    channel: str | None = None
    language: str | None = None
    intent: str | None = None
    question: str | None = None
    answer: str | None = None
    outcome: Outcome | None = None
    ended: Ended | None = None
    regenerates: int | None = None
    citations: tuple[str, ...] = ()
    invalid_citations: tuple[str, ...] = ()
    items: tuple[GivenItem, ...] = ()
    gaps: tuple[MissingPart, ...] = ()
    provider: str | None = None
    model: str | None = None
    fallback: bool = False
    prompt: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    cost: float | None = None
    currency: str | None = None
    price_as_of: str | None = None
    seconds: float | None = None
    seconds_to_first: float | None = None
    tries: tuple[ModelCall, ...] = ()
    purposes: tuple[str, ...] = ()

    @property
    def event_id(self) -> str:
        """The same for every revision of the turn."""
        return _digest(self.conversation, self.turn)

    def to_json(self) -> dict[str, Any]:
        """The event as JSON values."""
        return _to_json("turn", self.deleted, {"event_id": self.event_id}, self)

    def withdrawn(self) -> "Turn":
        """The event that withdraws it: the next revision, without content."""
        return Turn(self.conversation, self.turn, self.at, self.revision + 1, deleted=True)


@dataclass(frozen=True, slots=True)
class Rating:
    """What somebody thought of a turn or of a whole conversation, or did with it.

    Attributes:
        turn: None for the whole conversation.
        at: when it was given, UTC.
        rater: which person, agent or model.
        value: of thumbs (-1, 1) and stars (1 to 5).
        text: the comment or correction; otherwise a reason.
        withdrawn: taken back, without content.
    """

    conversation: str
    turn: int | None
    at: datetime
    by: By
    kind: Kind
    value: float | None = None
    text: str | None = None
    rater: str | None = None
    revision: int = 0
    withdrawn: bool = False

    @property
    def rating_id(self) -> str:
        """The same for all by one rater, of one kind, of one turn: the newest of them counts."""
        return _digest(self.conversation, self.turn, self.by, self.rater, self.kind)

    def to_json(self) -> dict[str, Any]:
        """The event as JSON values."""
        return _to_json("rating", self.withdrawn, {"rating_id": self.rating_id}, self)

    def taken_back(self, at: datetime) -> "Rating":
        """The event that takes it back: the next revision, without content."""
        return replace(self, at=at, value=None, text=None, revision=self.revision + 1, withdrawn=True)


Event = Turn | Rating


def checked(event: Mapping[str, Any]) -> Event:
    """The event that a JSON object holds.

    Raises:
        WrongEvent: it does not fit its description. The message names properties, never their text.
    """
    kind = event.get("event") if isinstance(event, Mapping) else None
    if kind not in ("turn", "rating"):
        raise WrongEvent([Problem("event", "turn or rating", "something else" if kind else "nothing")])
    if found := {one.at: one for one in reversed(list(problems(event, BOTH[kind])))}:
        raise WrongEvent(list(reversed(found.values())))
    values = {name: each for name, each in event.items() if name not in ("schema", "event", "operation")}
    told, deleted = values.pop("event_id" if kind == "turn" else "rating_id"), event["operation"] == "delete"
    values["at"] = at = _moment(values["at"])
    if at < EARLIEST and not deleted:
        raise WrongEvent([Problem("at", f"a time since {EARLIEST.date()}", f"one of the year {at.year}")])
    made = _turn(values, deleted) if kind == "turn" else Rating(**values, withdrawn=deleted)
    name, right = ("event_id", made.event_id) if isinstance(made, Turn) else ("rating_id", made.rating_id)
    if told != right:
        raise WrongEvent([Problem(name, f"{right}, which follows from the rest", "another id")])
    return made


def utc(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds, ending in `Z`. Raises WrongEvent for a moment without a zone."""
    if moment.tzinfo is None:
        raise WrongEvent([Problem("at", "a time with a zone", "none")])
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _to_json(kind: str, deleted: bool, identity: dict[str, str], event: Event) -> dict[str, Any]:
    values = asdict(event)
    values.pop("deleted" if kind == "turn" else "withdrawn")
    values["at"] = utc(event.at)
    lists = {name: list(each) for name, each in values.items() if isinstance(each, tuple)}
    head = {"schema": SCHEMA, "event": kind, "operation": "delete" if deleted else "upsert"}
    return head | identity | values | lists


def _turn(values: dict[str, Any], deleted: bool) -> Turn:
    parts: dict[str, type[Any]] = {"items": GivenItem, "gaps": MissingPart, "tries": ModelCall}
    for field in fields(Turn):
        if isinstance(each := values.get(field.name), list):
            made = parts.get(field.name)
            values[field.name] = tuple(made(**one) for one in each) if made else tuple(each)
    return Turn(**values, deleted=deleted)


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        raise WrongEvent([Problem("at", "a time in UTC such as 2026-11-26T09:30:00Z", "no such time")]) from None


def _digest(*parts: str | int | None) -> str:
    return sha256(json.dumps(parts, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()[:32]
