"""What each event of one key did to the row, told from the events in the order they were taken in."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from headrace.pipelines.events import Batch, Event
from headrace.pipelines.one_row import Mark, OneRow


@dataclass(frozen=True, slots=True)
class Known:
    """What the lake knows of the key beside its events.

    Attributes:
        current: position of the row as it stands now; None where none lives.
        refusals: reasons by an event's place.
        applied: positions known to have been applied, from the table and its history.
        deleting: positions of the key's tombstones; an upsert at one of them broke `where`.
        dropped: columns at the source that the table leaves out.
        partial: an event of the table ever left a column out.
        complete: the log holds everything that arrived for the table.
    """

    current: str | None = None
    refusals: Mapping[tuple[Any, ...], str] = field(default_factory=dict)
    applied: Collection[str] = ()
    deleting: Collection[str] = ()
    dropped: Collection[str] = ()
    partial: bool = False
    complete: bool = True


def judge(batches: Sequence[Batch], known: Known) -> tuple[list[Event], str]:
    """Number the events and say what each did.

    Args:
        batches: in the order they were applied.

    Returns:
        The events, and the position of the row they lead to; "" where no row should live.
    """
    row = _start(batches, known)
    judged: list[Event] = []
    for batch in batches:
        numbered = [replace(event, number=number) for number, event in enumerate(batch.events, len(judged) + 1)]
        refused = [event for event in numbered if _is_refused(event, known)]
        told = row.take(Batch([event for event in numbered if event not in refused], batch.silent))
        for event in numbered:
            if event in refused:
                why = known.refusals.get(event.place, "it is no longer in rejects: replayed since, or not kept so long")
                judged.append(replace(event, outcome="refused", why=why))
            else:
                outcome, why = told[event.number]
                judged.append(replace(event, outcome=outcome, why=why))
    return [_is_the_row(event, known) for event in judged], row.row.position


def _start(batches: Sequence[Batch], known: Known) -> OneRow:
    events = [event for batch in batches for event in batch.events]
    # A row no event tells of was there before the log begins.
    older = known.current if known.current not in {event.position for event in events} else None
    columns = {name for event in events for name in event.values or () if event.op == "upsert"}
    partial = known.partial or any(event.sent is not None for event in events)
    sure = known.complete or older is not None
    return OneRow(columns, known.dropped, partial, frozenset(known.deleting), Mark(older or ""), sure)


def _is_refused(event: Event, known: Known) -> bool:
    return event.op == "reject" or (event.place in known.refusals and event.position not in known.applied)


def _is_the_row(event: Event, known: Known) -> Event:
    if event.outcome != "applied" or event.op != "upsert" or event.position != known.current:
        return event
    return replace(event, why="this is the row now" + (", after a replay" if event.place in known.refusals else ""))
