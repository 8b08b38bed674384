"""The events of one key as the log keeps them: decoded again, and sorted into the batches that applied them."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from headrace.changes.envelope import Change, Message
from headrace.changes.formats import Decoder, decoder
from headrace.changes.routes import Routes
from headrace.config import Config
from headrace.pipelines.batch_records import BatchRecords
from headrace.pipelines.events import Batch, Event, Silent

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def logged_events(config: Config, logged: Iterable[dict[str, Any]], records: BatchRecords) -> list[tuple[int, Event]]:
    """The events of one key, each once, with the place of its batch among all.

    Args:
        logged: rows of the log, in the order they arrived.
    """
    decoders: dict[str, Decoder] = {}
    found: dict[tuple[Any, ...], tuple[int, Event]] = {}
    placed = [(records.place(row["batch"], row["arrived_at"]), row) for row in logged]
    for batch, row in sorted(placed, key=lambda one: one[0]):
        origin = row["origin"] or {}
        change = _decoded(config, decoders, row, origin)
        event = Event(
            number=0,
            source=row["source"],
            op=row["op"],
            position=row["position"],
            changed_at=row["changed_at"],
            arrived_at=row["arrived_at"],
            batch=row["batch"],
            origin=origin,
            values=dict(change.after) if change else None,
            partial=bool(change and change.sent is not None),
            sent=_sent(change) if change else None,
            dump=bool(change and change.snapshot == "dump"),
        )
        # The same message may stand in a later batch too: a restart took it in again.
        found.setdefault(event.place, (batch, event))
    return list(found.values())


def in_batches(
    events: Iterable[tuple[int, Event]],
    tombstones: Iterable[dict[str, Any]],
    truncates: Iterable[dict[str, Any]],
    records: BatchRecords,
) -> list[Batch]:
    """The events by batch, in the order the batches were applied, with the floors that no event tells of.

    Args:
        events: from `logged_events`.
        tombstones: the key's.
        truncates: the table's, full dumps among them.
    """
    batches: defaultdict[int, Batch] = defaultdict(Batch)
    positions = set()
    for place, event in events:
        batches[place].events.append(event)
        positions.add(event.position)
    for stone in tombstones:
        if stone["position"] not in positions:
            batches[records.place_at(stone["deleted_at"])].silent.append(Silent("delete", stone["position"]))
    for mark in truncates:
        if mark["position"] not in positions:
            op: Literal["dump", "truncate"] = "dump" if mark["kind"] == "snapshot" else "truncate"
            batches[records.place_at(mark["at"])].silent.append(Silent(op, mark["position"]))
    return [batches[place] for place in sorted(batches)]


def _sent(change: Change) -> tuple[str, ...] | None:
    if change.sent is None:
        return None
    # After a key change the job looks up what was left out under the old key.
    return (*change.sent, *(change.left_out if change.moved_from else ()))


def _decoded(
    config: Config, decoders: dict[str, Decoder], row: dict[str, Any], origin: dict[str, Any]
) -> Change | None:
    name = row["source"]
    if name not in config.sources:
        return None
    if name not in decoders:
        decoders[name] = decoder(config.sources[name], Routes(config.tables_of(name)))
    headers = tuple((header["key"], header["value"]) for header in row["headers"] or ())
    arrived = (row["arrived_at"] - _EPOCH) // timedelta(microseconds=1) if row["arrived_at"] else 0
    place = (origin.get("stream") or "", origin.get("partition") or 0, origin.get("offset") or 0)
    found = decoders[name](Message(row["message_key"], row["message"], headers, *place, arrived))
    changes = [one for one in found if isinstance(one, Change) and one.op == row["op"]]
    return next((one for one in changes if one.position == row["position"]), changes[0] if len(changes) == 1 else None)
