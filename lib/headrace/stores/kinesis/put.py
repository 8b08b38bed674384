"""Records into a stream: as many at once as Kinesis takes, only those again that it refused, in order for each key."""

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from headrace.errors import HeadraceError, Retryable
from headrace.stores.kinesis.api import Kinesis
from headrace.stores.kinesis.backoff import Backoff, Tries

MOST_RECORDS, MOST_BYTES = 500, 5 * 1024 * 1024
"""What one PutRecords takes."""
MOST_OF_ONE = 1024 * 1024
"""Bytes of one record, its partition key included."""
_LONGEST_KEY = 256


@dataclass(frozen=True, slots=True)
class Event:
    """A record to send. Events of one key stay in the order they were given in."""

    key: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that was not sent. `retry`: it may be later."""

    index: int
    reason: str
    retry: bool


@dataclass(slots=True)
class _Open:
    """What is still to be sent, by place in the list."""

    waiting: deque[int]
    refused: list[Refused] = field(default_factory=list)


def put_events(kinesis: Kinesis, events: Sequence[Event], backoff: Backoff | None = None) -> list[Refused]:
    """Send all; those that could not be.

    A call never holds two events of one key: one that is refused must not be overtaken by the next. So a stream of few
    keys is sent in many calls. An answer that got lost makes its call come again: an event may then be there twice.

    Args:
        backoff: how long refused ones are tried again; as the stream's calls where not given.
    """
    backoff = backoff or Backoff(give_up=kinesis.place.give_up_seconds)
    state = _Open(deque())
    for index, event in enumerate(events):
        size = len(event.data) + len(partition_key(event.key).encode())
        if size > MOST_OF_ONE:
            reason = f"expected at most {MOST_OF_ONE} bytes with the key; found {size}"
            state.refused.append(Refused(index, reason, retry=False))
        else:
            state.waiting.append(index)
    tries = Tries(backoff)
    while state.waiting:
        again, why = _send(kinesis, events, state)
        if not again:
            tries.got_on()
        elif not tries.again():
            return _given_up(state, why)
    return state.refused


def _given_up(state: _Open, why: str) -> list[Refused]:
    return [*state.refused, *(Refused(index, why, retry=True) for index in state.waiting)]


def _send(kinesis: Kinesis, events: Sequence[Event], state: _Open) -> tuple[int, str]:
    """One call; how many of its events are to be sent again, and why."""
    chosen = list(_chosen(events, state.waiting))
    entries = [{"PartitionKey": partition_key(events[index].key), "Data": events[index].data} for index in chosen]
    try:
        codes: Sequence[str | None] = kinesis.put(entries)
    except Retryable as error:
        codes = [str(error)] * len(chosen)
    except HeadraceError as error:
        state.refused += [Refused(index, str(error), retry=False) for index in state.waiting]
        state.waiting.clear()
        return 0, ""
    sent = {index for index, code in zip(chosen, codes, strict=True) if code is None}
    state.waiting = deque(index for index in state.waiting if index not in sent)
    return len(chosen) - len(sent), next((code for code in codes if code), "")


def _chosen(events: Sequence[Event], waiting: deque[int]) -> Iterator[int]:
    """The first events that fit one call, each key once, and none before an earlier one of its key."""
    keys: set[str] = set()
    count = size = 0
    for index in waiting:
        event = events[index]
        key = partition_key(event.key)
        if key in keys:
            continue
        size += len(event.data) + len(key.encode())
        if count and (size > MOST_BYTES or count >= MOST_RECORDS):
            return
        keys.add(key)
        count += 1
        yield index


def partition_key(key: str) -> str:
    """The key itself; of one longer than Kinesis takes, or of none, a hash."""
    return key if 0 < len(key) <= _LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()
