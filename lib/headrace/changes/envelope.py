"""The one shape all sources become.

A decoder turns one transport `Message` into any number of `Change`, `Reject` and `Ignored`. In Spark the same facts
travel as one DataFrame with the schema `ENVELOPE` (one row per change or reject; ignored messages too, so that counts
add up).

Values travel as text. The text of a value is chosen so that the applier can cast it to the column's type without loss:

    numbers             as written, without exponent          12.50
    boolean             true | false
    date                days since 1970-01-01, or ISO 8601    19000        2024-01-31
    timestamp           microseconds since 1970 UTC, or ISO   1720740233012995
    binary              base64
    array, struct, map  JSON (dates and timestamps inside as ISO 8601 text, binaries as base64)
    null                None
"""

from dataclasses import dataclass, field
from typing import Literal

from headrace.ordering.position import Operation

Row = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Message:
    """One record of a transport. `partition` and `offset` say where it stood; `arrived_at` is in microseconds UTC."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    stream: str = ""
    partition: int = 0
    offset: int = 0
    arrived_at: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one row, or a truncate of one table.

    Attributes:
        table: the table's name at the source, e.g. `public.bookings`; empty where the source has just one.
        op: upsert, delete or truncate.
        position: see `ordering.position`.
        after: for an upsert every column sent, as text; for a delete the columns that identify the row; empty for a
            truncate.
        sent: None for a full row image (a column missing in `after` is NULL); for a partial image the columns sent.
        types: Spark SQL type (simple string, lower case) of each column the source can tell; the applier learns from
            it. Nothing is said about a column whose value is null and whose type the payload does not tell.
        changed_at: microseconds UTC at the source; None where the source does not say.
        left_out: columns a partial image names and gives no value for (TOAST markers); empty where it names none.
        moved_from: after a primary-key change the identifying columns under the old key.
        transaction, initiator: the source's transaction id; who made the change (e.g. `ttl` for DynamoDB's expiry).
        snapshot: `dump` marks a row of a full dump (`format: snapshot`).
    """

    table: str
    op: Operation
    position: str
    after: Row = field(default_factory=dict)
    sent: tuple[str, ...] | None = None
    types: dict[str, str] = field(default_factory=dict)
    changed_at: int | None = None
    moved_from: Row | None = None
    transaction: str | None = None
    initiator: str | None = None
    snapshot: Literal["dump"] | None = None
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reject:
    """A message, or a part of one, that cannot be used.

    `reason` is a short constant that groups well (`not JSON`, `no key`, `unreadable position`); `detail` says what was
    expected, what was found and what to do.
    """

    reason: str
    detail: str
    table: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A message that carries no row by design: a Kafka tombstone, a heartbeat, a DMS control record."""

    why: str
    table: str = ""


Decoded = Change | Reject | Ignored

ENVELOPE = """
    source string, source_table string, table string, op string, key string, position string, after string,
    sent array<string>, types string,
    changed_at timestamp, arrived_at timestamp, transaction string, initiator string, moved_from string,
    snapshot string, left_out array<string>, reason string, detail string, message_key binary, message binary,
    headers array<struct<key: string, value: binary>>,
    origin struct<stream: string, partition: int, offset: bigint, part: int>
"""
"""Schema of an envelope DataFrame. `table` is the table of the lake (null where no settings name it), `key` a JSON
array of the key's texts as the source wrote them. `op` is upsert, delete, truncate, reject or ignored; `after`,
`types` and `moved_from` are JSON objects of text; `part` counts the changes of one message."""
