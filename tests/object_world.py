"""A bucket seen as a folder on disk, its events in a folder of JSON files, and an index that follows them."""

import hashlib
import json
import os
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from documents_world import World
from headrace.config import Config
from headrace.knowledge.documents import as_frame
from headrace.pipelines import sweeps
from headrace.pipelines.document_streams import DocumentStreams
from headrace.ports import Loader
from headrace.stores import objects
from s3_server import S3

BUCKET, FOLDER = "wet", "docs"


class Bucket:
    """Objects below `docs/` of the bucket `wet`, as files; every change answers with its S3 notification."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._sequence = folder, 0x61F0829
        folder.mkdir(parents=True)

    @property
    def place(self) -> dict[str, str]:
        """Where a feed finds it."""
        return {"path": str(self.folder), "events_path": f"s3://{BUCKET}/{FOLDER}"}

    def put(self, name: str, text: str | bytes) -> dict[str, Any]:
        content = text.encode() if isinstance(text, str) else text
        self._write(name, content)
        return self.event("ObjectCreated:Put", name, hashlib.md5(content).hexdigest())

    def delete(self, name: str) -> dict[str, Any]:
        self._remove(name)
        return self.event("ObjectRemoved:Delete", name, None)

    def content(self) -> dict[str, str]:
        """Texts by name."""
        files = (file for file in self.folder.rglob("*") if file.is_file())
        return {str(file.relative_to(self.folder)): file.read_text() for file in files}

    def _write(self, name: str, content: bytes) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

    def _remove(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)

    def event(self, event: str, name: str, etag: str | None) -> dict[str, Any]:
        self._sequence += 1
        # As S3 sends them: of different lengths, compared from the left.
        thing = {"key": f"{FOLDER}/{name}".replace(" ", "+"), "sequencer": f"{self._sequence:016X}", "eTag": etag}
        about = {"bucket": {"name": BUCKET}, "object": {key: value for key, value in thing.items() if value}}
        return {"eventName": event, "eventTime": "2026-01-02T03:04:05.678Z", "s3": about}


class S3Bucket(Bucket):
    """The same in an S3 made for tests."""

    def __init__(self, s3: S3) -> None:
        self.s3, self._sequence = s3, 0x61F0829
        s3.objects[BUCKET] = {}

    @property
    def place(self) -> dict[str, str]:
        return {"path": f"s3://{BUCKET}/{FOLDER}"}

    def content(self) -> dict[str, str]:
        below = f"{FOLDER}/"
        held = self.s3.objects[BUCKET].items()
        return {key.removeprefix(below): content.decode() for key, content in held if key.startswith(below)}

    def _write(self, name: str, content: bytes) -> None:
        self.s3.put(BUCKET, f"{FOLDER}/{name}", content)

    def _remove(self, name: str) -> None:
        self.s3.objects[BUCKET].pop(f"{FOLDER}/{name}", None)


class ObjectWorld(World):
    """The lake, the bucket, the events, and what runs of the job do with them."""

    def __init__(self, spark: SparkSession, folder: Path, bucket: Bucket | None = None) -> None:
        self.bucket, self._events = bucket or Bucket(folder / "bucket"), folder / "events"
        self._events.mkdir()
        pages = {"from": "folder", "events": "uploads", **self.bucket.place}
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
        super().__init__(spark, folder, load=loader(self.bucket))

    def start(self) -> None:
        super().start()
        assert self.config.knowledge
        self.watch = sweeps.watch(self.lake, "pages", self.config.knowledge.documents["pages"], "v1")  # type: ignore[arg-type]

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


def loader(bucket: Bucket) -> Callable[[], Loader]:
    """What makes a worker's loader."""
    if not isinstance(bucket, S3Bucket):
        return partial(objects.loader, ["/"])
    environment = bucket.s3.environment

    def load() -> Loader:
        # Spark's workers do not see what this process changes in its environment.
        os.environ.update(environment)
        return objects.loader(["/"])

    return load
