"""What all settings are made of: durations, names, options, contradictions and the frozen base model."""

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_duration(value: Any) -> Any:
    """`90s`, `15m`, `12h`, `7 days`, `2 weeks` as a timedelta; other values pass through for pydantic to judge."""
    if isinstance(value, str):
        found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhdw])[a-z]*\s*", value.lower())
        if not found:
            raise ValueError("expected a duration such as 90s, 15m, 12h or 7 days")
        return timedelta(**{_UNITS[found[2]]: float(found[1])})
    return value


Duration = Annotated[timedelta, BeforeValidator(parse_duration), Field(ge=timedelta(0))]
Timeout = Annotated[Duration, Field(gt=timedelta(0))]
Positive = Annotated[int, Field(gt=0)]
Text = Annotated[str, Field(min_length=1)]
Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+(/\S*)?$")]
# It may stand inside a line of JAAS: nothing that could end a quoted value may pass.
Role = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+$")]


def parse_values(value: Any) -> Any:
    """One value or several, numbers as text: SQL Server's operation codes are 1 to 4."""
    values = value if isinstance(value, list | tuple) else (value,)
    return tuple(str(item) if isinstance(item, int) and not isinstance(item, bool) else item for item in values)


Values = Annotated[tuple[str, ...], BeforeValidator(parse_values)]
Names = Annotated[tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")]


FIRST = {
    "sources": "sources: {feed: {from: files, path: ./in, format: debezium}}",
    "tables": "tables: {users: {source: feed, key: [userId]}}",
    "sources of format: json": "articles: {from: files, path: ./in, format: json, position: [updated_at]}",
    "sources of format: objects": 'uploads: {from: kafka, servers: "127.0.0.1:9092", topics: [s3], format: objects}',
    "stores of serve": "serve: {stores: {live: {store: sqlite, path: ./live.db}}}",
}
"""How the first of a kind is written."""


class Contradiction(ValueError):
    """Settings that are each valid but do not fit together.

    Args:
        where: path of the key below the model that raises it; empty for the model itself.
        expected, found, example: as in every error; `example` is a line of YAML.
    """

    def __init__(self, where: str, expected: str, found: str, example: str) -> None:
        self.where, self.expected, self.found, self.example = where, expected, found, example
        super().__init__(f"{where + ': ' if where else ''}expected {expected}; found {found}; e.g. {example}")


def unknown_name(where: str, found: str, kinds: str, known: Sequence[str]) -> Contradiction:
    """A key names something that is not there.

    Args:
        kinds: what it names, a key of `FIRST`.
    """
    example = f"{where.rpartition('.')[2]}: {known[0]}" if known else FIRST[kinds]
    return Contradiction(where, f"one of the {kinds} ({', '.join(known) or 'there are none'})", found, example)


class Contradictions(ValueError):
    """Several of them."""

    def __init__(self, problems: Sequence[Contradiction]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(str(problem) for problem in problems))


def doubled(names: Iterable[str]) -> list[tuple[str, str]]:
    """Names that come again, or differ from an earlier one only by case, each after that earlier one."""
    seen: dict[str, str] = {}
    pairs = []
    for name in names:
        if first := seen.get(name.casefold()):
            pairs.append((first, name))
        seen.setdefault(name.casefold(), name)
    return pairs


def shared(names: Iterable[str], others: Iterable[str]) -> list[str]:
    """Those of `names` that are among the others too, whatever their case, sorted."""
    folded = {name.casefold() for name in others}
    return sorted(name for name in names if name.casefold() in folded)


def parse_option(value: Any) -> Any:
    """Numbers and booleans as the text a Spark or Kafka option wants; other values pass through."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


OptionText = Annotated[str, BeforeValidator(parse_option)]


def parse_number(value: Any) -> Any:
    """A whole number that came as text, out of a variable: a choice of numbers takes no text itself."""
    return int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value) else value


OneOf = BeforeValidator(parse_number)


class Settings(BaseModel):
    """Base: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


def on_a_disk(path: str, example: str) -> None:
    """Raises Contradiction for the URL of something that SQLite cannot open."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", path):
        raise Contradiction("path", "a file on a disk of this machine", "a URL", example)
