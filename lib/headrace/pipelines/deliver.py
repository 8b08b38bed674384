"""Hands rows to a store; what it refuses for now is kept and tried again, what it refuses for good is parked."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from headrace.ports import Failed, Projected, Projection, Written

LONGEST_PAUSE = 60.0


@dataclass(slots=True)
class _Late:
    """A row the store did not take yet."""

    row: Projected
    attempts: int
    next_try: float


@dataclass(slots=True)
class Delivery:
    """The rows on their way to one store.

    Attributes:
        attempts: tries before a row is given to `park`.
        park: takes rows that will not be tried again, with the reason.
    """

    store: Projection
    attempts: int
    park: Callable[[list[Failed]], None]
    _late: dict[str, _Late] = field(default_factory=dict)

    def send(self, rows: Sequence[Projected]) -> Written:
        """Write the newest row of each key; `failed` holds those given up. Raises Retryable where the store is away."""
        newest: dict[str, Projected] = {}
        for row in rows:
            if row.key not in newest or row.version > newest[row.key].version:
                newest[row.key] = row
        result = self.store.write(list(newest.values()))
        given_up: list[Failed] = []
        for failure in result.failed:
            late = self._late.get(failure.key)
            attempts = late.attempts + 1 if late and late.row.version == failure.version else 1
            if not failure.retry or attempts >= self.attempts:
                given_up.append(failure)
                self._late.pop(failure.key, None)
                continue
            pause = min(2.0**attempts, LONGEST_PAUSE)
            self._late[failure.key] = _Late(newest[failure.key], attempts, time.monotonic() + pause)
        failed = {failure.key for failure in result.failed}
        for key in newest.keys() - failed:
            self._late.pop(key, None)
        if given_up:
            self.park(given_up)
        return replace(result, failed=tuple(given_up))

    def again(self) -> Written:
        """Try those whose pause is over."""
        now = time.monotonic()
        due = [late.row for late in self._late.values() if late.next_try <= now]
        return self.send(due) if due else Written()

    def waits(self, key: str) -> bool:
        """Whether a row of this key is to be tried again."""
        return key in self._late

    @property
    def late(self) -> int:
        """Rows that are to be tried again."""
        return len(self._late)

    def oldest(self, default: int) -> int:
        """The lowest version among the late rows."""
        return min((late.row.version for late in self._late.values()), default=default)
