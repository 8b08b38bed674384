"""How a deployment is doing, read from the lake and the sources without Spark."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from headrace.config import Config
from headrace.pipelines.feedback_status import FeedbackStatus, feedback_status
from headrace.pipelines.knowledge_status import KnowledgeStatus, knowledge_status, refused
from headrace.pipelines.lag import Lag, lag
from headrace.pipelines.people_status import PeopleStatus, people_status
from headrace.pipelines.requests import list_open
from headrace.pipelines.serve_status import ServedStatus, serve_status
from headrace.pipelines.tables_view import LakeView
from headrace.pipelines.telemetry import HEARTBEATS
from headrace.stores.delta_reader import ROWS, NeedsSpark
from headrace.tables import BATCHES, CHANGED_AT, TABLES, TOMBSTONES

JOB = "apply_changes"
DERIVED = "(derived)"
"""What a derived table has instead of a source."""
_COUNTS = ("sent", "applied", "stale", "rejected", "ignored")
_DURATIONS = 10
_WIDENED = "a column's type was widened, so only Spark reads its newest change"


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """One source.

    Attributes:
        seconds: durations of its last batches, newest first.
        last_batch, finished_at: number and end of the newest; None before the first.
    """

    lag: Lag
    last_batch: int | None = None
    finished_at: datetime | None = None
    seconds: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TableStatus:
    """One table. Counts are totals over all recorded batches.

    Attributes:
        rows: living rows. tombstones: keys whose delete is remembered. Both None before the table exists.
        newest_changed_at: newest time of change at the source that was taken in. fresh_seconds: its age now.
        schema: the learned columns: `source`, `name`, `type`, `declared`, `partial`, `dropped` (not in the table).
        why: what could not be read, and why.
    """

    source: str
    rows: int | None
    tombstones: int | None
    sent: int = 0
    applied: int = 0
    stale: int = 0
    rejected: int = 0
    ignored: int = 0
    newest_changed_at: datetime | None = None
    fresh_seconds: float | None = None
    schema: list[dict[str, Any]] = field(default_factory=list)
    why: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """The whole. `rejects` holds `table` (None where it is not known), `reason`, `count`, `newest`, `example`.

    Attributes:
        heartbeats: by job and source: `at`, when it was last seen followed, and `run`, the id of that run.
    """

    lake: str
    at: datetime
    sources: dict[str, SourceStatus]
    tables: dict[str, TableStatus]
    no_table: dict[str, int]
    rejects: list[dict[str, Any]]
    open_requests: list[str]
    knowledge: KnowledgeStatus | None = None
    people: PeopleStatus | None = None
    served: dict[str, ServedStatus] = field(default_factory=dict)
    heartbeats: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    feedback: FeedbackStatus | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON; its keys are the attributes' names."""
        return asdict(self)


def status(config: Config, view: LakeView | None = None, now: datetime | None = None) -> Status:
    """Collect the status of a deployment. A source that cannot be asked has an unknown lag and the reason."""
    view = view or LakeView(config)
    now = now or datetime.now(UTC)
    totals = {row["table"]: row for row in _totals(view)}
    schemas = _schemas(view)
    return Status(
        lake=config.lake,
        at=now,
        sources={name: _source(config, view, name) for name in config.sources},
        tables={name: _table(config, view, name, totals.get(name, {}), schemas, now) for name in config.tables}
        | {name: _derived(view, name, now) for name in config.derive},
        no_table={count: int(totals.get("", {}).get(count) or 0) for count in _COUNTS},
        rejects=refused(view, JOB),
        open_requests=[request.name for request in list_open(view.files, JOB, refuse=False)],
        knowledge=knowledge_status(config, view),
        people=people_status(config, view),
        served=serve_status(config, view, now),
        heartbeats=_heartbeats(view),
        feedback=feedback_status(config, view, now),
    )


def _heartbeats(view: LakeView) -> dict[str, dict[str, dict[str, str]]]:
    folder, _, _ = HEARTBEATS.partition("/")
    texts = {name: view.files.read_text(f"{folder}/{name}") for name in view.files.names(folder)}
    return {name.removesuffix(".json"): json.loads(text) for name, text in texts.items() if text}


def _totals(view: LakeView) -> Iterable[dict[str, Any]]:
    sums = ", ".join(f"sum({count}) AS {count}" for count in _COUNTS)
    newest = "max(newest_changed_at) AS newest_changed_at"
    return view.query(BATCHES.path, f"SELECT coalesce(`table`, '') AS `table`, {sums}, {newest} FROM {ROWS} GROUP BY 1")


def _schemas(view: LakeView) -> dict[str, list[dict[str, Any]]]:
    # In order of version, so the newest of each table is what remains.
    found = view.query("schemas", f"SELECT `table`, body FROM {ROWS} ORDER BY version")
    return {row["table"]: json.loads(row["body"])["columns"] for row in found}


def _source(config: Config, view: LakeView, name: str) -> SourceStatus:
    sql = (
        f"SELECT batch, started_at, max(finished_at) AS finished_at, max(seconds) AS seconds FROM {ROWS} "
        f"WHERE source = '{name}' GROUP BY batch, started_at ORDER BY started_at DESC LIMIT {_DURATIONS}"
    )
    batches = view.query(BATCHES.path, sql)
    newest = batches[0] if batches else {}
    return SourceStatus(
        lag=lag(config, name),
        # A replay has no number.
        last_batch=next((batch["batch"] for batch in batches if batch["batch"] is not None), None),
        finished_at=newest.get("finished_at"),
        seconds=[batch["seconds"] for batch in batches],
    )


def _table(
    config: Config,
    view: LakeView,
    name: str,
    totals: dict[str, Any],
    schemas: dict[str, list[dict[str, Any]]],
    now: datetime,
) -> TableStatus:
    exists = view.exists(TABLES.format(table=name))
    newest = totals.get("newest_changed_at")
    counts: dict[str, Any] = {count: int(totals.get(count) or 0) for count in _COUNTS}
    return TableStatus(
        source=config.tables[name].source,
        rows=_rows(view, TABLES.format(table=name)) if exists else None,
        tombstones=_tombstones(view, name) if exists else None,
        **counts,
        newest_changed_at=newest,
        fresh_seconds=(now - newest).total_seconds() if newest else None,
        schema=[column | {"dropped": column["source"] in config.tables[name].drop} for column in schemas.get(name, [])],
    )


def _derived(view: LakeView, name: str, now: datetime) -> TableStatus:
    relative = TABLES.format(table=name)
    if not view.exists(relative):
        return TableStatus(DERIVED, None, None)
    try:
        newest, why = view.query(relative, f"SELECT max({CHANGED_AT}) AS newest FROM {ROWS}")[0]["newest"], ""
    except NeedsSpark:
        newest, why = None, _WIDENED
    return TableStatus(
        source=DERIVED,
        rows=_rows(view, relative),
        tombstones=_tombstones(view, name),
        newest_changed_at=newest,
        fresh_seconds=(now - newest).total_seconds() if newest else None,
        why=why,
    )


def _rows(view: LakeView, relative: str) -> int | None:
    """Rows of a table; None where only Spark could count them."""
    try:
        return view.count(relative)
    except NeedsSpark:
        return None


def _tombstones(view: LakeView, table: str) -> int:
    found = view.query(TOMBSTONES.path.format(table=table), f"SELECT count(DISTINCT key) AS n FROM {ROWS}")
    return int(found[0]["n"]) if found else 0
