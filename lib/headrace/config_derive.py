"""Settings of derived tables: SQL over ordered tables, kept by the keys that changes reach."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from headrace.config_base import FIRST, Contradiction, Name, Names, Settings, Text, doubled, shared, unknown_name
from headrace.config_maintenance import TableMaintenance
from headrace.config_names import RESERVED
from headrace.config_serve import ServedTable

if TYPE_CHECKING:
    from headrace.config import Table

CHANGED = "changed"
"""What a `reach` query calls the keys of its table that changed."""
EXAMPLE = "reach: {flights: SELECT booking_id FROM bookings JOIN changed USING (flight_id)}"


class Derive(Settings):
    """One derived table.

    Attributes:
        key: the columns of the result that identify a row.
        sql: one query over ordered tables, and derived tables other than this one.
        reach: by table, a query over `changed`, which holds key columns of that table's changed rows, and the tables of
            `sql`: the keys of this table that the change may alter. Not needed where the table's own key holds `key`.
        serve: how its rows are looked up at prompt time; not at all where not given.
    """

    key: Annotated[Names, Field(min_length=1)]
    sql: Text
    reach: dict[Name, Text] = Field(default_factory=dict)
    maintenance: TableMaintenance = TableMaintenance()
    serve: ServedTable | None = None


def misfits(derive: Mapping[str, Derive], tables: Mapping[str, "Table"]) -> Iterator[Contradiction]:
    """Every contradiction that shows without Spark's parser; see `changes.derive_plan` for what needs it."""
    if derive and not tables:
        yield Contradiction("derive", "tables to derive from", "no tables", FIRST["tables"])
        return
    seen = {name.casefold(): f"tables.{name}" for name in tables}
    for name, one in derive.items():
        first = seen.setdefault(name.casefold(), f"derive.{name}")
        if first != f"derive.{name}":
            expected = "a name that no other table has, in any case of letters"
            yield Contradiction(f"derive.{name}", expected, f"{first} as well", f"{name}_2: ...")
        yield from _key(name, one)
        yield from _reach(name, one, [*tables, *derive])
    if CHANGED in seen and any(one.reach for one in derive.values()):
        expected = f"no table called {CHANGED}, as `reach` calls the changed keys so"
        yield Contradiction(seen[CHANGED], expected, CHANGED, "changes_made: {source: feed, key: [id]}")


def _key(name: str, one: Derive) -> Iterator[Contradiction]:
    where = f"derive.{name}.key"
    for first, again in doubled(one.key):
        found = f"{first} twice" if first == again else f"{first} and {again}"
        yield Contradiction(where, "each key column once", found, f"key: [{first}]")
    for column in shared(one.key, RESERVED):
        yield Contradiction(where, "columns of the result", f"{column}, a name Headrace uses itself", "key: [id]")


def _reach(name: str, one: Derive, known: list[str]) -> Iterator[Contradiction]:
    for table, text in one.reach.items():
        where = f"derive.{name}.reach.{table}"
        if table == name or table not in known:
            yield unknown_name(where, table, "tables", sorted(set(known) - {name}))
        if not re.search(rf"\b{CHANGED}\b", text, re.IGNORECASE):
            yield Contradiction(where, f"a query over `{CHANGED}`, the keys that changed", repr(text), EXAMPLE)
