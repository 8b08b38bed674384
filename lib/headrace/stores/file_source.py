"""Files of a folder as raw messages: JSON lines, CSV, Parquet.

The stream is one of file *names*; the content is read in the batch. So every format is read by the reader made for it,
and a file's bytes are never held in one row.
"""

import json
from functools import reduce

from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from headrace.config_sources import FilesSource
from headrace.errors import Unreachable
from headrace.lake import quoted
from headrace.tables import TYPES_HEADER

_CORRUPT = "_headrace_corrupt"
_ISO = {"timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX", "ignoreNullFields": "false"}
_NAMES = "path string, modificationTime timestamp, length bigint, content binary"
_NO_HEADERS = "array<struct<key: string, value: binary>>"


def stream(spark: SparkSession, source: FilesSource) -> DataFrame:
    """A stream of the names of files that appear: `path, modificationTime`, oldest first.

    Raises Unreachable where the folder is not there.
    """
    # One dump a batch: a dump is compared with the table as the one before left it.
    most = 1 if source.format == "snapshot" else source.max_files_per_batch
    reader = spark.readStream.format("binaryFile").option("recursiveFileLookup", "true").schema(_NAMES)
    try:
        return reader.option("maxFilesPerTrigger", most).load(source.path).select("path", "modificationTime")
    except AnalysisException as error:
        raise Unreachable(
            expected="a folder of files", found=source.path, todo="Make the folder, or correct the source's path."
        ) from error


def messages(files: DataFrame, source: FilesSource) -> DataFrame | None:
    """The records of a batch of files, schema `tables.MESSAGES`; None for no files.

    A record's offset is the start of its block in the file; the decoder numbers the records of a block.
    """
    rows = files.select("path").collect()
    by_encoding: dict[str, list[str]] = {}
    for row in rows:
        by_encoding.setdefault(_encoding(row["path"], source.encoding), []).append(row["path"])
    spark = files.sparkSession
    frames: list[DataFrame] = []
    for encoding, paths in by_encoding.items():
        if encoding == "json":
            frames.append(_lines(spark, paths))
        else:
            read = _csv if encoding == "csv" else _parquet
            frames.extend(read(spark, path) for path in paths)
    return reduce(DataFrame.unionByName, frames) if frames else None


def _encoding(path: str, wanted: str) -> str:
    if wanted != "auto":
        return wanted
    name = path.lower().removesuffix(".gz").removesuffix(".bz2")
    if name.endswith((".csv", ".tsv")):
        return "csv"
    return "parquet" if name.endswith(".parquet") else "json"


def _lines(spark: SparkSession, paths: list[str]) -> DataFrame:
    # The text reader hands bytes through as they are, so wrong UTF-8 reaches the decoder whole.
    lines = spark.read.text(paths).select(F.col("value").cast("binary").alias("message"), "_metadata")
    return _as_messages(lines.where(F.length(F.trim(F.col("message").cast("string"))) > 0))


def _csv(spark: SparkSession, path: str) -> DataFrame:
    options = {
        "header": "true", "multiLine": "true", "escape": '"', "mode": "PERMISSIVE",
        "sep": "\t" if ".tsv" in path.lower() else ",",
    }  # fmt: skip
    columns = spark.read.options(**options).csv(path).columns
    schema = StructType([StructField(name, StringType()) for name in [*columns, _CORRUPT]])
    rows = spark.read.options(**options, columnNameOfCorruptRecord=_CORRUPT).schema(schema).csv(path)
    values = F.struct(*[F.col(quoted(name)) for name in columns])
    # A line with too few or too many fields goes on as it stands: the decoder refuses it and keeps its text.
    text = F.coalesce(F.col(_CORRUPT), F.to_json(values, _ISO))
    return _as_messages(rows.select(text.cast("binary").alias("message"), "_metadata"))


def _parquet(spark: SparkSession, path: str) -> DataFrame:
    rows = spark.read.parquet(path)
    types = {field.name: field.dataType.simpleString() for field in rows.schema.fields}
    told = json.dumps(types).encode()
    header = F.array(F.struct(F.lit(TYPES_HEADER).alias("key"), F.lit(told).alias("value")))
    values = F.struct(*[F.col(quoted(name)) for name in rows.columns])
    text = F.to_json(values, _ISO).cast("binary").alias("message")
    return _as_messages(rows.select(text, "_metadata"), header)


def _as_messages(rows: DataFrame, headers: Column | None = None) -> DataFrame:
    return rows.select(
        F.lit(None).cast("binary").alias("message_key"),
        "message",
        (headers if headers is not None else F.lit(None)).cast(_NO_HEADERS).alias("headers"),
        F.col("_metadata.file_path").alias("stream"),
        F.lit(0).alias("partition"),
        F.col("_metadata.file_block_start").alias("offset"),
        F.col("_metadata.file_modification_time").alias("arrived_at"),
    )
