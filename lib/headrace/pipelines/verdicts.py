"""What each event of one key did to the row, told from the events in the order they arrived."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

Outcome = Literal["applied", "stale", "refused", "remembered"]


@dataclass(frozen=True, slots=True)
class Event:
    """One event of the log.

    Attributes:
        number: its place in the order of arrival, from 1.
        values: the row as the event sent it, as text; None where the message cannot be decoded any more.
        partial: the event sent only some of the columns.
        outcome: `applied`; `stale`, it changed nothing; `remembered`, a delete below the row, kept as a floor;
            `refused`, it is in `rejects`. why: the reason in words.
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
    outcome: Outcome = "applied"
    why: str = ""


@dataclass(slots=True)
class _Mark:
    """The highest position so far, and the event it came from."""

    position: str = ""
    number: int = 0
    op: str = ""

    def raise_to(self, event: Event) -> None:
        if (event.position or "") > self.position:
            self.position, self.number, self.op = event.position or "", event.number, event.op


def judge(
    events: Sequence[Event],
    current: str | None,
    refusals: Mapping[tuple[Any, ...], str],
    applied: Collection[str] = (),
) -> list[Event]:
    """Number the events and say what each did.

    Args:
        events: in the order they arrived.
        current: position of the row as it stands now; None where none lives.
        refusals: reasons by (source, stream, partition, offset, part).
        applied: positions known to have been applied, from the table and its history.
    """
    numbered = [replace(event, number=number) for number, event in enumerate(events, 1)]
    row, floor = _Mark(), _Mark()
    seen: dict[str, int] = {}
    judged = []
    for event in numbered:
        origin = (event.source, *(event.origin.get(name) for name in ("stream", "partition", "offset", "part")))
        refusal = refusals.get(origin)
        if event.op == "reject" or (refusal and event.position not in applied):
            judged.append(replace(event, outcome="refused", why=refusal or "see rejects"))
            continue
        position = event.position or ""
        if position in seen:
            outcome: tuple[Outcome, str] = "stale", f"a repeat of event {seen[position]}"
        else:
            outcome = _outcome(event, row, floor, numbered)
            (row if event.op == "upsert" else floor).raise_to(event)
        seen.setdefault(position, event.number)
        if current and position == current and outcome[0] == "applied":
            outcome = "applied", "this is the row now" + (", after a replay" if refusal else "")
        judged.append(replace(event, outcome=outcome[0], why=outcome[1]))
    return judged


def _outcome(event: Event, row: _Mark, floor: _Mark, events: Sequence[Event]) -> tuple[Outcome, str]:
    position = event.position or ""
    if position < floor.position:
        return "stale", f"below the {floor.op} of event {floor.number}"
    if position < row.position:
        if event.op != "upsert":
            return "remembered", f"the row is newer (event {row.number}); kept as a floor under older events"
        carried = ", but columns no newer event sent are taken from it" if _left_out(event, events) else ""
        return "stale", f"below the row's position, which event {row.number} set{carried}"
    newer = [
        other for other in events if other.batch == event.batch and event.number < other.number
        and (other.position or "") > position and other.op != "reject"
    ]  # fmt: skip
    if newer and event.op == "upsert":
        first = max(newer, key=lambda other: other.position or "")
        carried = ", but columns it did not send are taken from here" if first.partial else ""
        return "stale", f"event {first.number} of the same batch is newer{carried}"
    words = {"upsert": "it was the newest", "delete": "the row was deleted", "truncate": "the table was emptied"}
    return "applied", words.get(event.op, "")


def _left_out(event: Event, events: Sequence[Event]) -> bool:
    return any(other.partial and (other.position or "") > (event.position or "") for other in events)
