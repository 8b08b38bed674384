"""What `headrace check` tries of documents, models and indexes."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from headrace.config import Config
from headrace.config_embed import EmbedBase
from headrace.config_indexes import Index, SqliteIndex
from headrace.config_knowledge import FolderFeed, Knowledge
from headrace.errors import NotThere, Unreachable
from headrace.pipelines.lake_ids import known_lake_id
from headrace.pipelines.models import generation_of
from headrace.stores import embedders, indexes, objects
from headrace.stores.files import LakeFiles

Trial = tuple[str, Callable[[], str]]
"""What is tried, and a function that says what was found or raises HeadraceError."""


def trials(config: Config, knowledge: Knowledge) -> Iterator[Trial]:
    """Every folder of documents, every model, and every index with the first model."""
    for name, feed in knowledge.documents.items():
        if isinstance(feed, FolderFeed):
            yield f"documents {name}: folder", lambda feed=feed: _folder(feed)  # type: ignore[misc]
    models = knowledge.all_models()
    for name, model in models.items():
        yield f"model {name}", lambda model=model: _model(model)  # type: ignore[misc]
    first = next(iter(models.values()))
    for name, index in knowledge.indexes.items():
        yield f"index {name}", lambda index=index: _index(config, index, first)  # type: ignore[misc]


def _folder(feed: FolderFeed) -> str:
    objects.check(feed.path)
    return f"{feed.path} answers"


def _model(settings: EmbedBase) -> str:
    made = embedders.kept_embedder(settings)
    embedders.check(made)
    return f"{made.model} embeds: {made.dimension} numbers"


def _index(config: Config, settings: Index, model: EmbedBase) -> str:
    made = embedders.kept_embedder(model)
    store = indexes.index(settings, generation_of(made.fingerprint))
    try:
        store.attach(known_lake_id(LakeFiles(config.lake)))
    except NotThere:
        if isinstance(settings, SqliteIndex):
            may_be_made(settings.path)
        return f"{settings.store}: not made yet; `headrace run index_knowledge` makes it"
    finally:
        store.close()
    return f"{settings.store}: there"


def may_be_made(path: str) -> None:
    """Raise Unreachable where a file cannot be made."""
    folder = Path(path).expanduser().absolute().parent
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        todo = "Give the user that runs the job the right to write there, or name another path."
        raise Unreachable(where=path, expected="a folder to write to", found=f"{folder}", todo=todo)
