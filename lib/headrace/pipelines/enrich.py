"""Asks an API for the keys of a table, a round at a time, within its pace, its day's budget and some seconds."""

import hashlib
import json
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from headrace.changes import enrich
from headrace.changes.enrich import Heard, State
from headrace.config_api import Api
from headrace.errors import Fatal
from headrace.knowledge.embedding import Limiter, Missed, Turn, embed_all
from headrace.lake import Lake
from headrace.pipelines import asked
from headrace.ports import Embedder
from headrace.stores.api_client import Answer, ApiClient
from headrace.stores.files import LakeFiles
from headrace.stores.limiter import limiter

log = logging.getLogger("headrace")

ROUND, SECONDS = 500, 10.0
"""Keys of a round, and how long it may ask. What a crash takes is asked again: a round at most."""
FORGET_EVERY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Round:
    """What became of a round. `asked`: keys with an outcome. `stuck`: asking on makes no sense now."""

    told: int = 0
    asked: int = 0
    more: bool = False
    stuck: bool = False
    next_at: datetime | None = None


class Enricher:
    """Keeps the answers of one API. Not for two threads.

    Raises ConfigError for settings that no call could be made with.
    """

    def __init__(
        self,
        lake: Lake,
        source: str,
        api: Api,
        table: str,
        key: Sequence[str],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.table, self.keys_from = table, api.keys_from
        self._lake, self._api, self._key, self._clock = lake, api, tuple(key), clock
        self._asked_by = hashlib.sha256(json.dumps([api.url, list(key)]).encode()).hexdigest()[:32]
        self._client = ApiClient(api, f"sources.{source}")
        self._limiter = limiter(api, writers=1, one_host=True)
        self._files = LakeFiles(lake.root)
        self._asked = self._kept = asked.read(self._files, table)

    def round(self, stop: threading.Event) -> Round:
        """Do what is due, as far as time and budget go."""
        now = self._clock()
        self._asked = self._asked.on(now.astimezone(UTC).date())
        found = enrich.work(self._lake, self.table, self.keys_from, self._key, self._asked_by, now, ROUND)
        made = [*map(enrich.gone, found.gone), *map(enrich.back, found.back)]
        left = self._left()
        answers, said = self._ask(found.due, left, stop) if found.due and left else ([], "")
        if found.due and not left:
            said = f"the budget of {self._asked.day}, {self._api.calls_per_day:,} calls, is used up"
        tried = [(state, heard) for state, heard in answers if heard is not None]
        made += [self._answered(state, heard) for state, heard in tried]
        if made:
            enrich.append(self._lake, self.table, made, self._clock(), found.newest)
        failed = found.failed + sum((heard.outcome == "failed") - (state.outcome == "failed") for state, heard in tried)
        self._keep(keys=found.keys, waiting=found.waiting - len(tried), failed=failed, said=said)
        self._forget(now)
        stuck = bool(found.due) and not any(heard.outcome != "failed" for _, heard in tried)
        # A key that came again may be due; this is seen once it is wanted again.
        more = found.waiting > len(tried) or bool(found.back) or found.moved > len(found.gone) + len(found.back)
        return Round(sum(one.change is not None for one in made), len(tried), more, stuck, found.next_at)

    def close(self) -> None:
        """Give back every connection."""
        self._client.close()

    def _answered(self, state: State, heard: Heard) -> State:
        api = self._api
        return enrich.answered(state, heard, self._asked_by, self._clock(), api.fresh_for, api.retry_after)

    def _left(self) -> int:
        """Calls that today still has; about enough where there is no limit."""
        most = self._api.calls_per_day
        return 4 * ROUND if most is None else max(0, min(4 * ROUND, most - self._asked.calls))

    def _ask(
        self, due: Sequence[State], left: int, stop: threading.Event
    ) -> tuple[list[tuple[State, Heard | None]], str]:
        """What was heard of each key, None where it was not reached; and what is wrong with the service, if it is."""
        # Counted first: a driver that dies in the round has made no more than these.
        before, made = self._asked.calls, self._client.calls
        allowed = _Allowed(self._limiter, min(left, 2 * len(due)), stop)
        if self._api.calls_per_day is not None:
            self._keep(calls=before + allowed.left)
        heard: list[tuple[State, Heard | None]] = []
        said = ""
        try:
            for index, outcome in self._outcomes(due, allowed):
                heard.append((due[index], _heard(outcome)))
        except Fatal as error:
            said = str(error)
            log.error("table=%s: %s", self.table, error)
        self._asked = replace(self._asked, calls=before + self._client.calls - made)
        tried = [one for _, one in heard if one is not None]
        if not said and tried and all(one.again for one in tried):
            said = str(tried[-1].reason)
            log.warning("table=%s: no answer of %d calls, the rest waits: %s", self.table, len(tried), said)
        return heard, said

    def _outcomes(self, due: Sequence[State], turns: Limiter) -> Iterator[tuple[int, Any]]:
        # To that loop an answer is what a vector is: the value that a text is exchanged for.
        client = cast(Embedder, self._client)
        keys = [state.key for state in due]
        return embed_all(client, keys, turns, SECONDS, parallel=self._api.parallel, tokens=lambda _: 1)

    def _keep(self, **news: Any) -> None:
        self._asked = replace(self._asked, **news)
        if self._asked != self._kept:
            asked.write(self._files, self.table, self._asked)
            self._kept = self._asked

    def _forget(self, now: datetime) -> None:
        last = self._asked.forgot_at
        if not last:
            self._keep(forgot_at=now.isoformat())
        elif now - datetime.fromisoformat(last) >= FORGET_EVERY:
            enrich.forget(self._lake, self.table, now)
            self._keep(forgot_at=now.isoformat())


class _Allowed:
    """A limiter with so many turns and no more, that hands none out once a stop is asked for."""

    def __init__(self, inner: Limiter, left: int, stop: threading.Event) -> None:
        self._inner, self.left, self._stop, self._lock = inner, left, stop, threading.Lock()

    def turn(self, tokens: int, latest: float) -> Turn | None:
        """As in `Limiter`."""
        with self._lock:
            if self.left <= 0 or self._stop.is_set():
                return None
            turn = self._inner.turn(tokens, latest)
            self.left -= turn is not None
            return turn

    def stands(self, turn: Turn) -> bool:
        """As in `Limiter`."""
        stands = self._inner.stands(turn)
        if not stands:  # no call is made in it
            with self._lock:
                self.left += 1
        return stands

    def throttled(self, turn: Turn, retry_after: float | None) -> None:
        """As in `Limiter`."""
        self._inner.throttled(turn, retry_after)


def _heard(outcome: Answer | Missed) -> Heard | None:
    if isinstance(outcome, Missed):
        return Heard("failed", reason=outcome.reason, again=outcome.retry) if outcome.tried else None
    return Heard("none" if outcome.body is None else "row", outcome.status, outcome.body)
