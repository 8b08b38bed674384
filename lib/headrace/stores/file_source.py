"""Files of a folder as raw messages: JSON lines, CSV, Parquet, Avro.

The stream is one of file *names*; the content is read in the batch. So every format is read by the reader made for it,
and a file's bytes are never held in one row.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import reduce

from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame, DataFrameReader, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from headrace.config_base import doubled
from headrace.config_sources import FilesSource
from headrace.errors import Fatal, Unreachable
from headrace.lake import quoted
from headrace.tables import REFUSED_HEADER, TYPES_HEADER

_CORRUPT = "_headrace_corrupt"
_ISO = {
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    # Spark's own ends at milliseconds.
    "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS",
    "ignoreNullFields": "false",
}
_NAMES = "path string, modificationTime timestamp, length bigint, content binary"
_NO_GLOB = {"__globPaths__": "false"}
"""Paths are names, not patterns: `part[1].jsonl` is one file."""
_GLOB = re.compile(r"[\[\]{}*?\\]")
_BYTES, _BOM = "ISO-8859-1", "\xef\xbb\xbf"
_NO_AVRO = re.compile(r"org\.apache\.avro\.\w+Exception|java\.io\.EOFException|JsonParseException")
"""In the text of an error that comes before any row: the file's head is none of Avro's."""
_HEADERS = "array<struct<key: string, value: binary>>"


def stream(spark: SparkSession, source: FilesSource) -> DataFrame:
    """A stream of the names of files that appear: `path, modificationTime`, oldest first.

    Raises Unreachable where the folder is not there.
    """
    # One dump a batch: a dump is compared with the table as the one before left it.
    most = 1 if source.format == "snapshot" else source.max_files_per_batch
    reader = spark.readStream.format("binaryFile").option("recursiveFileLookup", "true").schema(_NAMES)
    # Spark's default passes over, without a word, files a week older than the newest one it has seen.
    reader = reader.option("maxFileAge", "36500d")
    # A folder that is there is meant by its name, `in[1]` too.
    folder = _GLOB.sub(r"\\\g<0>", source.path) if os.path.isdir(source.path) else source.path
    try:
        return reader.option("maxFilesPerTrigger", most).load(folder).select("path", "modificationTime")
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
            frames.extend(_lines(spark, some) for some in _readable_at_once(paths))
        else:
            read = {"csv": _csv, "parquet": _parquet, "avro": _avro}[encoding]
            frames.extend(found for path in paths if (found := read(spark, path)) is not None)
    return reduce(DataFrame.unionByName, frames) if frames else None


def explained(error: Exception, source: str) -> Exception:
    """What made a batch fail, in plain words where it is a file that cannot be read to its end."""
    told = re.search(
        r"FAILED_READ_FILE\S* Encountered error while reading file (.+?)\.\s+(SQLSTATE|Could not)", str(error)
    )
    if told is None:
        return error
    return Fatal(
        where=source,
        expected="files that can be read to their end",
        found=f"damage in {told[1]}, or a store that stopped answering",
        todo="Start again. If it fails again, move this file away, repair it and put it back as a new one.",
    )


def _encoding(path: str, wanted: str) -> str:
    if wanted != "auto":
        return wanted
    name = path.lower().removesuffix(".gz").removesuffix(".bz2")
    if name.endswith((".csv", ".tsv")):
        return "csv"
    return next((kind for kind in ("parquet", "avro") if name.endswith(f".{kind}")), "json")


def _readable_at_once(paths: list[str]) -> Iterator[list[str]]:
    # Spark 4.1, told not to glob, gives all paths once more for each that looks like a pattern.
    plain = [path for path in paths if not _GLOB.search(path)]
    if plain:
        yield plain
    yield from ([path] for path in paths if _GLOB.search(path))


def _lines(spark: SparkSession, paths: list[str], refusal: Column | None = None) -> DataFrame:
    # The text reader hands bytes through as they are, so wrong UTF-8 reaches the decoder whole.
    lines = _reader(spark).text(paths).select(F.col("value").cast("binary").alias("message"), "_metadata")
    return _as_messages(lines.where(F.length(F.trim(F.col("message").cast("string"))) > 0), refusal)


def _csv(spark: SparkSession, path: str) -> DataFrame:
    columns, twice = _csv_columns(spark, path)
    if not columns:
        return _lines(spark, [path])
    if twice:
        detail = f"expected a CSV header of different names; found {twice}. Rename one, and put the file there anew"
        return _lines(spark, [path], _refusal("not CSV", detail))
    schema = StructType([StructField(name, StringType()) for name in [*columns, _CORRUPT]])
    rows = _csv_reader(spark, path, columnNameOfCorruptRecord=_CORRUPT).schema(schema).csv(path)
    values = F.struct(*[F.col(quoted(name)) for name in columns])
    # A record with too few or too many fields goes on as it stands: it is refused with its text.
    message = F.encode(F.coalesce(F.col(_CORRUPT), F.to_json(values, _ISO)), _BYTES).alias("message")
    detail = (
        f"expected a CSV record of {len(columns)} fields, as many as the file's header has; found another number of "
        "them. Check the file's header, delimiter and quotes"
    )
    refused = F.when(F.col(_CORRUPT).isNotNull(), _refusal("not CSV", detail)).alias("headers")
    return _as_messages(rows.select(message, "_metadata", refused), F.col("headers"))


def _csv_reader(spark: SparkSession, path: str, **options: str) -> DataFrameReader:
    # As Latin-1 every byte is a character, and goes on as that byte: wrong UTF-8 reaches the decoder whole.
    usual = {"header": "true", "multiLine": "true", "escape": '"', "mode": "PERMISSIVE", "encoding": _BYTES}
    return _reader(spark).options(**usual | {"sep": "\t" if ".tsv" in path.lower() else ","} | options)


def _csv_columns(spark: SparkSession, path: str) -> tuple[list[str], str]:
    """The names in a CSV file's header, each byte a character; none for an empty file. And which of them is doubled."""
    # The header of multi-line files is looked for by a reader of Hadoop that takes every name for a pattern.
    how = {"multiLine": "false" if _GLOB.search(path) else "true"}
    columns = _csv_reader(spark, path, **how).csv(path).columns
    marked = bool(columns) and columns[0].startswith(_BOM)
    if marked:
        # The mark stands before the first name's quotes, which are only seen once it is taken away.
        how["encoding"] = "UTF-8"
        columns = _csv_reader(spark, path, **how).csv(path).columns
    twice = ""
    # To names that come twice Spark appends their places: `id0,name,id2`. Only the file tells whether it did.
    if _twice(name.removesuffix(str(place)) for place, name in enumerate(columns) if name.endswith(str(place))):
        header = _csv_reader(spark, path, header="false", **how).csv(path).head()
        twice = _twice(name.removeprefix("\ufeff") for name in header or () if name)
        twice = twice if marked else twice.encode(_BYTES).decode(errors="replace")
    return [name.encode().decode(_BYTES) for name in columns] if marked else columns, twice


