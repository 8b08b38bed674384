"""Turns and ratings leave when they are old: measures stay as if nothing had left, whatever is told again."""

import random
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from chaos.crashing_lake import Crash, CrashingLake, Plan
from feedback_world import BEGAN, history, messages, told, truth
from headrace.conversations.event_frames import events
from headrace.conversations.events import Event, Rating, Turn
from headrace.conversations.measures import Measure
from headrace.conversations.shipped import SHIPPED
from headrace.conversations.track import Tracker
from headrace.lake import Lake
from headrace.pipelines.feeling import feeler
from headrace.tables import COUNTED, MEASURES, RATINGS, REJECTS, TURNS
from properties.test_feedback import check, measured

MOVED = {"ada": "ann", "bob": "ben", "eve": "eva"}


FEW = tuple(one for one in SHIPPED if one.name in ("thumbs_up", "rated", "turns"))
"""A measure of each kind of row."""
FEWER = (TURNS, RATINGS, COUNTED)


def started(lake: Lake, measures: Sequence[Measure] = SHIPPED) -> Tracker:
    return Tracker(lake, measures, None if measures is FEW else feeler("vader"))


def take(lake: Lake, batch: Sequence[Event], name: str, measures: Sequence[Measure] = SHIPPED) -> None:
    tracker = started(lake, measures)
    tracker.take(events(messages(lake.spark, batch), lines=False, settled=tracker.settled), "s", name)


def in_time(dice: random.Random, conversations: int) -> list[Event]:
    """A history in which no sender moves the time of a turn."""
    sent = history(dice, conversations)
    first = {one.event_id: one.at for one in reversed(sent) if isinstance(one, Turn)}
    return [replace(one, at=first[one.event_id]) if isinstance(one, Turn) else one for one in sent]


def of_others(sent: Sequence[Event]) -> list[Event]:
    """The same by other people in other conversations."""

    def other(one: Event) -> Event:
        if isinstance(one, Turn):
            return replace(one, conversation=f"late {one.conversation}", person=MOVED.get(one.person or ""))
        return replace(one, conversation=f"late {one.conversation}")

    return [other(one) for one in sent]


def deleted(one: Event) -> bool:
    return one.deleted if isinstance(one, Turn) else one.withdrawn


def living(sent: Sequence[Event], since: datetime) -> set[str]:
    """Conversations with a turn or rating since then."""
    rows = [row for some in truth(sent) for row in some]
    return {row["conversation"] for row in rows if row["operation"] == "upsert" and row["at"] >= since}


def sums(lake: Lake) -> dict[str, tuple[float, float]]:
    rows = lake.read(MEASURES.path).groupBy("measure").agg({"numerator": "sum", "denominator": "sum"}).collect()
    return {row[0]: (row["sum(numerator)"], row["sum(denominator)"]) for row in rows}


def holds(spark: SparkSession, folder: Path, seed: int) -> None:
    dice = random.Random(seed)
    border = BEGAN + timedelta(minutes=dice.randrange(2, 3_600))
    on = Turn("on", 1, border - timedelta(minutes=5), question="q", answer="a", outcome="answered")
    mine = [*in_time(dice, 14), on, replace(on, turn=2, at=border + timedelta(minutes=5))]
    late = of_others(in_time(dice, 6))
    lake = Lake(spark, str(folder))
    take(lake, told(dice, mine, 1)[0], "s/1")
    started(lake).settle(border + timedelta(seconds=dice.randrange(60)))
    (again,) = told(dice, [*mine, *late], 1)
    take(lake, again, "s/2")

    taken = [*mine, *(one for one in late if deleted(one) or one.at >= border)]
    check(measured(lake), SHIPPED, *truth(taken))
    refused = lake.read(REJECTS.path.format(job="track_feedback")).collect()
    assert len(refused) == sum(not deleted(one) and one.at < border for one in again)
    assert {(row["reason"], row["message"], row["message_key"]) for row in refused} == {("too old", None, None)}
    there = {row[0] for table in (TURNS, RATINGS) for row in lake.read(table.path).select("conversation").collect()}
    assert there == {row[0] for row in lake.read(COUNTED.path).select("conversation").collect()}
    assert there == living(taken, border)

    # What comes too late for what is settled changes nothing of it: neither a rating of a turn that has left, nor that
    # a conversation which counts in a settled minute begins later now.
    before = sums(lake)
    gone = min({one.conversation for one in mine} - there, default="none")
    take(lake, [on.withdrawn(), Rating(gone, 1, border, "person", "thumbs", 1)], "s/3")
    assert lake.read(TURNS.path).where("conversation = 'on'").count() == 1
    assert sums(lake) == {name: pytest.approx(parts) for name, parts in before.items()}


@pytest.mark.deep
@given(seed=st.integers(0, 2**32))
@settings(max_examples=1)
def test_what_has_left_counts_on_and_what_is_told_again_does_not(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    holds(spark, tmp_path_factory.mktemp("lake"), seed)


@pytest.mark.parametrize("deaths", [
    pytest.param(["execute turns"], id="few", marks=pytest.mark.deep),
    pytest.param(["ALTER", "execute ratings", "REORG", "execute counted"], id="more", marks=pytest.mark.soak),
])  # fmt: skip
def test_a_crash_before_or_while_they_leave_changes_nothing(
    spark: SparkSession, tmp_path: Path, deaths: list[str]
) -> None:
    at = datetime(2025, 1, 1, tzinfo=UTC)
    border = at + timedelta(days=2)
    old = Turn("old", 1, at, question="q", answer="a", outcome="answered", person="ada")
    rating = Rating("old", 1, at, "person", "thumbs", 1)
    first, second = [old, replace(old, conversation="new", at=border)], [replace(old, turn=2).withdrawn(), rating]
    start = str(tmp_path / "start")
    take(Lake(spark, start), [*first, replace(old, turn=2)], "s/0", FEW)

    for leaving in deaths:
        folder = shutil.copytree(start, str(tmp_path / leaving))
        # Another source's batch came first when the job was started again: its upkeep settles a batch half done.
        with pytest.raises(Crash):
            take(CrashingLake(spark, folder, Plan("execute ratings", after_commit=True)), second, "s/1", FEW)
        with pytest.raises(Crash):
            started(CrashingLake(spark, folder, Plan(leaving, after_commit=True)), FEW).settle(border)
        lake = Lake(spark, folder)
        started(lake, FEW).settle(border)
        take(lake, second, "s/1", FEW)
        there = {table: [row["conversation"] for row in lake.read(table.path).collect()] for table in FEWER}
        assert there == {TURNS: ["new"], RATINGS: [], COUNTED: ["new"]}, leaving
        assert sums(lake) == {"thumbs_up": (1, 1), "rated": (1, 2), "turns": (2, 2)}, leaving
