"""Kinesis streams as raw messages.

A sequence number has up to 56 digits, an offset 18. So a message's `offset` is its arrival in milliseconds since 2020,
then 23 bits that tell records of one millisecond apart; the whole number travels in a header and settles their order.
"""

import re
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from headrace.config_sources import KinesisSource
from headrace.errors import FromWorker, Unreachable
from headrace.stores.kinesis.natives import common, native
from headrace.stores.kinesis.options import Place, parsed_start
from headrace.stores.kinesis_places import places
from headrace.tables import SEQUENCE_HEADER

_PARTITION = "cast(coalesce(try_cast(regexp_extract(shardId, '([0-9]+)$', 1) AS bigint), 0) % 2147483648 AS int)"
_OFFSET = (
    "greatest(unix_millis(approximateArrivalTimestamp) - 1577836800000, 0) * 8388608"
    " + (xxhash64(sequenceNumber) & 8388607)"
)
_RAISED = re.compile(r"headrace\.(?:errors|stores\.kinesis\.faults)\.(\w+): (.+)")
_FINAL = ("Fatal", "ConfigError", "OutOfReach", "Gone")


def stream(spark: SparkSession, source: KinesisSource, until: int | None = None) -> DataFrame:
    """A stream of the records, schema `tables.MESSAGES`.

    Args:
        until: leave what arrived later, in milliseconds since 1970. Only `reader: headrace` looks at it.
    """
    frames = [_frame(spark, source, place, until) for place in places(source)]
    records = reduce(DataFrame.unionByName, frames)
    number = F.struct(F.lit(SEQUENCE_HEADER).alias("key"), F.col("sequenceNumber").cast("binary").alias("value"))
    return records.select(
        F.col("partitionKey").cast("binary").alias("message_key"),
        F.col("data").alias("message"),
        F.array(number).alias("headers"),
        F.col("streamName").alias("stream"),
        F.expr(_PARTITION).alias("partition"),
        F.expr(_OFFSET).alias("offset"),
        F.col("approximateArrivalTimestamp").alias("arrived_at"),
    )


def _frame(spark: SparkSession, source: KinesisSource, place: Place, until: int | None) -> DataFrame:
    if source.reader != "headrace":
        name, options = native_options(source, place)
        return common(spark.readStream.format(name).options(**options).load(), source.reader)
    from headrace.stores.kinesis.source import NAME, KinesisDataSource

    spark.dataSource.register(KinesisDataSource)
    return spark.readStream.format(NAME).options(**reader_options(source, place, until)).load()


def native_options(source: KinesisSource, place: Place) -> tuple[str, dict[str, str]]:
    """Format and options of the platform's own source. Raises ConfigError for what it cannot do."""
    if source.reader == "headrace":
        return "", {}
    start = parsed_start(source.first_position)
    return native(source.reader, place, start, source.on_lost, source.options)


def reader_options(source: KinesisSource, place: Place, until: int | None = None) -> dict[str, str]:
    """The options of `headrace-kinesis` for one stream."""
    count = len(source.streams)
    options = {
        "streamARN" if place.stream.startswith("arn:") else "streamName": place.stream,
        "region": place.region,
        "endpoint": place.endpoint,
        "roleArn": place.role_arn,
        "roleExternalId": place.external_id,
        "startingPosition": source.first_position,
        "onLost": source.on_lost,
        "maxRowsPerBatch": str(max(1, source.max_records_per_batch // count)),
        "maxBytesPerBatch": str(max(1, source.max_bytes_per_batch // count)),
        "maxSecondsPerBatch": str(source.max_seconds_per_batch),
        "until": None if until is None else str(until),
    }
    return {name: value for name, value in options.items() if value is not None}


def explained(error: BaseException, where: str) -> BaseException:
    """What the reader raised in a process of Spark's, in its own words; any other error as it is."""
    found = _RAISED.findall(str(error))
    if not found:
        return error
    kind, said = found[-1]
    if kind in _FINAL:
        return FromWorker(said.strip())
    todo = "Start the job again: it goes on where it stopped."
    return Unreachable(where=where, expected="Kinesis to answer", found=said.strip(), todo=todo)
