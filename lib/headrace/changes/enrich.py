"""Enrichment: which keys of a table an API is to be asked for, and what an answer makes of a key's state.

The state is the newest row of each key in `answers/<table>`. That table is the cache, the memory of failures and the
feed of the ordered table in one, so that a single append settles a round: after a crash all of it is there or none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headrace.changes.columns import col
from headrace.lake import Lake, local_rows
from headrace.tables import ANSWERS, TABLES

Outcome = Literal["row", "none", "failed"]
LONGEST_PAUSE = timedelta(hours=1)
_GONE, _BACK, _DUE = range(3)
"""Kinds of work, in the order they are done."""
_HEADERS = "array<struct<key: string, value: binary>>"


@dataclass(frozen=True, slots=True)
class State:
    """A row of `tables.ANSWERS`, which see. A key that was never asked for has no `outcome`."""

    key: str
    asked_by: str = ""
    wanted: bool = True
    outcome: Outcome | None = None
    status: int | None = None
    attempts: int = 0
    reason: str | None = None
    at: datetime | None = None
    next_at: datetime | None = None
    body: str | None = None
    change: Literal["upsert", "delete"] | None = None


_FIELDS = [field.name for field in fields(State)]


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of one question. `again`: soon, as the same call may work then."""

    outcome: Outcome
    status: int | None = None
    body: str | None = None
    reason: str | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """What there is to do.

    Attributes:
        gone, back: states of keys that left the table, and that came again to an answer from before.
        due: keys to ask for; those never asked for first.
        waiting, moved: how many are due, and gone or back, those left for another time too.
        failed: keys whose last call failed.
        next_at: when the next key is due that is not yet.
    """

    gone: Sequence[State] = ()
    back: Sequence[State] = ()
    due: Sequence[State] = ()
    waiting: int = 0
    moved: int = 0
    failed: int = 0
    keys: int = 0
    next_at: datetime | None = None
    newest: datetime | None = None


def work(lake: Lake, table: str, keys_from: str, key: Sequence[str], asked_by: str, now: datetime, most: int) -> Work:
    """What there is to do for a table, at most for so many keys.

    Args:
        table: that is fed.
        keys_from: whose rows say which keys are wanted; nothing is where it is not there yet.
        asked_by: the fingerprint of what is asked; an answer to another question does not count.
    """
    if not lake.exists(TABLES.format(table=keys_from)):
        return Work()
    rows = lake.read(TABLES.format(table=keys_from)).select(*map(col, key))
    wanted = rows.dropna().distinct().select(F.to_json(F.struct(*map(col, key))).alias("key"))
    states = _newest(lake, table)
    both = wanted.withColumn("_is", F.lit(True)).join(states, "key", "full").persist()
    try:
        here, known = F.coalesce(F.col("_is"), F.lit(False)), F.col("outcome").isNotNull()
        stale = (F.col("next_at") <= F.lit(now)) | (F.col("asked_by") != asked_by)
        kind = (
            F.when(~here & F.col("wanted"), _GONE)
            .when(here & known & ~F.col("wanted"), _BACK)
            .when(here & (~known | stale), _DUE)
        )
        counts = both.agg(
            F.count_if(kind == _DUE).alias("waiting"),
            F.count_if(kind < _DUE).alias("moved"),
            F.count_if(here & (F.col("outcome") == "failed")).alias("failed"),
            F.count_if(here).alias("keys"),
            F.unix_micros(F.min(F.when(here & kind.isNull(), F.col("next_at")))).alias("next_at"),
            F.unix_micros(F.max("at")).alias("newest"),
        ).collect()[0]
        some = both.withColumn("_kind", kind).where("_kind IS NOT NULL")
        first = some.orderBy("_kind", F.col("next_at").asc_nulls_first(), "key").limit(most)
        chosen = _states(first) if counts["waiting"] or counts["moved"] else {}
        return Work(
            gone=chosen.get(_GONE, ()),
            back=chosen.get(_BACK, ()),
            due=chosen.get(_DUE, ()),
            waiting=counts["waiting"],
            moved=counts["moved"],
            failed=counts["failed"],
            keys=counts["keys"],
            next_at=_moment(counts["next_at"]),
            newest=_moment(counts["newest"]),
        )
    finally:
        both.unpersist()


def gone(state: State) -> State:
    """A key that left the table: its row goes, its answer is kept in case it comes again."""
    return replace(state, wanted=False, change="delete" if state.body is not None else None)


