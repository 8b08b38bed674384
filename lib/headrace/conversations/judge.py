"""A model's verdict of whole conversations: asked once for the same text, checked, and told as a rating."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from headrace.conversations.events import Rating
from headrace.conversations.judge_prompt import STARS, VERSION, Said, key, parsed, request
from headrace.errors import Fatal, HeadraceError
from headrace.ports import Unacceptable
from headrace.ports_chat import ChatEnd, ChatModel

REFUSED = "the model did not answer"


class Cache(Protocol):
    """Verdicts that were given, by conversation and key."""

    def get(self, conversation: str, key: str) -> str | None:
        """What was kept; None for nothing."""

    def put(self, conversation: str, key: str, text: str) -> None:
        """Keep it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge says of a conversation.

    Attributes:
        category: one of `STARS`, or `cannot_tell`.
        rater: the model and the judge's version.
        at: when it was given first.
        cached: it was given before, for the same text.
    """

    conversation: str
    category: str
    reason: str
    rater: str
    at: datetime
    cached: bool = False

    def rating(self) -> Rating | None:
        """The event of it; None where the judge cannot tell. The same each time it is made."""
        if self.category not in STARS:
            return None
        return Rating(self.conversation, None, self.at, "model", "stars", STARS[self.category], self.reason, self.rater)


@dataclass(frozen=True, slots=True)
class NoVerdict:
    """A conversation that could not be judged. `why` holds no word of it."""

    conversation: str
    why: str


def rater(model: str) -> str:
    """Who rates, in the event."""
    return f"{model}@{VERSION}"


def judged(
    conversation: str,
    content: str,
    model: ChatModel,
    cache: Cache,
    *,
    attempts: int = 2,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Verdict | NoVerdict:
    """The verdict of one conversation.

    Args:
        content: as `judge_prompt.content` gives it.
        attempts: calls until there is an answer of the right form.

    Raises Fatal where no call will work, such as for a wrong key.
    """
    found = key(content, model.name)
    if kept := _kept(cache.get(conversation, found), conversation, model.name):
        return kept
    why = ""
    for _ in range(attempts):
        try:
            said = _asked(content, model)
        except (Fatal, Unacceptable) as error:
            if isinstance(error, Fatal):
                raise
            return NoVerdict(conversation, str(error))
        except (HeadraceError, ValueError) as error:
            why = str(error)
            continue
        if said is None:
            return NoVerdict(conversation, REFUSED)
        at = now()
        stored = {"category": said.category, "reason": said.reason, "at": at.isoformat()}
        cache.put(conversation, found, json.dumps(stored, ensure_ascii=False) + "\n")
        return Verdict(conversation, said.category, said.reason, rater(model.name), at)
    return NoVerdict(conversation, why)


def _asked(content: str, model: ChatModel) -> Said | None:
    pieces, end = list[str](), ChatEnd("done")
    for one in model.stream(request(content)):
        if isinstance(one, ChatEnd):
            end = one
        else:
            pieces.append(one)
    return None if end.reason == "refused" else parsed("".join(pieces))


def _kept(text: str | None, conversation: str, model: str) -> Verdict | None:
    """What was kept, or None for what is no verdict, which is asked for again."""
    if text is None:
        return None
    try:
        stored = json.loads(text)
        at = datetime.fromisoformat(stored.pop("at")).astimezone(UTC)
        said = parsed(json.dumps(stored))
    except (ValueError, TypeError, AttributeError, KeyError):
        return None
    return Verdict(conversation, said.category, said.reason, rater(model), at, cached=True)
