"""One row's story: which row to tell of, how its events arrived, and what arrival order would have made of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from headrace.travel.channel import Delivery
from headrace.travel.columns import SHAPES, Key, Row
from headrace.travel.database import Event

Waves = Sequence[Sequence[Sequence[Delivery]]]


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message of the row, as it arrived. `overtaken`: a newer change of the row had arrived before it."""

    wave: int
    file: int
    line: int
    delivery: Delivery
    overtaken: bool

    @property
    def note(self) -> str:
        """What is remarkable about this arrival, in a few words."""
        notes = ["a wave late" if self.delivery.late else "", "sent twice" if self.delivery.copy else ""]
        return ", ".join([*filter(None, notes), *(["older than what is stored"] if self.overtaken else [])])


def arrivals(waves: Waves, table: str, key: Key) -> list[Arrival]:
    """Every message of one row in the order it reached the lake; tombstones of the transport are left out."""
    found: list[Arrival] = []
    newest = 0
    for wave, file, line, delivery in _messages(waves):
        event = delivery.event
        if event.table == table and event.key == key and delivery.line["value"] is not None:
            found.append(Arrival(wave + 1, file + 1, line + 1, delivery, overtaken=event.lsn < newest))
            newest = max(newest, event.lsn)
    return found


def by_arrival(events: Sequence[Event]) -> Row | None:
    """The row that "last message wins" would leave behind; None where the last message is a delete."""
    last = events[-1]
    return None if last.op == "delete" else last.row


def choose(waves: Waves, table: str, rows: dict[Key, Row]) -> Key:
    """The most telling living row: deleted and revived, late, doubled, and wrong if taken in order of arrival."""
    return max(rows, key=lambda key: (*_telling(arrivals(waves, table, key), rows[key]), key))


def table_lines(table: str, told: Sequence[Arrival], columns: Sequence[str]) -> list[str]:
    """The arrivals as aligned lines of text, the headings first."""
    rows = [["wave", "file", "line", "log position", "change", *columns, ""]]
    for one in told:
        event = one.delivery.event
        values = [_cell(event, name) for name in columns]
        rows.append([str(one.wave), str(one.file), str(one.line), str(event.lsn), event.op, *values, one.note])
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [f"{table} as its events arrived", *lines]


def _messages(waves: Waves) -> Iterator[tuple[int, int, int, Delivery]]:
    for wave, files in enumerate(waves):
        for file, deliveries in enumerate(files):
            for line, delivery in enumerate(deliveries):
                yield wave, file, line, delivery


def _telling(told: Sequence[Arrival], truth: Row) -> tuple[bool, bool, bool, bool, int]:
    events = [one.delivery.event for one in told]
    return (
        by_arrival(events) != truth if events else False,
        any(event.op == "delete" for event in events),
        any(one.delivery.late and one.overtaken for one in told),
        any(one.delivery.copy for one in told),
        -abs(len(told) - 7),
    )


def _cell(event: Event, name: str) -> str:
    if event.op == "delete" and name not in SHAPES[event.table].key:
        return ""
    value = event.row.get(name)
    return "null" if value is None else str(value)
