"""Which minutes commits of `measures` may have changed, told by Delta's log alone.

A commit names the files it wrote and those it took away, with the least and greatest `minute` and `counted_at` of each.
So no clock is trusted, and nothing is missed after an outage. Too much may be told, never too little.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from headrace.conversations.published import whole_day
from headrace.ports_measures import Span

Action = Mapping[str, Any]
"""A line of Delta's log."""
_DELETED = {"MERGE": ("numTargetRowsDeleted", "num_target_rows_deleted")}


class Fresh(NamedTuple):
    """Where rows may be new or others than before: those counted at `since` or later; None for all."""

    span: Span
    since: datetime | None


@dataclass(slots=True)
class Touched:
    """What some commits did.

    Attributes:
        fresh: by day, where rows were written.
        gone: by day, where rows may have vanished.
        anything: a file did not say which day it is of: everything may be another.
    """

    fresh: dict[date, Fresh] = field(default_factory=dict)
    gone: dict[date, Span] = field(default_factory=dict)
    anything: bool = False


def touched(commits: Iterable[Sequence[Action]]) -> Touched:
    """What the commits, taken together, may have changed."""
    found = Touched()
    for actions in commits:
        added = [one["add"] for one in actions if _changes(one.get("add"))]
        removed = [one["remove"] for one in actions if _changes(one.get("remove"))]
        # A file that was there already comes again with a longer deletion vector, and holds no new row.
        again = {one["path"] for one in removed} & {one["path"] for one in added}
        for file in added:
            if file["path"] not in again:
                _write(found, file)
        if removed and _may_delete(actions):
            # Of the two, Delta writes statistics with the one that comes again.
            lost = [one for one in added if one["path"] in again]
            for file in (*lost, *(one for one in removed if one["path"] not in again)):
                _take(found, file)
    return found


def _changes(file: Mapping[str, Any] | None) -> bool:
    # A compaction moves rows and changes none.
    return file is not None and file.get("dataChange", True)


def _may_delete(actions: Sequence[Action]) -> bool:
    said: Action = next((one["commitInfo"] for one in actions if "commitInfo" in one), {})
    metrics = said.get("operationMetrics") or {}
    for name in _DELETED.get(str(said.get("operation")), ()):
        if name in metrics:
            return int(metrics[name]) > 0
    return True


def _write(found: Touched, file: Mapping[str, Any]) -> None:
    day = _day(file)
    if day is None:
        found.anything = True
        return
    new = Fresh(_span(file, day), _stat(file, "minValues", "counted_at"))
    old = found.fresh.get(day)
    if old is not None:
        since = min(old.since, new.since) if old.since and new.since else None
        new = Fresh(_joined(old.span, new.span), since)
    found.fresh[day] = new


def _take(found: Touched, file: Mapping[str, Any]) -> None:
    day = _day(file)
    if day is None:
        found.anything = True
        return
    span = _span(file, day)
    found.gone[day] = _joined(found.gone[day], span) if day in found.gone else span


def _day(file: Mapping[str, Any]) -> date | None:
    told = (file.get("partitionValues") or {}).get("day")
    return date.fromisoformat(told) if told else None


def _span(file: Mapping[str, Any], day: date) -> Span:
    first, last = _stat(file, "minValues", "minute"), _stat(file, "maxValues", "minute")
    return Span(first, last) if first and last else whole_day(day)


def _stat(file: Mapping[str, Any], which: str, column: str) -> datetime | None:
    told = (json.loads(file.get("stats") or "{}").get(which) or {}).get(column)
    if told is None:
        return None
    at = datetime.fromisoformat(told)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _joined(one: Span, other: Span) -> Span:
    return Span(min(one.first, other.first), max(one.last, other.last))
