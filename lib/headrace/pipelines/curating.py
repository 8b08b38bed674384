"""Makes a version of a dataset: tables at pinned versions -> rows -> folders, tables of what is in it, MLflow."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headrace.config import Config
from headrace.config_datasets import Dataset, Datasets
from headrace.erasure import Suppressed
from headrace.errors import Fatal, NotThere
from headrace.lake import Lake, Transaction, local_rows
from headrace.pipelines.dataset_cleaning import cleaning_of, limits_for
from headrace.pipelines.erase_datasets import JOB as JOB
from headrace.pipelines.erase_datasets import DatasetErasure
from headrace.pipelines.kept_tables import upkeep_of_datasets
from headrace.stores.dataset_places import DatasetPlaces
from headrace.stores.mlflow_versions import MlflowVersions, Version
from headrace.tables import (
    ALIASES,
    CHUNKS,
    DATASET_REFUSED,
    DATASET_ROWS,
    DATASETS,
    DOCUMENTS,
    PROFILES,
    RATINGS,
    TURNS,
    TableContract,
)
from headrace.training import folder, frames
from headrace.training.about import About
from headrace.training.bulk_splits import split_report
from headrace.training.curate import ORIGINS, Curated, curated, digest_of, in_order, known_sides
from headrace.training.duplicates import DuplicateRules
from headrace.training.formats import format_named
from headrace.training.privacy import dataset_key
from headrace.training.similar import Likeness
from headrace.training.splits import SplitRules

log = logging.getLogger("headrace")
EXPORTS = "datasets/exports"
"""Where versions lie below the lake, where the settings name no folder."""
_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Built:
    """A version that was made, or found to be there.

    Attributes:
        version: the first digits of the digest of its content.
        rows: by split. refused: by step and reason.
        places: of its folders, by format.
        new: whether there was none with this content before.
    """

    dataset: str
    version: str
    rows: Mapping[str, int]
    refused: Mapping[str, int]
    places: Mapping[str, str]
    new: bool


class Curator:
    """Makes versions of the settings' datasets."""

    def __init__(self, lake: Lake, config: Config, settings: Datasets) -> None:
        self._lake, self._config, self._settings = lake, config, settings
        self._key = settings.key.get_secret_value().encode()
        self._places = DatasetPlaces(root_of(config, settings))
        self._upkeep = upkeep_of_datasets(lake)
        self._erasure = DatasetErasure(lake, config, settings, self._places)

    def erase(self) -> None:
        """Carry out requests to erase a person: versions with them are revoked, and due again."""
        self._erasure.run()

    def upkeep(self) -> None:
        """Look after the tables, where it is due."""
        self._upkeep.run()

    def wanted(self, name: str, slot: datetime) -> datetime | None:
        """The slot that is to be made: the one given, or one of its own after the newest was revoked; None for none."""
        return self._erasure.revoked_at(name) if self.done(name, slot) else slot

    def done(self, name: str, slot: datetime) -> bool:
        """Whether a slot of the schedule has its version."""
        if not self._lake.exists(DATASETS.path):
            return False
        rows = self._lake.read(DATASETS.path).where((F.col("dataset") == name) & (F.col("slot") == F.lit(slot)))
        return not rows.isEmpty()

    def build(self, name: str, slot: datetime, as_of: datetime | None = None) -> Built:
        """Make the version of a slot. Repeated after a crash it ends what was begun.

        Args:
            as_of: of tables as they were then; as they are now where not given.

        Raises:
            NotThere: a table it is made of is not there, or was not then.
            DatasetRefused: too little is left to fill its splits, or a format does not take it.
        """
        one = self._settings.sets[name]
        suppressed = self._erasure.suppressed()
        pinned = self._pinned(one, as_of)
        found = self._curated(name, one, pinned, suppressed)
        digest = digest_of(found.rows)
        version = digest.hexadecimal()[:_DIGITS]
        counts = {row["split"]: row["count"] for row in found.rows.groupBy("split").count().collect()}
        refused = {
            f"{row['step']}: {row['reason']}": row["count"]
            for row in found.refused.groupBy("step", "reason").count().collect()
        }
        new = not self._known(name, version)
        places = self._written(name, one, version, found, pinned, refused)
        built = Built(name, version, counts, dict(sorted(refused.items())), places, new)
        self._recorded(built, one, slot, as_of or datetime.now(UTC), pinned, found)
        self._told(built, one, pinned)
        log.info(
            "job=%s dataset=%s version=%s rows=%s refused=%s new=%s", JOB, name, version, counts,
            sum(refused.values()), new,
        )  # fmt: skip
        return built

    def _pinned(self, one: Dataset, as_of: datetime | None) -> dict[str, int]:
        needed = (DOCUMENTS, CHUNKS) if one.kind == "text" else (TURNS, RATINGS)
        also = (PROFILES, ALIASES) if one.kind != "text" and self._config.profiles is not None else ()
        pinned = {table.path: self._version(table, as_of) for table in (*needed, *also)}
        for table in needed:
            if pinned[table.path] is None:
                when = f" as of {as_of:%Y-%m-%d %H:%M:%S}" if as_of else ""
                todo = f"`headrace run {table.owner}` writes it."
                raise NotThere(where=table.path, expected=f"the table{when}", found="none", todo=todo)
        return {path: version for path, version in pinned.items() if version is not None}

    def _version(self, table: TableContract, as_of: datetime | None) -> int | None:
        if not self._lake.exists(table.path):
            return None
        return self._lake.version_before(table.path, as_of) if as_of else self._lake.version(table.path)

    def _curated(self, name: str, one: Dataset, pinned: Mapping[str, int], suppressed: Suppressed | None) -> Curated:
        def read(table: TableContract) -> DataFrame:
            return self._lake.read(table.path, pinned[table.path])

        if one.kind == "text":
            chosen = frames.documents(read(DOCUMENTS), read(CHUNKS), one)
        else:
            known = None
            if {PROFILES.path, ALIASES.path} <= pinned.keys():
                known = frames.known_of(read(PROFILES), read(ALIASES), one)
            chosen = frames.chosen(read(TURNS), read(RATINGS), known, one, self._key, suppressed)
        likeness = DuplicateRules(Likeness(one.similar), ORIGINS)
        cleaning = cleaning_of(name, one, self._settings)
        return curated(chosen, cleaning, likeness, self._rules(name, one), self._sides_before(name))

    def _rules(self, name: str, one: Dataset) -> SplitRules:
        key = dataset_key(self._key, name)
        # Another seed than that of the duplicates: what one search misses the other finds.
        return SplitRules(key, one.splits.test, one.splits.validation, Likeness(one.similar, seed=2))

    def _sides_before(self, name: str) -> DataFrame | None:
        if not self._lake.exists(DATASET_ROWS.path) or not self._lake.exists(DATASETS.path):
            return None
        slots = self._lake.read(DATASETS.path).where(F.col("dataset") == name).select("version", "slot")
        rows = self._lake.read(DATASET_ROWS.path).where(F.col("dataset") == name)
        return known_sides(rows.join(F.broadcast(slots), "version"))

    def _known(self, name: str, version: str) -> bool:
        if not self._lake.exists(DATASETS.path):
            return False
        same = (F.col("dataset") == name) & (F.col("version") == version) & F.col("revoked_at").isNull()
        return not self._lake.read(DATASETS.path).where(same).isEmpty()

    def _written(
        self,
        name: str,
        one: Dataset,
        version: str,
        found: Curated,
        pinned: Mapping[str, int],
        refused: Mapping[str, int],
    ) -> dict[str, str]:
        places = {format: self._places.place(name, version, format) for format in one.formats}
        missing = [format for format in one.formats if not self._places.exists(name, version, format)]
        if not missing:
            return places
        leaks = found.leaks
        if not leaks.none():
            todo = "Please report this: it must not happen. Nothing was written."
            raise Fatal(where=name, expected="splits without leaks", found=str(leaks), todo=todo)
        report = split_report(found.rows, found.split, self._rules(name, one))
        notes = (*report.remarks(), *self._erasure.remarks(name))
        for format in missing:
            about = About(
                name, self._places.folder_of(version, format), one.use, (one.licence,), dict(pinned), dict(refused),
                {field: getattr(leaks, field) for field in leaks.__dataclass_fields__}, notes,
            )  # fmt: skip
            self._places.write(name, version, format, partial(self._folder, found, about, format, one))
        return places

    def _folder(self, found: Curated, about: About, format: str, one: Dataset, root: Path) -> Path:
        place = self._places.root if "://" in self._places.root else None
        rows = in_order(found.rows, self._key)
        named, limits = format_named(format), limits_for(one, format)
        return folder.write(root, rows, about, named, limits, files={"train": one.files}, place=place).folder

    def _recorded(
        self, built: Built, one: Dataset, slot: datetime, as_of: datetime, pinned: Mapping[str, int], found: Curated
    ) -> None:
        """Rows first: a version that is in the table of versions is whole."""
        lake, name, version = self._lake, built.dataset, built.version
        named = [F.lit(name).alias("dataset"), F.lit(version).alias("version")]
        beside = F.transform("beside", lambda one: F.struct(one[0].alias("conversation"), one[1].alias("person")))
        kept = ["split", "component", "person", "conversation", "group"]
        rows = found.rows.select(*named, F.col("id").alias("example"), *kept, beside.alias("beside"), "at")
        refused = found.refused.select(*named, F.col("id").alias("example"), "step", "reason", "detail")
        for table, some in ((DATASET_ROWS, rows), (DATASET_REFUSED, refused)):
            lake.append(some, lake.ensure(table), Transaction(f"headrace/{table.path}/{name}/{version}", 1))
        moved = found.split.sides.where("was <> side").count()
        told: dict[str, Any] = {
            "dataset": name, "slot": slot, "as_of": as_of, "version": version, "kind": one.kind,
            "formats": list(one.formats), "settings": fingerprint(one), "sources": dict(pinned),
            "rows": dict(built.rows), "refused": dict(built.refused), "moved": moved,
            "folder": self._places.root, "built_at": datetime.now(UTC), "revoked_at": None, "revoked_why": None,
        }  # fmt: skip
        row = local_rows(lake.spark, [tuple(told.values())], DATASETS.schema)
        same = "t.dataset = s.dataset AND t.slot = s.slot"
        merge = lake.table(lake.ensure(DATASETS)).alias("t").merge(row.alias("s"), same)
        merge.whenMatchedUpdateAll().whenNotMatchedInsertAll().execute()

    def _told(self, built: Built, one: Dataset, pinned: Mapping[str, int]) -> None:
        if self._settings.mlflow is None:
            return
        versions = MlflowVersions(self._settings.mlflow)
        for format in one.formats:
            with self._places.beside(built.dataset, built.version, format) as files:
                place = built.places[format]
                told = Version(built.dataset, built.version, one.kind, format, place, pinned, built.rows, files)
                versions.tell(told)


def root_of(config: Config, settings: Datasets) -> str:
    """Where versions are written."""
    return settings.folder or f"{config.lake.rstrip('/')}/{EXPORTS}"


def fingerprint(one: Dataset) -> str:
    """Another one whenever the settings that shape a dataset are others."""
    shaping = one.model_dump(mode="json", exclude={"launch", "evaluate", "every"})
    return sha256(json.dumps(shaping, sort_keys=True).encode()).hexdigest()[:_DIGITS]
