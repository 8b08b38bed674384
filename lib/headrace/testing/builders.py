"""Change events for tests: `upsert("users", {"id": 1, "name": "Ada"}, at=5)`.

Values are plain Python; positions are real ones (`ordering.position`), so ties are settled as in production.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from headrace.changes.envelope import ENVELOPE, Change, Row
from headrace.changes.routes import Routes
from headrace.config import Config
from headrace.ordering.position import SNAPSHOT_RANK, Operation, column_value, position
from headrace.testing.values import as_text, spark_type

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

At = int | str | Decimal | tuple[int | str | Decimal, ...]
"""A place in the source's order: one number or text, or several, most significant first."""

Values = Mapping[str, Any]


def upsert(
    table: str, row: Values, *, at: At, changed_at: int | None = None, epoch: int = 0, dump: bool = False
) -> Change:
    """A full row image: a column missing in `row` is NULL.

    Args:
        at: place in the source's order.
        changed_at: microseconds since 1970, UTC.
        epoch: the operator's epoch, the most significant part of the position.
        dump: the row belongs to a full dump taken at `at`.
    """
    return Change(
        table,
        "upsert",
        position_of("upsert", row, at=at, epoch=epoch, rank=SNAPSHOT_RANK if dump else None),
        _texts(row),
        types=_types(row),
        changed_at=changed_at,
        snapshot="dump" if dump else None,
    )


def partial(table: str, row: Values, *, at: At, changed_at: int | None = None, epoch: int = 0) -> Change:
    """A partial image: only the columns in `row` were sent. The key columns must be among them."""
    sent = tuple(row)
    place = position_of("upsert", row, at=at, epoch=epoch, sent=sent)
    return Change(table, "upsert", place, _texts(row), sent, _types(row), changed_at)


def delete(table: str, key: Values, *, at: At, changed_at: int | None = None, epoch: int = 0) -> Change:
    """A delete; `key` holds the identifying columns."""
    place = position_of("delete", key, at=at, epoch=epoch)
    return Change(table, "delete", place, _texts(key), types=_types(key), changed_at=changed_at)


def truncate(table: str, *, at: At, changed_at: int | None = None, epoch: int = 0) -> Change:
    """A truncate of the whole table."""
    return Change(table, "truncate", position_of("truncate", {}, at=at, epoch=epoch), changed_at=changed_at)


def moved(
    table: str,
    old_key: Values,
    row: Values,
    *,
    at: At,
    changed_at: int | None = None,
    epoch: int = 0,
    unsent: Iterable[str] = (),
) -> tuple[Change, Change]:
    """A primary-key change as sources send it: the delete of the old key and the upsert of the new one.

    Args:
        unsent: columns the source left out of the new image because they did not change; they are taken from the
            row under the old key.
    """
    left_out = set(unsent)
    known = {column: value for column, value in row.items() if column not in left_out}
    sent = tuple(known) if left_out else None
    arrival = Change(
        table,
        "upsert",
        position_of("upsert", known, at=at, epoch=epoch, sent=sent),
        _texts(known),
        sent,
        _types(known),
        changed_at,
        moved_from=_texts(old_key),
        left_out=tuple(sorted(left_out)),
    )
    return delete(table, old_key, at=at, changed_at=changed_at, epoch=epoch), arrival


def position_of(
    op: Operation,
    row: Values,
    *,
    at: At,
    epoch: int = 0,
    rank: str | None = None,
    sent: tuple[str, ...] | None = None,
) -> str:
    """The position of a change at one place of the source's order; ties are settled by rank, then by content."""
    places = at if isinstance(at, tuple) else (at,)
    parts = [column_value(str(place)) for place in places]
    content = b"" if op == "truncate" else json.dumps([_texts(row), sorted(sent or ())], sort_keys=True).encode()
    return position(parts, op, content, epoch=epoch, rank=rank)


def envelopes(
    spark: "SparkSession", changes: Iterable[Change], config: Config, *, source: str = "feed", first_offset: int = 0
) -> "DataFrame":
    """The changes as a DataFrame with the schema `ENVELOPE`, as the decoders would hand it to the applier.

    Origins are numbered in the order given, from `first_offset`, in partition 0 of a stream named like the source.
    Raises ValueError for a change of a table the settings do not name, and for a key column without a value.
    """
    routes = Routes(config.tables_of(source))
    rows = [_envelope(change, routes, source, first_offset + number) for number, change in enumerate(changes)]
    return spark.createDataFrame(rows, ENVELOPE)


def _envelope(change: Change, routes: Routes, source: str, offset: int) -> dict[str, object]:
    route = routes.find(change.table)
    if route is None:
        raise ValueError(f"expected a table of source {source}; found {change.table!r}. Add it to the settings.")
    row: dict[str, object] = {
        "source": source,
        "source_table": change.table,
        "table": route.name,
        "op": change.op,
        "position": change.position,
        "changed_at": _moment(change.changed_at),
        "arrived_at": _moment(offset),
        "transaction": change.transaction,
        "initiator": change.initiator,
        "snapshot": change.snapshot,
        "message": _json({"op": change.op, "position": change.position, "after": change.after}).encode(),
        "origin": {"stream": source, "partition": 0, "offset": offset, "part": 0},
    }
    if change.op == "truncate":
        return row
    key = [change.after.get(column) for column in route.key]
    if None in key:
        raise ValueError(f"expected a value in every key column ({', '.join(route.key)}); found {change.after}")
    return row | {
        "key": _json(key),
        "after": _json(change.after),
        "sent": None if change.sent is None else list(change.sent),
        "types": _json(change.types) if change.types else None,
        "moved_from": _json(change.moved_from) if change.moved_from else None,
        "left_out": list(change.left_out) or None,
    }


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _texts(row: Values) -> Row:
    return {column: as_text(value) for column, value in row.items()}


def _types(row: Values) -> dict[str, str]:
    told = {column: spark_type(value) for column, value in row.items()}
    return {column: name for column, name in told.items() if name is not None}


def _moment(micros: int | None) -> datetime | None:
    if micros is None:
        return None
    return datetime.fromtimestamp(micros // 1_000_000, UTC).replace(microsecond=micros % 1_000_000)
