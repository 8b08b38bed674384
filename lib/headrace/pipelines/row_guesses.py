"""What the columns of plain rows are probably for: which identify a row, which order it, which say what happened."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any

from headrace.ordering.position import timestamp_micros

Rows = Sequence[Mapping[str, Any]]

_DELETES = ("delete", "deleted", "remove", "removed", "d", "del")
_TRUNCATES = ("truncate", "t")
_UPSERTS = ("insert", "update", "upsert", "create", "created", "modify", "updated", "read", "i", "u", "c", "r", "load")
_OPERATIONS = frozenset([*_DELETES, *_TRUNCATES, *_UPSERTS])
_OPERATION_NAMES = re.compile(
    r"(?i)_{0,2}(op|operation|action|change_?type|event_?type|event|row_?kind|dml_?type|cdc_?op)_?"
)
_TABLE_NAMES = re.compile(r"(?i)_{0,2}(source_?)?(table|table_?name|entity|collection)")
_EXPORTED = re.compile(r"(?i).*(export|dump|snapshot|extract|as_?of|loaded).*")
_ORDER_NAMES = (
    (5, re.compile(r"(?i).*(sequence|seq|lsn|scn|offset).*")),
    (4, re.compile(r"(?i).*(version|revision|rev|serial)_?(no|num|number)?")),
    (3, re.compile(r"(?i).*(updated|modified|changed|commit).*")),
    (2, re.compile(r"(?i)(.*_)?(ts|time|timestamp|event_?time|at)(_?ms|_?us)?")),
)
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_DECIMAL = re.compile(r"-?\d{1,20}\.\d{1,10}")
_INTEGER = re.compile(r"-?(0|[1-9]\d{0,17})")


def columns_of(rows: Rows) -> list[str]:
    """Every column, in the order first seen."""
    return list(dict.fromkeys(name for row in rows for name in row))


def operation_column(rows: Rows) -> tuple[str, dict[str, list[str]]] | None:
    """The column that says what happened, and its values that mean delete and truncate; None where there is none."""
    for name in columns_of(rows):
        present = [row[name] for row in rows if row.get(name) is not None]
        values = {value for value in present if isinstance(value, str) and value.lower() in _OPERATIONS}
        if not values or not all(isinstance(value, str) and value in values for value in present):
            continue
        if len(values) < 2 and not _OPERATION_NAMES.fullmatch(name):
            continue
        said = {
            "delete": sorted(value for value in values if value.lower() in _DELETES),
            "truncate": sorted(value for value in values if value.lower() in _TRUNCATES),
        }
        seen = {kind: found for kind, found in said.items() if found}
        return name, seen or {"delete": [_in_style("DELETE", values)]}
    return None


def table_column(rows: Rows) -> str | None:
    """The column that names a row's table: called so, with few values that all look like names."""
    for name in columns_of(rows):
        values = [row.get(name) for row in rows]
        distinct = set(map(str, values))
        if _TABLE_NAMES.fullmatch(name) and all(isinstance(value, str) for value in values) and len(distinct) <= 50:
            return name
    return None


def key_columns(rows: Rows, table: str, avoid: Sequence[str]) -> tuple[list[str], str]:
    """The columns that identify a row, and why: `id`, `<table>_id`, else the most varied column ending in id."""
    candidates = [name for name in columns_of(rows) if name not in avoid and _filled(rows, name)]
    singular = re.sub(r"(ies|s)$", lambda found: "y" if found[1] == "ies" else "", table.lower())
    ending = [
        name
        for name in candidates
        if re.search(r"(?:^id|[a-z0-9]I[dD]|_id|[^a-z]ID|uuid|guid|Key|_key|_code|^key)$", name)
    ]
    for name in ending:
        if re.sub(r"[^a-z0-9]", "", name.lower()) in ("id", f"{_plain(singular)}id", f"{_plain(table)}id"):
            return [name], "named like the table's id"
    if ending:
        best = max(ending, key=lambda name: _distinct(rows, name))
        return [best], "the most varied column that ends in id, key or code"
    unique = [name for name in candidates if _distinct(rows, name) == len(rows) and len(rows) > 1]
    if unique:
        return [unique[0]], "the first column whose values are all different"
    return candidates[:1] or columns_of(rows)[:1] or ["id"], "a guess: no column looks like a key"


