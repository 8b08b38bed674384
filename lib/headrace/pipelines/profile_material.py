"""Everything that profiles are made of, looked up for some people or for all: schema `build.PARTS`."""

from collections.abc import Collection
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headrace.config_profiles import Profiles
from headrace.lake import Lake
from headrace.pipelines.profile_placed import Moved, Placed
from headrace.pipelines.profile_rows import ProfileRows
from headrace.profiles import owners, served
from headrace.profiles.records import VALUES

MEMBERS = f"record string, key string, own string, person string, identifiers {VALUES}"
_OWNED = ("owner", "what", "name", "body")


class Material:
    """Looks up what people say of themselves and what they own.

    Args:
        owning: kinds of identifiers that own rows.
    """

    def __init__(
        self, lake: Lake, settings: Profiles, rows: ProfileRows, placed: Placed, owning: Collection[str]
    ) -> None:
        self._lake, self._settings, self._rows, self._placed, self._owning = lake, settings, rows, placed, owning

    def of_some(self, people: DataFrame, moved: Collection[Moved], batch: int, few: bool) -> DataFrame:
        """What some people's profiles are made of; of what they own, what is placed with them by this batch.

        Args:
            people: schema `MEMBERS`.
            few: let the driver look where rows are placed.
        """
        return self._parts(people, self._owned(people, moved, batch, few), everybody=False)

    def of_all(self, people: DataFrame) -> DataFrame:
        """What everybody's profiles are made of. The tables must stand still since all was placed."""
        return self._parts(people, self._owned_by_all(people), everybody=True)

    def _parts(self, people: DataFrame, owned: DataFrame | None, everybody: bool) -> DataFrame:
        member = F.to_json(F.struct("record", "key", "own", "identifiers"))
        parts = [
            people.select("person", F.lit("member").alias("what"), F.col("record").alias("name"), member.alias("body"))
        ]
        refs = [] if everybody else people.select("record", "key").collect()
        for name, record in self._settings.records.items():
            if record.fields and self._rows.there(record.table):
                keys = None if everybody else [row["key"] for row in refs if row["record"] == name]
                if keys is None or keys:
                    mine = people.where(F.col("record") == name).select("person", "key")
                    said = self._rows.fields(name, keys).join(F.broadcast(mine) if keys else mine, "key")
                    parts.append(
                        said.select("person", F.lit("fields").alias("what"), F.lit(name).alias("name"), "body")
                    )
        if owned is not None:
            parts.append(owned)
        return reduce(DataFrame.unionByName, parts)

    def _owned(self, people: DataFrame, moved: Collection[Moved], batch: int, few: bool) -> DataFrame | None:
        """What these people own, as `build.PARTS`, and is placed with them by this batch."""
        whose = self._whose(people)
        only = whose.select("owner")
        parts = []
        found = self._belongings(only)
        if found is not None:
            parts.append(self._placed.placed_here(found, moved, batch, few).select(*_OWNED))
        if self._settings.behaviour:
            parts.append(self._placed.buckets(only).select(*_OWNED))
        if not parts:
            return None
        return reduce(DataFrame.unionByName, parts).join(F.broadcast(whose), "owner").select("person", *_OWNED[1:])

    def _owned_by_all(self, people: DataFrame) -> DataFrame | None:
        """What anybody owns, as `build.PARTS`."""
        whose = self._whose(people).localCheckpoint()
        parts = [self._belongings(None)]
        if self._settings.behaviour:
            parts.append(self._placed.buckets(None))
        there = [part.select(*_OWNED) for part in parts if part is not None]
        if not there:
            return None
        return reduce(DataFrame.unionByName, there).join(whose, "owner").select("person", *_OWNED[1:])

    def _whose(self, people: DataFrame) -> DataFrame:
        whose = people.select(owners.columns(F.col("record"), F.col("key")).alias("owner"), "person")
        return whose.unionByName(self._by_value(people)) if self._owning else whose

    def _belongings(self, only: DataFrame | None) -> DataFrame | None:
        """Related rows and statements of these owners, or of all, schema `profile_rows.OWNED`."""
        settings, rows = self._settings, self._rows
        found = [rows.related(name, only) for name, one in settings.related.items() if rows.there(one.table)]
        if settings.consent and rows.there(settings.consent.table):
            found.append(rows.statements(only))
        return reduce(DataFrame.unionByName, found) if found else None

    def _by_value(self, people: DataFrame) -> DataFrame:
        """Identifiers of which only one of all people has each, as owners."""
        told = people.select("person", F.explode("identifiers").alias("_one")).select(
            "person", "_one.kind", "_one.hash"
        )
        told = told.where(F.col("kind").isin(list(self._owning))).distinct()
        having = served.persons_having(self._lake, told.select("kind", "hash").distinct())
        alone = having.where("size(persons) = 1").select("kind", "hash")
        owner = owners.value_columns(F.col("kind"), F.col("hash")).alias("owner")
        return told.join(alone, ["kind", "hash"]).select(owner, "person")
