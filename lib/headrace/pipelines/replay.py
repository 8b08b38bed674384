"""Carries out replay requests: messages kept in the log or in the rejects go through the applier once more."""

from datetime import UTC, datetime

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from headrace.config import Config
from headrace.lake import Lake
from headrace.pipelines import requests
from headrace.pipelines.batches import Batches
from headrace.pipelines.requests import ReplayRequest
from headrace.stores.files import LakeFiles
from headrace.tables import CHANGES_LOG, REJECTS

JOB = "apply_changes"


def carry_out(files: LakeFiles, spark: SparkSession, config: Config, batches: Batches) -> None:
    """Carry out every open request of the job and record what came of it."""
    for request in requests.list_open(files, JOB):
        requests.mark_done(files, request, _replay(Lake(spark, config.lake), config, request, batches))


def _replay(lake: Lake, config: Config, request: ReplayRequest, batches: Batches) -> dict[str, object]:
    relative = (CHANGES_LOG if request.take_from == "log" else REJECTS).path.format(job=JOB)
    counts = dict.fromkeys(("messages", "sent", "applied", "stale", "rejected", "ignored"), 0)
    if not lake.exists(relative):
        return dict(counts)
    before = datetime.now(UTC)
    wanted = _wanted(request, before, config)
    kept = lake.read(relative).where(wanted)
    for name in sorted(row["source"] for row in kept.select("source").distinct().collect()):
        if name not in config.sources:
            counts[f"source {name} is not in the settings"] = 1
            continue
        messages = _messages(kept.where(F.col("source") == name)).localCheckpoint()
        counts["messages"] += messages.count()
        result = batches.replay(messages, name, f"{name}/replay-{request.name.removesuffix('.json')}")
        for count in ("sent", "applied", "stale", "rejected", "ignored"):
            counts[count] += result.total(count)
        if request.take_from == "rejects":
            # What is still wrong was refused again, under a later time.
            lake.table(relative).delete(wanted & (F.col("source") == name))
    return dict(counts)


def of_table(name: str, config: Config) -> Column:
    """True for rows of the log or the rejects that belong to a table, under today's settings."""
    mine = F.col("table") == name
    table = config.tables.get(name)
    if table is not None:
        if table.source_table is not None:
            named = F.col("source_table") == table.source_table
        else:
            named = F.element_at(F.split("source_table", r"\."), -1) == name.rpartition(".")[2]
        mine = mine | (F.col("table").isNull() & (F.col("source") == table.source) & named)
    return F.coalesce(mine, F.lit(False))


def _wanted(request: ReplayRequest, before: datetime, config: Config) -> Column:
    # What a derived table refused came from no message; its next change computes it again.
    wanted = F.col("origin").isNotNull()
    if request.take_from == "rejects":
        wanted = wanted & (F.col("rejected_at") < F.lit(before))
        if request.reason is not None:
            wanted = wanted & (F.col("reason") == request.reason)
    if request.table is not None:
        wanted = wanted & of_table(request.table, config)
    if request.since is not None:
        wanted = wanted & (F.col("arrived_at") >= F.lit(request.since))
    if request.until is not None:
        wanted = wanted & (F.col("arrived_at") < F.lit(request.until))
    return wanted


def _messages(kept: DataFrame) -> DataFrame:
    rows = kept.select(
        "message_key", "message", "headers",
        F.col("origin.stream").alias("stream"), F.col("origin.partition").alias("partition"),
        F.col("origin.offset").alias("offset"), "arrived_at",
    )  # fmt: skip
    # Of Kinesis the whole number is in a header.
    return rows.dropDuplicates(["stream", "partition", "offset", "headers"])
