"""What a table must look like, told slowly and plainly from the set of all its events.

Nothing here is shared with the applier. The order of the events and repeats among them make no difference: every
answer is computed from scratch by the same three rules.

    floor of a key    the newest delete of that key or truncate of the table
    living            the newest upsert lies above the floor
    value of column   what the newest upsert above the floor that sent the column said, else NULL
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from headrace.changes.envelope import Change, Row
from headrace.config import History
from headrace.ordering.position import LOWEST, SNAPSHOT_START_RANK

Key = tuple[str | None, ...]
"""The values of the key columns, as text, in the order of the settings."""


@dataclass(frozen=True, slots=True)
class Version:
    """A living row: its columns as text, the position of its newest upsert, and that event's time."""

    values: Row
    position: str
    changed_at: int | None = None


@dataclass(slots=True)
class Interval:
    """One SCD2 interval: what was true from one position (inclusive) to another (exclusive; None while current)."""

    key: Key
    values: Row
    valid_from: str
    valid_to: str | None = None
    valid_from_at: int | None = None
    valid_to_at: int | None = None

    @property
    def current(self) -> bool:
        """Whether the interval is still open."""
        return self.valid_to is None


@dataclass(frozen=True, slots=True)
class TableTruth:
    """One table as it must be.

    Attributes:
        rows: living rows by key.
        floors: the newest delete of each key that was ever deleted; truncates are not repeated here.
        truncated: the newest truncate (or start of a full dump), or `LOWEST`.
        history: SCD2 intervals, by key and then by position; empty where no history was asked for.
        columns: every column any upsert named, sorted.
    """

    rows: dict[Key, Version]
    floors: dict[Key, str]
    truncated: str
    history: list[Interval] = field(default_factory=list)
    columns: tuple[str, ...] = ()


def table_truth(changes: Iterable[Change], key: Sequence[str], *, history: History | None = None) -> TableTruth:
    """The table all these changes of one source table must lead to.

    Args:
        changes: every event, in any order, with any repeats.
        key: the identifying columns.
        history: also compute SCD2 intervals, with these tracked columns.
    """
    events = list(changes)
    columns = tuple(sorted({column for event in events if event.op == "upsert" for column in event.after}))
    truncates = _table_floors(events)
    by_key: dict[Key, list[Change]] = {}
    for event in events:
        if event.op != "truncate":
            by_key.setdefault(tuple(event.after.get(column) for column in key), []).append(event)
    rows: dict[Key, Version] = {}
    floors: dict[Key, str] = {}
    intervals: list[Interval] = []
    for name, own in by_key.items():
        everything = own + [floor for floor in truncates if not _shows(floor, own)]
        row = living_row(everything, columns)
        if row is not None:
            rows[name] = row
        deletes = [event.position for event in own if event.op == "delete"]
        if deletes:
            floors[name] = max(deletes)
        if history is not None:
            intervals += key_history(name, everything, columns, _tracked(history, columns))
    truncated = max((floor.position for floor in truncates), default=LOWEST)
    intervals.sort(key=lambda interval: ([value or "" for value in interval.key], interval.valid_from))
    return TableTruth(rows, floors, truncated, intervals, columns)


def living_row(events: Iterable[Change], columns: Sequence[str]) -> Version | None:
    """The row of one key after these events (its own and the table's truncates), or None where none is living."""
    events = list(events)
    floor = max((event.position for event in events if event.op != "upsert"), default=LOWEST)
    above = [event for event in events if event.op == "upsert" and event.position > floor]
    above.sort(key=lambda event: event.position, reverse=True)
    if not above:
        return None
    values: Row = {}
    for column in columns:
        senders = [event for event in above if event.sent is None or column in event.sent]
        values[column] = senders[0].after.get(column) if senders else None
    return Version(values, above[0].position, above[0].changed_at)


def key_history(name: Key, events: Iterable[Change], columns: Sequence[str], tracked: Sequence[str]) -> list[Interval]:
    """The SCD2 intervals of one key: the row after each event in order of position, cut where a tracked value changes.

    A version with the same tracked values continues the interval and updates the other columns in place.
    """
    timeline = sorted({event.position: event for event in events}.values(), key=lambda event: event.position)
    intervals: list[Interval] = []
    for number, event in enumerate(timeline, start=1):
        row = living_row(timeline[:number], columns)
        last = intervals[-1] if intervals and intervals[-1].current else None
        if last and row and all(last.values[column] == row.values[column] for column in tracked):
            last.values = row.values
            continue
        if last:
            last.valid_to, last.valid_to_at = event.position, event.changed_at
        if row:
            intervals.append(Interval(name, row.values, event.position, valid_from_at=event.changed_at))
    return intervals


def _tracked(history: History, columns: Sequence[str]) -> list[str]:
    if history.track:
        return list(history.track)
    return [column for column in columns if column not in history.ignore]


def _table_floors(events: Iterable[Change]) -> list[Change]:
    """Truncates, and for every full dump a floor just below its rows."""
    floors = {event.position: event for event in events if event.op == "truncate"}
    for event in events:
        if event.snapshot == "dump":
            start = event.position.rpartition("-")[0] + f"-{SNAPSHOT_START_RANK}" + "0" * 12
            floors[start] = Change(event.table, "truncate", start, changed_at=event.changed_at, snapshot="dump")
    return list(floors.values())


def _shows(floor: Change, own: Iterable[Change]) -> bool:
    """Whether a dump's floor says nothing about a key because the dump holds its row: full images need no floor."""
    place = floor.position.rpartition("-")[0]
    return floor.snapshot == "dump" and any(
        event.snapshot == "dump" and event.position.rpartition("-")[0] == place for event in own
    )
