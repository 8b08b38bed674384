"""Puts the parts of `index_knowledge` together: the indexer, and for each model a lane with its publishers."""

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from hashlib import blake2b

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headrace.config_embed import EmbedBase
from headrace.config_indexes import Index
from headrace.config_knowledge import Feed, FolderFeed, Knowledge
from headrace.errors import NotThere, Retryable
from headrace.knowledge import chunk, parse, served
from headrace.knowledge.indexer import JOB, Indexer
from headrace.knowledge.lane import Lane
from headrace.knowledge.vectors import Stage
from headrace.lake import Lake, local_rows
from headrace.pipelines.deliver import Delivery
from headrace.pipelines.lake_ids import lake_id
from headrace.pipelines.models import generation_of, progress_place
from headrace.pipelines.publish import Publisher
from headrace.ports import Failed, Model, VectorIndex
from headrace.stores import indexes, objects
from headrace.stores.embedders import check, kept_embedder
from headrace.stores.files import LakeFiles
from headrace.stores.limiter import limiter
from headrace.tables import OUTBOX, PASSAGES, PASSAGES_OUTBOX, REJECTS, VECTORS

log = logging.getLogger("headrace")
_PARKED = """source string, table string, reason string, detail string, key string, rejected_at timestamp, batch string,
    day date"""


@dataclass(frozen=True, slots=True)
class ServedModel:
    """A model at work: its lane, and its generation of every index with what publishes into it."""

    name: str
    model: Model
    lane: Lane
    indexes: Mapping[str, Index]
    stores: Mapping[str, VectorIndex]
    publishers: tuple[Publisher, ...]

    @property
    def in_step(self) -> bool:
        """Whether every index holds what the documents say, as far as the model can embed it."""
        if self.lane.unserved or self.lane.waiting > self.lane.given_up:
            return False
        return not any(one.behind or one.filling or one.late for one in self.publishers)

    @property
    def generation(self) -> str:
        """Its name in every index."""
        return generation_of(self.model.fingerprint)

    def close(self) -> None:
        """Give back every connection."""
        for store in self.stores.values():
            store.close()


@dataclass(slots=True)
class Parts:
    """What the job works with."""

    lake: Lake
    settings: Knowledge
    indexer: Indexer
    fingerprints: Mapping[str, str]
    owner: str
    served: list[ServedModel] = field(default_factory=list)

    def made(self, name: str) -> Model:
        """The model the settings hold under a name. Raises where it cannot be made, before any service is asked."""
        about = kept_embedder(self.settings.all_models()[name])
        return Model(about.model, about.dimension, about.fingerprint)

    def add(self, name: str) -> ServedModel:
        """Serve one more model from now on. Raises for everything that can fail for a wrong setting: models, stores."""
        settings = self.settings.all_models()[name]
        model = self.made(name)
        self._check(settings, model)
        stores = {
            one: indexes.index(index, generation_of(model.fingerprint), model)
            for one, index in self.settings.indexes.items()
        }
        publishers = tuple(self._publisher(one, store, model) for one, store in stores.items())
        for publisher in publishers:
            publisher.open()
        lane = self.indexer.add(model, settings, self._stage(settings))
        found = ServedModel(name, model, lane, self.settings.indexes, stores, publishers)
        self.served.append(found)
        return found

    def _check(self, settings: EmbedBase, model: Model) -> None:
        """Try the model. One that is away now and worked before is away for a time: deletes must not wait for it."""
        try:
            check(kept_embedder(settings))
        except Retryable as error:
            made = self.lake.read(self.lake.ensure(VECTORS)).where(F.col("model") == model.fingerprint)
            if made.isEmpty():
                raise
            log.warning("model=%s is away, documents wait for it, deletes go on: %s", model.name, error)

    def remove(self, one: ServedModel) -> None:
        """Serve it no more; its generations and passages go, its vectors stay for another time."""
        # First, as stores may be away, and the whole is tried again then.
        self.forget(one.model.fingerprint)
        self.indexer.remove(one.lane)
        self.served.remove(one)
        one.close()

    def forget(self, fingerprint: str) -> None:
        """Take a model out of every index and the passages of the lake; its vectors stay."""
        for store in self.served[0].stores.values():
            with suppress(NotThere):
                store.drop(generation_of(fingerprint))
        self.lake.table(self.lake.ensure(PASSAGES)).delete(F.col("model") == fingerprint)

    def of(self, fingerprint: str) -> ServedModel | None:
        """The model at work with this fingerprint."""
        return next((one for one in self.served if one.model.fingerprint == fingerprint), None)

    def close(self) -> None:
        """Give back every connection."""
        for one in self.served:
            one.close()

    def _stage(self, settings: EmbedBase) -> Stage:
        context = self.lake.spark.sparkContext
        one_host = str(context.master).startswith("local")
        slots = int(context.defaultParallelism)
        # One is left for everything else; on one host there are more than cores (`runtime.SPARE_SLOTS`).
        workers = slots if one_host else max(1, slots - 1)
        turns = partial(limiter, settings, writers=workers, one_host=one_host)
        return Stage(partial(kept_embedder, settings), turns, workers)

    def _publisher(self, name: str, store: VectorIndex, model: Model) -> Publisher:
        index = self.settings.indexes[name]
        return Publisher(
            name,
            progress_place(name, model.fingerprint),
            self.owner,
            self.lake,
            LakeFiles(self.lake.root),
            Delivery(store, index.attempts, partial(park, self.lake, JOB, PASSAGES_OUTBOX, name)),
            self.lake.ensure(OUTBOX, table=PASSAGES_OUTBOX),
            partial(_of_model, model),
            partial(served.snapshot, self.lake, model),
            urgent_first=indexes.refuses_older(index),
            tells_keys=indexes.tells_keys(index),
            keep=self.settings.keep_outbox,
        )


def build(lake: Lake, settings: Knowledge) -> Parts:
    """The parts, without any model yet."""
    fingerprints = feed_fingerprints(settings)
    folders = [feed.path for feed in settings.documents.values() if isinstance(feed, FolderFeed)]
    roots = [path for path in folders if not path.startswith("s3://")]
    indexer = Indexer(lake, settings, fingerprints, partial(objects.loader, roots))
    return Parts(lake, settings, indexer, fingerprints, lake_id(LakeFiles(lake.root)))


def feed_fingerprints(settings: Knowledge) -> dict[str, str]:
    """By feed: changes whenever the same document might be read or cut in another way, or the feed says other things
    of it, such as who may read it. Where a feed finds its documents does not matter."""
    ways = f"{parse.fingerprint()}|{chunk.fingerprint(settings.chunk)}|{settings.parse!r}"
    places = {"path", "events", "events_path", "every", "include", "exclude", "table", "source"}

    def of(feed: Feed) -> str:
        said = feed.model_dump_json(exclude=places, exclude_defaults=True)
        return blake2b(f"{ways}|{said}".encode(), digest_size=16).hexdigest()

    return {name: of(feed) for name, feed in settings.documents.items()}


def _of_model(model: Model, rows: DataFrame) -> DataFrame:
    return rows.where(F.col("model") == model.fingerprint)


def park(lake: Lake, job: str, table: str, store: str, failed: list[Failed]) -> None:
    """Write rows that a store will not take to the job's rejects.

    Args:
        table: what the rows are of.
    """
    now = datetime.now(UTC)
    rows = [(store, table, "not published", one.reason, one.key, now, f"{job}/{store}", now.date()) for one in failed]
    lake.append(local_rows(lake.spark, rows, _PARKED), lake.ensure(REJECTS, job=job))
