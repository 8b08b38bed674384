"""The lake: the one place that reads and writes Delta tables.

Paths are relative to the lake's root. Every table Headrace creates carries `headrace.format`.
"""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import cast

import pyarrow as pa
from delta.tables import DeltaTable
from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.sql.types import StructType

from headrace.errors import FormatTooNew
from headrace.tables import FORMAT, FORMAT_PROPERTY, TableContract


def quoted(name: str) -> str:
    """A column name for SQL and for `F.col`, safe for dots, spaces, backticks and reserved words."""
    return "`" + name.replace("`", "``") + "`"


# Delta's default, 10, would write a checkpoint of all of a batch's tables in every tenth batch: a second in which
# nothing gets fresher. Readers go through at most this many small files of the log.
_PROPERTIES = {"delta.checkpointInterval": "50"}

Assignments = dict[str, str | Column]
"""Quoted column -> expression, as MERGE and UPDATE take them."""


def struct(ddl: str) -> StructType:
    """A struct type from DDL such as `key string, position string`."""
    return cast(StructType, StructType.fromDDL(ddl))


def local_rows(spark: SparkSession, rows: Sequence[Sequence[object]], schema: str) -> DataFrame:
    """A few rows the driver holds, as a DataFrame.

    Through Arrow they become part of the plan. From a list Spark makes an RDD of pickles, which takes twice as long
    to write (0.4 instead of 0.2 seconds).
    """
    fields = struct(schema)
    arrow = to_arrow_schema(fields)
    columns = [[row[index] for row in rows] for index in range(len(fields))]
    arrays = [pa.array(values, field.type) for values, field in zip(columns, arrow, strict=True)]
    return spark.createDataFrame(pa.Table.from_arrays(arrays, schema=arrow), fields)


_CREATION_POLLS, _CREATION_POLL_SECONDS = 10, 0.5

_locks: dict[str, threading.Lock] = {}
_writers: dict[str, threading.RLock] = {}


def _creating(path: str) -> threading.Lock:
    """The lock of this process for creating a table."""
    return _locks.setdefault(path, threading.Lock())


@dataclass(frozen=True, slots=True)
class Transaction:
    """Names one append, so that a repeat of the same batch is skipped by Delta itself (`txnAppId`, `txnVersion`)."""

    app: str
    version: int


