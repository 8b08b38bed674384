"""SCD2: every version of a row as an interval of positions.

History is computed again for each touched key from that key's stored events, never patched interval by interval. So a
late event splits the interval it belongs to, and a repeat changes nothing.
"""

from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import BooleanType, StringType, StructField, StructType, TimestampType
from pyspark.sql.window import WindowSpec

from headrace.changes.columns import col, key_text, untyped
from headrace.changes.dumps import confirmed, deleted, end
from headrace.changes.schema import TableSchema, ensure_table
from headrace.changes.table_rows import Shape, Typing
from headrace.config import History, Table
from headrace.lake import Assignments, Lake, quoted
from headrace.ordering.collapse import CHANGED_AT, KEY, OP, POSITION, PROBLEM, SENT, UNHEARD
from headrace.ordering.floors import TableFloor
from headrace.tables import HISTORY, TRUNCATES, VERSIONS

FROM, TO, FROM_AT, TO_AT, CURRENT = "_valid_from", "_valid_to", "_valid_from_at", "_valid_to_at", "_current"
_SYSTEM = StructType(
    [
        StructField(FROM, StringType()),
        StructField(TO, StringType()),
        StructField(FROM_AT, TimestampType()),
        StructField(TO_AT, TimestampType()),
        StructField(CURRENT, BooleanType()),
    ]
)


def as_of(lake: Lake, name: str, position: str) -> DataFrame | None:
    """The intervals that a position falls into; None before the first."""
    relative = HISTORY.format(table=name)
    if not lake.exists(relative):
        return None
    return lake.read(relative).where((F.col(FROM) <= position) & (F.col(TO).isNull() | (F.col(TO) > position)))


def record(
    lake: Lake,
    name: str,
    table: Table,
    typing: Typing,
    events: DataFrame,
    rows: DataFrame,
    truncates: list[TableFloor],
    next_dump: TableFloor | None = None,
) -> None:
    """Remember a batch's events and bring `history/<table>` up to date for the keys they touch.

    Args:
        events: the batch's upserts and deletes of this table, schema `ENVELOPE`.
        rows: what `typing` made of them; of a dump, what differs from the history as of it.
        truncates: the batch's truncates, which are in `truncates` already.
        next_dump: of an older dump that comes late, the floor of the next one known.
    """
    schema = typing.schema
    stored = lake.ensure(VERSIONS, table=name)
    news = _joined_texts(events, rows).unionByName(_made_deletes(rows, table, schema))
    if next_dump is not None:
        news = news.localCheckpoint()
        news = news.unionByName(_told_again(lake, stored, news, next_dump))
    lake.append(news, stored)
    touched = rows.where(F.col(PROBLEM).isNull()).select(F.col(KEY).alias("key")).distinct()
    relative = HISTORY.format(table=name)
    if truncates and lake.exists(relative):
        touched = touched.union(_open_at(lake, relative, table, schema, truncates)).distinct()
    touched = touched.persist()
    try:
        past = _past(lake, stored, touched)
        typed, shape = typing.rows(past)
        ensure_table(lake, relative, list(shape.columns), _SYSTEM, {"delta.enableDeletionVectors": "true"})
        wanted = intervals(_with_truncates(lake, name, typed, touched, shape), shape, table.history or History())
        _merge(lake, relative, wanted, touched, shape)
    finally:
        touched.unpersist()


