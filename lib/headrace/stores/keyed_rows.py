"""Rows on their way into a store that holds one row for each key: checked one by one, then one per key.

A body is kept as JSON text, in every store: each JSON object then comes back as it went in. As documents of their own,
DocumentDB refuses keys with `.` or `$` and nests less deeply, and DynamoDB turns every number into a decimal. What this
costs: the store itself cannot search in bodies. The tables of the lake can.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from headrace.errors import Fatal, FormatTooNew, NotThere
from headrace.ports import Failed, Projected

FORMAT = 1
"""Of what the stores hold; kept beside the owner's claim."""
OWN = "headrace:"
"""Keys that begin so are not rows: a store keeps its claim under one."""
CLAIM = f"{OWN}claim"
MOST_KEY_BYTES = 1024
"""DocumentDB and DynamoDB take 2,048; the rest is for whoever wants to put something before a key."""
MOST_BODY_BYTES = 16_000_000
"""A document of DocumentDB has at most 16 MB; the others keep to it where they have no lower limit."""
MAX_VERSION = 2**63 - 1
_DEEPEST = 100


class Unfit(ValueError):
    """Why a row can never be stored."""


@dataclass(frozen=True, slots=True)
class Row:
    """One checked row. `text`: its body as JSON; None where it is deleted. `size`: bytes of key and body."""

    key: str
    version: int
    text: str | None
    size: int


def checked(rows: Sequence[Projected], most_bytes: int) -> tuple[list[Row], list[Failed], int]:
    """Rows a store can take, the newest of each key; those it never can; how many a newer one of the batch replaces.

    Args:
        most_bytes: of key and body together.
    """
    newest: dict[str, Row] = {}
    failed: list[Failed] = []
    replaced = 0
    for row in rows:
        try:
            taken = _checked(row, most_bytes)
        except Unfit as error:
            failed.append(Failed(row.key, row.version, str(error), retry=False))
            continue
        held = newest.get(taken.key)
        replaced += held is not None
        if held is None or taken.version > held.version:
            newest[taken.key] = taken
    return list(newest.values()), failed, replaced


def _checked(row: Projected, most_bytes: int) -> Row:
    problem = key_problem(row.key)
    if problem:
        raise Unfit(problem)
    if not 0 <= row.version <= MAX_VERSION:
        raise Unfit(f"expected a version from 0 to {MAX_VERSION}; found {row.version}")
    size = len(row.key.encode())
    if row.deleted:
        return Row(row.key, row.version, None, size)
    if row.body is None:
        raise Unfit("expected a body; found none in a row that is not deleted")
    text = _json(row.body)
    size += len(text)
    if size > most_bytes:
        raise Unfit(f"expected at most {most_bytes} bytes of key and body, the store's limit; found {size}")
    return Row(row.key, row.version, text.decode(), size)


def key_problem(key: str) -> str:
    """Why no store takes the key; empty where each does."""
    try:
        size = len(key.encode("utf-8"))
    except UnicodeEncodeError:
        return "the key is not valid Unicode"
    if not 0 < size <= MOST_KEY_BYTES or "\0" in key:
        return f"expected a key of 1 to {MOST_KEY_BYTES} bytes without NUL; found {size} bytes"
    if key.startswith(OWN):
        return f"expected a key that does not begin with {OWN}, which is Headrace's own; found {key[:40]!r}"
    return ""


def askable(keys: Iterable[str]) -> list[str]:
    """The keys a store can hold, each once, in order."""
    return [key for key in dict.fromkeys(keys) if not key_problem(key)]


def body_of(text: str | bytes) -> dict[str, Any]:
    """A body from the text that is kept."""
    return dict(msgspec.json.decode(text))


def _json(body: Mapping[str, Any]) -> bytes:
    whole = dict(body)
    _check(whole, 1)
    try:
        return msgspec.json.encode(whole)
    except UnicodeEncodeError:
        raise Unfit("expected a body of valid Unicode; found half of a surrogate pair in it") from None


def _check(value: Any, depth: int) -> None:
    """Refuse what JSON text would change without a word: NaN becomes null, a number as key becomes text."""
    kind = type(value)
    if depth > _DEEPEST:
        raise Unfit(f"expected a body of at most {_DEEPEST} levels; found more")
    if kind is dict:
        for name, item in value.items():
            if type(name) is not str:
                raise Unfit(f"expected text as keys of the body; found {type(name).__name__}")
            if type(item) is not str:  # most are, and a call takes longer than all the rest
                _check(item, depth + 1)
    elif kind is list or kind is tuple:
        for item in value:
            if type(item) is not str:
                _check(item, depth + 1)
    elif kind is int:
        if not -(2**63) <= value < 2**63:
            raise Unfit("expected whole numbers of at most 64 bits in the body; found a longer one")
    elif kind is float:
        if not math.isfinite(value):
            raise Unfit(f"expected finite numbers in the body; found {value}")
    elif kind is not str and kind is not bool and value is not None:
        raise Unfit(f"expected a body of JSON values; found {kind.__name__}")


def check_claim(owner: str, claimed: str, form: int, where: str, release: str) -> None:
    """Raises Fatal where another outbox than `owner` feeds the store, FormatTooNew where a newer Headrace does.

    Args:
        release: how a person gives up the other's claim.
    """
    check_format(form, where)
    if claimed != owner:
        raise Fatal(
            expected=f"a store that outbox {owner!r} feeds alone",
            found=f"outbox {claimed!r} has claimed it",
            todo=f"Name another place in the settings. Only if that outbox is gone for good: {release}.",
            where=where,
        )


def check_format(form: int, where: str) -> None:
    """Raises FormatTooNew for what a newer Headrace wrote."""
    if form > FORMAT:
        raise FormatTooNew(
            expected=f"a store of format {FORMAT} or older",
            found=f"format {form}",
            todo="Upgrade Headrace, or let the store be filled again in another place.",
            where=where,
        )


def not_there(where: str) -> NotThere:
    """The error for a store nobody has made."""
    todo = "The job that feeds it makes and fills it: `headrace run`."
    return NotThere(expected="a store that was filled before", found="no such store", todo=todo, where=where)


def not_open(where: str) -> Fatal:
    """The error for a call before `open`."""
    return Fatal(expected="an opened store", found="open() was not called", todo="Call open(owner) first.", where=where)
