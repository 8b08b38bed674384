"""What pages and API both read of the lake, and what they take: third parties' events into a source's folder."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from headrace.config_sources import FilesSource
from headrace.conversations.measures import Measure
from headrace.errors import Unreachable
from headrace.pipelines.measure_names import measures_of
from headrace.stores.event_spool import new_name, put_whole
from headrace.web.fresh import Freshness, freshness
from headrace.web.measured import MOST_SLICES, TABLE, WINDOWS, Series, read, series
from headrace.web.readers import Who
from headrace.web.refused import Refused, not_there, not_yours
from headrace.web.world import World

MOST_EVENTS = 10_000


@dataclass(frozen=True, slots=True)
class Measured:
    """A measure over a window.

    Attributes:
        there: whether anything was ever counted.
        hidden: the reader is of a tenant, and the measure is not counted by tenant.
    """

    measure: Measure
    every: tuple[Measure, ...]
    series: tuple[Series, ...]
    now: datetime
    there: bool
    hidden: bool


def freshness_of(world: World) -> Freshness:
    """How fresh everything is."""
    status, looks = world.status()
    return freshness(status, looks, world.config.web.stale_after)


def measured(world: World, who: Who, name: str | None, by: str | None, window: str) -> Measured:
    """A measure, sliced by a dimension. A reader of a tenant gets that tenant's rows only.

    Raises:
        Refused: there is no such measure, dimension or window.
    """
    every = tuple(measures_of(world.config).values())
    found = next((one for one in every if name in (None, one.name)), None)
    if found is None:
        raise not_there("measure")
    if by is not None and by not in found.dimensions:
        raise Refused(422, f"by: {found.name} is sliced by {', '.join(found.dimensions)}.")
    if window not in WINDOWS:
        raise Refused(422, f"window: one of {', '.join(WINDOWS)} is expected.")
    now, view = world.now(), world.view()
    tenant, there = who.sight.tenant, view.exists(TABLE)
    hidden = tenant is not None and "tenant" not in found.dimensions
    sums = read(view, found, by, tenant, now, window) if there and not hidden else []
    return Measured(found, every, series(sums, found, MOST_SLICES), now, there, hidden)


def take(world: World, who: Who, source: str, body: bytes) -> int:
    """Put events of a third party where the source reads; how many.

    They appear whole, in one file, before the sender is told.

    Raises:
        Refused: there is no such source for this reader, or these are no events.
        Unreachable: they cannot be written.
    """
    settings = world.config.sources.get(source) if source in world.config.web.webhooks else None
    if not isinstance(settings, FilesSource):
        raise not_there("source")
    allowed = world.config.web.webhooks if not world.config.web.readers else who.sight.webhooks
    if source not in allowed:
        raise not_yours("send to this source")
    found = events_in(body, settings)
    lines = b"".join(json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for one in found)
    try:
        put_whole(Path(settings.path) / f"{datetime.now(UTC):%Y-%m-%d}", new_name(), lines)
    except OSError as error:
        todo = "Make room, and let this process write there."
        raise Unreachable(where=f"sources.{source}.path", expected="a folder to write to", found=str(error),
                          todo=todo) from error  # fmt: skip
    return len(found)


def events_in(body: bytes, settings: FilesSource) -> list[dict[str, Any]]:
    """The events of a body: one JSON object, or a list of them. Raises Refused.

    A row of `format: json` must have the columns that order it.
    """
    try:
        data = json.loads(body, parse_constant=_no_number)
        found = data if isinstance(data, list) else [data]
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Refused(422, "This is no JSON in UTF-8.") from None
    if not found or len(found) > MOST_EVENTS:
        raise Refused(422, f"Send 1 to {MOST_EVENTS} events.")
    position = settings.position if isinstance(settings.position, tuple) else ()
    for number, one in enumerate(found):
        if not isinstance(one, dict):
            raise Refused(422, f"Event {number} is no JSON object.")
        if missing := [each.column for each in position if one.get(each.column) is None]:
            raise Refused(422, f"Event {number} has no {missing[0]}, which orders it.")
    return found


def _no_number(name: str) -> None:
    raise ValueError(name)
