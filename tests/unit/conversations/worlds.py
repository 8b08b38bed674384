"""Turns and ratings for tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

from headrace.context.answered import Answer, Try
from headrace.conversations.events import Rating, Turn

NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)


def an_answer(**changes: Any) -> Answer:
    """A record of an answer that a second model gave."""
    tries = (Try("bedrock", "big", 0.5, "throttled", "the server said: key sk-1"), Try("openai", "small", 1.0))
    given: dict[str, Any] = {
        "outcome": "answered", "text": "Gate B4 [r1].", "citations": ("r1",), "invalid_citations": (),
        "provider": "openai", "model": "small", "fallback": True, "ended": "done", "input_tokens": 900,
        "output_tokens": 12, "cached_tokens": 100, "cost": 0.0007, "currency": "USD", "price_as_of": "2026-11-01",
        "started_at": NOW, "seconds": 1.6, "seconds_to_first": 0.9, "tries": tries,
    }  # fmt: skip
    return Answer(**(given | changes))


def a_turn(number: int = 1, conversation: str = "c1", **changes: Any) -> Turn:
    """A turn, asked so many minutes after nine thirty."""
    given: dict[str, Any] = {
        "at": NOW + timedelta(minutes=number), "question": f"q{number}", "answer": f"a{number}", "outcome": "answered",
    }  # fmt: skip
    return Turn(conversation, number, **(given | changes))


def a_rating(**changes: Any) -> Rating:
    """Thumbs up for the first turn."""
    given: dict[str, Any] = {
        "conversation": "c1", "turn": 1, "at": NOW, "by": "person", "kind": "thumbs", "value": 1, "rater": "p1",
    }  # fmt: skip
    return Rating(**(given | changes))
