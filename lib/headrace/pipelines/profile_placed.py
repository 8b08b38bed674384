"""Whose related rows and events are, and were: what moves from one person to another touches both.

A row counts for somebody only where it is placed. It may have changed since the batch's keys were read, and then comes
with a later batch: counted before, and moved on by then, it would never be taken away from where it was not placed.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headrace.config_profiles import Behaviour, Profiles
from headrace.identifiers.normalise import Value
from headrace.lake import Assignments, Lake, local_rows, struct
from headrace.pipelines.profile_rows import HOUR_MARK, OWNED, ProfileRows
from headrace.profiles import buckets, owners
from headrace.profiles.buckets import Event
from headrace.profiles.links import Ref
from headrace.profiles.people_tables import LakePeople
from headrace.profiles.served import MOST_PERSONS
from headrace.profiles.some_rows import picked, put
from headrace.tables import BEHAVIOUR, PLACED

FEW = 20_000
"""As many rows that changed are looked at by the driver itself; of more all is done in Spark."""
_BUCKETS = "feed string, owner string, hour timestamp, body string"
_ARROW = pa.schema(
    [("feed", pa.string()), ("owner", pa.string()), ("hour", pa.timestamp("us", tz="UTC")), ("body", pa.string())]
)


@dataclass(frozen=True, slots=True)
class Moved:
    """A row that changed. `before`, `now`: its owner, empty for none; of an event with the hour."""

    group: str
    name: str
    key: str
    before: str
    now: str

    @property
    def feed(self) -> str:
        """What `placed` calls its feed."""
        return f"{self.group}.{self.name}"


def records_of(moved: Iterable[Moved]) -> set[Ref]:
    """The records that own rows, or did."""
    return {one for one in _owners(moved) if isinstance(one, Ref)}


def _owners(moved: Iterable[Moved]) -> list[Ref | Value]:
    told = {owner.partition(HOUR_MARK)[0] for one in moved for owner in (one.before, one.now) if owner}
    return [owners.parsed(owner) for owner in told]


class Placed:
    """Keeps where rows belong, and sums up behaviour by the hour."""

    def __init__(self, lake: Lake, settings: Profiles, rows: ProfileRows, people: LakePeople) -> None:
        self._lake, self._settings, self._rows, self._people = lake, settings, rows, people

    def moved(self, touched) -> list[Moved]:  # type: ignore[no-untyped-def]
        """The rows that changed, each with its owner as it was and as it is."""
        found: list[Moved] = []
        feeds = [(*one, keys) for one in self._feeds() if (keys := touched.get(one[2]))]
        before = self._before({key for *_, keys in feeds for key in keys}) if feeds else {}
        for group, name, table, keys in feeds:
            now: dict[str, str] = {}
            if self._rows.there(table):
                rows = self._rows.owners(group, name, keys).toArrow()
                now = dict(zip(rows["key"].to_pylist(), rows["owner"].to_pylist(), strict=True))
            feed = f"{group}.{name}"
            found += [Moved(group, name, key, before.get((feed, key), ""), now.get(key, "")) for key in keys]
        return found

    def persons(self, moved: Iterable[Moved]) -> set[str]:
        """Everybody whose rows changed."""
        found = set(self._people.persons_of(records_of(moved)).values())
        values = [one for one in _owners(moved) if isinstance(one, Value)]
        having = self._people.persons_having(values, MOST_PERSONS)
        return found.union(*having.values())

    def sum_up(self, moved: Collection[Moved], batch: int) -> None:
        """Sum up again the hours in which something changed."""
        hours = {
            (one.name, *owner.split(HOUR_MARK))
            for one in moved
            if one.group == "behaviour"
            for owner in (one.before, one.now)
            if owner
        }
        for name in {one[0] for one in hours}:
            some = [(owner, datetime.fromisoformat(hour + ":00+00:00")) for feed, owner, hour in hours if feed == name]
            wanted = local_rows(self._lake.spark, some, "owner string, hour timestamp")
            if len(some) <= FEW:
                self._sum_up_few(name, some, wanted, moved, batch)
            else:
                self._sum_up(name, wanted, moved, batch)

    def placed_here(self, rows: DataFrame, moved: Collection[Moved], batch: int, few: bool) -> DataFrame:
        """Those of the rows, with `feed, key, place`, that are placed there, or will be by this batch.

        Args:
            few: let the driver look; of rows of the schema `profile_rows.OWNED`.
        """
        if few:
            held = self._placed_here(rows.toArrow().to_pylist(), moved)
            return local_rows(self._lake.spark, [tuple(one.values()) for one in held], OWNED)
        now = [(one.feed, one.key, one.now, batch) for one in moved]
        placed = self._lake.read(self._lake.ensure(PLACED)).select("feed", "key", "owner", "batch")
        every = placed.unionByName(local_rows(self._lake.spark, now, PLACED.schema))
        newest = every.groupBy("feed", "key").agg(F.max_by("owner", "batch").alias("place"))
        return rows.join(newest, ["feed", "key", "place"], "left_semi")

    def _placed_here(self, rows: list[dict[str, Any]], moved: Iterable[Moved]) -> list[dict[str, Any]]:
        now = {(one.feed, one.key): one.now for one in moved}
        unknown = {one["key"] for one in rows if (one["feed"], one["key"]) not in now}
        places = (self._before(unknown) if unknown else {}) | now
        return [one for one in rows if places.get((one["feed"], one["key"])) == one["place"]]

    def fill(self, batch: int) -> None:
        """Sum up everything that counts; and place every row. The tables must stand still."""
        for name, one in self._settings.behaviour.items():
            if self._rows.there(one.table):
                self._sum_up(name, None, (), batch)
        for group, name, table in self._feeds():
            if self._rows.there(table):
                feed, number = F.lit(f"{group}.{name}").alias("feed"), F.lit(batch).cast("bigint").alias("batch")
                rows = self._rows.owners(group, name, None).select(feed, "key", "owner", number)
                self._lake.append(rows, self._lake.ensure(PLACED))

    def buckets(self, only: DataFrame | None) -> DataFrame:
        """The hours of these owners, or of all, as `owner, what, name, body`."""
        rows = self._lake.read(self._lake.ensure(BEHAVIOUR))
        longest = max(one.keep for one in self._settings.behaviour.values())
        rows = rows.where(F.col("hour") >= F.lit(datetime.now(UTC) - longest - timedelta(hours=1)))
        if only is not None:
            rows = rows.join(F.broadcast(only), "owner", "left_semi")
        return rows.select("owner", F.lit("bucket").alias("what"), F.col("feed").alias("name"), "body")

    def keep(self, moved: Iterable[Moved], batch: int) -> None:
        """Remember where rows belong now. Last of all: an unfinished batch must find them as they were."""
        rows = [(one.feed, one.key, one.now, batch) for one in moved if one.now != one.before]
        if rows:
            told = local_rows(self._lake.spark, rows, PLACED.schema)
            self._lake.append(told.coalesce(1), self._lake.ensure(PLACED))

    def _feeds(self) -> Iterator[tuple[str, str, str]]:
        for group in ("related", "behaviour"):
            for name, one in getattr(self._settings, group).items():
                yield group, name, one.table
        if self._settings.consent:
            yield "consent", "", self._settings.consent.table

    def _before(self, keys: Collection[str]) -> dict[tuple[str, str], str]:
        """The owner of rows with these keys, by feed and key, as of the newest batch that placed them."""
        rows = picked(self._lake.read(self._lake.ensure(PLACED)), "key", keys).toArrow().to_pylist()
        return {(row["feed"], row["key"]): row["owner"] for row in sorted(rows, key=itemgetter("batch"))}

    def _sum_up_few(
        self, name: str, hours: list[tuple[str, datetime]], wanted: DataFrame, moved: Collection[Moved], batch: int
    ) -> None:
        settings, events = self._settings.behaviour[name], defaultdict[tuple[str, datetime], list[Event]](list)
        if self._rows.there(settings.table):
            found = self._rows.events(name, wanted, _since(settings)).toArrow().to_pylist()
            for row in self._placed_here(found, moved):
                events[row["owner"], row["hour"]].append(_event(row))
        rows = [(name, *each, _body(events[each], settings) if each in events else None, batch) for each in hours]
        put(self._lake, BEHAVIOUR, rows, delete="s.body IS NULL")

    def _sum_up(self, name: str, wanted: DataFrame | None, moved: Collection[Moved], batch: int) -> None:
        """Sum up these hours, or all."""
        settings = self._settings.behaviour[name]
        parts = []
        if wanted is not None:
            parts = [
                wanted.select(F.lit(name).alias("feed"), "owner", "hour", F.lit(None).cast("string").alias("body"))
            ]
        if self._rows.there(settings.table):
            events = self._rows.events(name, wanted, _since(settings))
            if wanted is not None:
                events = self.placed_here(events, moved, batch, few=False)
            parts.append(_summed(name, events, settings))
        found = reduce(DataFrame.unionByName, parts)
        found = (
            found.groupBy("feed", "owner", "hour")
            .agg(F.max("body").alias("body"))
            .withColumn("batch", F.lit(batch).cast("bigint"))
        )
        relative = self._lake.ensure(BEHAVIOUR)
        every: Assignments = {column: f"s.{column}" for column in found.columns}
        on = "t.feed = s.feed AND t.owner = s.owner AND t.hour = s.hour"
        with self._lake.writing(relative):
            merge = self._lake.table(relative).alias("t").merge(found.alias("s"), on)
            merge = merge.whenMatchedDelete("s.body IS NULL")
            merge = merge.whenMatchedUpdate(set=every).whenNotMatchedInsert("s.body IS NOT NULL", values=every)
            if wanted is None:
                merge = merge.whenNotMatchedBySourceDelete(F.col("t.feed") == F.lit(name))
            merge.execute()


def _summed(name: str, events: DataFrame, settings: Behaviour) -> DataFrame:
    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rows = (row for batch in batches for row in batch.to_pylist())
        for (owner, hour), some in groupby(rows, key=lambda row: (row["owner"], row["hour"])):
            body = _body([_event(row) for row in some], settings)
            yield pa.RecordBatch.from_pylist(
                [{"feed": name, "owner": owner, "hour": hour, "body": body}], schema=_ARROW
            )

    together = events.repartition("owner", "hour").sortWithinPartitions("owner", "hour")
    return together.mapInArrow(run, struct(_BUCKETS))


def _since(settings: Behaviour) -> datetime:
    """No event before counts."""
    return datetime.now(UTC) - settings.keep - timedelta(hours=1)


def _body(events: Sequence[Event], settings: Behaviour) -> str:
    return msgspec.json.encode(buckets.to_json(buckets.bucket(events, settings))).decode()


def _event(row) -> Event:  # type: ignore[no-untyped-def]
    body = msgspec.json.decode(row["body"])
    return Event(row["key"], row["at"], body["sums"], body["top"], body["last"])
