"""For `01_a_changes_story`: the demo's three waves taken in, and one booking's events as rows to look at."""

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from headrace.config import Config
from headrace.notebooks.place import Place, run_once
from headrace.pipelines import apply_changes, demo
from headrace.pipelines.events import Event
from headrace.pipelines.position_text import readable
from headrace.pipelines.tables_view import LakeView
from headrace.stores.delta_reader import ROWS
from headrace.tables import BATCHES
from headrace.travel.agency import Agency
from headrace.travel.channel import deliver, write_wave
from headrace.travel.columns import SHAPES, Row
from headrace.travel.story import Waves, arrivals, by_arrival, choose

TABLE = demo.TOLD
TABLES = ("customers", TABLE)


@dataclass(frozen=True, slots=True)
class Played:
    """The demo's lake, and what its source knows.

    Attributes:
        waves: every message, in the order of arrival.
        key: of the booking whose story tells most.
    """

    config: Config
    agency: Agency
    waves: Waves
    key: int


def of_the_database(config: Config) -> Config:
    """The demo's settings without the other systems, and without what is made of the tables."""
    tables = {name: table for name, table in config.tables.items() if name in SHAPES}
    sources = {table.source: config.sources[table.source] for table in tables.values()}
    later: dict[str, Any] = {"derive": {}, "knowledge": None, "profiles": None, "feedback": None}
    return config.model_copy(update={"tables": tables, "sources": sources, **later})


def play(place: Place, tables: Sequence[str] = TABLES) -> Played:
    """Deliver the travel company's events in three waves, late, doubled and shuffled; run the real job after each.

    Args:
        tables: of the company's five; fewer are quicker.
    """
    whole = of_the_database(place.settings(demo.settings_text()))
    config = whole.model_copy(update={"tables": {name: whole.tables[name] for name in tables}})
    agency = Agency(demo.SEED, began=datetime.now(UTC) - timedelta(hours=2), steps=demo.STEPS)
    log = [event for event in agency.database.log if event.table in tables]
    waves = deliver(log, random.Random(demo.SEED))
    for number, wave in enumerate(waves):
        write_wave(wave, number, place.local / "in")
        place.share("in")
        run_once(apply_changes.run, config)
    (key,) = choose(waves, TABLE, agency.database.rows[TABLE])
    return Played(config, agency, waves, int(str(key)))


def event_rows(events: Iterable[Event], columns: tuple[str, ...] = demo.TOLD_COLUMNS) -> list[dict[str, Any]]:
    """Events for people: the order of arrival, minutes at the source since the first change, outcome and why."""
    known = list(events)
    first = min(event.changed_at for event in known if event.changed_at)
    return [
        {
            "arrived": event.number,
            "changed at source (min)": round(_minutes(event, first), 1),
            "position": readable(event.position),
            "change": event.op,
            **{name: (event.values or {}).get(name) for name in columns},
            "outcome": event.outcome,
            "why": event.why,
        }
        for event in known
    ]


def stored_minutes(rows: Iterable[Mapping[str, Any]]) -> list[float]:
    """For each of `event_rows`, how new the stored state was after it: it never goes back. NaN while there is none."""
    newest = math.nan
    found = []
    for row in rows:
        newest = row["changed at source (min)"] if row["outcome"] == "applied" else newest
        found.append(newest)
    return found


def waves_taken(config: Config) -> list[dict[str, Any]]:
    """Of each wave, over all tables: how many events arrived, were applied and were stale."""
    sums = ", ".join(f"sum({name}) AS {name}" for name in ("sent", "applied", "stale", "rejected"))
    sql = f"SELECT batch + 1 AS wave, {sums} FROM {ROWS} GROUP BY batch ORDER BY batch"
    return LakeView(config).query(BATCHES.path, sql)


def last_message_wins(played: Played) -> Row | None:
    """The booking as it would be if each message simply replaced the one before; None where it would be deleted."""
    return by_arrival([one.delivery.event for one in arrivals(played.waves, TABLE, (played.key,))])


def against_source(played: Played) -> list[dict[str, Any]]:
    """Every table taken in: its rows, and how many of its values differ from the source."""
    compared = demo.comparisons(played.config, played.agency)
    return [{"table": one.table, "rows": one.rows, "differences": one.count} for one in compared]


def _minutes(event: Event, first: datetime) -> float:
    return (event.changed_at - first).total_seconds() / 60 if event.changed_at else 0.0
