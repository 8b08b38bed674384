"""What every vector index agrees on: names of generations, the model of each, and who may write."""

import re

from headrace.errors import Fatal, NotThere
from headrace.ports import Model

_NAME = re.compile(r"[a-z0-9]+(?:[_-][a-z0-9]+)*")
_LONGEST = 20


def is_generation(name: str) -> bool:
    """Whether every store can use the name: table names end at 63 bytes, and `__` parts an index from a generation."""
    return len(name) <= _LONGEST and _NAME.fullmatch(name) is not None


def checked_generation(name: str) -> str:
    """The name itself. Raises Fatal for one that a store could not use."""
    if not is_generation(name):
        expected = f"a generation's name of 1 to {_LONGEST} small letters, digits, single `_` or `-` between them"
        raise Fatal(expected=expected, found=repr(name), todo="Name the generation so, such as `g1`.")
    return name


def check_owner(claimed: str, owner: str, where: str, release: str) -> None:
    """Raises Fatal where another outbox than `owner` feeds the index.

    Args:
        release: how a person gives up the other's claim.
    """
    if claimed != owner:
        raise Fatal(
            expected=f"an index that outbox {owner!r} feeds alone",
            found=f"outbox {claimed!r} has claimed it",
            todo=f"Name another index in the settings. Only if that outbox is gone for good: {release}.",
            where=where,
        )


def check_model(kept: Model, wanted: Model, where: str) -> None:
    """Raises Fatal where a generation holds vectors of another model."""
    if kept != wanted:
        raise Fatal(
            expected=f"vectors of {described(wanted)}",
            found=f"the generation holds vectors of {described(kept)}",
            todo="Write the new model's vectors into a new generation, then activate that one.",
            where=where,
        )


def described(model: Model) -> str:
    """A model as messages name it."""
    return f"{model.name} ({model.dimension} numbers, fingerprint {model.fingerprint})"


def not_there(generation: str, where: str) -> NotThere:
    """The error for a generation nobody has made."""
    todo = "`headrace run index_knowledge` makes and fills it."
    return NotThere(expected=f"generation {generation!r}", found="no such generation", todo=todo, where=where)


def still_active(generation: str, where: str) -> Fatal:
    """The error for dropping what readers see."""
    expected = f"generation {generation!r} to be out of use"
    todo = "Activate another generation first."
    return Fatal(expected=expected, found="readers see it now", todo=todo, where=where)


def not_open(where: str) -> Fatal:
    """The error for a call before `open`."""
    return Fatal(expected="an opened index", found="open() was not called", todo="Call open(owner) first.", where=where)
