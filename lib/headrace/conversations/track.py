"""One micro-batch of events -> `turns`, `ratings` and `measures`.

Every write may be repeated: floors come before rows, rows before measures, and where conversations stand comes last.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import DataFrame

from headrace.conversations import counting, event_frames, feelings, ordered, settled
from headrace.conversations.counting import Counted
from headrace.conversations.feelings import Feeler, Service
from headrace.conversations.measures import Measure
from headrace.conversations.ordered import ORDERED, Batch
from headrace.lake import Lake, Transaction
from headrace.ordering.floors import Floors
from headrace.tables import RATINGS, REJECTS, TURNS

JOB = "track_feedback"
AT_ONCE = 1_000
"""Conversations that are counted again because a service is asked about them again."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """What became of a batch: events by what they did, and rows of `measures`."""

    batch: Batch
    applied: int
    stale: int
    counted: Counted


class Tracker:
    """The one writer of the job's tables. Not safe for two batches at a time.

    Args:
        feeler: finds how texts feel; None finds nothing.

    Attributes:
        waiting: whether comments may wait to be asked about; before the first look they may.
        settled: no event from before then is to be taken any more; None where all are.
    """

    def __init__(self, lake: Lake, measures: Sequence[Measure], feeler: Feeler | Service | None) -> None:
        self._lake, self._measures, self._feeler = lake, tuple(measures), feeler
        for table in (TURNS, RATINGS):
            lake.ensure(table)
        self.settled = settled.settled_before(lake)
        self.waiting = feeler is not None and not isinstance(feeler, Feeler)
        self._floors = Floors.load(lake, [ordered.floors_of(table) for table in ORDERED.values()])

    def take(self, events: DataFrame, source: str, batch: str, exact: Transaction | None = None) -> Tracked:
        """Apply one batch.

        Args:
            events: from `event_frames.events`.
            exact: given where a repeat of the batch holds exactly the same rows; rejects then skip a repeat.
        """
        lake = self._lake.on(events.sparkSession)
        # What is merged is checkpointed; Delta's own copy of it would double the work.
        lake.spark.conf.set("spark.databricks.delta.merge.materializeSource", "none")
        events = events.persist()
        try:
            found, applied = ordered.batch_of(events), 0
            if found.rejected:
                lake.append(event_frames.rejects(events, source, batch), lake.ensure(REJECTS, job=JOB), exact)
            for kind, facts in found.kinds.items():
                applied += ordered.apply(lake, self._floors, kind, facts, events).applied
            counted = self._count(lake, ordered.conversations(events)) if found.kinds else Counted()
        finally:
            events.unpersist()
        changes = sum(facts.changes for facts in found.kinds.values())
        return Tracked(found, min(applied, changes), max(0, changes - applied), counted)

    def count_all(self) -> Counted:
        """Count everything again: measures or the model are others than before."""
        lake = self._lake
        lake.spark.conf.set("spark.databricks.delta.merge.materializeSource", "none")
        places = [lake.read(lake.ensure(table)).select("conversation") for table in counting.PLACES]
        return self._count(lake, places[0].unionByName(places[1]).unionByName(places[2]).distinct())

    def count(self, conversations: DataFrame) -> Counted:
        """Count these again: rows of theirs went without an event. Column `conversation`, each once."""
        self._lake.spark.conf.set("spark.databricks.delta.merge.materializeSource", "none")
        return self._count(self._lake, conversations)

    def ask_again(self) -> None:
        """Ask about comments that a service did not answer, or that were more than the settings allow."""
        if not self.waiting or self._feeler is None or isinstance(self._feeler, Feeler):
            return
        if self._feeler.most():
            self.count(feelings.conversations_waiting(self._lake).limit(AT_ONCE))
            self.waiting = not feelings.conversations_waiting(self._lake).isEmpty()

    def settle(self, before: datetime) -> int:
        """Let conversations go that have no turn or rating since then; what they counted for stays.

        What becomes settled is counted a last time: a batch that was cut off may have written rows without their
        measures, and none of its events is taken again.

        Returns:
            How many conversations have left.
        """
        before = before.replace(second=0, microsecond=0)
        if self.settled is None or before > self.settled:
            self.count(settled.between(self._lake, self.settled, before))
            settled.settle(self._lake, before)
            self.settled = before
        return settled.leave(self._lake, self.settled)

    def _count(self, lake: Lake, conversations: DataFrame) -> Counted:
        touched = conversations.localCheckpoint()
        if self._feeler:
            self.waiting = feelings.feel(lake, self._feeler, touched) or self.waiting
        return counting.count(lake, self._measures, touched, self.settled)
