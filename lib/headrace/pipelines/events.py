"""What one row's story is made of: the events of the log, and what became part of a batch without a message."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Outcome = Literal["applied", "stale", "refused"]
"""As `status` counts them: `refused` stands under `rejected` there."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the log.

    Attributes:
        number: its place in the order in which events were taken in, from 1.
        values: the row as the event sent it, as text; None where the message cannot be decoded any more.
        partial: the event sent only some of the columns. sent: those it gave a value for; None for a full row.
        dump: the event is a row of a full dump.
        outcome: `applied`, it changed the row; `stale`, it changed nothing; `refused`, it is in `rejects`.
        why: the reason in words.
    """

    number: int
    source: str
    op: str
    position: str | None
    changed_at: datetime | None
    arrived_at: datetime | None
    batch: str
    origin: dict[str, Any]
    values: dict[str, str | None] | None
    partial: bool = False
    sent: tuple[str, ...] | None = None
    dump: bool = False
    outcome: Outcome = "applied"
    why: str = ""

    @property
    def place(self) -> tuple[Any, ...]:
        """Where the source held it: no two events share it."""
        return place_of(self.source, self.origin)


def place_of(source: str, origin: dict[str, Any] | None) -> tuple[Any, ...]:
    """The source and the parts of an origin, to compare."""
    return (source, *((origin or {}).get(name) for name in ("stream", "partition", "offset", "part")))


@dataclass(frozen=True, slots=True)
class Silent:
    """What acted on a row with no event in the log: it was not kept that long, or a dump did not show the row.

    A `dump` is a floor under older events; a row below it stays.
    """

    op: Literal["delete", "truncate", "dump"]
    position: str


@dataclass(slots=True)
class Batch:
    """One batch's part in the story; its events in the order they arrived."""

    events: list[Event] = field(default_factory=list)
    silent: list[Silent] = field(default_factory=list)
