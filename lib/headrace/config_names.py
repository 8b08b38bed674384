"""The columns that the settings of one table name: whether they fit together."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from headrace.config_base import Contradiction, doubled, shared

if TYPE_CHECKING:
    from headrace.config import Table

RESERVED = frozenset(
    ["_position", "_changed_at", "_carried", "*", "_op", "_key", "_sent", "_floor", "_known_floor", "_problem", "_rank",
     "_origin", "_snapshot", "_valid_from", "_valid_to", "_valid_from_at", "_valid_to_at", "_current"]
)  # fmt: skip
"""Names Headrace uses itself; a source column called so gets a suffix."""

_OWN = "headrace."
_APPEND_ONLY = "delta.appendonly"


def misnamed(table: "Table") -> Iterator[Contradiction]:
    """Every contradiction between the columns that a table's settings name, and its properties."""
    yield from _key(table)
    yield from _made(table)
    tracked = set(table.history.track) if table.history else set()
    for column in sorted(tracked & set(table.drop) - set(table.columns)):
        yield Contradiction("history.track", "columns that are kept", f"{column}, which drop names too", "drop: []")
    yield from _properties(table)


def _key(table: "Table") -> Iterator[Contradiction]:
    columns = ", ".join(table.key)
    for first, again in doubled(table.key):
        found = f"{first} twice" if first == again else f"{first} and {again}"
        yield Contradiction("key", "each key column once", found, f"key: [{first}]")
    for column in shared(table.key, RESERVED):
        yield Contradiction("key", "columns of the source", f"{column}, a name Headrace uses itself", "key: [id]")
    for column in shared(table.drop, table.key):
        yield Contradiction("drop", "no key column", column, f"key: [{columns}]")
    for column in shared(table.mask, table.key):
        expected = "no key column, as the log and the rejects tell rows by their key"
        yield Contradiction("mask", expected, column, "mask: [email]")
    for column in shared(table.columns, table.key):
        expected = "key columns to stay as the source sends them"
        yield Contradiction(f"columns.{column}", expected, "an expression", "columns: {email: sha2(email, 256)}")


def _made(table: "Table") -> Iterator[Contradiction]:
    for column in shared(table.columns, RESERVED):
        expected = "a name that Headrace does not use itself"
        yield Contradiction(f"columns.{column}", expected, column, f"{column.strip('_') or 'total'}: ...")
    yield from _one_spelling("columns", table.columns)


def _one_spelling(setting: str, names: Iterable[str]) -> Iterator[Contradiction]:
    for first, again in doubled(names):
        expected = "names that differ by more than case, which SQL does not tell apart"
        yield Contradiction(f"{setting}.{again}", expected, f"{setting}.{first} as well", f"{again}_2: ...")


def _properties(table: "Table") -> Iterator[Contradiction]:
    example = "delta.logRetentionDuration: interval 30 days"
    for name, value in table.properties.items():
        if name.casefold().startswith(_OWN):
            expected = f"a property of Delta's or your own; those that begin with {_OWN} are Headrace's"
            yield Contradiction(f"properties.{name}", expected, name, example)
        if name.casefold() == _APPEND_ONLY and value.strip().casefold() == "true":
            expected = "a table that can be written to: rows of an ordered table change and go"
            yield Contradiction(f"properties.{name}", expected, "true", example)
