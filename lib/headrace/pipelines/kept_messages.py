"""Messages the lake keeps, refused ones and those of the log, as people look for them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from headrace.config import Config
from headrace.pipelines.requests import ReplayRequest
from headrace.pipelines.tables_view import LakeView
from headrace.stores.delta_reader import ROWS, literal
from headrace.tables import CHANGES_LOG, REJECTS

_SHOWN = (
    "rejected_at", "source", "source_table", "table", "key", "reason", "detail", "message", "origin", "position",
    "arrived_at", "batch",
)  # fmt: skip


def matching(view: LakeView, request: ReplayRequest) -> int:
    """How many messages a request lets through today."""
    relative = REJECTS.path.format(job=request.job) if request.take_from == "rejects" else CHANGES_LOG.path
    conditions = [*_of(view.config, request.reason, request.table)]
    conditions += [f"arrived_at >= {_time(request.since)}"] if request.since else []
    conditions += [f"arrived_at < {_time(request.until)}"] if request.until else []
    return _count(view, relative, conditions)


def refused_rows(
    view: LakeView,
    job: str,
    *,
    reason: str | None = None,
    table: str | None = None,
    since: datetime | None = None,
    limit: int | None = None,
) -> tuple[list[dict[str, Any]], int]:
    """Rows of `rejects/<job>`, newest first, and how many there are without the limit.

    Args:
        table: a table of the settings; rows refused before it was in them count as its own, as in a replay.
        since: only rows refused then or later.

    Returns:
        Rows with `rejected_at`, `source`, `source_table`, `table`, `key`, `reason`, `detail`, `message` (bytes),
        `origin`, `position`, `arrived_at` and `batch`.
    """
    relative = REJECTS.path.format(job=job)
    conditions = [*_of(view.config, reason, table), *([f"rejected_at >= {_time(since)}"] if since else [])]
    columns = ", ".join(f"`{name}`" for name in _SHOWN)
    place = ", ".join(f"origin['{name}'] DESC" for name in ("stream", "partition", "offset", "part"))
    sql = f"SELECT {columns} FROM {ROWS} WHERE {_all(conditions)} ORDER BY rejected_at DESC, source, {place}"
    rows = view.query(relative, sql + (f" LIMIT {limit}" if limit is not None else ""))
    return rows, len(rows) if limit is None or len(rows) < limit else _count(view, relative, conditions)


def other_reasons(view: LakeView, job: str, reason: str) -> str:
    """A sentence with the reasons for which a job has refused rows; empty where `reason` is one, and for no rows."""
    found = view.query(REJECTS.path.format(job=job), f"SELECT DISTINCT reason FROM {ROWS} ORDER BY 1")
    known = [row["reason"] for row in found]
    return f"There are rows refused for: {', '.join(known)}." if known and reason not in known else ""


def _count(view: LakeView, relative: str, conditions: Iterable[str]) -> int:
    found = view.query(relative, f"SELECT count(*) AS n FROM {ROWS} WHERE {_all(conditions)}")
    return int(found[0]["n"]) if found else 0


def _all(conditions: Iterable[str]) -> str:
    return " AND ".join(conditions) or "true"


def _of(config: Config, reason: str | None, table: str | None) -> Iterable[str]:
    if reason is not None:
        yield f"reason = {literal(reason)}"
    if table is not None:
        yield _of_table(table, config)


def _of_table(table: str, config: Config) -> str:
    """As `pipelines.replay.of_table`, in the SQL of the reader."""
    settings = config.tables[table]
    if settings.source_table is not None:
        named = f"source_table = {literal(settings.source_table)}"
    else:
        named = f"split_part(source_table, '.', -1) = {literal(table.rpartition('.')[2])}"
    unrouted = f"`table` IS NULL AND source = {literal(settings.source)} AND {named}"
    return f"(`table` = {literal(table)} OR ({unrouted}))"


def _time(moment: datetime) -> str:
    return f"TIMESTAMP {literal(moment.isoformat())}"
