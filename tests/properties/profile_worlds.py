"""Random settings and rows of one person, from few values, so that ties, repeats and nothing at all are common."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from headrace.config_profiles import Profiles
from headrace.profiles.buckets import Event
from headrace.profiles.inputs import Inputs, RecordRow, RelatedRow, Statement

NOW = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)
RECORDS, FIELDS = ("shop", "calls", "devices"), ("name", "city", "age")
COLUMNS = ("day", "hotel", "price")

texts = st.sampled_from(["", " ", "Ada", "Ada Lovelace", "ada", "Łódź", "東京", "1", "\n", 'a"b', "x" * 50, "€" * 17])
scalars = st.one_of(
    texts, st.sampled_from([None, True, False, 0, 1, -3, 1.0, 2.5, float("nan"), float("inf"), 2**63, -(2**70), 10**60])
)
values = st.one_of(scalars, st.lists(scalars, max_size=2), st.dictionaries(st.sampled_from("ab"), scalars, max_size=2))
moments = st.sampled_from([timedelta(0), timedelta(microseconds=1), timedelta(hours=1), timedelta(days=1)]).flatmap(
    lambda step: st.integers(-3, 3).map(lambda number: NOW - number * step)
)
times = st.one_of(st.none(), moments)
positions = st.sampled_from(["1-a", "1-b", "2-a"])
purposes = st.sampled_from(["contract", "marketing", " marketing ", "profiling", None, "", "p" * 60])

EDGES = [timedelta(0), timedelta(minutes=30), timedelta(minutes=30, microseconds=1), timedelta(hours=1)]
event_times = st.builds(
    lambda hours, edge, minutes: NOW - timedelta(hours=hours) - edge + timedelta(minutes=minutes),
    st.sampled_from([-2, -1, 0, 0, 1, 1, 2, 3, 23, 24, 25, 47, 48, 49, 72]),
    st.sampled_from(EDGES),
    st.sampled_from([0, 0, 7, 29]),
)
numbers = st.sampled_from([None, 0, 1, -2, 0.1, 0.2, -0.3, "12.50", "1e3", "many", True, "0.1", 10**40, 1e-9])


@dataclass(frozen=True)
class World:
    """Settings, rows, single events by feed, and a moment."""

    settings: Profiles
    inputs: Inputs
    events: dict[str, list[Event]]
    now: datetime


@st.composite
def worlds(draw: st.DrawFn, longest: Sequence[int] = (65_536,)) -> World:
    """A person.

    Args:
        longest: values of `max_bytes` to choose from.
    """
    records = [
        RecordRow(record, key, own, position, at, fields)
        for (record, key), own, position, at, fields in draw(
            st.lists(
                st.tuples(
                    st.tuples(st.sampled_from(RECORDS), st.sampled_from("abc")),
                    st.sampled_from(["o1", "o2"]),
                    positions,
                    times,
                    st.dictionaries(st.sampled_from(FIELDS), values, max_size=3),
                ),
                max_size=6,
                unique_by=lambda row: row[0],
            )
        )
    ]
    related = [
        RelatedRow(feed, f"t_{feed}", key, position, at, columns)
        for (feed, key), position, at, columns in draw(
            st.lists(
                st.tuples(
                    st.tuples(st.sampled_from(["bookings", "calls"]), st.sampled_from("abcdefgh")),
                    positions,
                    times,
                    st.fixed_dictionaries({name: values for name in COLUMNS}),
                ),
                max_size=8,
                unique_by=lambda row: row[0],
            )
        )
    ]
    return World(settings(draw, longest), inputs(draw, records, related), events(draw), draw(moments))


def settings(draw: st.DrawFn, longest: Sequence[int]) -> Profiles:
    """Settings with every kind of rule."""
    choices = st.sampled_from(["newest", "source", "longest", "most_frequent"])
    order = draw(st.permutations(RECORDS))
    field: dict[str, Any] = {"choose": draw(choices), "order": order[: draw(st.integers(0, 2))], "purpose": "marketing"}
    sort = draw(st.lists(st.sampled_from(["day", "-day", "hotel", "-price", "price"]), max_size=2))
    web = {
        "sums": {"spent": "amount"},
        "top": {"page": "page", "device": "device"},
        "last": ["page"],
        "most": draw(st.integers(1, 2)),
        "keep": timedelta(hours=draw(st.sampled_from([1, 48, 50.5]))),
    }
    return Profiles.model_validate(
        {
            "records": {
                name: {
                    "table": f"t_{name}",
                    "identifiers": {"email": "mail"},
                    "fields": {each: each for each in FIELDS},
                }
                for name in order
            },
            "fields": {"name": field, "city": {"choose": draw(choices)}},
            "related": {
                "bookings": {"table": "t_bookings", "by": {"shop": "c"}, "sort": sort, "most": draw(st.integers(1, 4))},
                "calls": {"table": "t_calls", "by": {"shop": "c"}, "columns": ["day"], "purpose": "calls"},
            },
            "consent": {"table": "consents", "by": {"shop": "c"}, "default": ["contract"]},
            "behaviour": {"web": {"table": "clicks", "by": {"shop": "c"}, "at": "at"} | web},
            "stores": {"file": {"store": "sqlite", "path": "./profiles.db"}},
            "hash_key": "x" * 16,
            "windows": draw(st.sampled_from([["1h", "2h", "24h", "48h"], ["24h"], ["2h", "72h"]])),
            "max_bytes": draw(st.sampled_from(longest)),
            "max_field_bytes": draw(st.sampled_from([40, 4_096])),
        }
    )


def inputs(draw: st.DrawFn, records: list[RecordRow], related: list[RelatedRow]) -> Inputs:
    """The rows, with random statements."""
    statements = st.lists(
        st.tuples(positions, times, purposes, st.sampled_from([True, False, None]), texts, times, times), max_size=6
    )
    said = [Statement("consents", f"s{number}", *each) for number, each in enumerate(draw(statements))]
    return Inputs("p1", records, related, said)


def events(draw: st.DrawFn) -> dict[str, list[Event]]:
    """Events of the feed `web`."""
    made = st.lists(st.tuples(event_times, numbers, values, texts, values), max_size=14)
    return {
        "web": [
            Event(f"e{number}", at, {"spent": spent}, {"page": page, "device": device}, {"page": last})
            for number, (at, spent, page, device, last) in enumerate(draw(made))
        ]
    }
