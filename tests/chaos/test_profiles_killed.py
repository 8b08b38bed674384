"""`headrace run` is killed with SIGKILL while people change; started again, it ends where it would have ended.

People, aliases and profiles must equal what plain Python makes of the ordered tables, and the store the profiles.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from headrace.pipelines.runtime import INTERPRETED, SHORT_LIVED
from people_oracle import check
from people_world import HASH_KEY, PeopleWorld

ROOT = Path(__file__).resolve().parents[2]
IDENTITY = ("append identifiers", " aliases", " people", "delete identifiers", "append identity_events")
PUBLISHING = ("publish: write store", "publish: keep progress")
OTHERS = ("", "append outbox", " profiles", " behaviour", "append placed", "job: ")
SLICES, PER_BATCH = 8, 4


@pytest.mark.parametrize("kills", [
    pytest.param(2, id="2 kills", marks=pytest.mark.deep), pytest.param(50, id="50 kills", marks=pytest.mark.soak)
])  # fmt: skip
def test_whatever_it_is_killed_in_people_profiles_and_store_are_right_in_the_end(tmp_path: Path, kills: int) -> None:
    world, rng = PeopleWorld(tmp_path, seed=kills), random.Random(kills)
    runs = _Runs(world)
    world.write([*world.records(80), *world.belongings(60)])
    died_in = []
    try:
        for number in range(kills):
            target = rng.choice((IDENTITY, PUBLISHING, OTHERS)[number % 3])
            died_in.append(runs.life(target, rng.randrange(2) if target else rng.randrange(60), rng.uniform(0, 0.5)))
            world.write(world.back(0.3), late=0.2)
            world.begin()
        world.write([], doubled=0.2)
        runs.to_the_end()
    finally:
        runs.end()
    check(world)
    assert world.corrections >= 30 * kills
    assert any(place in what for what in died_in for place in IDENTITY), died_in
    assert any(place in what for what in died_in for place in PUBLISHING), died_in


class _Runs:
    """One process after another."""

    def __init__(self, world: PeopleWorld) -> None:
        self._world, self._folder = world, world.folder
        self._config = self._folder / "headrace.yaml"
        spark = {**SHORT_LIVED, **INTERPRETED, "spark.master": "local[2]", "spark.ui.enabled": "false"}
        profiles = world.settings["profiles"] | {"hash_key": {"secret": "env:PEOPLE_HASH_KEY"}}
        self._config.write_text(json.dumps(world.settings | {"profiles": profiles, "spark": spark}))
        self._process: subprocess.Popen[bytes] | None = None
        self._number = 0

    def life(self, target: str, passed: int, after: float) -> str:
        """A process that is killed in one of its writes while changes come in; which one."""
        told = self._start(target, passed)
        deadline = time.monotonic() + 600
        slices = 0
        while not (here := [line for line in _lines(told) if line.startswith("here ")]):
            assert self._process and self._process.poll() is None, self._log()
            assert time.monotonic() < deadline, self._log()
            lines = _lines(told)
            # Some for each batch: all at once would be one batch, with each write in it once.
            if lines and slices < PER_BATCH * (1 + lines.count("end job: keep progress")):
                slices += 1
                self._slice()
            time.sleep(0.5)
        time.sleep(after)
        self._kill()
        for _ in range(slices, SLICES):
            self._slice()
        return here[0]

    def to_the_end(self) -> None:
        """A process that is left alone until nothing is to be done."""
        self._start("nothing", 0, "--once")
        assert self._process
        assert self._process.wait(900) == 0, self._log()

    def end(self) -> None:
        """Leave no process behind."""
        if self._process and self._process.poll() is None:
            self._kill()

    def _slice(self) -> None:
        self._world.write([*self._world.records(6), *self._world.belongings(3)], late=0.2, doubled=0.1)

    def _start(self, target: str, passed: int, *more: str) -> Path:
        self._number += 1
        told = self._folder / f"told-{self._number}"
        script = str(Path(__file__).with_name("profiles_driver.py"))
        command = [sys.executable, script, str(told), target, str(passed), "--config", str(self._config), *more]
        environ = os.environ | {"PEOPLE_HASH_KEY": HASH_KEY, "PYTHONPATH": f"{ROOT / 'lib'}:{ROOT / 'tests'}"}
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, env=environ, stdout=log, stderr=log, start_new_session=True)
        return told

    def _kill(self) -> None:
        assert self._process
        # Java too: it would end what it is at.
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(60)

    def _log(self) -> str:
        return (self._folder / "log").read_text()[-4000:]


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []
