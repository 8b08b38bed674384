"""Puts the parts of serving together: which tables each store holds, and one publisher for each store."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from hashlib import blake2b

from headrace.changes import served
from headrace.changes.served_columns import ServedRows, served_tables
from headrace.config import Config
from headrace.config_keyed_stores import KeyedStore
from headrace.config_maintenance import TableMaintenance
from headrace.lake import Lake
from headrace.pipelines.deliver import Delivery
from headrace.pipelines.index_parts import park
from headrace.pipelines.lake_ids import lake_id
from headrace.pipelines.publish import Publisher
from headrace.pipelines.serve_places import LAKE_ID, progress_place
from headrace.ports import Failed, Projected, Projection
from headrace.stores.files import LakeFiles
from headrace.stores.served import rows as rows_of
from headrace.tables import CHANGED_KEYS

JOB = "apply_changes"
_KEEP = TableMaintenance().vacuum_keep - timedelta(hours=2)
"""What VACUUM may take away of `changed_keys`; the publisher looks once an hour."""


@dataclass(slots=True)
class ServedStore:
    """A store, the tables it holds, and what publishes into it.

    Attributes:
        doubted: rows that the store refused and that it could not delete either: it may hold older ones.
    """

    name: str
    tables: tuple[ServedRows, ...]
    publisher: Publisher
    fingerprint: str
    doubted: set[str] = field(default_factory=set)


def stores(lake: Lake, config: Config) -> list[ServedStore]:
    """One for each store that serves a table; nothing is opened."""
    by_store: dict[str, list[ServedRows]] = {}
    for one in served_tables(config):
        by_store.setdefault(one.serve.store, []).append(one)
    if config.serve is None or not by_store:
        return []
    owner = lake_id(LakeFiles(config.lake), LAKE_ID)
    return [_store(lake, name, config.serve.stores[name], tuple(by_store[name]), owner) for name in by_store]


def _store(lake: Lake, name: str, settings: KeyedStore, tables: tuple[ServedRows, ...], owner: str) -> ServedStore:
    rows = rows_of(settings)
    doubted: set[str] = set()
    publisher = Publisher(
        name,
        progress_place(name),
        owner,
        lake,
        LakeFiles(lake.root),
        Delivery(rows, settings.attempts, partial(_refused, lake, name, rows, doubted)),
        lake.ensure(CHANGED_KEYS),
        partial(served.changed, lake, tables),
        partial(served.snapshot, lake, tables),
        urgent_first=False,
        keep=_KEEP,
        body=partial(served.body_of, {one.name: one.serve for one in tables}),
    )
    return ServedStore(name, tables, publisher, _fingerprint(tables), doubted)


def _refused(lake: Lake, name: str, rows: Projection, doubted: set[str], failed: list[Failed]) -> None:
    """Park what the store will not take, and rather have no row there than an older one."""
    park(lake, JOB, CHANGED_KEYS.path, name, failed)
    gone = [Projected(one.key, one.version, True, None) for one in failed]
    doubted.update(one.key for one in rows.write(gone).failed)


def _fingerprint(tables: tuple[ServedRows, ...]) -> str:
    """Changes whenever the same rows would be told in another way."""
    told: Mapping[str, object] = {
        one.name: [one.key, one.serve.types(), one.serve.columns] for one in sorted(tables, key=lambda one: one.name)
    }
    return blake2b(json.dumps([1, told]).encode(), digest_size=16).hexdigest()
