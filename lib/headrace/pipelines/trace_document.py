"""The story of one document: what the lake knows of it, its pieces and passages, and what every index holds of them."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from headrace.config import Config
from headrace.config_knowledge import Knowledge, TableFeed
from headrace.errors import HeadraceError
from headrace.pipelines import models
from headrace.pipelines.index_view import commits_told, held_by
from headrace.pipelines.tables_view import LakeView
from headrace.stores.delta_reader import ROWS, literal
from headrace.stores.files import LakeFiles
from headrace.tables import CHUNKS, DOCUMENTS, PASSAGES, REJECTS


@dataclass(frozen=True, slots=True)
class DocumentStory:
    """Everything known of one document.

    Attributes:
        about: its row of `documents`; None where it was never seen.
        pieces: of `chunks`, in order: `chunk`, `ordinal`, `heading`, `start`, `end`, `text`, `failures`.
        passages: by model, key and `deleted`: `model`, `chunk`, `deleted`, `changed_at`, `batch`, `commit` (of the
            outbox, null where it forgot), and `held`: by index the version it holds, `gone`, or nothing.
        rejects: versions of it that were refused.
        notes: what could not be asked.
    """

    feed: str
    document: str
    about: dict[str, Any] | None
    pieces: list[dict[str, Any]]
    passages: list[dict[str, Any]]
    rejects: list[dict[str, Any]]
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def feeds_of(settings: Knowledge | None, table: str) -> list[str]:
    """The feeds whose documents are rows of this table."""
    if settings is None:
        return []
    feeds = settings.documents.items()
    return [name for name, feed in feeds if isinstance(feed, TableFeed) and feed.table == table]


def trace_document(config: Config, feed: str, document: str, view: LakeView | None = None) -> DocumentStory:
    """Collect it. Every index is asked for what it holds, which takes as long as reading all its keys."""
    settings, view = config.knowledge, view or LakeView(config)
    assert settings is not None
    mine = f"feed = {literal(feed)} AND document = {literal(document)}"
    about = view.query(DOCUMENTS.path, f"SELECT * FROM {ROWS} WHERE {mine}")
    columns = "chunk, ordinal, heading, `start`, `end`, text, failures"
    pieces = view.query(CHUNKS.path, f"SELECT {columns} FROM {ROWS} WHERE {mine} ORDER BY ordinal")
    columns = "model, chunk, deleted, changed_at, batch"
    passages = view.query(PASSAGES.path, f"SELECT {columns} FROM {ROWS} WHERE {mine} ORDER BY model, chunk")
    columns = "rejected_at, reason, detail, position"
    refused = f"SELECT {columns} FROM {ROWS} WHERE source = {literal(feed)} AND key = {literal(document)}"
    rejects = view.query(REJECTS.path.format(job="index_knowledge"), f"{refused} ORDER BY rejected_at")
    notes = list(_follow(settings, LakeFiles(config.lake), view, passages))
    return DocumentStory(feed, document, about[0] if about else None, pieces, passages, rejects, notes)


def _follow(settings: Knowledge, files: LakeFiles, view: LakeView, passages: list[dict[str, Any]]) -> Iterable[str]:
    """Add to each passage its outbox commit and what the indexes hold; notes of what could not be asked."""
    at_work = models.read(files)
    known = {one.fingerprint: one for one in at_work.all()} if at_work else {}
    commits = commits_told(view) if passages else {}
    for row in passages:
        row["commit"] = commits.get((row["model"], row["chunk"]))
        row["held"] = {}
    for fingerprint, one in known.items():
        mine = {row["chunk"]: row for row in passages if row["model"] == fingerprint}
        for name in settings.indexes if mine else ():
            try:
                for held in held_by(settings, files, name, one):
                    if held.key in mine:
                        mine[held.key]["held"][name] = "gone" if held.deleted else held.version
            except HeadraceError as error:
                yield f"{name}: {error}"
    for row in passages:
        row["model"] = known[row["model"]].name if row["model"] in known else row["model"]
