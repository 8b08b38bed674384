"""How the documents and their indexes are doing, read from the lake and the indexes without Spark."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from headrace.config import Config
from headrace.config_indexes import KafkaIndex, KendraIndex
from headrace.config_knowledge import Knowledge
from headrace.errors import HeadraceError
from headrace.knowledge.served import PASSAGES_OUTBOX
from headrace.pipelines import models, rebuilds
from headrace.pipelines.index_parts import progress_place
from headrace.pipelines.models import Known, Models, generation_of
from headrace.pipelines.publish import EPOCH_BITS, Progress
from headrace.pipelines.reconcile import Comparison, compare
from headrace.pipelines.tables_view import LakeView
from headrace.stores import indexes
from headrace.stores.delta_reader import ROWS, literal
from headrace.stores.files import LakeFiles
from headrace.tables import CHUNKS, DOCUMENTS, OUTBOX, PASSAGES, REJECTS, VECTORS

_OUTBOX = OUTBOX.path.format(table=PASSAGES_OUTBOX)


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """Documents of one feed: living ones, deleted ones that are remembered, the newest change at the source."""

    living: int
    deleted: int
    newest_changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """A model at work.

    Attributes:
        role: `active` (readers see it), `filling`, `before` (kept to go back to).
        passages: served with it. vectors: in the cache. failed: pieces whose embedding failed at least once.
    """

    role: str
    passages: int
    vectors: int
    failed: int


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """One generation of an index.

    Attributes:
        behind: commits of the outbox it has not seen.
        compared: None where it could not be asked, and `why`.
    """

    index: str
    model: str
    generation: str
    behind: int | None
    compared: Comparison | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class KnowledgeStatus:
    """The whole. `pieces`: of the living documents, as they are cut now; `rejects`: as in `status.Status`."""

    feeds: dict[str, FeedStatus]
    pieces: int
    models: dict[str, ModelStatus]
    indexes: list[IndexStatus]
    rejects: list[dict[str, Any]] = field(default_factory=list)
    open_requests: list[str] = field(default_factory=list)


def knowledge_status(config: Config, view: LakeView) -> KnowledgeStatus | None:
    """Collect it; None where the settings have no knowledge. Every passage's key and version is read and compared."""
    settings = config.knowledge
    if settings is None:
        return None
    files = LakeFiles(config.lake)
    at_work = models.read(files)
    told = _told(view)
    return KnowledgeStatus(
        feeds=_feeds(settings, view),
        pieces=view.count(CHUNKS.path),
        models={one.name: _model(view, at_work, one) for one in (at_work.all() if at_work else [])},
        indexes=[
            _index(settings, view, files, name, one, told)
            for one in (at_work.all() if at_work else [])
            for name in settings.indexes
        ],
        rejects=refused(view, "index_knowledge"),
        open_requests=[f"{rebuilds.FOLDER}/{one.file}" for one in rebuilds.list_open(files, refuse=False)],
    )


def _feeds(settings: Knowledge, view: LakeView) -> dict[str, FeedStatus]:
    sql = f"SELECT feed, deleted, count(*) AS n, max(changed_at) AS newest FROM {ROWS} GROUP BY 1, 2"
    rows = {(row["feed"], row["deleted"]): row for row in view.query(DOCUMENTS.path, sql)}

    def count(feed: str, deleted: bool) -> int:
        return int(rows[feed, deleted]["n"]) if (feed, deleted) in rows else 0

    return {
        feed: FeedStatus(count(feed, False), count(feed, True), rows.get((feed, False), {}).get("newest"))
        for feed in settings.documents
    }


def _model(view: LakeView, at_work: Models | None, one: Known) -> ModelStatus:
    assert at_work is not None
    role = "active" if one == at_work.active else "filling" if one == at_work.filling else "before"
    mine = f"model = {literal(one.fingerprint)}"
    failed = f"SELECT count(*) AS n FROM {ROWS} WHERE array_has(map_keys(failures), {literal(one.fingerprint)})"
    return ModelStatus(
        role,
        _count(view, PASSAGES.path, f"SELECT count(*) AS n FROM {ROWS} WHERE {mine} AND NOT deleted"),
        _count(view, VECTORS.path, f"SELECT count(DISTINCT content_hash) AS n FROM {ROWS} WHERE {mine}"),
        _count(view, CHUNKS.path, failed),
    )


def _count(view: LakeView, relative: str, sql: str) -> int:
    rows = view.query(relative, sql)
    return int(rows[0]["n"]) if rows else 0


@dataclass(frozen=True, slots=True)
class _Told:
    """What the outbox remembers: its newest commit, and the newest commit that told of each model's key."""

    newest: int
    commits: dict[tuple[str, str], int]


def _told(view: LakeView) -> _Told:
    commits: dict[tuple[str, str], int] = {}
    for row in view.appended(_OUTBOX, ("model", "key")):
        place = (row["model"], row["key"])
        commits[place] = max(row["_commit_version"], commits.get(place, 0))
    return _Told(view.version(_OUTBOX), commits)


def _index(settings: Knowledge, view: LakeView, files: LakeFiles, name: str, model: Known, told: _Told) -> IndexStatus:
    generation = generation_of(model.fingerprint)
    text = files.read_text(progress_place(name, model.fingerprint))
    if text is None:
        return IndexStatus(name, model.name, generation, None, None, "nothing was published yet")
    progress = Progress(**json.loads(text))
    behind = max(0, told.newest - progress.version)
    if isinstance(settings.indexes[name], KafkaIndex | KendraIndex):
        return IndexStatus(name, model.name, generation, behind, None, "it cannot be asked what it holds")
    commits = {key: commit for (of, key), commit in told.commits.items() if of == model.fingerprint}
    wanted = {
        key: progress.epoch << EPOCH_BITS | commits[key] if key in commits else 0
        for key in _living(view, model.fingerprint)
    }
    pending = {key for key, commit in commits.items() if commit > progress.version}
    store = indexes.index(settings.indexes[name], generation)
    try:
        store.open(files.read_text("publishers/lake-id") or "")
        compared = compare(wanted, pending, store.held())
    except HeadraceError as error:
        return IndexStatus(name, model.name, generation, behind, None, str(error))
    finally:
        store.close()
    return IndexStatus(name, model.name, generation, behind, compared)


def refused(view: LakeView, job: str) -> list[dict[str, Any]]:
    """A job's refused rows by table and reason, most first: `table`, `reason`, `count`, `newest`, `example`."""
    sql = (
        f"SELECT `table`, reason, count(*) AS count, max(rejected_at) AS newest, min(detail) AS example FROM {ROWS} "
        "GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"
    )
    return view.query(REJECTS.path.format(job=job), sql)


def _living(view: LakeView, fingerprint: str) -> Iterable[str]:
    sql = f"SELECT chunk FROM {ROWS} WHERE model = {literal(fingerprint)} AND NOT deleted"
    rows: list[dict[str, Any]] = view.query(PASSAGES.path, sql)
    return [row["chunk"] for row in rows]
