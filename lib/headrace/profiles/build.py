"""Everything that belongs to some people, as rows -> their profiles, in Spark."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

import msgspec
import pyarrow as pa
from pyspark.sql import DataFrame

from headrace.config_profiles import Profiles
from headrace.lake import struct
from headrace.profiles import buckets
from headrace.profiles.document import build, digest
from headrace.profiles.inputs import Inputs, RecordRow, RelatedRow, Statement
from headrace.profiles.values import iso

PARTS = "person string, what string, name string, body string"
"""One row of one person: `what` is `member`, `fields`, `related`, `statement` or `bucket`; `body` is JSON."""

BUILT = """person string, body string, digest string, due_at timestamp,
    records array<struct<record: string, key: string>>, identifiers array<struct<kind: string, hash: string>>,
    refused array<string>"""
_RECORDS = pa.list_(pa.struct([("record", pa.string()), ("key", pa.string())]))
_VALUES = pa.list_(pa.struct([("kind", pa.string()), ("hash", pa.string())]))
_ARROW = pa.schema(
    [
        ("person", pa.string()), ("body", pa.string()), ("digest", pa.string()),
        ("due_at", pa.timestamp("us", tz="UTC")), ("records", _RECORDS), ("identifiers", _VALUES),
        ("refused", pa.list_(pa.string())),
    ]
)  # fmt: skip
Part = dict[str, Any]
_AT_ONCE = 500


def profiles(parts: DataFrame, settings: Profiles, now: datetime) -> DataFrame:
    """One row for each person that has a record, schema `BUILT`.

    Args:
        parts: schema `PARTS`.
    """
    plain = settings.model_copy(update={"stores": {}, "hash_key": None})

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rows = (row for batch in batches for row in batch.to_pylist())
        people = groupby(rows, key=itemgetter("person"))
        found = (one_profile(person, list(some), plain, now) for person, some in people)
        living = (one for one in found if one is not None)
        while some := list(islice(living, _AT_ONCE)):
            yield pa.RecordBatch.from_pylist(some, schema=_ARROW)

    return parts.repartition("person").sortWithinPartitions("person").mapInArrow(run, struct(BUILT))


def one_profile(person: str, parts: Sequence[Part], settings: Profiles, now: datetime) -> Part | None:
    """One person's row; None for somebody without a record."""
    by_what: dict[str, list[tuple[str, Any]]] = {}
    for part in parts:
        by_what.setdefault(part["what"], []).append((part["name"], msgspec.json.decode(part["body"])))
    members = [body for _, body in by_what.get("member", ())]
    if not members:
        return None
    built = build(settings, _inputs(person, members, by_what, settings), now)
    values = sorted({(one["kind"], one["hash"]) for member in members for one in member["identifiers"]})
    links = sorted(
        (member["record"], member["own"], one["kind"], one["hash"])
        for member in members
        for one in member["identifiers"] or [{"kind": "", "hash": ""}]
    )
    body = {"kind": "profile", "person": person, "profile": {**built.document, "built_at": iso(now)}, "links": links}
    return {
        "person": person,
        "body": msgspec.json.encode(body).decode(),
        "digest": digest(built.document),
        "due_at": built.due_at,
        "records": [
            {"record": record, "key": key} for record, key in sorted((one["record"], one["key"]) for one in members)
        ],
        "identifiers": [{"kind": kind, "hash": hashed} for kind, hashed in values],
        "refused": [msgspec.json.encode(one).decode() for one in built.refused],
    }


def _inputs(
    person: str, members: Sequence[Part], by_what: dict[str, list[tuple[str, Any]]], settings: Profiles
) -> Inputs:
    fields = {(name, body["key"]): body for name, body in by_what.get("fields", ())}
    records = []
    for one in members:
        row = fields.get((one["record"], one["key"]), {"position": "", "changed_at": None, "values": {}})
        records.append(RecordRow(one["record"], one["key"], one["own"], row["position"], at(row), row["values"]))
    related = [
        RelatedRow(name, settings.related[name].table, body["key"], body["position"], at(body), body["values"])
        for name, body in by_what.get("related", ())
    ]
    statements = [_statement(settings, body) for _, body in by_what.get("statement", ())]
    found: dict[str, list[buckets.Bucket]] = {}
    for name, body in by_what.get("bucket", ()):
        found.setdefault(name, []).append(buckets.from_json(body))
    return Inputs(person, records, related, statements, found)


def _statement(settings: Profiles, body: Part) -> Statement:
    consent, values = settings.consent, body["values"]
    assert consent is not None

    def said(column: str | None) -> Any:
        return values.get(column) if column else None

    return Statement(
        consent.table, body["key"], body["position"], at(body), said(consent.purpose),
        _truth(said(consent.granted)), said(consent.basis), time(said(consent.at)), time(said(consent.until)),
    )  # fmt: skip


def _truth(value: object) -> bool | None:
    """What a column says of yes and no; None for what is neither, which counts as no."""
    if isinstance(value, str):
        return {"true": True, "t": True, "yes": True, "1": True, "granted": True}.get(value.strip().lower(), False)
    return bool(value) if isinstance(value, bool | int) else None


def at(row: Part) -> datetime | None:
    """When a row changed."""
    return time(row["changed_at"])


def time(text: object) -> datetime | None:
    """A time as Spark writes it into JSON; None for none, and for what is no time."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
