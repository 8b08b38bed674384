"""People from all records at once, in Spark: where they are too many for the driver. Repeatable at any point."""

from datetime import UTC, datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.lake import Lake
from headrace.profiles import bulk
from headrace.profiles.links import Rules
from headrace.profiles.some_rows import merge, remove_entries
from headrace.tables import ALIASES, IDENTIFIERS, IDENTITY_EVENTS, PEOPLE


def fill(lake: Lake, found: DataFrame, rules: Rules, batch: int) -> dict[str, int]:
    """Bring the tables of identity to what all records say; how many events of each kind there were.

    Args:
        found: every record there is, schema `records.IDENTIFIED`.
    """
    before = lake.read(lake.ensure(PEOPLE)).localCheckpoint()
    now = _people(found, before, rules).localCheckpoint()
    changes = _changes(now, before, batch).localCheckpoint()
    index(lake, now, rules, batch)
    aliases = _aliases(lake, now, before).localCheckpoint()
    events = _events(changes, aliases, batch).localCheckpoint()
    lake.append(events, lake.ensure(IDENTITY_EVENTS))
    told = aliases.withColumn("batch", _number(batch)).withColumn("at", F.current_timestamp())
    merge(lake, ALIASES, told, "s.now <=> ''")
    merge(lake, PEOPLE, changes.select(*before.columns))
    return {row["kind"]: row["count"] for row in events.groupBy("kind").count().collect()}


def _people(found: DataFrame, before: DataFrame, rules: Rules) -> DataFrame:
    """`record, key, own, person, identifiers` of every record, with the `position` of its row."""
    old = before.select("record", "key", F.col("own").alias("_own"), F.col("deleted").alias("_deleted"))
    both = found.join(old, ["record", "key"], "left")
    own = (
        F.when(F.col("_own").isNull(), F.col("own"))
        .when(F.col("_deleted"), F.col("own_again"))
        .otherwise(F.col("_own"))
    )
    order = F.expr("array_sort(array_distinct(identifiers))")
    nodes = both.select("record", "key", own.alias("own"), order.alias("identifiers"), "position").localCheckpoint()
    living = before.where("NOT deleted").select("record", "key", "person")
    return bulk.persons(bulk.parts(nodes, rules), living)


def _changes(now: DataFrame, before: DataFrame, batch: int) -> DataFrame:
    """Rows of `people` that are new or other than before; with `position`, and `_had`: the person it was."""
    old = before.select(
        "record", "key", F.col("own").alias("_own"), F.col("person").alias("_person"),
        F.col("deleted").alias("_deleted"),
        F.col("identifiers").alias("_identifiers"),
    )  # fmt: skip
    both = now.drop("_had").join(old, ["record", "key"], "full")
    gone = F.col("own").isNull()
    same = F.when(gone, F.col("_deleted")).otherwise(
        F.coalesce(~F.col("_deleted"), F.lit(False)) & (F.col("own") == F.col("_own"))
        & (F.col("person") == F.col("_person")) & (F.col("identifiers") == F.col("_identifiers"))
    )  # fmt: skip
    nothing = F.array().cast("array<struct<kind: string, hash: string>>")
    return both.where(~same).select(
        "record", "key", F.coalesce("own", "_own").alias("own"), F.coalesce("person", "_person").alias("person"),
        F.coalesce("identifiers", nothing).alias("identifiers"), gone.alias("deleted"), _number(batch).alias("batch"),
        "position", F.when(~F.col("_deleted"), F.col("_person")).alias("_had"),
    )  # fmt: skip


def index(lake: Lake, now: DataFrame, rules: Rules, batch: int) -> None:
    """Bring the index from values to records to what all records, columns as `records.IDENTIFIED`, say."""
    relative = lake.ensure(IDENTIFIERS)
    keys = list(IDENTIFIERS.key)
    wanted = now.select("record", "key", F.explode("identifiers").alias("_one")).select("record", "key", "_one.*")
    wanted = wanted.where(F.col("kind").isin([kind for kind, one in rules.kinds.items() if one.links]))
    held = lake.read(relative).select(*keys).distinct().localCheckpoint()
    lake.append(wanted.select(*keys).join(held, keys, "left_anti").withColumn("batch", _number(batch)), relative)
    remove_entries(lake, held.join(wanted.select(*keys), keys, "left_anti"))


def _aliases(lake: Lake, now: DataFrame, before: DataFrame) -> DataFrame:
    """`person, now` of ids that lead elsewhere than before; an empty text for those that lead nowhere any more."""
    living = now.select("person").distinct()
    had = before.where("NOT deleted").select("record", "key", F.col("person").alias("_had"))
    gone = had.join(living.withColumnRenamed("person", "_had"), "_had", "left_anti")
    heirs = gone.join(now.select("record", "key", "own", "person"), ["record", "key"], "left")
    leads = heirs.groupBy(F.col("_had").alias("person")).agg(F.min_by("person", "own").alias("now"))
    held = lake.read(lake.ensure(ALIASES)).select("person", F.col("now").alias("_now")).localCheckpoint()
    alive = held.join(living, "person", "left_semi").select("person", F.lit("").alias("now"))
    moved = held.join(leads.select(F.col("person").alias("_now"), "now"), "_now").select("person", "now")
    moved = moved.join(living, "person", "left_anti").join(leads, "person", "left_anti")
    return leads.unionByName(alive).unionByName(moved)


def _events(changes: DataFrame, aliases: DataFrame, batch: int) -> DataFrame:
    """Who is new, and whose id leads to somebody else's; causes are not looked for among so many."""
    created = changes.where("NOT deleted").groupBy("person").agg(
        F.min_by(F.struct("record", "key", "position"), "own").alias("_cause"), F.count("_had").alias("_had"),
        F.array_sort(F.collect_set(F.struct("record", "key"))).alias("records"),
    )  # fmt: skip
    new = created.where("_had = 0").select(
        F.lit("create").alias("kind"), "person", F.array().cast("array<string>").alias("others"),
        *[F.col(f"_cause.{name}").alias(name) for name in ("record", "key", "position")],
        "records",
    )  # fmt: skip
    told = aliases.where("now IS NULL OR now <> ''")
    other = told.select(
        F.when(F.col("now").isNull(), "retire").otherwise("merge").alias("kind"),
        F.coalesce("now", "person").alias("person"),
        F.when(F.col("now").isNotNull(), F.array("person")).otherwise(F.array().cast("array<string>")).alias("others"),
        *[F.lit(None).cast("string").alias(name) for name in ("record", "key", "position")],
        F.array().cast("array<struct<record: string, key: string>>").alias("records"),
    )  # fmt: skip
    every = new.unionByName(other)
    moment = datetime.now(UTC)
    event = F.substring(
        F.sha2(F.concat_ws("|", "kind", "person", F.array_join("others", ","), F.lit(batch)), 256), 1, 32
    )
    return every.select(
        event.alias("event"), "*", F.lit("all records at once").alias("why"),
        F.array().cast("array<struct<kind: string, hash: string>>").alias("identifiers"), _number(batch).alias("batch"),
        F.lit(moment).alias("at"), F.lit(moment.date()).alias("day"),
    )  # fmt: skip


def _number(batch: int) -> Column:
    return F.lit(batch).cast("bigint")
