"""Rows that change while `build_profiles` is at a batch: their keys come later, and by then they have moved on."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from headrace.pipelines.profile_placed import Placed
from headrace.pipelines.profile_rows import ProfileRows
from unit.pipelines.test_build_profiles import ANNA, World, bookings, world

__all__ = ["world"]


def once_before(patch: pytest.MonkeyPatch, owner: type, name: str, what: Callable[[], None]) -> None:
    """Do something before the next call of a method."""
    real, left = getattr(owner, name), [what]

    def called(*args: Any, **named: Any) -> Any:
        while left:
            left.pop()()
        return real(*args, **named)

    patch.setattr(owner, name, called)


@pytest.mark.deep
def test_what_comes_and_goes_during_a_batch_counts_for_nobody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    hour = datetime.now(UTC).replace(minute=1, second=0, microsecond=0)
    click = {"device_id": "d1", "clicked_at": hour.isoformat(), "city": "Rome", "amount": 1}

    def told(table: str, *rows: dict[str, Any]) -> None:
        world.tell(table, *rows)
        world.apply()

    def clicks(profile: dict[str, Any]) -> Any:
        return profile["behaviour"]["clicks"]["windows"]["24h"]["count"]

    world.tell("customers", ANNA)
    world.tell("devices", {"device_id": "d1", "customer_id": "17"})
    world.tell("bookings", {"booking_id": 1, "customer_id": "17", "price": 10})
    told("clicks", click | {"click_id": 1}, click | {"click_id": 2})
    # The first time, when everything is summed up and placed: one event is taken back between the two.
    once_before(monkeypatch, ProfileRows, "owners", lambda: told("clicks", {"click_id": 1, "op": "D"}))
    world.build()
    assert clicks(world.profile("email", "anna@example.com")) == 1
    # A batch about Anna, while a booking and an event of hers come; they go again before their keys are taken.

    def come() -> None:
        world.tell("bookings", {"booking_id": 5, "customer_id": "17", "price": 50})
        told("clicks", click | {"click_id": 5})

    def go() -> None:
        world.tell("bookings", {"booking_id": 5, "op": "D"})
        told("clicks", {"click_id": 5, "op": "D"})

    once_before(monkeypatch, Placed, "sum_up", come)
    once_before(monkeypatch, Placed, "keep", go)
    world.tell("bookings", {"booking_id": 1, "customer_id": "17", "price": 11})
    told("clicks", click | {"click_id": 3})
    world.build()
    anna = world.profile("email", "anna@example.com")
    assert (bookings(anna), clicks(anna)) == ([1], 2)
