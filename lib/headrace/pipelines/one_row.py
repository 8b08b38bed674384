"""Follows one key through the batches, by the rules of `ordering.collapse` and `ordering.guarded_merge`.

The job counts what its MERGE changed: at most one change a key and batch, and one more where a truncate removed the
row. So of the events of a batch at most one is `applied`; a delete that finds no row is `stale`, though it is
remembered as a floor.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from headrace.pipelines.events import Batch, Event, Outcome

_UNHEARD = "*"
"""All columns nobody has heard of yet, as in `ordering.collapse`: only a full image sends them."""
_TAKEN = "but columns no newer event sent are taken from it"
Verdict = tuple[Outcome, str]


@dataclass(frozen=True, slots=True)
class Mark:
    """A position and the event it comes from; number 0 where the log does not hold it, position "" for none."""

    position: str = ""
    op: str = ""
    number: int = 0

    @property
    def kind(self) -> str:
        """What it does as a floor; an upsert is one where it broke `where`."""
        return {"upsert": "delete", "dump": "full dump"}.get(self.op, self.op)

    @property
    def floor(self) -> str:
        """The floor in words."""
        return (
            f"the {self.kind} of event {self.number}"
            if self.number
            else f"a {self.kind} that changes_log does not hold"
        )

    def __str__(self) -> str:
        return f"event {self.number}" if self.number else "an event that changes_log does not hold"


@dataclass(slots=True)
class _Step:
    """A batch, sorted by what its parts do."""

    ups: list[Event]
    deletes: list[Mark]
    truncates: list[Mark]
    floor: Mark
    """The highest floor: the batch's own or an earlier one."""
    of_key: list[Event]
    """All but truncates, repeats too: they bring the row into the MERGE."""

    @property
    def above(self) -> list[Event]:
        return [event for event in self.ups if (event.position or "") > self.floor.position]

    @property
    def deleted(self) -> Mark:
        return max(self.deletes, key=_position, default=Mark())

    @property
    def truncated(self) -> Mark:
        return max(self.truncates, key=_position, default=Mark())

    @property
    def newest(self) -> Mark:
        """The highest of them all."""
        return max([*map(_mark, self.ups), *self.deletes, *self.truncates], key=_position, default=Mark())