def _twice(names: Iterable[str]) -> str:
    """`id twice`, or `ID beside id`, which Spark does not tell apart; empty where all names differ."""
    for first, again in doubled(names):
        return f"{first} twice" if first == again else f"{again} beside {first}"
    return ""


def _parquet(spark: SparkSession, path: str) -> DataFrame | None:
    """The records of a file; None for a file without columns, which has no rows."""
    schema = _parquet_schema(spark, path)
    if schema is None:
        return _no_such_file(spark, path, "Parquet")
    return _typed(_reader(spark).schema(schema).parquet(path)) if schema.fields else None


def _no_such_file(spark: SparkSession, path: str, kind: str, found: str = "other content") -> DataFrame:
    """One message without content, refused, for a whole file."""
    detail = f"expected {'an' if kind == 'Avro' else 'a'} {kind} file; found {found} in {path}. "
    place = _reader(spark).format("binaryFile").load(path)
    message = F.lit(None).cast("binary").alias("message")
    refusal = _refusal(f"not {kind}", f"{detail}Repair it and put it there under a new name")
    return _as_messages(place.select(message, "_metadata"), refusal)


def _typed(rows: DataFrame) -> DataFrame:
    """Rows of a file that tells the types of its columns."""
    types = {field.name: field.dataType.simpleString() for field in rows.schema.fields}
    values = F.struct(*[F.col(quoted(name)) for name in rows.columns])
    text = F.to_json(values, _ISO).cast("binary").alias("message")
    return _as_messages(rows.select(text, "_metadata"), _header(TYPES_HEADER, types))


def _avro(spark: SparkSession, path: str) -> DataFrame:
    try:
        rows = _reader(spark).format("avro").load(path)
    except Exception as error:
        said = str(error)
        if "Failed to find data source: avro" in said:
            raise Fatal(
                where=path,
                expected="Spark's reader of Avro files",
                found="a session without it",
                todo=f"Add org.apache.spark:spark-avro_2.13:{spark.version} to the job's jars.",
            ) from error
        if "recursive reference" in said:
            return _no_such_file(spark, path, "Avro", "a schema that refers to itself")
        if "cannot be converted to a Spark SQL StructType" in said:
            return _no_such_file(spark, path, "Avro", "values that are no records")
        if not _NO_AVRO.search(said):
            raise
        return _no_such_file(spark, path, "Avro")
    return _typed(rows) if rows.columns else _no_such_file(spark, path, "Avro", "records without fields")


def _parquet_schema(spark: SparkSession, path: str) -> StructType | None:
    """None for a file that is not Parquet; a store that does not answer raises as ever."""
    try:
        # For the footer alone: rows that cannot be read must not be passed over.
        return _reader(spark).option("ignoreCorruptFiles", "true").parquet(path).schema
    except AnalysisException as error:
        if error.getCondition() != "UNABLE_TO_INFER_SCHEMA":
            raise
    except Exception as error:
        if "can not read FileMetaData" not in str(error):
            raise
    return None


def _reader(spark: SparkSession) -> DataFrameReader:
    return spark.read.options(**_NO_GLOB)


def _header(name: str, value: Mapping[str, str]) -> Column:
    return F.array(F.struct(F.lit(name).alias("key"), F.lit(json.dumps(value).encode()).alias("value")))


def _refusal(reason: str, detail: str) -> Column:
    return _header(REFUSED_HEADER, {"reason": reason, "detail": detail})


def _as_messages(rows: DataFrame, headers: Column | None = None) -> DataFrame:
    return rows.select(
        F.lit(None).cast("binary").alias("message_key"),
        "message",
        (headers if headers is not None else F.lit(None)).cast(_HEADERS).alias("headers"),
        F.col("_metadata.file_path").alias("stream"),
        F.lit(0).alias("partition"),
        F.col("_metadata.file_block_start").alias("offset"),
        F.col("_metadata.file_modification_time").alias("arrived_at"),
    )
