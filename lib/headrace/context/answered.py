"""The record of one answer: what became of it, what it cites, what it took."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from headrace.config_chat import Price
from headrace.context.reading import TimedOut
from headrace.errors import HeadraceError, Retryable
from headrace.ports import Throttled, Unacceptable
from headrace.ports_chat import ChatEnd, Ended

Outcome = Literal["answered", "refused", "failed", "empty"]
Failure = Literal["throttled", "unavailable", "timeout", "unacceptable", "fatal", "unexpected", "left"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Try:
    """One call of one model.

    Attributes:
        seconds: until it ended or failed.
        failure: None for the one that answered; `left` where nobody read on.
        error: what was expected, found and to do; no secret is in it.
    """

    provider: str
    model: str
    seconds: float
    failure: Failure | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer and how it came about.

    Attributes:
        outcome: `empty` where the model ended without a word; `failed` where none answered to its end.
        text: what was shown, also of an answer that failed half-way.
        citations: ids of the items that it cites, in the order of their first mention. All were given.
        invalid_citations: ids that it cited and that were not given; they are not in the text.
        provider, model: which one said it; None where none said anything.
        fallback: whether that was another than the first.
        ended: as the model told; None where it told no end.
        input_tokens, output_tokens, cached_tokens: of the call that answered; None where nobody counted.
        cost: of that call by the price of the settings; None without a price or without counts.
        currency, price_as_of: of that price.
        started_at: when it was asked, UTC.
        seconds: from then to the end.
        seconds_to_first: from then to the first piece of a model; None where none came.
        tries: every call, in order.
    """

    outcome: Outcome
    text: str
    citations: tuple[str, ...]
    invalid_citations: tuple[str, ...]
    provider: str | None
    model: str | None
    fallback: bool
    ended: Ended | None
    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None
    cost: float | None
    currency: str | None
    price_as_of: str | None
    started_at: datetime
    seconds: float
    seconds_to_first: float | None
    tries: tuple[Try, ...]


def cost(price: Price, end: ChatEnd) -> float | None:
    """What a call cost, in the price's currency; None where its tokens were not counted."""
    if end.input_tokens is None or end.output_tokens is None:
        return None
    cached = min(end.cached_tokens or 0, end.input_tokens)
    of_cached = price.input if price.cached is None else price.cached
    total = (end.input_tokens - cached) * price.input + cached * of_cached + end.output_tokens * price.output
    return total / 1_000_000


def outcome_of(end: ChatEnd | None, text: str) -> Outcome:
    """What became of an answer that ended so, with this text shown."""
    if end is None:
        return "failed"
    if end.reason == "refused":
        return "refused"
    return "answered" if text.strip() else "empty"


def failure_of(error: Exception) -> tuple[Failure, str]:
    """The kind of an error that ended a call, and its words where they hold no secret."""
    match error:
        case TimedOut():
            return "timeout", str(error)
        case Throttled():
            return "throttled", str(error)
        case Retryable():
            return "unavailable", str(error)
        case Unacceptable():
            return "unacceptable", str(error)
        case HeadraceError():
            return "fatal", str(error)
    # Its words may hold anything, a key too.
    _log.error("a model raised what its port does not name: %s", type(error).__name__)
    return "unexpected", type(error).__name__
