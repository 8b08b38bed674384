"""The job `apply_changes`: sources -> ordered tables. Wiring only."""

import threading
from collections.abc import Callable, Sequence
from functools import partial

from pyspark.errors import StreamingQueryException
from pyspark.sql import SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from headrace.changes import settings_sql
from headrace.changes.apply import Applier
from headrace.config import Config
from headrace.errors import ConfigError
from headrace.lake import Lake
from headrace.pipelines import new_tables, replay, streams
from headrace.pipelines.batches import Batches
from headrace.pipelines.enrichment import Enrichment
from headrace.pipelines.kept_tables import upkeep_of_changes
from headrace.pipelines.lag import checkpoint_folder
from headrace.pipelines.runtime import spark_session
from headrace.pipelines.serving import Serving
from headrace.pipelines.telemetry import Telemetry
from headrace.stores.files import LakeFiles

REQUESTS_EVERY = 25
"""Polls between two looks for requests while the stream is idle."""


def run(config: Config, once: bool, stop: threading.Event, telemetry: Telemetry | None = None) -> int:
    """Run the job until `stop` is set, or with `once` until what is there is processed.

    Returns:
        0. What went wrong is raised: HeadraceError where it was foreseen.
    """
    if not config.tables:
        todo = "Add tables, or run `headrace run index_knowledge`."
        raise ConfigError(where="tables", expected="tables to apply changes to", found="none", todo=todo)
    spark = spark_session(
        "headrace apply_changes",
        kafka=streams.need_kafka(config),
        avro=streams.need_avro(config),
        s3=config.lake.startswith("s3://"),
        settings=config.spark,
        packages=streams.packages(config),
        runtime=config.runtime,
    )
    for name, table in config.tables.items():
        for wrong in settings_sql.unreadable(spark, name, table):
            raise wrong
    lake = Lake(spark, config.lake)
    serving = Serving(lake, config, telemetry)
    try:
        return _run(spark, lake, config, serving, once, stop, telemetry)
    finally:
        serving.end()


def _run(
    spark: SparkSession,
    lake: Lake,
    config: Config,
    serving: Serving,
    once: bool,
    stop: threading.Event,
    telemetry: Telemetry | None,
) -> int:
    applier = Applier(spark, config, untold=serving.untold)
    serving.open(applier.bases())
    upkeep = upkeep_of_changes(lake, config)
    batches = Batches(applier, config, upkeep, stop, telemetry, serving.news)
    files = LakeFiles(config.lake)
    new_tables.ask_for_replays(files, lake, config)
    open_requests = partial(replay.carry_out, files, spark, config, batches)
    open_requests()
    enrichment = Enrichment(lake, config)

    def between() -> None:
        serving.check()
        open_requests()

    start = partial(_start, spark, config, batches, enrichment, once)
    follow = partial(batches.follow, poll=streams.POLL_SECONDS, between=between, every=REQUESTS_EVERY)
    try:
        if not once:
            enrichment.start()
            serving.start()
        _streamed([name for name in config.sources if config.tables_of(name)], start, follow)
        # The keys of one API may come of another's answers.
        for _ in enrichment.sources if once else ():
            if news := enrichment.drain(stop):
                _streamed(news, start, follow)
    finally:
        enrichment.end()
    if once:
        serving.finish(stop)
        upkeep.run()
    return 0


def _streamed(
    names: Sequence[str],
    start: Callable[[str], StreamingQuery],
    follow: Callable[[Sequence[tuple[str, StreamingQuery]]], None],
) -> None:
    """Follow the streams of these sources to their end."""
    for left in reversed(range(len(names) + 1)):
        try:
            follow([(name, start(name)) for name in names])
            break
        except StreamingQueryException as failure:
            if not left or not streams.only_unreported(failure):
                raise


def _start(
    spark: SparkSession, config: Config, batches: Batches, enrichment: Enrichment, once: bool, name: str
) -> StreamingQuery:
    source = config.sources[name]
    place = checkpoint_folder(config, name)
    query, take = f"apply_changes/{name}", batches.of(name, source)
    answers = enrichment.stream(name) if name in enrichment.sources else None
    stream = streams.writer(spark, query, source, take, place, once, config.runtime, answers)
    return streams.start(stream, source, once, config.apply.trigger.total_seconds())
