"""`build_profiles` dies at each of its writes in turn; rows change again before it starts anew, and all comes right."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from chaos.crashing_lake import Crash, CrashingLake, Plan
from headrace.pipelines import apply_changes, build_profiles, profile_plan, profile_progress, progress
from headrace.stores.keyed_sqlite import SqliteStore
from people_oracle import check
from people_world import PeopleWorld

FEW = (
    ("append outbox/profiles", True),
    ("append placed", False),
)
"""The writes of a batch where what was there before and what comes after differ most."""
MORE = (
    ("append aliases", True),
    ("replace behaviour", True),
    ("append identifiers", True),
    ("replace people", True),
    ("keep plan", False),
    ("keep plan", True),
    ("append identifiers", False),
    ("append identity_events", True),
    ("execute quarantine", True),
    ("replace people", False),
    ("delete identifiers", False),
    ("delete identifiers", True),
    ("append outbox/profiles", False),
    ("replace profiles", False),
    ("replace profiles", True),
    ("append placed", True),
    ("keep progress", True),
    ("forget plan", False),
    ("write store", False),
    ("write store", True),
    ("keep published", False),
)


class Job:
    """The job, with a driver that dies by plan: at writes of the lake, of its small files, and of the store."""

    def __init__(self, world: PeopleWorld, patch: pytest.MonkeyPatch) -> None:
        self.world, self.plan = world, Plan()
        patch.setattr(build_profiles, "Lake", lambda spark, root: CrashingLake(spark, root, self.plan))
        for module, name, what in (
            (profile_plan, "keep", "keep plan"),
            (profile_plan, "done", "forget plan"),
            (profile_progress, "keep", "keep progress"),
            (progress, "keep", "keep published"),
            (SqliteStore, "write", "write store"),
        ):
            patch.setattr(module, name, self._watched(getattr(module, name), what))

    def run(self, plan: Plan) -> bool:
        """One process; False when it died."""
        self.plan = plan
        try:
            build_profiles.run(self.world.config, once=True, stop=threading.Event())
        except Crash:
            return False
        return True

    def apply(self) -> None:
        apply_changes.run(self.world.config, once=True, stop=threading.Event())

    def _watched(self, real: Callable[..., Any], what: str) -> Callable[..., Any]:
        return lambda *args, **named: self.plan.write(what, lambda: real(*args, **named))


@pytest.mark.parametrize("deaths", [
    pytest.param(FEW, id="few", marks=pytest.mark.deep), pytest.param(MORE, id="more", marks=pytest.mark.soak)
])  # fmt: skip
def test_after_a_crash_at_any_write_people_profiles_and_store_are_right(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deaths: tuple[tuple[str, bool], ...]
) -> None:
    world = PeopleWorld(tmp_path, seed=5)
    job = Job(world, monkeypatch)
    world.write([*world.records(90), *world.belongings(70)])
    job.apply()
    assert job.run(Plan())
    check(world)
    for write, after_commit in deaths:
        world.begin()
        world.write([*world.records(14), *world.belongings(8)])
        job.apply()
        assert not job.run(Plan(write, after_commit=after_commit)), f"never came to: {write}"
        world.write(world.back(0.7))
        job.apply()
        assert job.run(Plan())
        check(world)


@pytest.mark.deep
def test_a_fill_that_was_cut_off_and_came_to_something_else_leaves_nothing_in_the_store(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = PeopleWorld(tmp_path, seed=6)
    job = Job(world, monkeypatch)
    world.write([*world.records(60), *world.belongings(40)])
    job.apply()
    assert not job.run(Plan("execute profiles"))
    world.write(world.back(0.8))
    job.apply()
    assert job.run(Plan())
    check(world)
