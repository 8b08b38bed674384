"""Proposes sources and tables for records nobody has described yet."""

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from headrace.changes.envelope import Change, Message
from headrace.changes.formats import decoder
from headrace.changes.routes import Routes
from headrace.config_sources import FilesSource
from headrace.pipelines import row_guesses
from headrace.pipelines.samples import Sample

_FORMATS = ("debezium", "dms", "dynamodb", "objects")


@dataclass(slots=True)
class TableProposal:
    """One table: its settings beside `source`, and remarks for the reader, by setting."""

    name: str
    settings: dict[str, Any]
    remarks: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Proposal:
    """One source: its settings beside `from` and its place, its tables, and remarks by setting."""

    settings: dict[str, Any]
    tables: list[TableProposal] = field(default_factory=list)
    remarks: dict[str, str] = field(default_factory=dict)


def propose(samples: Sequence[Sample], *, name: str, untyped: bool = False) -> Proposal:
    """Look at the records of one source.

    Args:
        name: for a table that the records do not name.
        untyped: the values come from a format without types (CSV), so numbers are text too.
    """
    best = "json"
    changes: list[tuple[Sample, Change]] = []
    for format in _FORMATS:
        found = _decoded(samples, format)
        # A row or two may decode by chance; a format must explain at least half of what is there.
        if len(found) > len(changes) and 2 * len({id(sample) for sample, _ in found}) >= _records(samples):
            best, changes = format, found
    if changes:
        return _of_events(best, changes, name)
    return _of_rows(samples, name, untyped)


def _records(samples: Sequence[Sample]) -> int:
    return sum(1 for sample in samples if sample.value is not None)


def _decoded(samples: Sequence[Sample], format: str) -> list[tuple[Sample, Change]]:
    decode = decoder(FilesSource.model_validate({"from": "files", "path": ".", "format": format}), Routes({}))
    return [
        (sample, one)
        for sample in samples
        for one in decode(Message(sample.key, sample.value, (), sample.stream))
        if isinstance(one, Change)
    ]


def _of_events(format: str, changes: Sequence[tuple[Sample, Change]], name: str) -> Proposal:
    by_table: dict[str, list[tuple[Sample, Change]]] = defaultdict(list)
    for sample, change in changes:
        by_table[change.table].append((sample, change))
    proposal = Proposal({"format": format})
    for source_table, found in sorted(by_table.items()):
        short = source_table.rpartition(".")[2] or name
        key, why = _event_key(format, found, short)
        table = TableProposal(_free(short, proposal), {"key": key}, {"key": why})
        if source_table and source_table != table.name:
            table.settings = {"source_table": source_table, **table.settings}
        proposal.tables.append(table)
    return proposal


def _event_key(format: str, found: Sequence[tuple[Sample, Change]], table: str) -> tuple[list[str], str]:
    if format == "objects":
        return ["bucket", "key"], "an object is identified by its bucket and key"
    if format == "dynamodb":
        keys = _dynamodb_keys(found[0][0].value)
        if keys:
            return keys, "Keys of the stream's records"
    for sample, change in found:
        named = _message_key(sample.key)
        if named and set(named) <= set(change.after):
            return named, "the message key"
    for _, change in found:
        if change.op == "delete" and change.after and all(value is not None for value in change.after.values()):
            smaller = any(len(other.after) > len(change.after) for _, other in found)
            if smaller:
                return list(change.after), "the columns a delete names"
    rows = [change.after for _, change in found if change.op == "upsert"] or [found[0][1].after]
    return row_guesses.key_columns(rows, table, ())


def _message_key(key: bytes | None) -> list[str]:
    try:
        body = json.loads(key) if key else None
    except ValueError:
        return []
    payload = body.get("payload", body) if isinstance(body, dict) else None
    return list(payload) if isinstance(payload, dict) else []


def _dynamodb_keys(value: bytes | None) -> list[str]:
    body = json.loads(value or b"{}")
    keys = body.get("dynamodb", {}).get("Keys") if isinstance(body, dict) else None
    return list(keys) if isinstance(keys, dict) else []


def _of_rows(samples: Sequence[Sample], name: str, untyped: bool) -> Proposal:
    by_stream: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for sample in samples:
        row = _row(sample.value)
        if row is not None:
            by_stream[sample.stream].append(row)
    rows = [row for found in by_stream.values() for row in found]
    table_column = row_guesses.table_column(rows)
    key, key_why = row_guesses.key_columns(rows, name, [table_column] if table_column else [])
    exported = row_guesses.exported_column(list(by_stream.values()), key) if by_stream and not table_column else None
    if exported:
        proposal = Proposal({"format": "snapshot", "position": [exported]})
        proposal.remarks["format"] = f"every file holds each {' and '.join(key)} once, and one {exported}"
        types = row_guesses.text_types(rows, [*key, exported], untyped=untyped)
        proposal.tables.append(_table(_free(name, proposal), key, key_why, [], types))
        return proposal
    return _of_changes(rows, name, table_column, untyped)


def _of_changes(rows: Sequence[Mapping[str, Any]], name: str, table_column: str | None, untyped: bool) -> Proposal:
    proposal = Proposal({"format": "json"})
    operation = row_guesses.operation_column(rows)
    about = [column for column in (table_column, operation[0] if operation else None) if column]
    key, _ = row_guesses.key_columns(rows, name, about)
    position = row_guesses.position_column(rows, [*about, *key])
    if position:
        proposal.settings["position"], proposal.remarks["position"] = [position[0]], position[1]
    else:
        proposal.settings["position"] = "arrival"
        proposal.remarks["position"] = "no column looks like an order, so the order of arrival decides: please check"
    if operation:
        proposal.settings["operation"] = {"column": operation[0], **operation[1]}
    if table_column:
        proposal.settings["table"] = table_column
    names = list(dict.fromkeys(str(row[table_column]) for row in rows)) if table_column else [name]
    for source_table in names:
        own = [row for row in rows if not table_column or row.get(table_column) == source_table]
        short = source_table.rpartition(".")[2] or name
        avoid = [*about, *([position[0]] if position else [])]
        key, why = row_guesses.key_columns(own, short, avoid)
        types = row_guesses.text_types(own, [*avoid, *key], untyped=untyped)
        table = _table(_free(short, proposal), key, why, about, types)
        if table_column and source_table != table.name:
            table.settings = {"source_table": source_table, **table.settings}
        proposal.tables.append(table)
    return proposal


def _table(name: str, key: list[str], why: str, drop: list[str], types: dict[str, str]) -> TableProposal:
    settings: dict[str, Any] = {"key": key}
    settings |= {"drop": [column for column in drop if column not in key]} if drop else {}
    settings |= {"types": types} if types else {}
    return TableProposal(name, settings, {"key": why})


def _row(value: bytes | None) -> Mapping[str, Any] | None:
    try:
        row = json.loads(value) if value else None
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


def _free(wanted: str, proposal: Proposal) -> str:
    taken = {table.name for table in proposal.tables}
    plain = re.sub(r"[^A-Za-z0-9_]+", "_", wanted).strip("_")[:90] or "rows"
    plain = plain if re.match(r"[A-Za-z_]", plain) else f"t_{plain}"
    name, suffix = plain, 2
    while name in taken:
        name, suffix = f"{plain}_{suffix}", suffix + 1
    return name
