"""Plain JSON rows, and rows of full dumps: one JSON object a message, ordered by configured columns."""

from collections.abc import Mapping
from typing import Any

from headrace.changes.envelope import Decoded, Ignored, Message
from headrace.changes.formats import values
from headrace.changes.formats.image import (
    Facts,
    Targets,
    arrival,
    column_parts,
    delete,
    micros,
    read_row,
    truncate,
    upsert,
)
from headrace.changes.formats.payload import Unusable, kind, parse
from headrace.changes.routes import Routes
from headrace.config_sources import SourceBase
from headrace.ordering.position import Operation


class Rows:
    """Decodes the rows of one source. With `dump` every row belongs to a full dump of its table."""

    def __init__(self, source: SourceBase, routes: Routes, *, dump: bool = False) -> None:
        self._source, self._dump = source, dump
        self._targets = Targets(routes)

    def __call__(self, message: Message) -> list[Decoded]:
        """What one row says. Raises Unusable."""
        if message.value is None:
            return [Ignored("tombstone")]
        row = parse(message.value)
        if not isinstance(row, dict):
            raise Unusable("unknown shape", f"expected one row as a JSON object; found {kind(row)}")
        op = self._operation(row)
        facts = self._facts(message, row)
        if op == "truncate":
            return [truncate(facts)]
        if op == "delete":
            wanted = facts.target.key or row.keys()
            identifying = {column: row[column] for column in wanted if column in row}
            return [delete(facts, *read_row(identifying, facts.target.declared))]
        texts, types = read_row(row, facts.target.declared)
        sent = tuple(texts) if self._source.omitted == "keep" else None
        return [upsert(facts, texts, types, sent=sent, dump=self._dump)]

    def _facts(self, message: Message, row: Mapping[str, Any]) -> Facts:
        table = self._table(row)
        arrives = self._source.position == "arrival"
        return Facts(
            table,
            self._targets.find(table),
            arrival(message) if arrives else column_parts(self._source, row),
            self._source.epoch,
            micros(values.as_text(row.get(self._source.changed_at))) if self._source.changed_at else None,
            size=len(message.value or b""),
        )

    def _table(self, row: Mapping[str, Any]) -> str:
        column = self._source.table
        if column is None:
            return ""
        name = values.as_text(row.get(column))
        if not name:
            raise Unusable("unknown shape", f"expected the table's name in column {column!r}; found none")
        return name

    def _operation(self, row: Mapping[str, Any]) -> Operation:
        columns = self._source.operation
        if columns is None:
            return "upsert"
        said = values.as_text(row.get(columns.column))
        if said in columns.delete:
            return "delete"
        if said in columns.truncate:
            return "truncate"
        if columns.upsert and said not in columns.upsert:
            known = [*columns.upsert, *columns.delete, *columns.truncate]
            shown = "null" if said is None else repr(said[:40])
            raise Unusable("unknown operation", f"expected one of {known} in column {columns.column!r}; found {shown}")
        return "upsert"
