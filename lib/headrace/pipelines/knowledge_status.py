"""How the documents and their indexes are doing, read from the lake and the indexes without Spark."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from headrace.config import Config
from headrace.config_knowledge import Knowledge
from headrace.errors import HeadraceError
from headrace.pipelines import models, progress, rebuilds
from headrace.pipelines.index_view import PASSAGES_TOLD, commits_told, held_by
from headrace.pipelines.models import Known, Models, generation_of, progress_place
from headrace.pipelines.reconcile import Comparison, compare
from headrace.pipelines.tables_view import LakeView
from headrace.stores import indexes
from headrace.stores.delta_reader import ROWS, literal
from headrace.stores.files import LakeFiles
from headrace.tables import CHUNKS, DOCUMENTS, PASSAGES, REJECTS, VECTORS


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
        passages: served with it. vectors: in the cache. failed: contents whose embedding failed, and that have no
            vector yet.
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
    said = models.read(files)
    at_work = said.all() if said else []
    return KnowledgeStatus(
        feeds=_feeds(settings, view),
        pieces=view.count(CHUNKS.path),
        models={one.name: _model(view, said, one) for one in at_work} if said else {},
        indexes=list(_indexes(settings, view, files, at_work)),
        rejects=refused(view, "index_knowledge", "count(DISTINCT concat(source, chr(0), coalesce(key, '')))"),
        open_requests=[f"{rebuilds.FOLDER}/{one.file}" for one in rebuilds.list_open(files, refuse=False)],
    )


def _feeds(settings: Knowledge, view: LakeView) -> dict[str, FeedStatus]:
    sql = f"SELECT feed, deleted, count(*) AS n, max(changed_at) AS newest FROM {ROWS} GROUP BY 1, 2"
    rows = {(row["feed"], row["deleted"]): row for row in view.query(DOCUMENTS.path, sql)}

    def count(feed: str, deleted: bool) -> int:
        return int(rows[feed, deleted]["n"]) if (feed, deleted) in rows else 0

    return {
        feed: FeedStatus(count(feed, False), count(feed, True), rows.get((feed, False), {}).get("newest"))
        for feed in dict.fromkeys([*settings.documents, *sorted(feed for feed, deleted in rows if not deleted)])
    }


def _model(view: LakeView, at_work: Models, one: Known) -> ModelStatus:
    role = "active" if one == at_work.active else "filling" if one == at_work.filling else "before"
    mine = f"model = {literal(one.fingerprint)}"
    having = f"array_has(map_keys(failures), {literal(one.fingerprint)})"
    failed = _contents(view, CHUNKS.path, having)
    return ModelStatus(
        role,
        _count(view, PASSAGES.path, f"SELECT count(*) AS n FROM {ROWS} WHERE {mine} AND NOT deleted"),
        _count(view, VECTORS.path, f"SELECT count(DISTINCT content_hash) AS n FROM {ROWS} WHERE {mine}"),
        len(failed - _contents(view, VECTORS.path, mine)) if failed else 0,
    )


def _contents(view: LakeView, relative: str, where: str) -> set[str]:
    return {row["content_hash"] for row in view.query(relative, f"SELECT content_hash FROM {ROWS} WHERE {where}")}


def _count(view: LakeView, relative: str, sql: str) -> int:
    rows = view.query(relative, sql)
    return int(rows[0]["n"]) if rows else 0


def _indexes(settings: Knowledge, view: LakeView, files: LakeFiles, at_work: Sequence[Known]) -> Iterator[IndexStatus]:
    told = commits_told(view)
    for one in at_work:
        commits = {key: commit for (of, key), commit in told.items() if of == one.fingerprint}
        living = _living(view, one.fingerprint)
        for name in settings.indexes:
            yield _index(settings, view, files, name, one, commits, living)


def _index(
    settings: Knowledge,
    view: LakeView,
    files: LakeFiles,
    name: str,
    model: Known,
    commits: Mapping[str, int],
    living: Iterable[str],
) -> IndexStatus:
    generation = generation_of(model.fingerprint)
    reached = progress.read(files, progress_place(name, model.fingerprint))
    if reached is None:
        return IndexStatus(name, model.name, generation, None, None, "nothing was published yet")
    behind = max(0, view.version(PASSAGES_TOLD) - reached.version)
    if not indexes.tells_keys(settings.indexes[name]):
        return IndexStatus(name, model.name, generation, behind, None, "it cannot be asked what it holds")
    wanted = {key: reached.row_version(commits[key]) if key in commits else 0 for key in living}
    pending = {key for key, commit in commits.items() if commit > reached.version}
    try:
        compared = compare(wanted, pending, held_by(settings, files, name, model))
    except HeadraceError as error:
        return IndexStatus(name, model.name, generation, behind, None, str(error))
    return IndexStatus(name, model.name, generation, behind, compared)


def refused(view: LakeView, job: str, counted: str = "count(*)") -> list[dict[str, Any]]:
    """A job's refused rows by table and reason, most first: `table`, `reason`, `count`, `newest`, `example`.

    Args:
        counted: SQL for `count`; one thing may have been refused several times.
    """
    sql = (
        f"SELECT `table`, reason, {counted} AS count, max(rejected_at) AS newest, min(detail) AS example FROM {ROWS} "
        "GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"
    )
    return view.query(REJECTS.path.format(job=job), sql)


def _living(view: LakeView, fingerprint: str) -> Iterable[str]:
    sql = f"SELECT chunk FROM {ROWS} WHERE model = {literal(fingerprint)} AND NOT deleted"
    rows: list[dict[str, Any]] = view.query(PASSAGES.path, sql)
    return [row["chunk"] for row in rows]
