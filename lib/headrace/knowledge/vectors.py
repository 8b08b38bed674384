"""The embedding stage: a vector for every content that has none yet with this model, anywhere in the lake."""

import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import pandas_udf

from headrace.errors import FromWorker
from headrace.knowledge.embedding import LATER, Limiter, Missed, embed_all, estimate
from headrace.knowledge.ready import Document, is_one_of, may_try, next_try, only
from headrace.lake import Assignments, Lake, local_rows
from headrace.ports import Embedder, Model
from headrace.tables import CHUNKS, VECTORS

NEVER = datetime(9999, 7, 1, tzinfo=UTC)
"""When to try again what cannot be embedded at all; not near a year's end, which is another year elsewhere."""
SELDOM = datetime(9998, 7, 1, tzinfo=UTC)
"""The same of what failed as often as the settings allow: only now and then, in case the service was away so long."""
_SAID = re.compile(r"^headrace\.[\w.]+: (.+)$", re.MULTILINE)
_MADE = "tokens int, vector binary, reason string, retry boolean"


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
    pieces = only(lake.read(CHUNKS.path), documents).where(may_try(next_try(model)))
    texts = pieces.groupBy("content_hash").agg(F.any_value("embedded").alias("embedded"))
    have = lake.read(lake.ensure(VECTORS)).where(F.col("model") == model.fingerprint).select("content_hash")
    return texts.join(have, "content_hash", "left_anti").limit(limit)


def embed(texts: DataFrame, stage: Stage, deadline: float) -> DataFrame:
    """Embed `embedded` of each row.

    Args:
        texts: `content_hash, embedded`.
        deadline: seconds since 1970; what is not begun by then comes back with the reason `LATER`.

    Returns:
        `content_hash, tokens, vector, reason, retry`: a vector or the reason why not.
    """
    make_embedder, make_limiter = stage.embedder, stage.limiter

    @pandas_udf(_MADE)  # type: ignore[call-overload, untyped-decorator]
    def make(columns: Iterator[pd.Series]) -> Iterator[pd.DataFrame]:
        embedder, limiter = make_embedder(), make_limiter()
        try:
            with ThreadPoolExecutor(1, initializer=_give_way) as behind:
                for column in columns:
                    yield behind.submit(_made, embedder, limiter, column.tolist(), deadline).result()
        finally:
            embedder.close()

    texts.sparkSession.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(stage.rows_per_step))
    spread = texts.repartition(stage.workers)
    return spread.select("content_hash", make("embedded").alias("_made")).select("content_hash", "_made.*")


@contextmanager
def told_by_workers() -> Iterator[None]:
    """An error that a worker raised on purpose, as FromWorker with its words; Spark hands on a trace."""
    try:
        yield
    except PySparkException as error:
        said = _SAID.findall(str(error))
        if not said:
            raise
        raise FromWorker(said[-1]) from None


