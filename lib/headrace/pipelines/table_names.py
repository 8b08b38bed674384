"""Names of tables as people type them: which are plain names, which are known, and what to say of the others."""

import difflib
from collections.abc import Sequence

from pydantic import TypeAdapter, ValidationError

from headrace.config_base import Name
from headrace.errors import ConfigError

_NAME = TypeAdapter(Name)


def check_plain(where: str, name: str) -> None:
    """Raise ConfigError where a name could not stand in the settings, a path for instance."""
    try:
        _NAME.validate_python(name)
    except ValidationError:
        expected = "a plain name: letters, digits and _, at most 100, no digit first"
        todo = "Name a table as the settings do, without a folder."
        raise ConfigError(where=where, expected=expected, found=name, todo=todo) from None


def unknown_table(where: str, name: str, known: Sequence[str]) -> ConfigError:
    """The error for a name that is no table.

    Args:
        where: the argument or option that holds it.
        known: the tables there are.
    """
    near = difflib.get_close_matches(name, known, n=1)
    todo = f"Did you mean {near[0]}?" if near else "Add it under tables in the settings, or name one of these."
    tables = ", ".join(known) or "there are none yet"
    return ConfigError(where=where, expected=f"one of the tables ({tables})", found=f"unknown table {name}", todo=todo)


def no_rows_yet(where: str, name: str, in_lake: Sequence[str]) -> ConfigError:
    """The error for a table that is in the settings and not in the lake.

    Args:
        in_lake: the tables that are.
    """
    there = ", ".join(in_lake) or "no table yet"
    return ConfigError(
        where=where,
        expected=f"a table that is in the lake ({there})",
        found=f"{name}, which has no rows in the lake yet",
        todo="Run `headrace run apply_changes --once` first; `headrace status` shows what became of its messages.",
    )
