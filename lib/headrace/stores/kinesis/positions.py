"""How a place in a shard is written.

T          before everything the shard holds (its trim horizon)
4959...    after the record with this sequence number
<4959...   before the record with this sequence number, which is there
E          the shard is closed and read to its end
"""

from typing import Any

TRIM_HORIZON, END = "T", "E"


def before(sequence: str) -> str:
    """The place before a record."""
    return f"<{sequence}"


def next_record(place: str) -> str | None:
    """The sequence number of the very record that comes next, where the place says it."""
    return place[1:] if place.startswith("<") else None


def last_record(place: str) -> str | None:
    """The sequence number of the record just before, where the place says it."""
    return place if place.isdigit() else None


def is_place(text: str) -> bool:
    """Whether a text is a place."""
    return text in (TRIM_HORIZON, END) or text.removeprefix("<").isdigit()


def iterator_arguments(place: str) -> dict[str, Any]:
    """The arguments of GetShardIterator that lead there. Raises ValueError for `E`, where nothing is to be read."""
    if place == TRIM_HORIZON:
        return {"ShardIteratorType": "TRIM_HORIZON"}
    if following := next_record(place):
        return {"ShardIteratorType": "AT_SEQUENCE_NUMBER", "StartingSequenceNumber": following}
    if read := last_record(place):
        return {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": read}
    raise ValueError(f"no iterator leads to {place!r}")


def within(sequence: int, end: str) -> bool:
    """Whether a record lies before the end of a range."""
    if end == END:
        return True
    following = next_record(end)
    return sequence < int(following) if following else sequence <= int(end)


def reached(sequence: int, end: str) -> bool:
    """Whether a record shows that the end of a range was reached: it is the last one, or behind it."""
    return end != END and sequence >= int(end.removeprefix("<"))
