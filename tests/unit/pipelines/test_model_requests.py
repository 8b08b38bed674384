"""Requests for another model, a way back and a drop, where a store is away in the middle."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headrace.errors import Unreachable
from headrace.pipelines import models, rebuilds
from headrace.pipelines.model_change import ModelChange
from headrace.pipelines.models import Known, Models, generation_of
from headrace.pipelines.rebuilds import Kind, Rebuild
from headrace.ports import Model
from headrace.stores.files import LakeFiles


class Store:
    """What readers see, and whether it answers."""

    def __init__(self) -> None:
        self.shown, self.away, self.forgotten = "", False, list[str]()

    def active(self) -> str:
        if self.away:
            raise Unreachable(expected="an answer", found="none", todo="Wait.")
        return self.shown

    def activate(self, generation: str) -> None:
        self.shown = generation


class Parts:
    """The models at work, each with the one store."""

    def __init__(self, store: Store) -> None:
        self.store, self.served = store, list[Any]()
        self.settings = SimpleNamespace(all_models=lambda: {"old": None, "new": None}, indexes={})

    def made(self, name: str) -> Model:
        return Model(name, 4, f"{name}-fingerprint")

    def add(self, name: str) -> None:
        lane = SimpleNamespace(given_up=0)
        self.served.append(
            SimpleNamespace(
                name=name, model=self.made(name), stores={"s": self.store}, publishers=(), lane=lane, in_step=False
            )
        )

    def of(self, fingerprint: str) -> Any:
        return next((one for one in self.served if one.model.fingerprint == fingerprint), None)

    def remove(self, served: Any) -> None:
        self.served.remove(served)

    def forget(self, fingerprint: str) -> None:
        self.store.forgotten.append(fingerprint)


class Job:
    """One process after another on a lake where `new` is active and `old` was before."""

    def __init__(self, lake: Path) -> None:
        self.files, self.store = LakeFiles(str(lake)), Store()
        models.write(self.files, Models(Known("new", "new-fingerprint"), None, Known("old", "old-fingerprint")))
        self.start()

    def start(self, names: tuple[str, ...] = ("old", "new")) -> None:
        self.parts = Parts(self.store)
        self.parts.settings.all_models = lambda: dict.fromkeys(names)
        self.change = ModelChange(self.parts, self.files)  # type: ignore[arg-type]
        self.change.start()

    def ask(self, kind: Kind, name: str | None = None) -> Rebuild:
        return rebuilds.write(self.files, Rebuild(kind, name))

    def round(self) -> None:
        for step in (self.change.carry_out, self.change.settle):
            try:
                step()
            except Unreachable:
                assert self.store.away

    def outcome(self, request: Rebuild) -> dict[str, Any] | None:
        found = rebuilds.outcome_of(self.files, request.file)
        return {name: found[name] for name in found if name in ("active", "dropped", "refused")} if found else None


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def test_what_left_the_settings_is_taken_out_of_the_index_at_the_next_start(job: Job) -> None:
    job.start(names=("new",))
    assert job.store.forgotten == ["old-fingerprint"]
    assert models.read(job.files) == Models(Known("new", "new-fingerprint"))
    job.start()
    assert job.store.forgotten == ["old-fingerprint"], "once"


def test_a_drop_that_a_crash_cut_short_is_finished_by_the_next_start(job: Job) -> None:
    request = job.ask("drop", "old")
    job.store.away = True
    job.round()
    job.store.away = False
    job.start()
    job.round()
    assert job.outcome(request) == {"dropped": "old"} and job.store.forgotten == ["old-fingerprint"]


@pytest.mark.parametrize("dies", [False, True])
def test_a_way_back_is_taken_once_though_the_store_is_away(job: Job, dies: bool) -> None:
    request = job.ask("rollback")
    job.store.away = True
    for _ in range(3):
        job.round()
    assert job.outcome(request) is None
    job.store.away = False
    if dies:
        job.start()
    job.round()
    assert job.outcome(request) == {"active": "old"}
    assert job.store.shown == generation_of("old-fingerprint")
    assert job.outcome(job.ask("rollback")) is None
    job.round()
    assert job.store.shown == generation_of("new-fingerprint"), "another request is another turn"


def test_a_way_back_overtakes_fills_that_were_asked_for_before_it(job: Job) -> None:
    dropped = job.ask("drop", "old")
    job.round()
    assert job.outcome(dropped) == {"dropped": "old"}
    models.write(job.files, Models(Known("new", "new-fingerprint"), None, Known("old", "old-fingerprint")))
    job.start(names=("old", "new", "third"))
    job.ask("model", "third")
    job.round()
    assert job.change.filling
    later = job.ask("model", "third")
    back = job.ask("rollback")
    job.round()
    assert job.outcome(back) == {"active": "old"} and job.outcome(later) == {}
    assert not job.change.filling and {one.name for one in job.parts.served} == {"old", "new"}


def test_a_drop_gives_up_the_model_that_is_being_filled_for_good(job: Job) -> None:
    job.round()
    dropped = job.ask("drop", "old")
    job.round()
    filled = job.ask("model", "old")
    job.round()
    assert job.change.filling
    second = job.ask("drop", "old")
    job.store.away = True
    job.round()
    job.store.away = False
    for _ in range(3):
        job.round()
    assert not job.change.filling and job.store.shown == generation_of("new-fingerprint")
    assert [job.outcome(one) for one in (dropped, filled, second)] == [{"dropped": "old"}] * 3
    assert [one.name for one in job.parts.served] == ["new"]
    job.ask("model", "old")
    job.round()
    assert job.change.filling, "who asks again later gets it"
