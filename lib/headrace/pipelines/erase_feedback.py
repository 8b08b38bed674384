"""How `track_feedback` erases people: its own tables, and what the assistant remembers of their conversations."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime

from headrace.config import Config
from headrace.conversations.forget import Plan, forget, forget_refused, planned
from headrace.conversations.said import FOR_TEXT
from headrace.conversations.store import Conversations
from headrace.conversations.track import JOB, Tracker
from headrace.erasure import Erasure, Suppressed
from headrace.errors import NotThere, Retryable
from headrace.lake import Lake, local_rows
from headrace.pipelines import conversing
from headrace.pipelines.erasing import Erasures, Work
from headrace.stores.files import LakeFiles
from headrace.tables import ERASURES, SUPPRESSED

IDLE_SECONDS = 5.0
"""How often requests are looked for where no batch comes."""
log = logging.getLogger("headrace")


class FeedbackErasure:
    """Carries requests out, between batches of the job. What is suppressed is known by every batch after that.

    Args:
        store: opens the conversation store; None where there is none.
    """

    def __init__(
        self, lake: Lake, config: Config, tracker: Tracker, store: Callable[[], Conversations | None] | None = None
    ) -> None:
        self._lake, self._tracker = lake, tracker
        self._requests = Erasures(LakeFiles(config.lake), JOB, config)
        self._store = store or (lambda: conversing.conversations(config.assistant))
        self._found: frozenset[str] | None = None
        self._looked = 0.0

    def run(self) -> Suppressed | None:
        """Carry out what is open; whom to refuse from now on, None for nobody."""
        self._requests.refresh()
        self._looked = time.monotonic()
        suppressed = self._requests.suppressed()
        if suppressed is None:
            return None
        for request in self._requests.open():
            self._try(request, suppressed)
        return Suppressed(suppressed.hashing, suppressed.hashes | self._conversations())

    def idle(self) -> None:
        """The same where no batch came for a while."""
        if time.monotonic() - self._looked >= IDLE_SECONDS:
            try:
                self.run()
            except Retryable as error:
                # The next batch must know whom to refuse, a pause need not.
                log.warning("job=%s %s", JOB, error)

    def late(self, conversations: Sequence[str], suppressed: Suppressed | None) -> None:
        """Events that were refused have shown whose these are: what is there of them goes too."""
        if conversations and suppressed:
            plan = planned(self._lake, (), conversations)
            for _ in forget(self._lake, plan, self._tracker.count):
                pass
            self._suppress(plan.hashes(suppressed.hashing), "late")
            log.info("job=%s erased_late conversations=%s turns=%s", JOB, len(conversations), len(plan.turns))

    def _try(self, request: Erasure, suppressed: Suppressed) -> None:
        try:
            self._carry_out(request, suppressed)
        except (Retryable, NotThere) as error:
            # Only the conversation store is asked; the request stays open.
            log.warning("job=%s erasure=%s is tried again: %s", JOB, request.name, error)

    def _carry_out(self, request: Erasure, suppressed: Suppressed) -> None:
        work = self._requests.work(request)
        kept = self._requests.plan(request)
        plan = Plan.from_json(kept) if kept else planned(self._lake, work.people)
        if kept is None:
            self._requests.keep_plan(request, plan.to_json())
        places = []
        for place, rows in self._deleted(work, plan):
            self._told(request, place, "deleted", rows)
            places.append(place)
        self._suppress(plan.hashes(suppressed.hashing), request.name)
        for place in places:
            self._lake.purge(place)
            self._told(request, place, "purged", 0)
        self._erase_stored(request, work, plan)
        told = {"turns": len(plan.turns), "ratings": len(plan.ratings), "conversations": len(plan.conversations)}
        self._requests.done(request, told)
        log.info("job=%s erasure=%s %s", JOB, request.name, " ".join(f"{one}={n}" for one, n in told.items()))

    def _deleted(self, work: Work, plan: Plan) -> Iterator[tuple[str, int]]:
        yield from forget(self._lake, plan, self._tracker.count)
        if refused := forget_refused(self._lake, [*work.people, *plan.conversations]):
            yield refused

    def _erase_stored(self, request: Erasure, work: Work, plan: Plan) -> None:
        store = self._store()
        if store is not None:
            with closing(store):
                count = store.erase_person(work.people)
                # It has none of another name, and refuses to look for one.
                store.erase([one for one in plan.conversations if FOR_TEXT.fullmatch(one)])
            self._told(request, "store conversations", "deleted", count)

    def _suppress(self, hashes: Sequence[str], request: str) -> None:
        if hashes:
            now = datetime.now(UTC)
            rows = local_rows(self._lake.spark, [(one, request, now) for one in hashes], SUPPRESSED.schema)
            self._lake.append(rows, self._lake.ensure(SUPPRESSED, job=JOB))
            self._found = self._conversations() | frozenset(hashes)

    def _conversations(self) -> frozenset[str]:
        if self._found is None:
            relative = SUPPRESSED.path.format(job=JOB)
            there = self._lake.read(relative).select("hash").collect() if self._lake.exists(relative) else []
            self._found = frozenset(row["hash"] for row in there)
        return self._found

    def _told(self, request: Erasure, place: str, step: str, rows: int) -> None:
        row = (request.name, place, step, rows, None, datetime.now(UTC))
        self._lake.append(local_rows(self._lake.spark, [row], ERASURES.schema), self._lake.ensure(ERASURES, job=JOB))
