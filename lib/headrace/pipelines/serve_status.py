"""How far the stores of served tables are, read from the lake and the stores without Spark."""

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from headrace.config import Config
from headrace.errors import HeadraceError
from headrace.pipelines import progress
from headrace.pipelines.serve_places import progress_place
from headrace.pipelines.tables_view import LakeView
from headrace.served_rows import heartbeat_key
from headrace.stores.served import row_reader
from headrace.tables import CHANGED_KEYS


@dataclass(frozen=True, slots=True)
class ServedStatus:
    """A served table.

    Attributes:
        behind: commits of `changed_keys` that the store does not hold yet; None while it is filled, and before.
        as_of: all that the source had sent by then is in the rows. age: the seconds since.
        stale: longer ago than `stale_after`, or nobody knows.
        why: what keeps this from being known; empty where nothing does.
    """

    store: str
    behind: int | None
    as_of: datetime | None
    age: float | None
    stale: bool
    why: str = ""


def serve_status(config: Config, view: LakeView, now: datetime) -> dict[str, ServedStatus]:
    """Every served table, by name. A store that does not answer leaves `why`."""
    told = view.version(CHANGED_KEYS.path) if config.served() else 0
    return {name: _of(config, view, name, told, now) for name in config.served()}


def _of(config: Config, view: LakeView, table: str, told: int, now: datetime) -> ServedStatus:
    served = config.served()[table]
    assert config.serve is not None
    known = progress.read(view.files, progress_place(served.store))
    behind = None if known is None or known.filling else max(0, told - known.version)
    why = "it is being filled" if known is not None and known.filling else ""
    as_of = None
    try:
        with closing(row_reader(config.serve.stores[served.store])) as reader:
            found = reader.read([heartbeat_key(table)]).get(heartbeat_key(table))
            as_of = datetime.fromisoformat(found.body["at"]) if found else None
    except HeadraceError as error:
        why = str(error)
    age = None if as_of is None else (now - as_of).total_seconds()
    stale = age is None or age > served.stale_after.total_seconds()
    return ServedStatus(served.store, behind, as_of, age, stale, why)
