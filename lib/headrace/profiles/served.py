"""The served state: `profiles`, and the outbox that tells stores of people, of ids that lead on, of identifiers.

Keys in the outbox and in stores: `p:ID` a person, or an id that leads to one; `i:KIND:HASH` whose an identifier is.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.lake import Assignments, Lake, local_rows
from headrace.profiles.some_rows import picked
from headrace.tables import ALIASES, IDENTIFIERS, OUTBOX, PEOPLE, PROFILES

PROFILES_OUTBOX = "profiles"
MOST_PERSONS = 10
"""People of one identifier that stores tell of; what more of them share leads to nobody."""


@dataclass(frozen=True, slots=True)
class Served:
    """Profiles that were written, that were as before, and that are gone."""

    written: int = 0
    unchanged: int = 0
    deleted: int = 0


def serve(
    lake: Lake,
    built: DataFrame,
    persons: Collection[str] | None,
    kinds: Collection[str],
    batch: int,
    again: bool = False,
) -> Served:
    """Bring the profiles of some people in step, or of all.

    The outbox is told first: after a crash between the two the batch is done `again`. New and growing profiles are told
    in a commit of their own, before others shrink or go.

    Args:
        built: schema `build.BUILT`.
        persons: ids, among them those that are nobody's any more.
        kinds: of identifiers by which people are found.
        again: stores may have been told of other profiles than are held, so none counts as unchanged.
    """
    changes = _differences(lake, built, persons, again).localCheckpoint()
    counts = {row["what"]: row["count"] for row in changes.groupBy("what").count().collect()}
    written, same, later = (
        counts.get("grown", 0) + counts.get("shrunk", 0),
        counts.get("same", 0),
        counts.get("later", 0),
    )
    if written or counts.get("gone"):
        _tell(lake, changes.where("what <> 'later'"), kinds, counts, batch)
    if counts.keys() - {"same"}:
        _write(lake, changes.where("what <> 'same'"), batch)
    return Served(written, same + later, counts.get("gone", 0))


def snapshot(lake: Lake, kinds: Collection[str]) -> DataFrame:
    """Every row a store should hold now, as the outbox would tell it."""
    living = lake.read(lake.ensure(PROFILES)).where("NOT deleted")
    profiles = living.select(_person_key("person"), F.lit(False).alias("deleted"), "body")
    aliases = lake.read(lake.ensure(ALIASES)).where("now IS NOT NULL")
    led = aliases.select(_person_key("person"), F.lit(False).alias("deleted"), _alias_body("now").alias("body"))
    return profiles.unionByName(led).unionByName(_identifiers(lake, kinds, None).where("NOT deleted"))


def persons_having(lake: Lake, values: DataFrame) -> DataFrame:
    """`kind, hash, persons` of identifiers, each with the people that have it, at most one more than may be told of."""
    index = lake.read(lake.ensure(IDENTIFIERS)).join(F.broadcast(values), ["kind", "hash"], "left_semi")
    people = lake.read(lake.ensure(PEOPLE)).where("NOT deleted").select("record", "key", "person")
    having = index.select("kind", "hash", "record", "key").distinct().join(people, ["record", "key"])
    some = F.slice(F.array_sort(F.collect_set("person")), 1, MOST_PERSONS + 1).alias("persons")
    return having.groupBy("kind", "hash").agg(some)


def _differences(lake: Lake, built: DataFrame, persons: Collection[str] | None, again: bool) -> DataFrame:
    """`what` became of each, with the columns of `built`, and what was held before.

    `grown`, `shrunk`, `gone` or `same`; `later`: only the time at which it changes by itself is another.
    """
    held = lake.read(lake.ensure(PROFILES))
    if persons is not None:
        held = picked(held, "person", persons)
        wanted = local_rows(lake.spark, [(one,) for one in persons], "person string")
        told = wanted.join(built, "person", "full")
    else:
        told = built
    old = held.select(
        F.col("person").alias("_person"), F.col("digest").alias("_digest"), F.col("records").alias("_records"),
        F.col("identifiers").alias("_identifiers"), F.col("deleted").alias("_deleted"),
        F.col("due_at").alias("_due_at"),
    )  # fmt: skip
    both = told.join(old, F.col("person") == F.col("_person"), "full")
    living = F.col("digest").isNotNull()
    same = (
        F.lit(not again) & living & ~F.coalesce("_deleted", F.lit(True)) & (F.col("digest") == F.col("_digest"))
        & (F.col("records") == F.col("_records")) & (F.col("identifiers") == F.col("_identifiers"))
    )  # fmt: skip
    lost = F.size(F.array_except("_records", "records")) > 0
    on_time = F.col("due_at").eqNullSafe(F.col("_due_at"))
    what = F.when(~living, "gone").when(same & on_time, "same").when(same, "later")
    what = what.when(lost, "shrunk").otherwise("grown")
    return both.withColumn("what", what).withColumn("person", F.coalesce("person", "_person"))


def _tell(lake: Lake, changes: DataFrame, kinds: Collection[str], counts: dict[str, int], batch: int) -> None:
    profile = [_person_key("person"), F.lit(False).alias("deleted"), F.col("body")]
    if counts.get("grown"):
        _append(lake, changes.where("what = 'grown'").select(*profile), batch)
    rest = changes.where("what = 'shrunk'").select(*profile)
    gone = changes.where("what = 'gone'").select("person")
    leads = lake.read(lake.ensure(ALIASES)).where("now IS NOT NULL").select("person", "now")
    led = gone.join(leads, "person", "left")
    rest = rest.unionByName(
        led.select(
            _person_key("person"), F.col("now").isNull().alias("deleted"),
            F.when(F.col("now").isNotNull(), _alias_body("now")).alias("body"),
        )
    )  # fmt: skip
    ours = F.coalesce("identifiers", F.array().cast("array<struct<kind: string, hash: string>>"))
    theirs = F.coalesce("_identifiers", F.array().cast("array<struct<kind: string, hash: string>>"))
    moved = F.array_union(F.array_except(ours, theirs), F.array_except(theirs, ours))
    values = changes.select(F.explode(moved).alias("_one")).select("_one.kind", "_one.hash").distinct()
    rest = rest.unionByName(_identifiers(lake, kinds, values.localCheckpoint()))
    rest = rest.localCheckpoint()
    if not rest.isEmpty():
        _append(lake, rest, batch)


def _identifiers(lake: Lake, kinds: Collection[str], values: DataFrame | None) -> DataFrame:
    """Rows of the outbox that say whose these identifiers are, or all."""
    if values is None:
        values = lake.read(lake.ensure(IDENTIFIERS)).select("kind", "hash").distinct()
    values = values.where(F.col("kind").isin(list(kinds)))
    found = values.join(persons_having(lake, values), ["kind", "hash"], "left")
    few = F.coalesce(F.size("persons"), F.lit(0)).between(1, MOST_PERSONS)
    body = F.to_json(F.struct(F.lit("identifier").alias("kind"), F.col("persons")))
    key = F.concat_ws(":", F.lit("i"), "kind", "hash").alias("key")
    return found.select(key, (~few).alias("deleted"), F.when(few, body).alias("body"))


def _append(lake: Lake, rows: DataFrame, batch: int) -> None:
    now = datetime.now(UTC)
    told = rows.withColumns(
        {
            "urgent": F.lit(False), "batch": F.lit(batch).cast("bigint"), "at": F.lit(now), "day": F.lit(now.date()),
        }
    )  # fmt: skip
    lake.append(told, lake.ensure(OUTBOX, table=PROFILES_OUTBOX))


def _write(lake: Lake, changes: DataFrame, batch: int) -> None:
    relative = lake.ensure(PROFILES)
    gone = F.col("what") == "gone"
    rows = changes.select(
        "person", gone.alias("deleted"), "body", "digest", "records", "identifiers", "due_at",
        F.lit(None).cast("string").alias("position"), F.lit(batch).cast("bigint").alias("batch"),
    )  # fmt: skip
    every: Assignments = {column: f"s.{column}" for column in rows.columns}
    with lake.writing(relative):
        merge = lake.table(relative).alias("t").merge(rows.alias("s"), "t.person = s.person")
        merge.whenMatchedUpdate(set=every).whenNotMatchedInsert("NOT s.deleted", values=every).execute()


def _person_key(column: str) -> Column:
    return F.concat(F.lit("p:"), F.col(column)).alias("key")


def _alias_body(column: str) -> Column:
    return F.to_json(F.struct(F.lit("alias").alias("kind"), F.col(column).alias("person")))