def _give_way() -> None:
    """A model in the process would take every core for as long as there is a backlog, and a delete needs one too. On
    Linux each thread has a priority of its own; none can be raised again, hence a thread for this alone."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)


def _made(embedder: Embedder, limiter: Limiter, texts: list[str], deadline: float) -> pd.DataFrame:
    rows: list[tuple[int, bytes | None, str | None, bool | None]] = [(0, None, LATER, True)] * len(texts)
    for place, outcome in embed_all(embedder, texts, limiter, deadline - time.time()):
        tokens = estimate(texts[place])
        if isinstance(outcome, Missed):
            rows[place] = (tokens, None, outcome.reason, outcome.retry)
        else:
            rows[place] = (tokens, np.asarray(outcome, dtype="<f4").tobytes(), None, None)
    return pd.DataFrame(rows, columns=["tokens", "vector", "reason", "retry"])


def store(lake: Lake, model: Model, made: DataFrame) -> tuple[int, int]:
    """Append the vectors made to the cache; how many, and of how many tokens."""
    rows = made.where("vector IS NOT NULL")
    count, tokens = rows.agg(F.count("*"), F.coalesce(F.sum("tokens"), F.lit(0))).collect()[0]
    if count:
        append(lake, model, rows)
    return count, tokens


def append(lake: Lake, model: Model, made: DataFrame) -> None:
    """Append `content_hash, tokens, vector` to the cache."""
    rows = made.select(
        "content_hash", F.lit(model.fingerprint).alias("model"), "vector", "tokens", F.current_timestamp().alias("at")
    )
    lake.append(rows.coalesce(1), lake.ensure(VECTORS))


def spent(lake: Lake, model: Model, today: date) -> tuple[int, int]:
    """Texts and tokens embedded with a model on one day (UTC)."""
    made = lake.read(lake.ensure(VECTORS)).where(F.col("model") == model.fingerprint)
    of_day = made.where((F.col("at") >= F.lit(today)) & (F.col("at") < F.lit(today + timedelta(days=1))))
    count, tokens = of_day.agg(F.count("*"), F.coalesce(F.sum("tokens"), F.lit(0))).collect()[0]
    return count, tokens


def affordable(texts: DataFrame, most: Callable[[list[int]], int]) -> DataFrame:
    """Of `content_hash, embedded` as many as may be embedded.

    Args:
        most: told the tokens of each text, how many from the first may be.
    """
    asked = [(row["content_hash"], estimate(row["embedded"])) for row in texts.toLocalIterator()]
    allowed = [(content,) for content, _ in asked[: most([tokens for _, tokens in asked])]]
    if len(allowed) == len(asked):
        return texts
    return texts.join(F.broadcast(local_rows(texts.sparkSession, allowed, "content_hash string")), "content_hash")


@dataclass(frozen=True, slots=True)
class Failure:
    """A content that could not be embedded: why, and whether it may work later."""

    content_hash: str
    reason: str
    retry: bool


def remember(lake: Lake, model: Model, failures: Sequence[Failure], attempts: int, first_pause: timedelta) -> None:
    """Count a failed attempt at every chunk with these contents and say when to try again; each pause is twice as long.

    What cannot work later is not tried again, what failed `attempts` times only by `once_more`.
    """
    if not failures:
        return
    rows = [(one.content_hash, one.reason, one.retry) for one in failures]
    asked = local_rows(lake.spark, rows, "content_hash string, reason string, retry boolean")
    mine = F.lit(model.fingerprint)
    tried = F.coalesce(F.try_element_at(F.col("t.failures"), mine)["attempts"], F.lit(0)) + 1
    seconds = F.lit(first_pause.total_seconds()) * F.pow(F.lit(2.0), tried - 1)
    pause = F.make_dt_interval(F.lit(0), F.lit(0), F.lit(0), F.least(seconds, F.lit(3600.0)).cast("decimal(18,6)"))
    given_up_at = F.when(~F.col("s.retry"), F.lit(NEVER)).when(tried >= attempts, F.lit(SELDOM))
    failure = F.struct(
        tried.alias("attempts"),
        F.coalesce(given_up_at, F.lit(datetime.now(UTC)) + pause).alias("next_try_at"),
        F.col("s.reason").alias("last_error"),
    )
    others = F.map_filter(F.col("t.failures"), lambda key, _: key != mine)
    values: Assignments = {
        "failures": F.coalesce(F.map_concat(others, F.create_map(mine, failure)), F.create_map(mine, failure))
    }
    with lake.writing(CHUNKS.path):
        merge = lake.table(CHUNKS.path).alias("t").merge(asked.alias("s"), "t.content_hash = s.content_hash")
        merge.whenMatchedUpdate(set=values).execute()


def once_more(lake: Lake, model: Model, documents: Sequence[Document]) -> None:
    """Let the pieces of these documents that are tried seldom be tried now."""
    mine = F.lit(model.fingerprint)
    failure = F.try_element_at("failures", mine)
    others = F.map_filter("failures", lambda key, _: key != mine)
    now = F.struct(failure["attempts"].alias("attempts"), F.lit(datetime.now(UTC)).alias("next_try_at"),
                   failure["last_error"].alias("last_error"))  # fmt: skip
    seldom = F.coalesce(failure["next_try_at"] == F.lit(SELDOM), F.lit(False))
    values: Assignments = {"failures": F.map_concat(others, F.create_map(mine, now))}
    with lake.writing(CHUNKS.path):
        lake.table(CHUNKS.path).update(seldom & is_one_of(documents), values)


def given_up(lake: Lake, model: Model, failures: Sequence[Failure], attempts: int) -> DataFrame:
    """Chunks with these contents that were just given up: `feed, document, last_error` and the rest."""
    asked = local_rows(lake.spark, [(one.content_hash,) for one in failures], "content_hash string")
    chunks = lake.read(CHUNKS.path).join(F.broadcast(asked), "content_hash", "left_semi")
    failure = F.try_element_at("failures", F.lit(model.fingerprint))
    # One more try that failed too is no news.
    news = (next_try(model) >= F.lit(SELDOM)) & (failure["attempts"] <= attempts)
    return chunks.where(news).withColumn("last_error", failure["last_error"])
