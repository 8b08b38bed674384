"""Rows of `measures` as documents of a store that people look into, and the SQL that reads them."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from hashlib import blake2b
from typing import Any

from headrace.config_measures import SLICES
from headrace.ports_measures import Document, Span, day_sql, time_sql, written

_ID = ("measure", "minute", "slice")
_COLUMNS = (*_ID, *SLICES, "numerator", "denominator", "n", "buckets", "counted_at")
_FIRST, _LAST = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
DAYS = "SELECT DISTINCT day FROM rows "
"""Reads the days that there are."""


def document(row: Mapping[str, Any]) -> Document:
    """A row as it is published. Dimensions that it has not are left out.

    Args:
        row: of `documents_sql`; a time without a zone is in the machine's own, as Spark hands it out.
    """
    found = row["buckets"] or {}
    buckets = dict(found.items() if isinstance(found, Mapping) else found)
    body: dict[str, Any] = {
        "measure": row["measure"], "minute": written(row["minute"]), "slice": row["slice"],
        **{name: row[name] for name in SLICES if row[name] is not None},
        "numerator": row["numerator"], "denominator": row["denominator"], "n": row["n"],
        "counted_at": written(row["counted_at"]),
    }  # fmt: skip
    if buckets:
        body["buckets"] = {str(number): count for number, count in sorted(buckets.items())}
    return Document(id_of(row), body)


def id_of(row: Mapping[str, Any]) -> str:
    """The id of a row: readable, and short whatever its slice holds."""
    values = blake2b(row["slice"].encode(), digest_size=12).hexdigest()
    minute = row["minute"].astimezone(UTC).replace(tzinfo=None).isoformat(timespec="minutes")
    return f"{row['measure']}|{minute}Z|{values}"


def documents_sql(span: Span, since: datetime | None) -> str:
    """Reads what `document` takes, of the minutes of a span, counted at `since` or later."""
    later = "" if since is None else f" AND counted_at >= {time_sql(since)}"
    return f"SELECT {', '.join(_COLUMNS)} FROM rows WHERE {_within(span)}{later}"


def ids_sql(span: Span) -> str:
    """Reads what `id_of` takes."""
    return f"SELECT {', '.join(_ID)} FROM rows WHERE {_within(span)}"


def whole_day(day: date) -> Span:
    """All minutes of a day."""
    began = datetime.combine(day, time(), UTC)
    return Span(began, began + timedelta(hours=23, minutes=59))


def beside(days: Iterable[date]) -> list[Span]:
    """All minutes that lie in none of the days."""
    spans, first = [], _FIRST
    for one in sorted(days):
        began, ended = whole_day(one)
        if first < began:
            spans.append(Span(first, began - timedelta(minutes=1)))
        if ended >= _LAST:
            return spans
        first = ended + timedelta(minutes=1)
    return [*spans, Span(first, _LAST)]


def _within(span: Span) -> str:
    days = f"day >= {day_sql(span.first)} AND day <= {day_sql(span.last)}"
    return f"{days} AND minute >= {time_sql(span.first)} AND minute <= {time_sql(span.last)}"
