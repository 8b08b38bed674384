"""Keeps `measures`: the minutes that a batch touched are counted again from the rows that stand there now.

What a conversation counted for until now stands in `counted`, which is written last. So after a crash at any line the
same batch finds the same minutes, and more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.config_measures import Over
from headrace.conversations import relations
from headrace.conversations.measures import Measure
from headrace.conversations.parts import KEY, VALUES, parts
from headrace.conversations.relations import began, minute, returns
from headrace.lake import Assignments, Lake
from headrace.tables import COUNTED, MEASURES, RATINGS, TURNS

_OVERS: tuple[Over, ...] = ("turns", "ratings", "conversations")
PLACES = (TURNS, RATINGS, COUNTED)
"""Tables that tell of a conversation."""
FEW = 10_000
"""Rows that the driver may hold."""
_SPAN = ("conversation", "person", "began", "ended")
_STANDS = ("person", "began", "ended", "turn_minutes", "rating_minutes")


@dataclass(frozen=True, slots=True)
class Counted:
    """Rows of `measures` that were written, and those that came to nothing."""

    written: int = 0
    removed: int = 0


class Bounds(NamedTuple):
    """First and last of some minutes, as microseconds since 1970."""

    first: int
    last: int

    def sql(self, column: str) -> str:
        """Whether a time may lie in one of them."""
        end = self.last + 60_000_000
        return f"({column} >= timestamp_micros({self.first}L) AND {column} < timestamp_micros({end}L))"

    def days(self, column: str) -> str:
        """Whether a day may have one of them."""
        first, last = (f"to_date(timestamp_micros({one}L))" for one in self)
        return f"({column} >= {first} AND {column} <= {last})"


def count(
    lake: Lake, measures: Sequence[Measure], conversations: DataFrame, settled: datetime | None = None
) -> Counted:
    """Count what these conversations touch again.

    Args:
        conversations: column `conversation`, each once; read several times.
        settled: minutes before then stay as they are, and conversations that began before count nowhere else.
    """
    for table in (TURNS, RATINGS, COUNTED, MEASURES):
        lake.ensure(table)
    touched, counted = conversations, lake.read(COUNTED.path)
    before = _of(counted, touched).withColumn("now", F.lit(False))
    after = stands(_of(lake.read(TURNS.path), touched), _of(lake.read(RATINGS.path), touched))
    after = _begun_before(after, before, settled) if settled else after
    changed = _kept(before.unionByName(after.withColumn("now", F.lit(True))))
    after = changed.where("now").drop("now")
    others = counted.join(F.broadcast(touched), "conversation", "left_anti")
    again = _minutes(changed, others)
    minutes = _kept(again.where(F.col("minute") >= F.lit(settled)) if settled else again)
    bounds = _bounds(minutes)
    done = Counted()
    if bounds:
        spans = others.select(*_SPAN).unionByName(after.select(*_SPAN)).where(F.col("person").isNotNull())
        begun = _either_began(others, after, settled) if settled else None
        fresh = _kept(_counted_again(lake, measures, minutes, spans, bounds, begun))
        done = _write(lake, measures, fresh, minutes, bounds)
    _keep(lake, touched, after)
    return done


def _kept(rows: DataFrame) -> DataFrame:
    """Computed once. Few rows become part of the plan: each small job that reads them is spared."""
    few = rows.limit(FEW + 1).toArrow()
    return rows.sparkSession.createDataFrame(few, rows.schema) if few.num_rows <= FEW else rows.localCheckpoint()


def stands(turns: DataFrame, ratings: DataFrame) -> DataFrame:
    """Where whole conversations stand, as `counted` has it."""
    of_turns = began(turns).select(*_SPAN).join(_all_minutes(turns, "turn_minutes"), "conversation")
    return of_turns.join(_all_minutes(ratings, "rating_minutes"), "conversation", "full_outer")


def _begun_before(after: DataFrame, before: DataFrame, settled: datetime) -> DataFrame:
    """Where conversations stand, those that began in a settled minute still there, whatever was withdrawn since."""
    began = before.where(F.col("began") < F.lit(settled)).select("conversation", F.col("began").alias("_began"))
    known = after.join(began, "conversation", "left")
    return known.withColumn("began", F.coalesce("_began", "began")).drop("_began")


def _either_began(others: DataFrame, after: DataFrame, settled: datetime) -> DataFrame:
    """Conversations that count in a settled minute."""
    every = others.select("conversation", "began").unionByName(after.select("conversation", "began"))
    return every.where(F.col("began") < F.lit(settled)).select("conversation")


def _all_minutes(rows: DataFrame, name: str) -> DataFrame:
    return rows.groupBy("conversation").agg(F.array_sort(F.collect_set(minute("at"))).alias(name))


def _bounds(minutes: DataFrame) -> Bounds | None:
    found = minutes.selectExpr("unix_micros(min(minute))", "unix_micros(max(minute))").collect()[0]
    return None if found[0] is None else Bounds(*found)


def _of(rows: DataFrame, conversations: DataFrame) -> DataFrame:
    return rows.join(F.broadcast(conversations), "conversation", "left_semi")


def _minutes(changed: DataFrame, others: DataFrame) -> DataFrame:
    """Minutes to be counted again: columns `over` and `minute`.

    Args:
        changed: where touched conversations stood and stand.
        others: where all others stand; those after which somebody has returned, or has not after all, are among them.
    """
    people = changed.where(F.col("person").isNotNull()).select(*_SPAN)
    returned = returns(others.select(*_SPAN), people)
    stood = changed.select(
        F.explode(F.concat(_named("turns", "turn_minutes"), _named("ratings", "rating_minutes"), _begun()))
    )
    stood = stood.select("col.*").where(F.col("minute").isNotNull())
    return stood.unionByName(returned.select(F.explode(_begun())).select("col.*")).distinct()


def _named(over: Over, minutes: str) -> Column:
    empty = F.array().cast("array<timestamp>")
    return F.transform(
        F.coalesce(F.col(minutes), empty), lambda one: F.struct(F.lit(over).alias("over"), one.alias("minute"))
    )


def _begun() -> Column:
    over: Over = "conversations"
    return F.array(F.struct(F.lit(over).alias("over"), minute("began").alias("minute")))


def _counted_again(
    lake: Lake,
    measures: Sequence[Measure],
    minutes: DataFrame,
    spans: DataFrame,
    bounds: Bounds,
    begun: DataFrame | None,
) -> DataFrame:
    """What the measures of these minutes are, from all conversations that have something in them.

    Args:
        begun: conversations that count elsewhere.
    """
    turns, ratings = lake.read(TURNS.path), lake.read(RATINGS.path)
    # Conversations count in the minute of a turn.
    asked = _in(turns.where(bounds.sql("at")), minutes, ("turns", "conversations"))
    given = _in(ratings.where(bounds.sql("at")), minutes, ("ratings",))
    there = asked.select("conversation").unionByName(given.select("conversation")).distinct()
    there = _kept(there)
    turns, ratings = _kept(_of(turns, there)), _kept(_of(ratings, there))
    begin = turns if begun is None else turns.join(begun, "conversation", "left_anti")
    rows: dict[Over, DataFrame] = {
        "turns": relations.turn_rows(turns, ratings),
        "ratings": relations.rating_rows(turns, ratings),
        "conversations": relations.conversation_rows(begin, ratings, spans),
    }
    return parts({over: _at(rows[over], minutes, (over,)) for over in _OVERS}, measures)


def _in(rows: DataFrame, minutes: DataFrame, overs: tuple[Over, ...]) -> DataFrame:
    return _at(rows.withColumn("minute", minute("at")), minutes, overs)


def _at(rows: DataFrame, minutes: DataFrame, overs: tuple[Over, ...]) -> DataFrame:
    wanted = minutes.where(F.col("over").isin(*overs)).select("minute").distinct()
    return rows.join(F.broadcast(wanted), "minute", "left_semi")


def _write(lake: Lake, measures: Sequence[Measure], fresh: DataFrame, minutes: DataFrame, bounds: Bounds) -> Counted:
    """MERGE absolute values; rows of these minutes that nothing counts for any more are deleted."""
    names = ", ".join(f"'{one.name}', '{one.over}'" for one in measures)
    over = F.expr(f"map({names})")
    there = lake.read(MEASURES.path).where(f"{bounds.days('day')} AND {bounds.sql('minute')}").select(*KEY, "day")
    # A measure that has left the settings counts for nothing.
    mine = F.coalesce(F.try_element_at(over, F.col("measure")), F.lit("turns"))
    touched = there.withColumn("over", mine).join(F.broadcast(minutes), ["over", "minute"], "left_semi")
    gone = touched.join(fresh.select(*KEY), list(KEY), "left_anti").select(*KEY, "day", F.lit(True).alias("_gone"))
    source = fresh.withColumn("_gone", F.lit(False)).unionByName(gone, allowMissingColumns=True)
    same_key = " AND ".join(f"t.{name} = s.{name}" for name in KEY)
    changed = (
        "NOT (t.numerator <=> s.numerator AND t.denominator <=> s.denominator AND t.n <=> s.n "
        "AND map_entries(t.buckets) <=> map_entries(s.buckets))"
    )
    values: Assignments = {**{name: f"s.{name}" for name in VALUES}, "counted_at": "current_timestamp()"}
    every: Assignments = {**{name: f"s.{name}" for name in fresh.columns}, **values}
    merge = (
        lake.table(MEASURES.path).alias("t").merge(_kept(source).alias("s"), f"{bounds.days('t.day')} AND {same_key}")
    )
    merge = merge.whenMatchedDelete("s._gone").whenMatchedUpdate(changed, values)
    told = merge.whenNotMatchedInsert("NOT s._gone", every).execute().first()
    if told is None:
        return Counted()
    return Counted(int(told["num_inserted_rows"]) + int(told["num_updated_rows"]), int(told["num_deleted_rows"]))


def _keep(lake: Lake, touched: DataFrame, after: DataFrame) -> None:
    """Remember where the touched conversations stand now; those of which nothing is left are forgotten."""
    source = _kept(touched.join(after.withColumn("_there", F.lit(True)), "conversation", "left"))
    same = " AND ".join(f"t.{name} <=> s.{name}" for name in _STANDS)
    values: Assignments = {name: f"s.{name}" for name in ("conversation", *_STANDS)}
    merge = lake.table(COUNTED.path).alias("t").merge(source.alias("s"), "t.conversation = s.conversation")
    merge = merge.whenMatchedDelete("s._there IS NULL").whenMatchedUpdate(f"NOT ({same})", values)
    merge.whenNotMatchedInsert("s._there", values).execute()
