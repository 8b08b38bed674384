"""Keys and versions of the conversation store's rows, and its errors; see `store`."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

from headrace.conversations.said import FOR_TEXT, Said
from headrace.errors import Fatal, HeadraceError, Retryable

SLOTS = 16
"""Turns that are remembered. Part of what is stored: with another number rows would be neither read nor erased."""
BUCKETS = 16
"""Rows of one person's index, so that none of them reaches a store's limit."""
ABOVE_ALL = 1 << 62
"""The version of what was erased."""
_REVISIONS = 1 << 20


def slot(conversation: str, turn: int) -> str:
    """The row that a turn stands in."""
    return f"c:{conversation}:{turn % SLOTS}"


def slots(conversation: str) -> Iterator[str]:
    """All rows of a conversation. Raises Fatal for an id that no store takes."""
    if not FOR_TEXT.fullmatch(conversation):
        todo = "Choose a random id for each conversation, such as a UUID."
        raise Fatal(expected="a conversation of 1 to 200 visible characters", found=f"{len(conversation)} characters",
                    todo=todo, where="conversation")  # fmt: skip
    return (slot(conversation, turn) for turn in range(SLOTS))


def index(person: str) -> Sequence[str]:
    """The rows of a person's index."""
    # A hash: a key outlives what it leads to.
    digest = sha256(person.encode("utf-8", "surrogatepass")).hexdigest()
    return [f"cp:{digest}:{bucket}" for bucket in range(BUCKETS)]


def version(said: Said) -> int:
    """The version that the store guards a turn by. Raises Fatal for numbers out of range."""
    if not (1 <= said.turn < ABOVE_ALL // _REVISIONS and 0 <= said.revision < _REVISIONS):
        todo = "Number turns from 1, and revisions from 0."
        raise Fatal(expected="a turn from 1 and a revision below 2^20", found=f"{said.turn}, {said.revision}",
                    todo=todo, where="conversation")  # fmt: skip
    return said.turn * _REVISIONS + said.revision


def over(conversation: str) -> Fatal:
    """The error for a conversation that takes no turn any more."""
    todo = "Begin another conversation, with an id of its own."
    found = f"one that was erased or is over: {conversation}"
    return Fatal(expected="a conversation that goes on", found=found, todo=todo, where="conversation")


def busy(what: str) -> Retryable:
    """The error for too many writers."""
    todo = "Try again; if it stays so, many processes write into the same one."
    return Retryable(expected=f"a turn at the {what}", found="others that came first, each time", todo=todo)


def failed(reason: str, retry: bool) -> HeadraceError:
    """The error for a row that the store did not take."""
    told: dict[str, Any] = {"expected": "a row that the store takes", "found": reason, "where": "conversation store"}
    return Retryable(**told, todo="Try again.") if retry else Fatal(**told, todo="Say less in one turn.")
