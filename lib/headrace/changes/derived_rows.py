"""The rows of a derived table as they are stored: what differs from the wanted ones, and how it is written."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import MapType, StructType

from headrace.changes.columns import col, key_text
from headrace.changes.schema import ensure_table, system_columns
from headrace.changes.some_keys import Keys
from headrace.changes.stored_key import KEY_PROPERTY, key_property
from headrace.changes.widen import grows
from headrace.lake import Assignments, Lake, quoted
from headrace.ordering.position import integer, position
from headrace.tables import CHANGED_AT, CHANGED_KEYS, POSITION, TABLES, TOMBSTONES

TWICE, NO_KEY = "derived key twice", "derived key null"
_KEY, _KIND, _NEW = "_key", "_kind", "_new"
_CLOCKS_APART = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Difference:
    """Stored and wanted rows that are not the same: `_key` (text), `_kind`, `_new` (the wanted row).

    Attributes:
        inserted, updated, gone, refused: how many of each kind.
        rewritten: whether the table is written anew, with other columns; `frame` then holds all wanted rows.
    """

    frame: DataFrame
    inserted: int
    updated: int
    gone: int
    refused_keys: int
    rewritten: bool

    @classmethod
    def between(
        cls,
        lake: Lake,
        relative: str,
        wanted: DataFrame,
        schema: StructType,
        key: Sequence[str],
        touched: Keys | None,
        *,
        rewritten: bool,
    ) -> "Difference":
        """What it takes to bring the stored rows to the wanted ones. The table is made where there is none.

        Args:
            wanted: with the columns of `schema`.
            touched: both are compared at these keys alone; None for all.
            rewritten: the stored columns do not fit: every stored row counts as changed.
        """
        properties = {
            "delta.enableDeletionVectors": "true",
            "delta.dataSkippingStatsColumns": ",".join(quoted(name) for name in [*key, POSITION]),
            **key_property(key),
        }
        if not rewritten:
            ensure_table(lake, relative, list(schema.fields), system_columns(False), properties)
        stored = lake.read(relative)
        same_key = not rewritten or all(name in stored.columns for name in key)
        stored = touched.among(stored) if touched is not None else stored
        old_key = key_text([col(name) for name in key]) if same_key else F.lit(None).cast("string")
        types = {} if rewritten else {field.name.casefold(): field.dataType for field in stored.schema}
        values = [
            col(name).cast(types.get(name.casefold(), schema[name].dataType)).alias(name) for name in schema.names
        ]
        keyed = key_text([col(name) for name in key])
        null = reduce(lambda one, other: one | other, [col(name).isNull() for name in key])
        new = (
            wanted.select(*values)
            .select(keyed.alias(_KEY), null.alias("_null"), F.struct(*map(col, schema.names)).alias(_NEW))
            .groupBy(_KEY, "_null")
            .agg(F.first(_NEW).alias(_NEW), F.count(F.lit(1)).alias("_times"))
        )
        old_row = F.lit(True) if rewritten else F.struct(*map(col, schema.names))
        old = stored.select(old_key.alias(_KEY), old_row.alias("_old")).where(F.col(_KEY).isNotNull())
        both = old.join(new, _KEY, "full").withColumn(_KIND, _kind(schema, rewritten))
        wanted_kinds = both.where(F.col(_KIND).isNotNull())
        frame = wanted_kinds.select(_KEY, _KIND, _NEW, "_null", "_times").localCheckpoint()
        counts = {row[_KIND]: int(row["count"]) for row in frame.groupBy(_KIND).count().collect()}
        refused = counts.get("twice", 0) + counts.get("null", 0)
        inserted, updated, gone = (counts.get(kind, 0) for kind in ("insert", "update", "gone"))
        return cls(frame, inserted, updated, gone, refused, rewritten)

    @property
    def rows(self) -> int:
        return self.inserted + self.updated + self.gone

    def keys(self, at: str) -> DataFrame:
        """`key, position` of every row that changes."""
        changed = self.frame.where(F.col(_KIND).isin("insert", "update", "gone"))
        return changed.select(F.col(_KEY).alias("key"), F.lit(at).alias("position"))

    def refused(self) -> DataFrame | None:
        """`key, reason, detail` of results that are no row."""
        if not self.refused_keys:
            return None
        null = F.col(_KIND) == "null"
        said = F.concat(F.lit("the SQL gives "), F.col("_times").cast("string"), F.lit(" rows for this key"))
        return self.frame.where(F.col(_KIND).isin("twice", "null")).select(
            F.col(_KEY).alias("key"),
            F.when(null, F.lit(NO_KEY)).otherwise(F.lit(TWICE)).alias("reason"),
            F.when(null, F.concat(said, F.lit(", and a part of it is null; no row is kept")))
            .otherwise(F.concat(said, F.lit("; the row stays as it was")))
            .alias("detail"),
        )

    def write(
        self,
        lake: Lake,
        name: str,
        schema: StructType,
        key: Sequence[str],
        at: str,
        changed_at: datetime | None,
        *,
        empty: bool,
    ) -> None:
        """Write it.

        The deletes come first, into `tombstones/<name>`: after a crash they tell which keys went.

        Args:
            at: the position of the rows.
            changed_at: the time of change; now where it is not known.
            empty: the table holds no row.
        """
        relative = TABLES.format(table=name)
        with lake.writing(relative):
            when = F.current_timestamp() if changed_at is None else F.lit(changed_at).cast("timestamp")
            if self.gone:
                stones = self.frame.where(F.col(_KIND) == "gone").select(
                    F.col(_KEY).alias("key"), F.lit(at).alias("position"), F.current_timestamp().alias("deleted_at")
                )
                lake.append(stones, lake.ensure(TOMBSTONES, table=name))
            changes = self.frame.where(F.col(_KIND).isin("insert", "update", "gone")).select(
                (F.col(_KIND) == "gone").alias("_gone"), F.col(_KEY),
                *[F.col(_NEW).getField(column).alias(column) for column in schema.names],
                F.lit(at).alias(POSITION), when.alias(CHANGED_AT),
            )  # fmt: skip
            if self.rewritten:
                _rewrite(lake, relative, changes.where("NOT _gone").drop("_gone", _KEY), key)
            elif empty:
                lake.append(changes.drop("_gone", _KEY), relative)
            else:
                self._merge(lake, relative, changes, schema, key)

    def _merge(self, lake: Lake, relative: str, changes: DataFrame, schema: StructType, key: Sequence[str]) -> None:
        # The key of a row that goes is in its text alone: its SQL gives nothing.
        types = {field.name: field.dataType for field in schema}
        parts = F.from_json(_KEY, "array<string>")
        keyed = {
            column: F.coalesce(col(column), parts.getItem(number).try_cast(types[column]))
            for number, column in enumerate(key)
        }
        source = changes.withColumns(keyed).drop(_KEY)
        on = " AND ".join(f"t.{quoted(column)} = s.{quoted(column)}" for column in key)
        values: Assignments = {
            quoted(column): f"s.{quoted(column)}" for column in [*schema.names, POSITION, CHANGED_AT]
        }
        merge = lake.table(relative).alias("t").merge(source.alias("s"), on)
        if self.gone:
            merge = merge.whenMatchedDelete("s._gone")
        if self.updated:
            merge = merge.whenMatchedUpdate("NOT s._gone", values)
        if self.inserted:
            merge = merge.whenNotMatchedInsert("NOT s._gone", values)
        merge.execute()


class Positions:
    """The positions of a derived table's writes: the time the table was made, and a number that grows with each.

    The number is the table's own version when the process starts, and one more for each write: never above the version
    that the write makes, and above all numbers of earlier processes. So no clock is asked, and a delete counts as well.
    """

    def __init__(self, lake: Lake, relative: str) -> None:
        made = lake.table(relative).detail().select(F.unix_micros("createdAt")).collect()[0][0]
        self._made, self._last = f"n16{made:016d}", lake.version(relative)

    def next(self) -> str:
        """The position of the next write."""
        self._last += 1
        return position([self._made, integer(self._last)], "upsert", b"")


def fits(lake: Lake, relative: str, schema: StructType, key: Sequence[str], *, same_key: bool) -> bool:
    """Whether the stored table can take rows of these columns as it is, but for new columns and wider types.

    Args:
        same_key: the key is known to be the one the table was made with.
    """
    if not lake.exists(relative):
        return True
    if not same_key and lake.properties(relative).get(KEY_PROPERTY) != key_property(key)[KEY_PROPERTY]:
        return False
    wanted = {field.name.casefold(): field.dataType.simpleString() for field in schema}
    for field in lake.read(relative).schema:
        if field.name in (POSITION, CHANGED_AT):
            continue
        kind, new = field.dataType.simpleString(), wanted.get(field.name.casefold())
        if new is None or not (new == kind or grows(kind, new) or grows(new, kind)):
            return False
    return True


def untold(lake: Lake, name: str) -> DataFrame | None:
    """`key, position` of the rows that the newest write changed, where `changed_keys` has none of them."""
    relative, stones = TABLES.format(table=name), TOMBSTONES.path.format(table=name)
    if not lake.exists(relative):
        return None
    keyed = key_text([col(column) for column in _stored_key(lake, relative)])
    written = lake.read(relative).select(keyed.alias("key"), F.col(POSITION).alias("position"))
    if lake.exists(stones):
        written = written.unionByName(lake.read(stones).select("key", "position"))
    newest = written.agg(F.max("position")).collect()[0][0]
    if newest is None or _is_told(lake, name, newest):
        return None
    return written.where(F.col("position") == newest).distinct().localCheckpoint()


def mark(lake: Lake, relative: str, name: str, value: str) -> None:
    """Set a property of the table."""
    with lake.writing(relative):
        lake.set_mark(relative, name, value)


def _kind(schema: StructType, rewritten: bool) -> Column:
    """What is to be done with a key; null where nothing is."""
    new, old = F.col("_times").isNotNull(), F.col("_old").isNotNull()
    same = F.lit(False)
    if not rewritten:
        same = F.lit(True)
        for field in schema:
            pair = [F.col(row).getField(field.name) for row in (_NEW, "_old")]
            if isinstance(field.dataType, MapType):  # maps do not compare
                pair = [F.array_sort(F.map_entries(one)) for one in pair]
            same = same & pair[0].eqNullSafe(pair[1])
    return (
        F.when(new & F.col("_null"), F.lit("null"))
        .when(new & (F.col("_times") > 1), F.lit("twice"))
        .when(~new, F.lit("gone"))
        .when(~old, F.lit("insert"))
        .when(~same, F.lit("update"))
    )


def _is_told(lake: Lake, name: str, at: str) -> bool:
    if not lake.exists(CHANGED_KEYS.path):
        return False
    told = lake.read(CHANGED_KEYS.path).where((F.col("table") == name) & (F.col("position") == at))
    version = int(at.split("-")[2])
    commits = lake.table(TABLES.format(table=name)).history().where(F.col("version") == version)
    written = commits.select("timestamp").collect()
    if written:  # by the statistics of `at` older files are not read
        told = told.where(F.col("at") >= F.lit(written[0][0] - _CLOCKS_APART))
    return not told.isEmpty()


def _stored_key(lake: Lake, relative: str) -> list[str]:
    return [str(name) for name in json.loads(lake.properties(relative)[KEY_PROPERTY])]


def _rewrite(lake: Lake, relative: str, rows: DataFrame, key: Sequence[str]) -> None:
    rows.write.format("delta").mode("overwrite").option("overwriteSchema", "true").save(lake.path(relative))
    text = key_property(key)[KEY_PROPERTY].replace("\\", "\\\\").replace("'", "\\'")
    columns = ",".join(quoted(name) for name in [*key, POSITION])
    mark(lake, relative, KEY_PROPERTY, text)
    mark(lake, relative, "delta.dataSkippingStatsColumns", columns)
