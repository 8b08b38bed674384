"""A bucket seen as a folder on disk, its events in a folder of JSON files, and an index that follows them."""

import hashlib
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from documents_world import World
from headrace.config import Config
from headrace.knowledge.documents import as_frame
from headrace.pipelines import sweeps
from headrace.pipelines.document_streams import DocumentStreams

BUCKET, FOLDER = "wet", "docs"


class Bucket:
    """Objects below `docs/` of the bucket `wet`, as files; every change answers with its S3 notification."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._sequence = folder, 0x61F0829
        folder.mkdir(parents=True)

    def put(self, name: str, text: str | bytes) -> dict[str, Any]:
        content = text.encode() if isinstance(text, str) else text
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return self._event("ObjectCreated:Put", name, hashlib.md5(content).hexdigest())

    def delete(self, name: str) -> dict[str, Any]:
        (self.folder / name).unlink(missing_ok=True)
        return self._event("ObjectRemoved:Delete", name, None)

    def content(self) -> dict[str, str]:
        """Texts by name."""
        files = (file for file in self.folder.rglob("*") if file.is_file())
        return {str(file.relative_to(self.folder)): file.read_text() for file in files}

    def _event(self, event: str, name: str, etag: str | None) -> dict[str, Any]:
        self._sequence += 1
        # As S3 sends them: of different lengths, compared from the left.
        thing = {"key": f"{FOLDER}/{name}".replace(" ", "+"), "sequencer": f"{self._sequence:016X}", "eTag": etag}
        about = {"bucket": {"name": BUCKET}, "object": {key: value for key, value in thing.items() if value}}
        return {"eventName": event, "eventTime": "2026-01-02T03:04:05.678Z", "s3": about}


class ObjectWorld(World):
    """The lake, the folder, the events, and what runs of the job do with them."""

    def __init__(self, spark: SparkSession, folder: Path, **feed: Any) -> None:
        self.bucket, self._events = Bucket(folder / "bucket"), folder / "events"
        self._events.mkdir()
        place = {"path": str(self.bucket.folder), "events_path": f"s3://{BUCKET}/{FOLDER}"}
        pages = {"from": "folder", "events": "uploads", **place, **feed}
        self.config = Config.model_validate(
            {
                "lake": str(folder / "lake"),
                "sources": {"uploads": {"from": "files", "path": str(self._events), "format": "objects"}},
                "knowledge": {
                    "documents": {"pages": pages},
                    "indexes": {"search": {"store": "sqlite", "path": str(folder / "search.db")}},
                },
            }
        )
        super().__init__(spark, folder)

    def start(self) -> None:
        super().start()
        assert self.config.knowledge
        self.watch = sweeps.watch(self.lake, "pages", self.config.knowledge.documents["pages"])  # type: ignore[arg-type]

    def send(self, *events: dict[str, Any]) -> None:
        """Let the events of one message arrive."""
        self.send_raw(json.dumps({"Records": events}))

    def send_raw(self, *lines: str) -> None:
        number = len(list(self._events.iterdir()))
        unfinished = self._events.parent / "unfinished"
        unfinished.write_text("\n".join(lines) + "\n")
        unfinished.rename(self._events / f"{number:05d}.json")

    def sweep(self) -> int:
        """List the folder; how many events came of it."""
        events = self.watch.look()
        if events:
            self.indexer.take(as_frame(self.lake.spark, events))
        return len(events)

    def follow(self) -> None:
        """Take the events that have arrived, as a run of the job with `--once` does."""
        streams = DocumentStreams(self.lake, self.config)
        streams.start(once=True)
        try:
            streams.drain(self._take, threading.Event())
        finally:
            streams.close()

    def _take(self, events: DataFrame) -> None:
        self.indexer.take(events)

    def rejects(self) -> Sequence[tuple[str, str]]:
        """Key and reason of every reject."""
        if not self.lake.exists("rejects/index_knowledge"):
            return []
        rows = self.lake.read("rejects/index_knowledge").select("key", "reason").collect()
        return sorted((row["key"] or "", row["reason"]) for row in rows)
