"""What all jobs that stream have in common: how a stream starts, what its batches hold, how it ends."""

import threading
import time
from collections.abc import Callable

from pyspark.errors import StreamingQueryException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.query import StreamingQuery
from pyspark.sql.streaming.readwriter import DataStreamWriter

from headrace.config import Config
from headrace.config_sources import ApiSource, FilesSource, KafkaSource, KinesisSource, Source
from headrace.errors import Fatal
from headrace.pipelines.runtime import Runtime
from headrace.stores import file_source, kafka_auth, kafka_source, kinesis_source, schema_registry

POLL_SECONDS = 0.2


def need_kafka(config: Config) -> bool:
    """Whether some source is Kafka: jobs that run together share the session the first of them makes."""
    return any(isinstance(source, KafkaSource) for source in config.sources.values())


def packages(config: Config) -> tuple[str, ...]:
    """What the session of these jobs needs beside Spark's own packages, as Maven coordinates."""
    signed = any(isinstance(source, KafkaSource) and source.auth for source in config.sources.values())
    return (kafka_auth.JAR,) if signed else ()


def need_avro(config: Config) -> bool:
    """Whether files of some source are in Avro, or may be: then Spark's own reader of them is fetched."""
    files = (source for source in config.sources.values() if isinstance(source, FilesSource))
    return any(source.encoding in ("auto", "avro") for source in files)


class StreamStopping(Exception):
    """Ends a stream before its next batch, once a stop was asked for."""


def writer(
    spark: SparkSession,
    name: str,
    source: Source,
    take: Callable[[DataFrame, int], None],
    checkpoint: str,
    once: bool = False,
    runtime: Runtime = "local",
    answers: DataFrame | None = None,
) -> DataStreamWriter:
    """A stream of a source's batches, still without a trigger.

    Args:
        take: gets each batch and its number; `messages` makes records of it.
        once: it will be started for what is there.
        runtime: whose Spark this is.
        answers: the stream of an API, which `Enrichment` makes.
    """
    frame = _frame(spark, source, once, runtime, answers)
    return frame.writeStream.queryName(name).foreachBatch(take).option("checkpointLocation", checkpoint)


def _frame(spark: SparkSession, source: Source, once: bool, runtime: Runtime, answers: DataFrame | None) -> DataFrame:
    match source:
        case ApiSource():
            assert answers is not None, "apply_changes alone follows an API"
            return answers
        case FilesSource():
            return file_source.stream(spark, source)
        case KafkaSource():
            return kafka_source.stream(spark, source, runtime)
        case KinesisSource():
            return kinesis_source.stream(spark, source, until=round(time.time() * 1000) if once else None)


def start(stream: DataStreamWriter, source: Source, once: bool, seconds: float) -> StreamingQuery:
    """Start a stream: with `once` for what is there, else for good, with so many seconds between two batches."""
    if once and isinstance(source, KinesisSource):
        return _drained(stream)
    timed = stream.trigger(availableNow=True) if once else stream.trigger(processingTime=f"{seconds} seconds")
    return timed.start()


def _drained(stream: DataStreamWriter) -> StreamingQuery:
    """A stream that ends itself once it has caught up.

    Spark 4.1 ends a stream of a Python source with `availableNow` after one batch, whatever is left.
    """
    query = stream.trigger(processingTime="0 seconds").start()

    def drain() -> None:
        try:
            query.processAllAvailable()
        except StreamingQueryException:
            return  # `failure` tells
        end(query)

    threading.Thread(target=drain, name=f"drain {query.name}", daemon=True).start()
    return query


def messages(frame: DataFrame, source: Source) -> DataFrame | None:
    """The records of a batch, schema `tables.MESSAGES`; None for none."""
    found = file_source.messages(frame, source) if isinstance(source, FilesSource) else frame
    return None if found is None else compact(found)


def compact(records: DataFrame) -> DataFrame:
    """The same records in few partitions."""
    # Kafka gives a partition for each of its own: of a small batch each would be a task, and a file of the log.
    return records.coalesce(int(records.sparkSession.conf.get("spark.sql.shuffle.partitions") or 2))


def end(query: StreamingQuery, poll: float = POLL_SECONDS) -> None:
    """End a stream after its running batch."""
    # stop() interrupts a running batch; it would only be done again, but a batch may be long.
    while query.isActive and query.status["isTriggerActive"]:
        time.sleep(poll)
    query.stop()


def failure(query: StreamingQuery) -> BaseException | None:
    """What ended a stream, in plain words where it is known; None for one that runs, is done or was stopped."""
    found = query.exception()
    if found is None or StreamStopping.__name__ in str(found):
        return None
    return _explained(found, query.name)


def explained(error: Exception, source: str) -> BaseException:
    """What made a batch fail, in plain words where it is known."""
    return kinesis_source.explained(schema_registry.explained(file_source.explained(error, source), source), source)


def only_unreported(failure: BaseException) -> bool:
    """Whether a batch was done and committed and only Spark's report of it failed.

    Spark 4.1 on Kafka: a batch planned before a crash runs first, and its report reads offsets that are looked up later
    (https://github.com/apache/spark/issues/55236). The next start finds the batch committed and goes on.
    """
    said = str(failure)
    return isinstance(failure, StreamingQueryException) and "scala.Option.get()" in said and "is null" in said


def _explained(failure: StreamingQueryException, name: str) -> BaseException:
    text = str(failure)
    if kafka_auth.lacks_module(text):
        return kafka_auth.no_module(name)
    if "Some data may have been lost" in text or "OffsetOutOfRange" in text or "KAFKA_DATA_LOSS" in text:
        return Fatal(
            where=name,
            expected="every record since the last batch to be still in Kafka",
            found="records deleted by the topic's retention before they were read",
            todo=(
                "Take a new snapshot at the source (or replay from another copy), then remove this source's checkpoint "
                "and start again: positions make the overlap harmless."
            ),
        )
    return kinesis_source.explained(schema_registry.explained(failure, name), name)
