"""How the keys of a table are written, told with a key that is there."""

import json
import shlex
from collections.abc import Sequence

from headrace.pipelines.tables_view import LakeView
from headrace.stores.delta_reader import ROWS, literal, quoted
from headrace.tables import CHANGES_LOG, TABLES


def how_to_write(view: LakeView, table: str, source_key: Sequence[str], key: Sequence[str]) -> str:
    """Say how a key of this table is written on the command line.

    Args:
        source_key: the key columns as the source names them.
        key: the same columns as the table names them.
    """
    example = _of_a_row(view, table, key) or _of_the_log(view, table)
    shown = f", e.g. `headrace trace {table} {shlex.quote(typed(example))}`" if example else ""
    if len(source_key) == 1:
        return f"A key of {table} is the value of {source_key[0]} alone, without its name and without quotes{shown}."
    return f"A key of {table} is a JSON array of the values of {', '.join(source_key)}, in this order{shown}."


def typed(values: Sequence[str]) -> str:
    """A key as a person types it: the value alone, or a JSON array where there are several."""
    if len(values) == 1 and values[0] and not values[0].lstrip().startswith("["):
        return values[0]
    return json.dumps(list(values), ensure_ascii=False)


def _of_a_row(view: LakeView, table: str, key: Sequence[str]) -> list[str]:
    relative = TABLES.format(table=table)
    if not set(key) <= {name for name, _ in view.columns(relative)}:
        return []
    texts = ", ".join(f"CAST({quoted(name)} AS STRING) AS {quoted(f'k{place}')}" for place, name in enumerate(key))
    found = view.query(relative, f"SELECT {texts} FROM {ROWS} LIMIT 1")
    return [str(found[0][f"k{place}"]) for place in range(len(key))] if found else []


def _of_the_log(view: LakeView, table: str) -> list[str]:
    known = "key IS NOT NULL AND op IN ('upsert', 'delete')"
    found = view.query(CHANGES_LOG.path, f"SELECT key FROM {ROWS} WHERE `table` = {literal(table)} AND {known} LIMIT 1")
    return [str(value) for value in json.loads(found[0]["key"])] if found else []