def intervals(events: DataFrame, shape: Shape, settings: History) -> DataFrame:
    """The intervals of every key.

    Args:
        events: from `Typing.rows`, good rows only, truncates as deletes; repeats allowed.

    Returns:
        The business columns as they stood at the end of each interval, and the `_valid_*` columns and `_current`.
    """
    by_key = Window.partitionBy(KEY).orderBy(POSITION)
    once = _once(events)
    is_delete = F.col(OP) == "delete"
    lives = once.withColumn("_life", F.sum(F.when(is_delete, 1).otherwise(0)).over(by_key))
    in_life = Window.partitionBy(KEY, "_life").orderBy(POSITION)
    left_out = [name for name in shape.partial if name != UNHEARD]
    filled = lives.withColumns({name: _carried_forward(name, in_life) for name in left_out})
    tracked = F.struct(*[col(name) for name in _tracked(shape, settings)])
    before = F.lag(F.when(~is_delete, tracked)).over(in_life)
    opens = is_delete | before.isNull() | ~before.eqNullSafe(tracked)
    numbered = filled.withColumn("_opens", opens).withColumn(
        "_interval", F.sum(F.when(F.col("_opens"), 1).otherwise(0)).over(by_key)
    )
    grouped = numbered.groupBy(KEY, "_interval").agg(
        F.max_by(F.struct(*[col(name) for name in shape.names]), POSITION).alias("_row"),
        F.min(POSITION).alias(FROM),
        F.min_by(CHANGED_AT, POSITION).alias(FROM_AT),
        F.bool_or(is_delete).alias("_gap"),
    )
    in_order = Window.partitionBy(KEY).orderBy(FROM)
    ended = grouped.withColumns({TO: F.lead(FROM).over(in_order), TO_AT: F.lead(FROM_AT).over(in_order)})
    return ended.where(~F.col("_gap")).select(
        *[F.col(f"_row.{quoted(name)}").alias(name) for name in shape.names],
        FROM, TO, FROM_AT, TO_AT, F.col(TO).isNull().alias(CURRENT),
    )  # fmt: skip


def _once(events: DataFrame) -> DataFrame:
    """Each event once: of repeats the one that says most, as a later one may have found less of what was left out."""
    says = F.when(F.col(SENT).isNull(), 1_000_000).otherwise(F.size(SENT))
    everything = F.struct(*[col(name) for name in events.columns])
    best = events.groupBy(F.col(KEY).alias("_key"), F.col(POSITION).alias("_at")).agg(
        F.max_by(everything, says).alias("_event")
    )
    return best.select(*[F.col(f"_event.{quoted(name)}").alias(name) for name in events.columns])


def _tracked(shape: Shape, settings: History) -> list[str]:
    if settings.track:
        return [name for name in shape.names if name in settings.track]
    return [name for name in shape.names if name not in settings.ignore and name not in shape.key]


def _carried_forward(name: str, in_life: WindowSpec) -> Column:
    """The column's value at each event: the newest sent in this life of the key."""
    sent = (F.col(OP) == "upsert") & (F.col(SENT).isNull() | F.array_contains(SENT, name))
    newest = F.last(F.when(sent, F.struct(col(name).alias("value"))), ignorenulls=True).over(in_life)
    return newest.getField("value")


def _joined_texts(events: DataFrame, rows: DataFrame) -> DataFrame:
    """The events as `versions` keeps them: under the typed key, values still as text so that types may widen."""
    at = F.struct("origin", "position").alias("_at")
    texts = events.select(at, F.col("after").alias("values"), "sent", "op", "position", "changed_at")
    keys = rows.where(F.col(PROBLEM).isNull()).select(
        F.col(KEY).alias("key"), F.struct(F.col("_event_origin").alias("origin"), F.col(POSITION)).alias("_at")
    )
    joined = texts.join(keys.dropDuplicates(["_at"]), "_at")
    return joined.select("key", "position", "op", "values", "sent", "changed_at")


def _made_deletes(rows: DataFrame, table: Table, schema: TableSchema) -> DataFrame:
    """Deletes no message carried: keys a dump no longer shows."""
    made = rows.where(F.col("_event_origin").isNull())
    pairs = []
    for source in table.key:
        column = schema.find(source)
        if column is not None:
            pairs += [F.lit(source), untyped(col(column.name), column.type)]
    return made.select(
        F.col(KEY).alias("key"), F.col(POSITION).alias("position"), F.col(OP).alias("op"),
        F.to_json(F.create_map(*pairs)).alias("values"), F.lit(None).cast("array<string>").alias("sent"),
        F.col(CHANGED_AT).alias("changed_at"),
    )  # fmt: skip


def _told_again(lake: Lake, stored: str, news: DataFrame, dump: TableFloor) -> DataFrame:
    """What a later dump said of the keys that an older one changes now.

    The later dump left no version where it had nothing new to say, which it has now.
    """
    floor, changed_at = dump
    source_part = floor.rpartition("-")[0]
    known = lake.read(stored).where((F.col("position") <= end(floor)) & F.col("op").isin("upsert", "delete"))
    newest = known.groupBy("key").agg(
        F.max_by(F.struct("op", "values", "sent", "position"), "position").alias("_known")
    )
    keys = news.groupBy("key").agg(F.any_value("values").alias("values"))
    joined = keys.join(newest, "key", "left").where(
        F.col("_known").isNull() | ~F.startswith(F.col("_known.position"), F.lit(f"{source_part}-"))
    )
    op = F.coalesce("_known.op", F.lit("delete"))
    return joined.select(
        "key", F.when(op == "upsert", F.lit(confirmed(floor))).otherwise(F.lit(deleted(floor))).alias("position"),
        op.alias("op"), F.coalesce("_known.values", "values").alias("values"), F.col("_known.sent").alias("sent"),
        F.lit(changed_at).cast("timestamp").alias("changed_at"),
    )  # fmt: skip


