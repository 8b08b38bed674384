"""What the lake holds, in the oracle's words, and where it differs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from headrace.tables import POSITION
from headrace.testing.oracle import Interval, Key, TableTruth, Version
from headrace.testing.values import as_text

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row


def rows_of(table: "DataFrame", key: Sequence[str], columns: Sequence[str]) -> list[tuple[Key, Version]]:
    """The stored rows as text; a column the table lacks reads as None. A key may wrongly appear twice, hence a list."""
    return [
        (tuple(as_text(row[column]) for column in key), Version(_values(row, columns), row[POSITION]))
        for row in _collected(table)
    ]


def history_of(history: "DataFrame", key: Sequence[str], columns: Sequence[str]) -> list[Interval]:
    """The stored SCD2 intervals."""
    found = []
    for row in _collected(history):
        name = tuple(as_text(row[column]) for column in key)
        start, end = (as_text(row[column]) for column in ("_valid_from_at", "_valid_to_at"))
        times = (None if start is None else int(start), None if end is None else int(end))
        interval = Interval(name, _values(row, columns), row["_valid_from"], row["_valid_to"], *times)
        if interval.current != row["_current"]:
            raise AssertionError(f"expected _current to be {interval.current} where _valid_to is {interval.valid_to}")
        found.append(interval)
    return found


def differences(
    truth: TableTruth, rows: Sequence[tuple[Key, Version]], history: Sequence[Interval] | None = None
) -> dict[Key, str]:
    """One sentence for each key whose stored row or history is not what it must be; empty where all is right."""
    wrong: dict[Key, str] = {}
    stored: dict[Key, list[Version]] = {}
    for name, version in rows:
        stored.setdefault(name, []).append(version)
    for name in {**truth.rows, **stored}:
        expected, found = truth.rows.get(name), stored.get(name, [])
        must_be = [(expected.values, expected.position)] if expected else []
        if [(one.values, one.position) for one in found] != must_be:
            wrong[name] = f"row: expected {expected or 'none'}; found {found or 'none'}"
    if history is not None:
        must, has = _by_key(truth.history), _by_key(history)
        for name in {**must, **has}:
            if must.get(name, []) != has.get(name, []):
                text = f"history: expected {must.get(name, [])}; found {has.get(name, [])}"
                wrong[name] = f"{wrong[name]}; {text}" if name in wrong else text
    return wrong


def _by_key(intervals: Sequence[Interval]) -> dict[Key, list[Interval]]:
    grouped: dict[Key, list[Interval]] = {}
    for interval in sorted(intervals, key=lambda interval: interval.valid_from):
        grouped.setdefault(interval.key, []).append(interval)
    return grouped


def _collected(table: "DataFrame") -> "list[Row]":
    """The rows, timestamps as microseconds: collected ones would be in this machine's time zone."""
    from pyspark.sql import functions as F

    columns = []
    for name, kind in table.dtypes:
        column = F.col(f"`{name.replace('`', '``')}`")
        columns.append(F.unix_micros(column).alias(name) if kind == "timestamp" else column)
    return table.select(columns).collect()


def _values(row: "Row", columns: Sequence[str]) -> dict[str, str | None]:
    return {column: as_text(row[column]) if column in row else None for column in columns}