@dataclass(slots=True)
class OneRow:
    """The state of one row between two batches.

    Args:
        columns: all columns at the source. dropped: those the table leaves out.
        partial: an event of the table ever left a column out.
        deleting: positions of upserts that acted as deletes, because the row broke `where`.
        row: the stored row's position; none where no row lives.
        sure: False where a row may live that no event tells of, because the log does not reach back far enough.
    """

    columns: Collection[str] = ()
    dropped: Collection[str] = ()
    partial: bool = False
    deleting: Collection[str] = ()
    row: Mark = Mark()
    sure: bool = True
    floor: Mark = Mark()
    values: Mapping[str, str | None] | None = None
    _carried: dict[str, str] = field(default_factory=dict)
    _seen: dict[str, int] = field(default_factory=dict)

    def take(self, batch: Batch) -> dict[int, Verdict]:
        """Apply a batch; what each of its events did, by number."""
        told: dict[int, Verdict] = {}
        fresh = []
        for event in batch.events:
            first = self._seen.setdefault(event.position or "", event.number)
            if first != event.number:
                told[event.number] = "stale", f"a repeat of event {first}"
            elif self._shows_no_change(event):
                told[event.number] = "stale", "the dump shows the row as it stands"
            else:
                fresh.append(event)
        step = self._sorted(fresh, batch)
        given = self._given(step)
        did = self._did(step, given)
        gave = {event.number for event in given.values()}
        told |= {event.number: self._lost(event, step, event.number in gave) for event in fresh}
        told |= {event.number: ("applied", did[event.number]) for event in batch.events if event.number in did}
        self._advance(step, given)
        dumps = [Mark(one.position, "dump") for one in batch.silent if one.op == "dump"]
        self.floor = max([self.floor, *dumps], key=_position)
        self.sure = self.sure or bool(fresh or batch.silent)
        return told

    def _shows_no_change(self, event: Event) -> bool:
        if not event.dump or not self.row.position or self.values is None or event.values is None:
            return False
        return self._kept(self.values) == self._kept(event.values)

    def _kept(self, values: Mapping[str, str | None]) -> dict[str, str]:
        """What the table keeps of a row; a column that is left out is null."""
        return {name: value for name, value in values.items() if value is not None and name not in self.dropped}

    def _sorted(self, fresh: Sequence[Event], batch: Batch) -> _Step:
        floors = [_mark(event) for event in fresh if self._deletes(event)]
        floors += [Mark(one.position, one.op) for one in batch.silent if one.op != "dump"]
        return _Step(
            sorted((event for event in fresh if not self._deletes(event)), key=lambda event: event.position or ""),
            [mark for mark in floors if mark.op != "truncate"],
            [mark for mark in floors if mark.op == "truncate"],
            max([self.floor, *floors], key=_position),
            [event for event in batch.events if event.op != "truncate"],
        )

    def _deletes(self, event: Event) -> bool:
        return event.op != "upsert" or event.position in self.deleting

    def _given(self, step: _Step) -> dict[str, Event]:
        """The event each column's value would come from, where it is newer than the stored one."""
        given: dict[str, Event] = {}
        for event in step.above:
            for name in (*self.columns, _UNHEARD) if event.sent is None else event.sent:
                if (event.position or "") > self._stored(name):
                    given[name] = event
        return given

    def _stored(self, name: str) -> str:
        return self._carried.get(name, self.row.position)

    def _did(self, step: _Step, given: Mapping[str, Event]) -> dict[int, str]:
        """The events that changed the row, and how."""
        row, deleted = self.row.position, step.deleted
        did: dict[int, str] = {}
        newest = step.above[-1] if step.above else None
        if newest is not None and (newest.position or "") > row:
            did[newest.number] = "it was the newest"
        elif row and newest is None and deleted.position > row:
            broke = deleted.op == "upsert"
            did[deleted.number] = "the row no longer fits `where`: deleted" if broke else "the row was deleted"
        elif row and given:
            best = max(given.values(), key=lambda event: event.position or "")
            did[best.number] = f"below the row's position, which {self.row} set, {_TAKEN}"
        elif row and self._cleared(step):
            by = max(step.of_key, key=lambda event: event.position or "")
            did[by.number] = f"values older than the {step.floor.kind} were taken out of the row"
        if row and row < step.truncated.position and not (newest or deleted.position > row):
            did[step.truncated.number] = "the table was emptied"
        return did

    def _cleared(self, step: _Step) -> bool:
        """Whether the MERGE takes out values that a delete or truncate lies above; only tables of parts have such."""
        if not self.partial or not step.of_key:
            return False
        return any(self._stored(name) < step.floor.position for name in (*self.columns, _UNHEARD))

    def _lost(self, event: Event, step: _Step, gave: bool) -> Verdict:
        """Why an event changed nothing by itself."""
        position, row, newest = event.position or "", self.row, step.newest
        taken = f", {_TAKEN}" if gave else ""
        if position < self.floor.position:
            return "stale", f"below {self.floor.floor}"
        if position < row.position:
            if not self._deletes(event):
                return "stale", f"below the row's position, which {row} set{taken}"
            return "stale", f"the row is newer ({row}); kept as a floor"
        if position < newest.position:
            by = f"{newest} of the same batch" if newest.number else newest.floor
            return "stale", f"{by} is newer{taken}"
        if not self.sure:
            return "applied", "the row was deleted, if one lived: changes_log does not reach back so far"
        return "stale", "no row lived under this key; kept as a floor"

    def _advance(self, step: _Step, given: Mapping[str, Event]) -> None:
        newest = step.above[-1] if step.above else None
        deleted = newest is None and step.deleted.position > self.row.position
        row = self.row
        if newest is not None and (newest.position or "") > row.position:
            row, self.values = _mark(newest), newest.values
        if deleted or row.position < step.truncated.position:
            row = Mark()
        carried = {}
        for name in (*self.columns, _UNHEARD) if row.position else ():
            at = given[name].position or "" if name in given else self._stored(name)
            carried[name] = max(at, step.floor.position)
        self._carried = {name: at for name, at in carried.items() if at < row.position}
        self.row, self.floor = row, step.floor


def _mark(event: Event) -> Mark:
    return Mark(event.position or "", event.op, event.number)


def _position(mark: Mark) -> str:
    return mark.position