def _past(lake: Lake, stored: str, touched: DataFrame) -> DataFrame:
    """Every stored event of the touched keys, in the shape of an envelope."""
    wanted = lake.read(stored).join(F.broadcast(touched), "key", "left_semi")
    nothing = {
        "source": "string", "source_table": "string", "arrived_at": "timestamp", "message_key": "binary",
        "message": "binary", "headers": "string", "origin": "string",
    }  # fmt: skip
    return wanted.select(
        "op", "key", "position", F.col("values").alias("after"), "sent", "changed_at",
        *[F.lit(None).cast(kind).alias(name) for name, kind in nothing.items()],
    )  # fmt: skip


def _with_truncates(lake: Lake, name: str, rows: DataFrame, touched: DataFrame, shape: Shape) -> DataFrame:
    good = rows.where(F.col(PROBLEM).isNull())
    if not lake.exists(TRUNCATES.path):
        return good
    floors = lake.read(TRUNCATES.path).where((F.col("table") == name) & (F.col("kind") == "truncate"))
    known = {KEY: F.col("key"), OP: F.lit("delete"), POSITION: F.col("position"), CHANGED_AT: F.col("changed_at")}
    everyone = touched.crossJoin(
        F.broadcast(floors.groupBy("position").agg(F.max("changed_at").alias("changed_at")))
    ).select(
        *[known.get(field.name, F.lit(None)).cast(field.dataType).alias(field.name) for field in good.schema.fields]
    )
    return good.unionByName(everyone)


def _open_at(lake: Lake, relative: str, table: Table, schema: TableSchema, truncates: list[TableFloor]) -> DataFrame:
    """Keys with an interval that one of the truncates falls into."""
    key = [found.name for found in (schema.find(source) for source in table.key) if found is not None]
    hit = [(F.col(FROM) < place) & (F.col(TO).isNull() | (F.col(TO) > place)) for place, _ in truncates]
    cut = lake.read(relative).where(reduce(lambda left, right: left | right, hit))
    return cut.select(key_text([col(name) for name in key]).alias("key"))


def _merge(lake: Lake, relative: str, wanted: DataFrame, touched: DataFrame, shape: Shape) -> None:
    """Write the difference between the stored and the wanted intervals of the touched keys."""
    target = lake.read(relative)
    names = [*shape.names, *[field.name for field in _SYSTEM.fields]]
    keyed = key_text([col(name) for name in shape.key])
    stored = target.withColumn("_k", keyed).join(F.broadcast(touched), F.col("_k") == F.col("key"), "left_semi")
    old = stored.select("_k", F.col(FROM).alias("_f"), F.struct(*[col(name) for name in names]).alias("_old"))
    new = wanted.select(keyed.alias("_k"), F.col(FROM).alias("_f"), F.struct(*[col(n) for n in names]).alias("_new"))
    difference = old.join(new, ["_k", "_f"], "full").where(~F.col("_old").eqNullSafe(F.col("_new")))
    source = difference.select(
        F.col("_new").isNull().alias("_gone"),
        *[F.coalesce(F.col("_new").getField(n), F.col("_old").getField(n)).alias(n) for n in [*shape.key, FROM]],
        *[F.col("_new").getField(n).alias(n) for n in names if n not in {*shape.key, FROM}],
    ).localCheckpoint(eager=False)
    on = " AND ".join(f"t.{quoted(name)} = s.{quoted(name)}" for name in [*shape.key, FROM])
    values: Assignments = {quoted(name): f"s.{quoted(name)}" for name in names}
    merge = lake.table(relative).alias("t").merge(source.alias("s"), on).whenMatchedDelete("s._gone")
    merge.whenMatchedUpdate(set=values).whenNotMatchedInsert("NOT s._gone", values).execute()
