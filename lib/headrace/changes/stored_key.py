"""The key an ordered table was made with, remembered as a property of the table."""

import json
from collections.abc import Mapping, Sequence

from headrace.changes.formats.declared import declared
from headrace.changes.widen import grows, same_text
from headrace.config import Table
from headrace.errors import ConfigError
from headrace.lake import Lake
from headrace.tables import TABLES, TOMBSTONES

KEY_PROPERTY = "headrace.key"


def key_property(key: Sequence[str]) -> dict[str, str]:
    """The property to create a table with."""
    return {KEY_PROPERTY: json.dumps(list(key), ensure_ascii=False)}


def stored_key(lake: Lake, name: str, table: Table) -> list[str]:
    """The key columns as the stored table spells them; empty where it lacks one or is not there."""
    relative = TABLES.format(table=name)
    if not lake.exists(relative):
        return []
    columns = {field.name.lower(): field.name for field in lake.read(relative).schema.fields}
    found = [columns[column.lower()] for column in table.key if column.lower() in columns]
    return found if len(found) == len(table.key) else []


def check_key(lake: Lake, name: str, table: Table, stored: Sequence[str]) -> None:
    """Raise ConfigError where the settings name another key, or another kind of key, than the stored table has.

    A table of before this property gets it.

    Args:
        stored: what `stored_key` says.
    """
    relative = TABLES.format(table=name)
    if not lake.exists(relative):
        return
    wanted = key_property(table.key)[KEY_PROPERTY]
    known = lake.properties(relative).get(KEY_PROPERTY)
    if known is not None and json.loads(known) != list(table.key):
        raise _other(name, "key", f"{known}, the key that {relative} was made with", wanted, known)
    if not stored:
        return
    if known is None:
        lake.set_mark(relative, KEY_PROPERTY, wanted)
    _check_types(lake, name, table, dict(zip(table.key, stored, strict=True)))


def _check_types(lake: Lake, name: str, table: Table, spelled: Mapping[str, str]) -> None:
    """A key may be declared wider only where its text stays the same (see `same_text`)."""
    told = {column: declared(text)[0] for column, text in table.types.items() if column in spelled}
    if not told:
        return
    types = {field.name: field.dataType.simpleString() for field in lake.read(TABLES.format(table=name)).schema}
    for column, kind in told.items():
        before = types[spelled[column]]
        if grows(before, kind) and not same_text(before, kind):
            raise _other(name, f"types.{column}", f"{before}, the type of the keys stored", kind, before)


def _other(name: str, setting: str, expected: str, found: str, back: str) -> ConfigError:
    return ConfigError(
        where=f"tables.{name}.{setting}",
        expected=expected,
        found=found,
        todo=(
            f"Rows under two keys would mix. Set it back to {back}; or stop the job, remove "
            f"{TABLES.format(table=name)} and {TOMBSTONES.path.format(table=name)} (with `history: true` also "
            f"history/{name} and versions/{name}) from the lake, and replay the table."
        ),
    )
