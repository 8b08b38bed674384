"""A lake of documents and the indexers that live on it, one after another."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pyspark.sql import SparkSession

from headrace.config_knowledge import Knowledge
from headrace.knowledge.documents import DocumentEvent, as_frame
from headrace.knowledge.indexer import Indexer
from headrace.knowledge.vectors import Stage
from headrace.lake import Lake
from headrace.ports import Embedder, Loader, Model
from headrace.stores import objects
from headrace.testing.knowledge import HashEmbedder, free_limiter

ABOUT = HashEmbedder()
MODEL = Model(ABOUT.model, ABOUT.dimension, ABOUT.fingerprint)
PAGE = "# Visa\n\nBring a passport.\n\n## Children\n\nChildren need their own.\n\n## Fees\n\nForty euro.\n"


def settings() -> Knowledge:
    return Knowledge.model_validate(
        {
            "documents": {"pages": {"from": "folder", "path": "unused"}},
            "indexes": {"search": {"store": "sqlite", "path": "unused"}},
            "embed": {"provider": "static", "attempts": 50, "retry_after": "0.1s"},
        }
    )


class World:
    """One lake and the indexers that live on it, one after another."""

    def __init__(
        self,
        spark: SparkSession,
        folder: Path,
        embedder: Callable[[], Embedder] = HashEmbedder,
        load: Callable[[], Loader] = objects.loader,
    ) -> None:
        self.lake, self._embedder, self._load = Lake(spark, str(folder / "lake")), embedder, load
        self.start()

    def start(self) -> None:
        """Another process takes over."""
        stage = Stage(self._embedder, free_limiter, workers=1)
        self.indexer = Indexer(self.lake, settings(), "v1", MODEL, self._load, stage)
        self.indexer.start()

    def take(self, *events: DocumentEvent) -> tuple[int, int, int, int]:
        taken = self.indexer.take(as_frame(self.lake.spark, list(events)))
        return taken.sent, taken.applied, taken.stale, taken.rejected

    def settle(self) -> int:
        """Embed and serve until nothing is left; how many vectors were made."""
        made = 0
        while True:
            self.indexer.serve()
            if not self.indexer.lacks_vectors:
                if not self.indexer.unserved and not self.indexer.waiting:
                    return made
                time.sleep(0.1)
                continue
            made += self.indexer.embed().made

    def served(self) -> dict[str, list[str]]:
        """Texts served now, by document."""
        rows = (
            self.lake.read("passages").where("NOT deleted").selectExpr("document", "get_json_object(body, '$.text') t")
        )
        found: dict[str, list[str]] = {}
        for row in rows.collect():
            found.setdefault(row["document"], []).append(row["t"])
        return {document: sorted(texts) for document, texts in found.items()}

    def told(self) -> int:
        return self.lake.read("outbox/passages").count()


def put(document: str, at: int, text: str = PAGE, **more: object) -> DocumentEvent:
    event = DocumentEvent("pages", document, "upsert", f"{at:010d}", tag=str(at), content=text.encode())
    return replace(event, media_type="text/markdown", **more)  # type: ignore[arg-type]


def gone(document: str, at: int) -> DocumentEvent:
    return DocumentEvent("pages", document, "delete", f"{at:010d}")
