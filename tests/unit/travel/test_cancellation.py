"""Tomorrow's flight is cancelled: what the log holds of it, and how the news travels."""

from datetime import UTC, datetime

import pytest

from headrace.travel.agency import Agency
from headrace.travel.cancellation import AHEAD, OTHERS, Cancellation, cancel, next_flight
from headrace.travel.columns import Key

BEGAN = datetime(2026, 3, 1, 6, tzinfo=UTC)


@pytest.fixture(scope="module")
def told() -> tuple[Agency, Key, Cancellation]:
    agency = Agency(7, began=BEGAN)
    key = (next_flight(agency.database)["flight_id"],)
    return agency, key, cancel(agency.database, key)


def test_the_flight_is_on_time_paid_for_and_leaves_nearest_to_this_time_tomorrow() -> None:
    database = Agency(7, began=BEGAN).database
    chosen, now = next_flight(database), database.now
    paid = {row["flight_id"] for row in database.rows["bookings"].values() if row["status"] == "paid"}
    assert chosen["status"] == "on time" and chosen["flight_id"] in paid
    others = [
        row for row in database.rows["flights"].values() if row["status"] == "on time" and row["flight_id"] in paid
    ]
    nearest = min(abs(row["departs_at"] - now - AHEAD) for row in others)  # type: ignore[operator]
    assert abs(chosen["departs_at"] - now - AHEAD) == nearest  # type: ignore[operator]


def test_the_flight_and_its_bookings_are_cancelled_at_the_source(told: tuple[Agency, Key, Cancellation]) -> None:
    agency, key, _ = told
    rows = agency.database.rows
    assert rows["flights"][key]["status"] == "cancelled"
    assert {row["status"] for row in rows["bookings"].values() if row["flight_id"] == key[0]} == {"cancelled"}


def test_the_news_comes_after_newer_changes_and_twice_and_the_older_delay_comes_last(
    told: tuple[Agency, Key, Cancellation],
) -> None:
    _, _, story = told
    arrivals = story.arrivals()
    of_flight = [one.event for one in arrivals if one.event.table == "flights"]
    assert [event.row["status"] for event in of_flight] == ["cancelled", "cancelled", "delayed"]
    assert of_flight[0] is of_flight[1] and of_flight[2].lsn < of_flight[0].lsn
    assert arrivals[-1].event is of_flight[2]
    before = arrivals[: next(place for place, one in enumerate(arrivals) if one.event.table == "flights")]
    assert len(before) == OTHERS and all(one.event.lsn > of_flight[0].lsn for one in before)
    assert sum(one.copy for one in arrivals) == len(story.cancelled)
