"""The embedding stage: a vector for every content that has none yet with this model, anywhere in the lake."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import pandas_udf

from headrace.knowledge.embedding import LATER, Limiter, Missed, embed_all
from headrace.knowledge.served import Document
from headrace.lake import Assignments, Lake, local_rows
from headrace.ports import Embedder, Model
from headrace.tables import CHUNKS, VECTORS

_MADE = "vector binary, reason string, retry boolean"


@dataclass(frozen=True, slots=True)
class Stage:
    """How texts become vectors in Spark's Python workers.

    Attributes:
        embedder, limiter: called once in each worker; the limiter may be shared between them.
        workers: tasks side by side.
        rows_per_step: texts handed to a worker at a time (Arrow batch).
    """

    embedder: Callable[[], Embedder]
    limiter: Callable[[], Limiter]
    workers: int = 2
    rows_per_step: int = 256


@dataclass(frozen=True, slots=True)
class Embedded:
    """What became of some texts. `left`: not reached in time."""

    made: int = 0
    failed: int = 0
    left: int = 0
    parked: int = 0


def missing(lake: Lake, model: Model, documents: Sequence[Document], limit: int) -> DataFrame:
    """`content_hash, embedded` of the contents these documents lack and may try now, at most `limit`."""
    asked = local_rows(lake.spark, documents, "feed string, document string")
    due = F.col("next_try_at").isNull() | (F.col("next_try_at") <= F.current_timestamp())
    pieces = lake.read(CHUNKS.path).join(F.broadcast(asked), ["feed", "document"], "left_semi").where(due)
    texts = pieces.groupBy("content_hash").agg(F.any_value("embedded").alias("embedded"))
    have = lake.read(lake.ensure(VECTORS)).where(F.col("model") == model.fingerprint).select("content_hash")
    return texts.join(have, "content_hash", "left_anti").limit(limit)


def embed(texts: DataFrame, stage: Stage, deadline: float) -> DataFrame:
    """Embed `embedded` of each row.

    Args:
        texts: `content_hash, embedded`.
        deadline: seconds since 1970; what is not begun by then comes back with the reason `LATER`.

    Returns:
        `content_hash, vector, reason, retry`: a vector or the reason why not.
    """
    make_embedder, make_limiter = stage.embedder, stage.limiter

    @pandas_udf(_MADE)  # type: ignore[call-overload, untyped-decorator]
    def make(columns: Iterator[pd.Series]) -> Iterator[pd.DataFrame]:
        embedder, limiter = make_embedder(), make_limiter()
        try:
            for column in columns:
                yield _made(embedder, limiter, column.tolist(), deadline)
        finally:
            embedder.close()

    texts.sparkSession.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(stage.rows_per_step))
    spread = texts.repartition(stage.workers)
    return spread.select("content_hash", make("embedded").alias("_made")).select("content_hash", "_made.*")


def _made(embedder: Embedder, limiter: Limiter, texts: list[str], deadline: float) -> pd.DataFrame:
    rows: list[tuple[bytes | None, str | None, bool | None]] = [(None, LATER, True)] * len(texts)
    for place, outcome in embed_all(embedder, texts, limiter, deadline - time.time()):
        if isinstance(outcome, Missed):
            rows[place] = (None, outcome.reason, outcome.retry)
        else:
            rows[place] = (np.asarray(outcome, dtype="<f4").tobytes(), None, None)
    return pd.DataFrame(rows, columns=["vector", "reason", "retry"])


def store(lake: Lake, model: Model, made: DataFrame) -> int:
    """Append the vectors made to the cache; how many."""
    count = made.where("vector IS NOT NULL").count()
    if not count:
        return 0
    rows = made.where("vector IS NOT NULL").select(
        "content_hash", F.lit(model.fingerprint).alias("model"), "vector", F.current_timestamp().alias("at")
    )
    lake.append(rows.coalesce(1), lake.ensure(VECTORS))
    return count


@dataclass(frozen=True, slots=True)
class Failure:
    """A content that could not be embedded: why, and whether it may work later."""

    content_hash: str
    reason: str
    retry: bool


def remember(lake: Lake, failures: Sequence[Failure], attempts: int, first_pause: timedelta) -> None:
    """Count a failed attempt at every chunk with these contents and say when to try again; each pause is twice as long.

    What cannot work later, or failed `attempts` times, is not tried again (`next_try_at` lies in the year 9999).
    """
    if not failures:
        return
    rows = [(one.content_hash, one.reason, one.retry) for one in failures]
    asked = local_rows(lake.spark, rows, "content_hash string, reason string, retry boolean")
    now = F.lit(datetime.now(UTC))
    tried = F.expr("coalesce(t.attempts, 0) + 1")
    seconds = F.lit(first_pause.total_seconds()) * F.pow(F.lit(2.0), tried - 1)
    pause = F.make_dt_interval(F.lit(0), F.lit(0), F.lit(0), F.least(seconds, F.lit(3600.0)).cast("decimal(18,6)"))
    give_up = ~F.col("s.retry") | (tried >= attempts)
    values: Assignments = {
        "attempts": tried,
        "next_try_at": F.when(give_up, F.lit(datetime(9999, 1, 1, tzinfo=UTC))).otherwise(now + pause),
        "last_error": F.col("s.reason"),
    }
    merge = lake.table(CHUNKS.path).alias("t").merge(asked.alias("s"), "t.content_hash = s.content_hash")
    merge.whenMatchedUpdate(set=values).execute()


def given_up(lake: Lake, failures: Sequence[Failure]) -> DataFrame:
    """Chunks with these contents that will not be tried again."""
    asked = local_rows(lake.spark, [(one.content_hash,) for one in failures], "content_hash string")
    never = F.col("next_try_at") >= F.lit(datetime(9999, 1, 1, tzinfo=UTC))
    return lake.read(CHUNKS.path).join(F.broadcast(asked), "content_hash", "left_semi").where(never)
