"""The tables whose rows are served, and the columns that their settings name. No Spark."""

from collections.abc import Sequence
from dataclasses import dataclass

from headrace.config import Config
from headrace.config_serve import ServedTable
from headrace.errors import ConfigError
from headrace.tables import SYSTEM_COLUMNS


@dataclass(frozen=True, slots=True)
class ServedRows:
    """A table whose rows are served.

    Attributes:
        where: its place in the settings, such as `tables.flights`.
        key: its key columns.
        awaited: columns that are declared, and may be yet to come.
    """

    name: str
    where: str
    key: tuple[str, ...]
    serve: ServedTable
    awaited: frozenset[str] = frozenset()


def served_tables(config: Config) -> list[ServedRows]:
    """Every table with `serve`, in the order of the settings."""
    found = [
        ServedRows(name, f"tables.{name}", one.key, one.serve, frozenset([*one.types, *one.columns]))
        for name, one in config.tables.items()
        if one.serve is not None
    ]
    return found + [
        ServedRows(name, f"derive.{name}", one.key, one.serve)
        for name, one in config.derive.items()
        if one.serve is not None
    ]


def unknown_column(one: ServedRows, columns: Sequence[str]) -> ConfigError | None:
    """What is wrong where `serve` names a column that the table, whose columns these are, does not have."""
    there = [name for name in columns if name not in SYSTEM_COLUMNS]
    known = {name.casefold() for name in [*there, *one.awaited]}
    for at, name in one.serve.named():
        if name.casefold() not in known:
            declare = f", or declare a column that is yet to come: {one.where}.types"
            todo = f"Correct it{declare if one.where.startswith('tables.') else ''}."
            expected = f"a column of the table ({', '.join(there)})"
            return ConfigError(where=f"{one.where}.serve.{at}", expected=expected, found=name, todo=todo)
    return None
