"""Puts the parts of `index_knowledge` together: embedder, indexer, publishers."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from hashlib import blake2b
from uuid import uuid4

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headrace.config import Config
from headrace.config_knowledge import Knowledge
from headrace.errors import Fatal
from headrace.knowledge import chunk, parse, served
from headrace.knowledge.indexer import JOB, Indexer
from headrace.knowledge.served import PASSAGES_OUTBOX
from headrace.knowledge.vectors import Stage
from headrace.lake import Lake, local_rows
from headrace.pipelines.publish import Publisher
from headrace.ports import Failed, Model, VectorIndex
from headrace.stores import indexes, objects
from headrace.stores.embedders import check, kept_embedder
from headrace.stores.files import LakeFiles
from headrace.stores.limiter import limiter
from headrace.tables import OUTBOX, REJECTS

_PARKED = """source string, table string, reason string, detail string, key string, rejected_at timestamp, batch string,
    day date"""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the job works with."""

    indexer: Indexer
    publishers: list[Publisher]
    generation: str
    stores: list[VectorIndex]

    def open(self) -> None:
        """Claim every store. A new one is taken into use. Raises Fatal for one that serves another model."""
        for publisher, store in zip(self.publishers, self.stores, strict=True):
            publisher.open()
            active = store.active()
            if active is None:
                store.activate(self.generation)
            elif active != self.generation:
                raise Fatal(
                    where=f"knowledge.indexes.{publisher.name}",
                    expected=f"the generation {self.generation}, of the model in knowledge.embed",
                    found=f"{active}, of another model",
                    todo="Set knowledge.embed back, or publish to a new index: models never mix.",
                )

    def close(self) -> None:
        """Give back every connection."""
        for store in self.stores:
            store.close()


def build(lake: Lake, config: Config, settings: Knowledge) -> Parts:
    """Make everything that can fail for a wrong setting: models, stores."""
    about = kept_embedder(settings.embed)
    check(about)
    model = Model(about.model, about.dimension, about.fingerprint)
    workers = int(lake.spark.sparkContext.defaultParallelism)
    one_host = str(lake.spark.sparkContext.master).startswith("local")
    turns = partial(limiter, settings.embed, writers=workers, one_host=one_host)
    stage = Stage(partial(kept_embedder, settings.embed), turns, workers)
    fingerprint = pipeline_fingerprint(settings)
    indexer = Indexer(lake, settings, fingerprint, model, objects.loader, stage)
    generation = generation_of(model)
    stores = {name: indexes.index(one, generation, model) for name, one in settings.indexes.items()}
    files = LakeFiles(config.lake)
    owner = lake_id(files)
    outbox = lake.ensure(OUTBOX, table=PASSAGES_OUTBOX)
    publishers = [
        Publisher(
            name, owner, lake, files, store, outbox, partial(_of_model, model), partial(served.snapshot, lake, model),
            partial(_park, lake, name), settings.indexes[name].attempts,
        )
        for name, store in stores.items()
    ]  # fmt: skip
    return Parts(indexer, publishers, generation, list(stores.values()))


def lake_id(files: LakeFiles) -> str:
    """What tells this lake from every other; made once. Two lakes must not feed one store."""
    place = "publishers/lake-id"
    files.write_text(place, uuid4().hex)
    return files.read_text(place) or ""


def pipeline_fingerprint(settings: Knowledge) -> str:
    """Changes whenever the same document might be read or cut in another way."""
    said = f"{parse.fingerprint()}|{chunk.fingerprint(settings.chunk)}|{settings.parse!r}"
    return blake2b(said.encode(), digest_size=16).hexdigest()


def generation_of(model: Model) -> str:
    """The generation of an index that holds this model's vectors."""
    return model.fingerprint[:12]


def _of_model(model: Model, rows: DataFrame) -> DataFrame:
    return rows.where(F.col("model") == model.fingerprint)


def _park(lake: Lake, store: str, failed: list[Failed]) -> None:
    now = datetime.now(UTC)
    rows = [
        (store, "passages", "not published", one.reason, one.key, now, f"{JOB}/{store}", now.date()) for one in failed
    ]
    lake.append(local_rows(lake.spark, rows, _PARKED), lake.ensure(REJECTS, job=JOB))
