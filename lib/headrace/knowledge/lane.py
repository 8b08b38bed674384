"""One model's way from chunks to passages: embeds what is new, serves what is complete.

`serve` belongs to the thread that takes events; `embed` may run in another.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import islice

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headrace.config_embed import EmbedBase
from headrace.errors import FromWorker
from headrace.knowledge import budget, ready, served, vectors
from headrace.knowledge.budget import Spent
from headrace.knowledge.embedding import LATER
from headrace.knowledge.ready import Document, Lacks
from headrace.knowledge.served import Served
from headrace.knowledge.vectors import Embedded, Failure, Stage
from headrace.lake import Lake, local_rows
from headrace.ports import Model

log = logging.getLogger("headrace")
DOCUMENTS_AT_ONCE = 500
"""The most documents of the backlog that one round of embedding takes up."""
CONTENTS_AT_ONCE = 100_000
FEW, FEW_SECONDS = 64, 2.0
"""Contents that are embedded on the way to serving, and the seconds they may take: one edit must not wait for a round
of embedding, nor a delete for more than this."""
AWAY_SECONDS = 60.0
"""How long nothing is embedded on the way after a service was away or slow: each call may take its whole `timeout`, and
deletes would wait for it."""

SELDOM_SECONDS, LONGEST_SELDOM_SECONDS = 600.0, 6 * 3600.0
"""The pauses between two tries of what failed as often as it may: each is twice as long as the one before."""


class Lane:
    """Keeps the passages of one model in step with the chunks.

    Args:
        reject: takes `feed, document, reason, detail, position` of pieces that will not be tried again; their number.
    """

    def __init__(
        self, lake: Lake, model: Model, settings: EmbedBase, stage: Stage, reject: Callable[[DataFrame], int]
    ) -> None:
        self.model = model
        self._lake, self._settings, self._stage, self._reject = lake, settings, stage, reject
        self._lock = threading.Lock()
        self._ready: dict[Document, None] = {}
        self._waiting: dict[Document, datetime | None] = {}
        self._at_once = DOCUMENTS_AT_ONCE
        self._spent: Spent | None = None
        self._used_up: date | None = None
        self._seldom_at, self._seldom_pause = 0.0, SELDOM_SECONDS
        self._few_at = 0.0

    def start(self) -> None:
        """Find the documents that are behind."""
        self._ready = dict.fromkeys(served.behind(self._lake, self.model))

    def touch(self, documents: Iterable[Document]) -> None:
        """These say something new."""
        with self._lock:
            for document in documents:
                self._ready[document] = None
                self._waiting.pop(document, None)

    def serve(self, batch: int, only: Collection[Document] | None = None) -> Served:
        """Serve what is complete among the documents touched or embedded since the last call, or among some of them."""
        with self._lock:
            documents = [one for one in (self._ready if only is None else only) if one in self._ready]
            for document in documents:
                del self._ready[document]
        if not documents:
            return Served()
        try:
            wanted = ready.wanted_passages(self._lake, self.model, documents).localCheckpoint(eager=False)
            wanted, lacks, made = self._embed_few(wanted, ready.lacking(wanted))
            found = replace(served.serve(self._lake, self.model, documents, wanted, lacks, batch), embedded=made)
        except BaseException:
            with self._lock:
                self._ready.update(dict.fromkeys(documents))
            raise
        with self._lock:
            self._waiting.update(found.incomplete)
        return found

    @property
    def waiting(self) -> int:
        """Documents that lack a vector, now or for good."""
        return len(self._waiting)

    @property
    def unserved(self) -> bool:
        """Whether `serve` has something to do."""
        return bool(self._ready)

    @property
    def lacks_vectors(self) -> bool:
        """Whether `embed` has something to do now: not what is to be tried later, was given up or costs too much."""
        return not self.paused and bool(self._due(1))

    @property
    def given_up(self) -> int:
        """Documents whose newest state cannot be embedded."""
        with self._lock:
            return sum(1 for at in self._waiting.values() if at is not None and at.year >= vectors.SELDOM.year)

    @property
    def paused(self) -> bool:
        """Whether the budget of today is used up while documents wait."""
        return self._used_up == budget.day(datetime.now(UTC))

    def _due(self, most: int) -> list[Document]:
        now = datetime.now()
        with self._lock:
            due = list(islice((one for one, at in self._waiting.items() if at is None or at <= now), most))
            return due or (self._seldom[:most] if time.monotonic() >= self._seldom_at else [])

    @property
    def _seldom(self) -> list[Document]:
        seldom = (one for one, at in self._waiting.items() if at is not None and at.year == vectors.SELDOM.year)
        return list(islice(seldom, FEW))

    def embed(self) -> Embedded:
        """Embed for as long as the settings give a batch; what is complete then waits for `serve`."""
        asked = self._due(self._at_once)
        if not asked:
            return Embedded()
        seldom = self._try_seldom(asked)
        texts = self._affordable(vectors.missing(self._lake, self.model, asked, CONTENTS_AT_ONCE))
        deadline = time.time() + self._settings.seconds_per_batch
        with vectors.told_by_workers():
            made = vectors.embed(texts, self._stage, deadline).localCheckpoint()
        rows = made.where("vector IS NULL").select("content_hash", "reason", "retry").collect()
        failures = [Failure(*row) for row in rows if row["reason"] != LATER]
        count, tokens = vectors.store(self._lake, self.model, made)
        if seldom and count:
            self._seldom_at, self._seldom_pause = 0.0, SELDOM_SECONDS
        self._at_once = _fitting(self._at_once, len(asked), count, len(rows) - len(failures))
        if self._spent is not None:
            self._spent = self._spent.plus(datetime.now(UTC), count, tokens)
        parked = self._remember(failures)
        with self._lock:
            for document in asked:
                if self._waiting.pop(document, False) is not False:
                    self._ready[document] = None
        return Embedded(count, len(failures), len(rows) - len(failures), parked)

    def _try_seldom(self, asked: list[Document]) -> bool:
        """Take up once more what failed as often as it may, if asked for: it need not have been the text's fault."""
        with self._lock:
            seldom = set(asked) <= set(self._seldom)
        if not seldom:
            return False
        vectors.once_more(self._lake, self.model, asked)
        self._seldom_at = time.monotonic() + self._seldom_pause
        self._seldom_pause = min(2 * self._seldom_pause, LONGEST_SELDOM_SECONDS)
        return True

    def _embed_few(self, wanted: DataFrame, lacks: Lacks) -> tuple[DataFrame, Lacks, int]:
        """Embed what is lacking, if it is little and nobody counts the cost; what is lacking then, and how many were
        made. What fails is left to `embed`."""
        began = time.monotonic()
        if self._budgeted or began < self._few_at or not 0 < sum(lack.due for lack in lacks.values()) <= FEW:
            return wanted, lacks, 0
        try:
            with vectors.told_by_workers():
                rows = vectors.embed(ready.due(wanted), self._stage, time.time() + FEW_SECONDS).collect()
        except FromWorker as error:
            log.error("model=%s %s", self.model.name, error)
            self._few_at = time.monotonic() + AWAY_SECONDS
            return wanted, lacks, 0
        failed = any(row["vector"] is None and row["retry"] and row["reason"] != LATER for row in rows)
        if failed and time.monotonic() - began > 2 * FEW_SECONDS:
            self._few_at = time.monotonic() + AWAY_SECONDS
        made = [(row["content_hash"], row["tokens"], row["vector"]) for row in rows if row["vector"] is not None]
        if not made:
            return wanted, lacks, 0
        held = local_rows(self._lake.spark, made, "content_hash string, tokens int, vector binary")
        vectors.append(self._lake, self.model, held)
        wanted = ready.with_vectors(wanted, held)
        if len(made) < len(rows):
            return wanted, ready.lacking(wanted), len(made)
        return wanted, {document: lack.without_due() for document, lack in lacks.items()}, len(made)

    @property
    def _budgeted(self) -> bool:
        limits = self._settings.budget
        return not (limits.texts is None and limits.tokens is None and limits.money is None)

    def _affordable(self, texts: DataFrame) -> DataFrame:
        """As many texts as today's budget pays for."""
        limits, now = self._settings.budget, datetime.now(UTC)
        if not self._budgeted:
            return texts
        if self._spent is None:
            today = budget.day(now)
            self._spent = Spent(today, *vectors.spent(self._lake, self.model, today))
        spent, short = self._spent, False

        def most(tokens: list[int]) -> int:
            nonlocal short
            allowed = budget.allowed(limits, spent, now, tokens)
            short = allowed < len(tokens)
            return allowed

        found = vectors.affordable(texts.localCheckpoint(), most)
        if short:
            self._used_up = budget.day(now)
            log.warning("model=%s the budget of %s is used up; documents wait", self.model.name, self._used_up)
        return found

    def _remember(self, failures: list[Failure]) -> int:
        settings = self._settings
        vectors.remember(self._lake, self.model, failures, settings.attempts, settings.retry_after)
        if not failures:
            return 0
        parked = vectors.given_up(self._lake, self.model, failures, settings.attempts)
        return self._reject(
            parked.select(
                "feed", "document", F.lit("not embedded").alias("reason"), F.col("last_error").alias("detail"),
                F.lit(None).cast("string").alias("position"),
            )
        )  # fmt: skip


def _fitting(before: int, documents: int, made: int, left: int) -> int:
    """How many documents the next round can finish, by what this one made of so many. It is better to finish a few than
    to begin them all: only whole documents are served."""
    if left and not made:
        return max(1, documents // 2)  # a model that is away says nothing of how many it can finish
    if left:
        return max(1, documents * made // (made + left))
    return max(before, min(DOCUMENTS_AT_ONCE, 2 * documents))