def position_column(rows: Rows, avoid: Sequence[str]) -> tuple[str, str] | None:
    """The column that orders rows, and why; None where none looks like it."""
    best: tuple[int, str, str] | None = None
    for name in columns_of(rows):
        if name in avoid or not _filled(rows, name):
            continue
        places = [_place(row[name]) for row in rows if row.get(name) not in (None, "")]
        weight = next((weight for weight, pattern in _ORDER_NAMES if pattern.fullmatch(name)), 0)
        if not weight or any(place is None for place in places):
            continue
        known = [place for place in places if place is not None]
        rising = all(left <= right for left, right in pairwise(known))
        score = 2 * weight + rising + (len(set(known)) == len(known))
        why = "named like an order" + (", and it never falls in what was seen" if rising and len(known) > 1 else "")
        if best is None or score > best[0]:
            best = score, name, why
    return best[1:] if best else None


def exported_column(rows_by_file: Sequence[Rows], key: Sequence[str]) -> str | None:
    """The column that says when a dump was taken: one value in each file, and every key at most once in a file."""
    for name in columns_of([row for rows in rows_by_file for row in rows]):
        if not _EXPORTED.fullmatch(name) or any(not _filled(rows, name) for rows in rows_by_file):
            continue
        whole = all(_distinct(rows, name) == 1 for rows in rows_by_file)
        keys_once = all(
            len({tuple(str(row.get(k)) for k in key) for row in rows}) == len(rows) for rows in rows_by_file
        )
        if whole and keys_once and max(map(len, rows_by_file)) > 1:
            return name
    return None


def text_types(rows: Rows, avoid: Sequence[str], *, untyped: bool) -> dict[str, str]:
    """Types for text columns whose values all look like dates, times or decimals; numbers too where all is text."""
    found = {}
    for name in columns_of(rows):
        values = [row[name] for row in rows if row.get(name) not in (None, "")]
        if name in avoid or len(values) < 3 or not all(isinstance(value, str) for value in values):
            continue
        if all(_DATE.fullmatch(value) for value in values):
            found[name] = "date"
        elif all(timestamp_micros(value) is not None for value in values):
            found[name] = "timestamp"
        elif all(_DECIMAL.fullmatch(value) for value in values):
            found[name] = f"decimal(18,{max(len(value.partition('.')[2]) for value in values)})"
        elif untyped and all(_INTEGER.fullmatch(value) for value in values):
            found[name] = "bigint"
        elif untyped and all(_DECIMAL.fullmatch(value) or _INTEGER.fullmatch(value) for value in values):
            found[name] = f"decimal(18,{max(len(value.partition('.')[2]) for value in values)})"
    return found


def _in_style(word: str, seen: set[str]) -> str:
    sample = min(seen)
    styled = word[0] if len(sample) == 1 else word
    return styled if sample.isupper() else styled.lower()


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _filled(rows: Rows, name: str) -> bool:
    """Whether nearly every row has a plain value there: truncates carry none, and a few rows may be broken."""
    filled = sum(1 for row in rows if row.get(name) not in (None, "") and not isinstance(row.get(name), dict | list))
    return filled >= 0.9 * len(rows)


def _distinct(rows: Rows, name: str) -> int:
    return len({str(row.get(name)) for row in rows})


def _place(value: Any) -> Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return Decimal(str(value))
    if not isinstance(value, str):
        return None
    moment = timestamp_micros(value)
    if moment is not None:
        return moment
    try:
        number = Decimal(value)
        return number if number.is_finite() else None
    except InvalidOperation:
        return None