def back(state: State) -> State:
    """A key that came again: the answer from before is its row, until it is asked for again."""
    return replace(state, wanted=True, change="upsert" if state.body is not None else None)


def answered(
    state: State, heard: Heard, asked_by: str, now: datetime, fresh_for: timedelta, first_pause: timedelta
) -> State:
    """A key that was asked for. After a failure its row stays as it was."""
    change: Literal["upsert", "delete"] | None = None
    body, attempts, pause = heard.body, 0, fresh_for
    if heard.outcome == "failed":
        body, attempts = state.body, state.attempts + 1
        if heard.again:
            pause = min(first_pause * 2 ** min(attempts - 1, 16), LONGEST_PAUSE)
    elif body != state.body:  # the same answer again is no news
        change = "delete" if body is None else "upsert"
    return State(
        state.key, asked_by, True, heard.outcome, heard.status, attempts, heard.reason, None, now + pause, body, change
    )


def append(lake: Lake, table: str, states: Iterable[State], now: datetime, newest: datetime | None) -> None:
    """Keep states. Their times are all different and later than any before, whatever the clock says."""
    first = max(now, newest + timedelta(microseconds=1)) if newest else now
    dated = [replace(one, at=first + timedelta(microseconds=number)) for number, one in enumerate(states)]
    rows = [tuple(getattr(one, name) for name in _FIELDS) for one in dated]
    lake.append(local_rows(lake.spark, rows, ANSWERS.schema), lake.ensure(ANSWERS, table=table))


def forget(lake: Lake, table: str, now: datetime) -> None:
    """Delete what counts no more: older states, but for the one that told the row; and all of keys gone for good."""
    relative = lake.ensure(ANSWERS, table=table)
    rows = lake.read(relative)
    told = F.max(F.when(F.col("change").isNotNull(), F.col("at")))
    over = F.max_by(~F.col("wanted") & (F.col("next_at") <= F.lit(now)), "at")
    newest = rows.groupBy("key").agg(F.max("at").alias("newest"), told.alias("told"), over.alias("over"))
    with lake.writing(relative):
        merge = lake.table(relative).alias("t").merge(newest.alias("s"), "t.key = s.key")
        merge.whenMatchedDelete("s.over OR (t.at < s.newest AND NOT t.at <=> s.told)").execute()


def messages(answers: DataFrame, table: str) -> DataFrame:
    """What states tell the table, as raw messages (`tables.MESSAGES`): its key columns, `asked_at` and `body`."""
    micros = F.unix_micros("at")
    told = F.struct(
        F.date_format("at", "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX").alias("asked_at"),
        F.when(F.col("change") == "delete", F.lit("delete")).alias("change"),
        F.when(F.col("change") == "upsert", F.col("body")).alias("body"),
    )
    message = F.concat(F.expr("substr(key, 1, length(key) - 1)"), F.lit(","), F.substr(F.to_json(told), F.lit(2)))
    return answers.where(F.col("change").isNotNull()).select(
        F.lit(None).cast("binary").alias("message_key"),
        message.cast("binary").alias("message"),
        F.lit(None).cast(_HEADERS).alias("headers"),
        F.lit(ANSWERS.path.format(table=table)).alias("stream"),
        F.lit(0).alias("partition"),
        micros.alias("offset"),
        F.col("at").alias("arrived_at"),
    )


def _newest(lake: Lake, table: str) -> DataFrame:
    rows = lake.read(lake.ensure(ANSWERS, table=table))
    newest = F.max_by(F.struct(*_FIELDS), "at").alias("newest")
    return rows.groupBy("key").agg(newest).select("newest.*")


def _states(rows: DataFrame) -> dict[int, list[State]]:
    """By kind of work."""
    times = {name: F.unix_micros(name).alias(name) for name in ("at", "next_at")}
    found: dict[int, list[State]] = {}
    for row in rows.select("_kind", *[times.get(name, F.col(name)) for name in _FIELDS]).collect():
        known = row.asDict()
        found.setdefault(known.pop("_kind"), []).append(_state(known))
    return found


def _state(row: dict[str, Any]) -> State:
    if row["outcome"] is None:
        return State(row["key"])
    return State(**row | {name: _moment(row[name]) for name in ("at", "next_at")})


def _moment(micros: int | None) -> datetime | None:
    # Spark hands out times without a zone, in the driver's own.
    return None if micros is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
