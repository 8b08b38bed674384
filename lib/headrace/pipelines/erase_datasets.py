"""How `curate_dataset` erases people: versions that hold them are revoked and deleted; later ones are made without."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from pyspark.sql import Column
from pyspark.sql import functions as F

from headrace.config import Config
from headrace.config_datasets import Datasets
from headrace.erasure import Erasure, Suppressed
from headrace.lake import Assignments, Lake, local_rows
from headrace.pipelines import erasing
from headrace.pipelines.erasing import Erasures
from headrace.stores.dataset_places import DatasetPlaces
from headrace.stores.files import LakeFiles
from headrace.stores.mlflow_versions import MlflowVersions
from headrace.tables import DATASET_ROWS, DATASETS, ERASURES, SUPPRESSED, TURNS

JOB = "curate_dataset"
WHY = "erasure of a person"
"""How `revoked_why` of these begins; the name of the request follows."""
log = logging.getLogger("headrace")


class DatasetErasure:
    """Carries requests out, between versions.

    Args:
        places: where versions are written now; older ones lie where their row says.
    """

    def __init__(self, lake: Lake, config: Config, settings: Datasets, places: DatasetPlaces) -> None:
        self._lake, self._settings, self._places = lake, settings, places
        self._files = LakeFiles(config.lake)
        self._requests = Erasures(self._files, JOB, config)

    def run(self) -> None:
        """Carry out what is open. Raises ConfigError for another key, Unreachable where MLflow is away."""
        self._requests.refresh()
        self._requests.suppressed()
        for request in self._requests.open():
            self._carry_out(request)

    def suppressed(self) -> Suppressed | None:
        """Whom a version is made without, those who withdrew from training only among them."""
        self._requests.refresh()
        return self._requests.suppressed(training=True)

    def revoked_at(self, name: str) -> datetime | None:
        """When the newest version of a dataset was revoked by an erasure; None where it stands."""
        rows = self._lake.read(DATASETS.path).where(F.col("dataset") == name)
        newest = rows.orderBy(F.desc("slot")).select("revoked_why", F.col("revoked_at").cast("double")).first()
        if newest is None or not (newest[0] or "").startswith(WHY):
            return None
        # As a number: a time would come in the machine's own zone.
        return datetime.fromtimestamp(newest[1], UTC)

    def remarks(self, name: str) -> Iterator[str]:
        """What the card of a version must say."""
        if not self._lake.exists(DATASETS.path):
            return
        revoked = self._lake.read(DATASETS.path).where(
            (F.col("dataset") == name) & F.col("revoked_why").startswith(WHY)
        )
        last = revoked.agg(F.date_format(F.max("revoked_at"), "yyyy-MM-dd")).collect()[0][0]
        if last is not None:
            yield (
                f"Reproducibility ended at an erasure on {last}: versions before it were revoked, and cannot be made "
                "again byte for byte, as their sources no longer hold the same rows."
            )

    def _carry_out(self, request: Erasure) -> None:
        """Revoke and delete; done when `track_feedback` is, which knows what the person said without a name."""
        first = "track_feedback"
        waits = first in request.jobs and erasing.outcome(self._files, request, first) is None
        found = self._found(request)
        self._requests.keep_plan(request, asdict(found))
        for dataset, version in found.versions:
            self._revoke(request, dataset, version)
        for name in self._settings.sets:
            self._delete_unrecorded(name)
        rows = self._forget(request, found)
        if waits:
            log.info("job=%s erasure=%s waits for %s", JOB, request.name, first)
            return
        self._requests.done(request, {"versions": len(found.versions), "rows": rows})
        log.info("job=%s erasure=%s versions=%s rows=%s", JOB, request.name, len(found.versions), rows)

    def _found(self, request: Erasure) -> "_Found":
        """What was found before, and what is there now."""
        before = _Found(**(self._requests.plan(request) or {}))
        if not self._lake.exists(DATASET_ROWS.path):
            return before
        names = sorted({*before.conversations, *self._conversations(request)})
        rows = self._lake.read(DATASET_ROWS.path).where(_holds(request.trained, names))
        there = {(row[0], row[1]) for row in rows.select("dataset", "version").distinct().collect()}
        return _Found(sorted(there | {(dataset, version) for dataset, version in before.versions}), names)

    def _conversations(self, request: Erasure) -> Iterator[str]:
        """Those that the person took part in, as far as turns are there, or `track_feedback` tells."""
        if self._lake.exists(TURNS.path):
            turns = self._lake.read(TURNS.path).where(F.col("person").isin(list(self._requests.work(request).people)))
            yield from (row[0] for row in turns.select("conversation").distinct().collect())
        relative = SUPPRESSED.path.format(job="track_feedback")
        suppressed = self._requests.suppressed()
        if suppressed and self._lake.exists(relative):
            told = self._lake.read(relative).where(F.col("request") == request.name).select("hash").collect()
            hashes, of = {row[0] for row in told}, suppressed.hashing.of
            nameless = self._lake.read(DATASET_ROWS.path).where(_nameless())
            every = F.explode(F.concat(F.array("conversation"), F.coalesce("beside.conversation", F.array())))
            for row in nameless.select(every).distinct().toLocalIterator() if hashes else ():
                if hashes.intersection((of("conversation", row[0]), of("shared", row[0]))):
                    yield row[0]

    def _revoke(self, request: Erasure, dataset: str, version: str) -> None:
        """Nobody finds it from the first step on; its folders go last, and MLflow hears of it."""
        same = (F.col("dataset") == dataset) & (F.col("version") == version)
        why = f"{WHY}: {request.name}"
        told = []
        if self._lake.exists(DATASETS.path):
            set_to: Assignments = {"revoked_at": F.current_timestamp(), "revoked_why": F.lit(why)}
            self._lake.table(DATASETS.path).update(same & F.col("revoked_at").isNull(), set_to)
            told = self._lake.read(DATASETS.path).where(same).select("formats", "folder").collect()
        used = self._told_mlflow(dataset, version, why)
        formats = {format for row in told for format in row["formats"]}
        for root in {row["folder"] for row in told}:
            for format in formats:
                DatasetPlaces(root).delete(dataset, version, format)
        detail = f"revoked; trained on it: {', '.join(used) if used else 'none that MLflow knows of'}"
        self._told(request, f"dataset {dataset} {version}", "revoked", 0, detail)

    def _told_mlflow(self, dataset: str, version: str, why: str) -> Sequence[str]:
        if self._settings.mlflow is None:
            return ()
        versions = MlflowVersions(self._settings.mlflow)
        versions.revoke(dataset, version, why)
        return versions.used_by(dataset, version)

    def _delete_unrecorded(self, name: str) -> None:
        """Folders of versions that a crash kept from being recorded: nothing tells who is in them."""
        recorded: set[str] = set()
        if self._lake.exists(DATASETS.path):
            rows = self._lake.read(DATASETS.path).where((F.col("dataset") == name) & F.col("revoked_at").isNull())
            recorded = {row[0] for row in rows.select("version").distinct().collect()}
        for version, format in self._places.versions(name):
            if version not in recorded:
                self._places.delete(name, version, format)

    def _forget(self, request: Erasure, found: "_Found") -> int:
        """Delete rows of the person, and pairs with an answer of theirs."""
        if not self._lake.exists(DATASET_ROWS.path):
            return 0
        theirs = _holds(request.trained, found.conversations)
        rows = self._lake.read(DATASET_ROWS.path).where(theirs).select(*DATASET_ROWS.key).localCheckpoint()
        count = self._lake.delete_keys(DATASET_ROWS.path, rows)
        if count:
            self._told(request, DATASET_ROWS.path, "deleted", count)
            # The table has no deletion vectors: what is deleted is in no newer file.
            self._told(request, DATASET_ROWS.path, "purged", count)
        return count

    def _told(self, request: Erasure, place: str, step: str, rows: int, detail: str | None = None) -> None:
        row = (request.name, place, step, rows, detail, datetime.now(UTC))
        self._lake.append(local_rows(self._lake.spark, [row], ERASURES.schema), self._lake.ensure(ERASURES, job=JOB))


@dataclass(frozen=True, slots=True)
class _Found:
    """Versions with the person, and their conversations, of which what names nobody is theirs too."""

    versions: Sequence[Sequence[str]] = ()
    conversations: Sequence[str] = ()


def _holds(trained: Sequence[str], conversations: Sequence[str]) -> Column:
    """Whether a row, or the other answer of a pair, is of the person."""

    def theirs(person: Column, conversation: Column) -> Column:
        nameless = person.isNull() & conversation.isin(list(conversations))
        return F.coalesce(person.isin(list(trained)) | nameless, F.lit(False))

    beside = F.exists("beside", lambda one: theirs(one["person"], one["conversation"]))
    return theirs(F.col("person"), F.col("conversation")) | F.coalesce(beside, F.lit(False))


def _nameless() -> Column:
    beside = F.exists("beside", lambda one: one["person"].isNull())
    return F.col("person").isNull() | F.coalesce(beside, F.lit(False))
