"""Rows about people -> records with their identifiers as keyed hashes. The clear values go no further."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame

from headrace.identifiers.normalise import LONGEST, Normaliser, TooLong, Value
from headrace.lake import struct
from headrace.profiles.identity import Seen
from headrace.profiles.links import Ref, Rules
from headrace.profiles.person_ids import own_id

VALUES = "array<struct<kind: string, hash: string>>"
ROWS = "key string, position string, changed_at timestamp, since timestamp, texts map<string, string>"
"""Rows of an ordered table as `identified` takes them; `texts` by the kind of identifier."""

IDENTIFIED = f"""record string, key string, own string, own_again string, identifiers {VALUES}, position string,
    changed_at timestamp, problem string"""
_VALUES = pa.list_(pa.struct([("kind", pa.string()), ("hash", pa.string())]))
_ARROW = pa.schema(
    [
        ("record", pa.string()), ("key", pa.string()), ("own", pa.string()), ("own_again", pa.string()),
        ("identifiers", _VALUES), ("position", pa.string()), ("changed_at", pa.timestamp("us", tz="UTC")),
        ("problem", pa.string()),
    ]
)  # fmt: skip


def identified(rows: DataFrame, record: str, normaliser: Normaliser, rules: Rules) -> DataFrame:
    """The records of rows, schema `IDENTIFIED`; `problem` says what kept an identifier out.

    Args:
        rows: schema `ROWS`.
        record: the name of the records in the settings.
    """

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        identify = _Identify(record, normaliser, rules)
        for batch in batches:
            found = [identify(**row) for row in batch.to_pylist()]
            yield pa.RecordBatch.from_pylist(found, schema=_ARROW)

    return rows.mapInArrow(run, struct(IDENTIFIED))


class _Identify:
    """Makes one record of one row."""

    def __init__(self, record: str, normaliser: Normaliser, rules: Rules) -> None:
        self._record, self._normaliser = record, normaliser
        self._kept = frozenset(kind for kind in normaliser.kinds if rules.kept(kind))

    def __call__(
        self,
        key: str,
        position: str,
        changed_at: datetime | None,
        since: datetime | None,
        texts: list[tuple[str, str | None]],
    ) -> dict[str, object]:
        problem, told = "", dict(texts)
        while True:
            try:
                values = self._normaliser.values(told, self._kept.__contains__)
                break
            except TooLong as error:
                kind = str(error)
                problem += f"{kind}: expected at most {LONGEST} characters; found {len(told.pop(kind) or '')}. "
        began, hash_key = since or changed_at, self._normaliser.hash_key
        return {
            "record": self._record,
            "key": key,
            "own": own_id(hash_key, self._record, key, began),
            "own_again": own_id(hash_key, self._record, key, began, position),
            "identifiers": [value._asdict() for value in values],
            "position": position,
            "changed_at": changed_at,
            "problem": problem.strip() or None,
        }


def seen(rows: Iterable[dict[str, Any]]) -> list[Seen]:
    """Records as plain values, of rows with the schema `IDENTIFIED`; `identifiers` is null where the row is gone."""
    return [
        Seen(Ref(row["record"], row["key"]), row["own"], row["own_again"], values(row["identifiers"]), row["position"])
        for row in rows
    ]


def values(told: Iterable[dict[str, str]] | None) -> tuple[Value, ...] | None:
    """Identifiers as a table keeps them, as plain values."""
    return None if told is None else tuple(Value(one["kind"], one["hash"]) for one in told)
