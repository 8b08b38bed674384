"""What every format checks in the same way. A rule yields what is wrong and returns what could be read.

No text of a row stands in a violation: it may be personal, and violations go to logs.
"""

from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar

from headrace.training.limits import Limits

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that a line breaks.

    Attributes:
        rule: its name.
        at: where in the line, as `$.messages[0].role`.
        expected, found, todo: as in every error.
    """

    rule: str
    at: str
    expected: str
    found: str
    todo: str


@dataclass(frozen=True, slots=True)
class Said:
    """One message that could be read.

    Attributes:
        role: as it stands in the line.
        texts: what it says; several for the candidates of a preference.
    """

    at: str
    role: str
    texts: tuple[str, ...]


Rule = Generator[Violation, None, T]


def kind(value: Any) -> str:
    """What a JSON value is, without its content."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return "a text" if value.strip() else "an empty text"
    if isinstance(value, int | float):
        return "a number"
    return f"a list of {len(value)}" if isinstance(value, list) else "an object"


def fields(value: Any, at: str, required: Sequence[str], optional: Collection[str] = ()) -> Rule[dict[str, Any]]:
    """An object with these keys and no others. Returns its known fields."""
    known = [*required, *optional]
    if not isinstance(value, dict):
        yield Violation("object", at, f"an object with {', '.join(required)}", kind(value), "Write an object.")
        return {}
    for name in required:
        if name not in value:
            yield Violation("missing key", at, f"the key {name}", ", ".join(map(_short, value)) or "{}", f"Add {name}.")
    for name in value:
        if name not in known:
            todo = "Take it out: the trainer refuses it, or reads it as something else."
            yield Violation("unknown key", at, f"no keys but {', '.join(known)}", _short(name), todo)
    return {name: one for name, one in value.items() if name in known}


def text(value: Any, at: str) -> Rule[str | None]:
    """A text that says something. Returns it, or None."""
    if not isinstance(value, str):
        yield Violation("text", at, "a text", kind(value), "Write it as a text, in quotes.")
        return None
    if not value.strip():
        yield Violation("empty text", at, "a text that says something", kind(value), "Leave the row out.")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        yield Violation("Unicode", at, "Unicode", "half of a surrogate pair", "Repair the text, or leave the row out.")
        return None
    return value


def items(value: Any, at: str, least: int = 1, most: int | None = None) -> Rule[list[Any]]:
    """A list of so many. Returns its items."""
    expected = f"a list of {least}" + ("" if most == least else f" to {most}" if most else " or more")
    if not isinstance(value, list):
        yield Violation("list", at, expected, kind(value), "Write a list.")
        return []
    if len(value) < least or (most and len(value) > most):
        yield Violation("list", at, expected, kind(value), "Write as many as the trainer takes.")
    return value


def one_of(value: Any, at: str, choices: Sequence[str], rule: str) -> Rule[str | None]:
    """One of these texts. Returns it, or None."""
    if isinstance(value, str) and value in choices:
        return value
    found = _short(value) if isinstance(value, str) else kind(value)
    yield Violation(rule, at, " or ".join(choices), found, "Write it exactly so, in small letters.")
    return None


def turns(said: Sequence[Said], at: str, last: str) -> Iterator[Violation]:
    """User and assistant take turns, the user first. `last` is who speaks last.

    A system message is not among them. Not to be asked of messages whose roles could not all be read.
    """
    if not said:
        yield Violation(f"ends with {last}", at, last, "no such message", "Add what the user asks.")
        return
    if said[0].role != "user":
        yield Violation("starts with user", said[0].at, "user", said[0].role, "Begin with what the user asks.")
    for before, one in pairwise(said):
        if before.role == one.role:
            todo = "Join the two messages, or leave the row out."
            yield Violation("roles alternate", one.at, f"another role than {before.role}", one.role, todo)
    if said[-1].role != last:
        todo = "End with the answer to learn." if last == "assistant" else "End with the question."
        yield Violation(f"ends with {last}", said[-1].at, last, said[-1].role, todo)


def size(said: Sequence[Said], limits: Limits) -> Iterator[Violation]:
    """All that is said fits the trainer; of candidates the longest counts."""
    if limits.tokens is None:
        return
    # As AWS's scripts count: characters / 3, rounded up. English has about 4 to a token.
    tokens = -(-sum(max(map(len, one.texts)) for one in said if one.texts) // 3)
    if tokens > limits.tokens:
        todo = "Shorten it or leave it out; or raise the job's maximal length, and limits.tokens with it."
        yield Violation("length", "$", f"at most {limits.tokens} tokens (characters / 3)", str(tokens), todo)


def reserved(said: Sequence[Said], limits: Limits) -> Iterator[Violation]:
    """No reserved word in what a user or the system says."""
    for one in said:
        if one.role in ("user", "system"):
            for word in limits.reserved:
                if any(word in each for each in one.texts):
                    todo = "Use another word: the training job fails on this one."
                    yield Violation("reserved word", one.at, f"a text without {word}", word, todo)


def differ(one: str | None, other: str | None, at: str) -> Iterator[Violation]:
    """Of two answers one is better, so they are two."""
    if one is not None and one == other:
        todo = "Leave the row out: a tie is no preference."
        yield Violation("answers differ", at, "two different answers", "the same text twice", todo)


def _short(name: str) -> str:
    return name if len(name) <= 40 and name.isprintable() else f"{name[:40]!r}..."
