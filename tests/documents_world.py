"""A lake of documents and the indexers that live on it, one after another."""

import atexit
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from headrace.config_knowledge import Knowledge
from headrace.knowledge import served
from headrace.knowledge.documents import DocumentEvent, as_frame
from headrace.knowledge.indexer import Indexer
from headrace.knowledge.vectors import Stage
from headrace.lake import Lake
from headrace.pipelines.deliver import Delivery
from headrace.pipelines.publish import Publisher
from headrace.ports import Embedder, Failed, Loader, Model, Projection
from headrace.stores import objects
from headrace.stores.files import LakeFiles
from headrace.testing.knowledge import HashEmbedder, free_limiter

ABOUT = HashEmbedder()
MODEL = Model(ABOUT.model, ABOUT.dimension, ABOUT.fingerprint)
PAGE = "# Visa\n\nBring a passport.\n\n## Children\n\nChildren need their own.\n\n## Fees\n\nForty euro.\n"
ANY_FILE = partial(objects.loader, ["/"])


KNOWLEDGE: dict[str, Any] = {
    "documents": {"pages": {"from": "folder", "path": "unused"}},
    "indexes": {"search": {"store": "sqlite", "path": "unused"}},
    "embed": {"provider": "static", "attempts": 50, "retry_after": "0.1s"},
}


def settings() -> Knowledge:
    return Knowledge.model_validate(KNOWLEDGE)


@cache
def empty_lake(spark: SparkSession) -> Path:
    """A lake with the tables of `index_knowledge`, which take seconds to make; for copying."""
    folder = Path(tempfile.mkdtemp(prefix="headrace-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    indexer = Indexer(Lake(spark, str(folder)), settings(), {}, ANY_FILE)
    indexer.start()
    indexer.add(MODEL, settings().embed, Stage(HashEmbedder, free_limiter, workers=1))
    return folder


class World:
    """One lake and the indexers that live on it, one after another."""

    def __init__(
        self,
        spark: SparkSession,
        folder: Path,
        embedder: Callable[[], Embedder] = HashEmbedder,
        load: Callable[[], Loader] = ANY_FILE,
    ) -> None:
        if not (folder / "lake").exists():
            shutil.copytree(empty_lake(spark), folder / "lake")
        self.lake, self._embedder, self._load = Lake(spark, str(folder / "lake")), embedder, load
        self.start()

    def start(self) -> None:
        """Another process takes over."""
        stage = Stage(self._embedder, free_limiter, workers=1)
        self.indexer = Indexer(self.lake, settings(), {"pages": "v1"}, self._load)
        self.indexer.start()
        self.lane = self.indexer.add(MODEL, settings().embed, stage)

    def take(self, *events: DocumentEvent) -> tuple[int, int, int, int]:
        taken = self.indexer.take(as_frame(self.lake.spark, list(events)))
        return taken.sent, taken.applied, taken.stale, taken.rejected

    def settle(self) -> int:
        """Embed and serve until nothing is left; how many vectors were made."""
        made = 0
        while True:
            made += self.indexer.serve().embedded
            if not self.lane.lacks_vectors:
                if not self.indexer.unserved and not self.lane.waiting:
                    return made
                time.sleep(0.1)
                continue
            made += self.lane.embed().made

    def served(self) -> dict[str, list[str]]:
        """Texts served now, by document."""
        rows = (
            self.lake.read("passages").where("NOT deleted").selectExpr("document", "get_json_object(body, '$.text') t")
        )
        found: dict[str, list[str]] = {}
        for row in rows.collect():
            found.setdefault(row["document"], []).append(row["t"])
        return {document: sorted(texts) for document, texts in found.items()}

    def chunks(self) -> set[str]:
        """Keys of the passages served now."""
        return {row["chunk"] for row in self.lake.read("passages").where("NOT deleted").select("chunk").collect()}

    def told(self) -> int:
        return self.lake.read("outbox/passages").count()


def put(document: str, at: int, text: str = PAGE, **more: object) -> DocumentEvent:
    event = DocumentEvent("pages", document, "upsert", f"{at:010d}", tag=str(at), content=text.encode())
    return replace(event, media_type="text/markdown", **more)  # type: ignore[arg-type]


def gone(document: str, at: int) -> DocumentEvent:
    return DocumentEvent("pages", document, "delete", f"{at:010d}")


def publisher(
    world: World,
    store: Projection,
    owner: str = "this lake",
    park: Callable[[list[Failed]], None] = list.clear,
    attempts: int = 1000,
    place: str = "publishers/search.json",
    **more: Any,
) -> Publisher:
    """Brings a store in step with the world's passages."""
    lake = world.lake
    return Publisher(
        "search", place, owner, lake, LakeFiles(lake.root), Delivery(store, attempts, park),
        "outbox/passages", lambda rows: rows, lambda: served.snapshot(lake, MODEL), **more,
    )  # fmt: skip
