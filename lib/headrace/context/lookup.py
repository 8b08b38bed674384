"""Live look-ups: rows of served tables as they are now, and as of when that is true.

"Is it still available, at what price" is answered from rows that follow their source, not from passages.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from headrace.config_serve import TOOL, ServedTable
from headrace.context.plain import clean, seconds_since
from headrace.context.tools import Misfit, Schema, arguments_of, input_schema, tools
from headrace.errors import Fatal, HeadraceError, Retryable
from headrace.ports import Found
from headrace.ports_rows import RowReader
from headrace.served_rows import heartbeat_key, term

CHARACTERS, FEWER = 2_000, 100
"""Of one text in an answer for a model; fewer where one row alone is too large."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it is.

    Attributes:
        key: as the lake has it, a JSON array.
        version: the store's, to tell two states apart.
        age: seconds since it changed at its source; None where nobody knows.
    """

    key: str
    version: int
    position: str
    changed_at: str | None
    age: float | None
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows, and how far they can be trusted.

    Attributes:
        more: other rows match as well.
        as_of: ISO 8601; all that the source had sent by then is in the rows. None where nobody knows.
        position: the newest of the table by then.
        age: seconds since `as_of`.
        stale: longer ago than `stale_after`, or nobody knows: what writes the rows may stand still.
    """

    table: str
    filters: Mapping[str, Any]
    rows: tuple[Row, ...]
    more: bool
    as_of: str | None
    position: str | None
    age: float | None
    stale: bool


class Lookups:
    """Asks the stores of served tables. Threads may share it.

    Args:
        readers: by the name under `serve.stores`.
        tables: the `serve` of each table, by the table's name.
    """

    def __init__(self, readers: Mapping[str, RowReader], tables: Mapping[str, ServedTable]) -> None:
        for name, table in tables.items():
            if table.store not in readers:
                todo = "Hand over a reader for each store that serves a table."
                raise Fatal(
                    expected=f"one of {', '.join(readers)}", found=table.store, todo=todo, where=f"{name}.serve"
                )
        self._readers, self.tables = dict(readers), dict(tables)

    def lookup(self, table: str, filters: Mapping[str, Any], *, now: datetime | None = None) -> Answer:
        """The rows that have all of these values, in the order of their keys.

        Raises:
            Fatal: the table is not served, a column is no filter, or there is none.
            Retryable: the store does not answer.
        """
        served = self.tables.get(table)
        if served is None:
            raise _unknown("a served table", table, list(self.tables))
        places = {column: place for place, column in enumerate(served.filters)}
        for column in filters:
            if column not in places:
                raise _unknown(f"a filter of {table}", column, list(places))
        wanted = {places[column]: self._term(table, column, value) for column, value in filters.items()}
        if not wanted:
            raise _unknown(f"a filter of {table}", "none", list(places))
        reader, beat = self._readers[served.store], heartbeat_key(table)
        # First how far the rows reach, then the rows: they are at least as new as is said.
        beats = reader.read([beat])
        terms = {place: one for place, one in sorted(wanted.items()) if one is not None}
        # Null is never found, as in SQL.
        found = reader.having(terms, served.most + 1) if len(terms) == len(wanted) else {}
        return _answer(served, table, filters, found, beats.get(beat), now or datetime.now(UTC))

    def tools(self) -> list[Schema]:
        """What a model is told of each served table."""
        return tools(self.tables)

    def call(self, name: str, arguments: Any, *, now: datetime | None = None) -> dict[str, Any]:
        """What a model's call of a tool comes to, as JSON; nothing that it may ask raises.

        Args:
            arguments: an object, or its JSON text.

        Returns:
            `ok: true` with `rows`, `more`, `as_of`, `age_seconds` and `stale`, at most `most_bytes` long; or
            `ok: false` with `error`: `kind` (`unknown_tool`, `invalid_arguments`, `unavailable`), `message`, `retry`.
        """
        table = name.removeprefix(TOOL) if isinstance(name, str) and name.startswith(TOOL) else None
        served = self.tables.get(table) if table else None
        if table is None or served is None:
            known = ", ".join(tool["name"] for tool in self.tools())
            return _error("unknown_tool", f"expected one of {known}", retry=False)
        try:
            answer = self.lookup(table, arguments_of(arguments, input_schema(served)), now=now)
        except Misfit as error:
            problems = [one._asdict() for one in error.problems]
            return _error("invalid_arguments", str(error), retry=True, problems=problems)
        except HeadraceError as error:
            # What it says is for those who run the store.
            return _error("unavailable", f"{table} cannot be read now", retry=isinstance(error, Retryable))
        return _bounded(answer, served.most_bytes)

    def close(self) -> None:
        """Give back the connections."""
        for reader in self._readers.values():
            reader.close()

    def _term(self, table: str, column: str, value: Any) -> str | None:
        return term(table, column, self.tables[table].filters[column].type, value)


def _answer(
    served: ServedTable, table: str, filters: Mapping[str, Any], found: Mapping[str, Found], beat: Found | None,
    now: datetime,
) -> Answer:  # fmt: skip
    rows = [_row(served, one, now) for one in list(found.values())[: served.most]]
    as_of = beat.body["at"] if beat else None
    age = seconds_since(as_of, now)
    stale = age is None or age > served.stale_after.total_seconds()
    position = beat.body["position"] if beat else None
    return Answer(table, dict(filters), tuple(rows), len(found) > served.most, as_of, position, age, stale)


def _row(served: ServedTable, found: Found, now: datetime) -> Row:
    body = found.body
    values = body["values"]
    if served.columns:
        kept = {*served.columns, *served.filters}
        values = {name: each for name, each in values.items() if name in kept}
    age = seconds_since(body["changed_at"], now)
    return Row(body["key"], found.version, body["position"], body["changed_at"], age, values)


def _bounded(answer: Answer, most_bytes: int) -> dict[str, Any]:
    for characters in (CHARACTERS, FEWER):
        result = _result(answer, characters)
        rows = result["rows"]
        while rows and _size(result) > most_bytes:
            rows.pop()
            result["more"] = True
        if rows or not answer.rows:
            return result
    return result


def _result(answer: Answer, characters: int) -> dict[str, Any]:
    return {
        "ok": True,
        "table": answer.table,
        "rows": [
            {
                "key": clean(row.key, characters),
                "values": clean(row.values, characters),
                "position": row.position,
                "version": row.version,
                "changed_at": row.changed_at,
                "age_seconds": row.age,
            }
            for row in answer.rows
        ],
        "more": answer.more,
        "as_of": answer.as_of,
        "age_seconds": answer.age,
        "stale": answer.stale,
    }


def _size(result: dict[str, Any]) -> int:
    return len(json.dumps(result, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def _error(kind: str, message: str, *, retry: bool, **more: Any) -> dict[str, Any]:
    return {"ok": False, "error": {"kind": kind, "message": message, "retry": retry, **more}}


def _unknown(what: str, found: str, known: list[str]) -> Fatal:
    return Fatal(
        expected=f"{what} ({', '.join(known) or 'there are none'})",
        found=found,
        todo="Name one of the settings.",
        where="lookup",
    )