class Lake:
    """Delta tables under one root.

    One instance serves one Spark session; `known` is shared between instances so that a table is looked up once.
    """

    class Missing(Exception):
        """Commits of a table that are no longer there."""

    def __init__(self, spark: SparkSession, root: str, known: set[str] | None = None) -> None:
        self.spark, self.root = spark, root.rstrip("/")
        self._known = known if known is not None else set()

    def on(self, spark: SparkSession) -> "Lake":
        """The same lake seen from another session, such as the one a micro-batch runs in."""
        return self.__class__(spark, self.root, self._known)

    def path(self, relative: str) -> str:
        """The full path of a table."""
        return f"{self.root}/{relative}"

    def exists(self, relative: str) -> bool:
        """Whether the Delta table is there. Raises FormatTooNew for one a newer Headrace wrote."""
        if relative in self._known:
            return True
        if not DeltaTable.isDeltaTable(self.spark, self.path(relative)):
            return False
        self._check_format(relative)
        self._known.add(relative)
        return True

    def read(self, relative: str, version: int | None = None) -> DataFrame:
        """The table's rows, now or as of a version."""
        reader = self.spark.read.format("delta")
        if version is not None:
            reader = reader.option("versionAsOf", version)
        return reader.load(self.path(relative))

    def version(self, relative: str) -> int:
        """The table's newest version."""
        newest = self.table(relative).history(1).select("version").first()
        return int(newest[0]) if newest else 0

    def version_before(self, relative: str, moment: datetime) -> int | None:
        """The newest version that was committed before a time; None where there is none."""
        commits = self.table(relative).history().where(F.col("timestamp") < F.lit(moment))
        newest = commits.agg(F.max("version")).collect()[0][0]
        return None if newest is None else int(newest)

    def table(self, relative: str) -> DeltaTable:
        """The table, for MERGE, DELETE and upkeep."""
        return DeltaTable.forPath(self.spark, self.path(relative))

    def sql_name(self, relative: str) -> str:
        """The table as SQL names it."""
        return f"delta.{quoted(self.path(relative))}"

    def table_id(self, relative: str) -> str:
        """The id Delta gave the table when it was created: another one means another table."""
        return str(self.table(relative).detail().select("id").collect()[0][0])

    def appended(self, relative: str, first: int, last: int) -> DataFrame:
        """Rows appended by the commits `first` to `last`, with `_commit_version`.

        The table has `delta.enableChangeDataFeed`, which costs nothing where rows are only appended.

        Raises:
            Missing: the table no longer holds all of them.
        """
        reader = self.spark.read.format("delta").option("readChangeFeed", "true")
        try:
            rows = reader.option("startingVersion", first).option("endingVersion", last).load(self.path(relative))
        except AnalysisException as error:
            raise self.Missing(relative) from error
        return rows.where(F.col("_change_type") == "insert").drop("_change_type", "_commit_timestamp")

    def properties(self, relative: str) -> dict[str, str]:
        """The table's Delta properties."""
        return self.detail(relative)[0]

    def mark(self, relative: str, name: str) -> str | None:
        """A property that holds a number or a time, read without a job of Spark, which `properties` needs.

        Not for others: Spark hides a value here that looks to it like a secret, such as a key column `token`.
        """
        rows = self.spark.sql(f"SHOW TBLPROPERTIES {self.sql_name(relative)}").collect()
        return next((str(row["value"]) for row in rows if row["key"] == name), None)

    def set_mark(self, relative: str, name: str, value: str) -> None:
        """Set a property of the table."""
        text = value.replace("\\", "\\\\").replace("'", "\\'")
        self.execute(f"ALTER TABLE {self.sql_name(relative)} SET TBLPROPERTIES ('{name}' = '{text}')")

    def detail(self, relative: str) -> tuple[dict[str, str], int, int]:
        """The table's Delta properties, how many data files it has, and their bytes together."""
        found = self.table(relative).detail().select("properties", "numFiles", "sizeInBytes").collect()[0]
        return dict(found[0]), int(found[1]), int(found[2])

    def create(
        self,
        relative: str,
        schema: StructType | str,
        properties: Mapping[str, str] | None = None,
        partition: Sequence[str] = (),
    ) -> None:
        """Create an empty table unless it is there.

        Tables of a batch are applied side by side and may want the same one at the same moment: Delta lets one of them
        create it and fails the others.
        """
        with _creating(self.path(relative)):
            if not self.exists(relative):
                self._create(relative, schema, properties or {}, partition)

    def _create(
        self, relative: str, schema: StructType | str, properties: Mapping[str, str], partition: Sequence[str]
    ) -> None:
        columns = struct(schema) if isinstance(schema, str) else schema
        builder = DeltaTable.createIfNotExists(self.spark).location(self.path(relative)).addColumns(columns)
        for name, value in {FORMAT_PROPERTY: str(FORMAT), **_PROPERTIES, **properties}.items():
            builder = builder.property(name, value)
        if partition:
            builder = builder.partitionedBy(*partition)
        try:
            builder.execute()
        except Exception as error:
            # Another process may be quicker: two jobs share a lake. Until its first commit is there, Delta speaks of
            # anything from a folder that is not empty to a table that is none.
            if not self._appears(relative):
                unborn = isinstance(error, AnalysisException) and error.getCondition() == "DELTA_TABLE_NOT_FOUND"
                if not unborn or not self._remove_unborn(relative):
                    raise
                builder.execute()
        self._known.add(relative)

    def _appears(self, relative: str) -> bool:
        """Whether a table is there within the seconds its creation by another process may take."""
        for _ in range(_CREATION_POLLS):
            try:
                self.read(relative)  # looks anew, where `exists` goes by what Delta has in its cache
                return self.exists(relative)
            except AnalysisException:
                time.sleep(_CREATION_POLL_SECONDS)
        return False

    def ensure(self, contract: TableContract, **names: str) -> str:
        """Create a contract's table unless it is there; its relative path."""
        relative = contract.path.format(**names)
        self.create(relative, contract.schema, contract.properties, contract.partition)
        return relative

    @contextmanager
    def writing(self, relative: str) -> Iterator[None]:
        """Around each change of a table that several threads change: of two at a time Delta fails one.

        Upkeep is among them: a new table property fails even an append.
        """
        with _writers.setdefault(self.path(relative), threading.RLock()):
            yield

    def append(self, rows: DataFrame, relative: str, transaction: Transaction | None = None) -> None:
        """Append rows, matched to the table's columns by name. With `transaction`, a repeat appends nothing."""
        writer = rows.write.format("delta").mode("append")
        if transaction is not None:
            writer = writer.option("txnAppId", transaction.app).option("txnVersion", str(transaction.version))
        with self.writing(relative):
            writer.save(self.path(relative))

    def replace(self, rows: DataFrame, relative: str, condition: str) -> None:
        """Put rows in place of those a condition holds for, in one commit; it must hold for the new ones too.

        What has deletion vectors is only marked in the files it is in.
        """
        writer = rows.write.format("delta").mode("overwrite").option("replaceWhere", condition)
        with self.writing(relative):
            writer.save(self.path(relative))

    def delete_keys(self, relative: str, keys: DataFrame) -> int:
        """Delete the rows with these keys, by all columns of `keys`, which is read twice; how many keys there were.

        As a MERGE: the condition of a DELETE would be written into the table's log with its values.
        """
        count = keys.count()
        if count:
            same = " AND ".join(f"t.{quoted(name)} <=> s.{quoted(name)}" for name in keys.columns)
            self.table(relative).alias("t").merge(keys.alias("s"), same).whenMatchedDelete().execute()
        return count

    def sort(self, relative: str, column: str, files: int) -> None:
        """Write all rows anew, ordered by a column, in so many files; readers of changes see none.

        OPTIMIZE with ZORDER BY sorts nothing where one file comes of it (Delta 4.2).
        """
        rows = self.read(relative).repartitionByRange(files, column).sortWithinPartitions(column)
        with self.writing(relative):
            rows.write.format("delta").mode("overwrite").option("dataChange", "false").save(self.path(relative))

    @contextmanager
    def setting(self, settings: Mapping[str, str]) -> Iterator[None]:
        """SQL settings of the session, set for a while."""
        conf = self.spark.conf
        before = {name: conf.get(name, None) for name in settings}
        try:
            for name, value in settings.items():
                conf.set(name, value)
            yield
        finally:
            for name, old in before.items():
                if old is None:
                    conf.unset(name)
                else:
                    conf.set(name, old)

    def execute(self, statement: str) -> None:
        """Run one DDL or DML statement."""
        self.spark.sql(statement)

    def purge(self, relative: str) -> None:
        """Write out what deletion vectors only mark, so that VACUUM can remove it; where there are none do nothing."""
        self.execute(f"REORG TABLE {self.sql_name(relative)} APPLY (PURGE)")

    def _remove_unborn(self, relative: str) -> bool:
        """Remove the log of a table that has no commit yet; whether it was removed.

        On a file system with folders a kill before the first commit leaves an empty log, which Delta takes for a table
        when it creates one and for none when it reads it.
        """
        context = self.spark.sparkContext
        folder = context._jvm.org.apache.hadoop.fs.Path(self.path(relative), "_delta_log")  # type: ignore[union-attr]
        files = folder.getFileSystem(context._jsc.hadoopConfiguration())
        if any(entry.isFile() and entry.getPath().getName()[0].isdigit() for entry in files.listStatus(folder)):
            return False
        return bool(files.delete(folder, True))

    def _check_format(self, relative: str) -> None:
        found = self.mark(relative, FORMAT_PROPERTY) or str(FORMAT)
        if int(found) > FORMAT:
            raise FormatTooNew(
                where=relative,
                expected=f"{FORMAT_PROPERTY} up to {FORMAT}",
                found=found,
                todo="Upgrade Headrace; this table was written by a newer one.",
            )
