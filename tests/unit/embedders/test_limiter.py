"""The limiter over threads, processes and a file."""

import os
import stat
import tempfile
import threading
from pathlib import Path

import pytest

from headrace.config_knowledge import HttpEmbed, MiniLmEmbed, StaticEmbed
from headrace.errors import ConfigError
from headrace.stores.limiter import PacedLimiter, in_file, in_process, limiter, own_folder
from headrace.stores.pace import Pace, Rates

NOW = 1_000.0
FOREVER = float("inf")
HTTP = {"provider": "http", "url": "http://x/v1", "model": "m", "dimension": 8}


def settings(**more: object) -> HttpEmbed:
    return HttpEmbed.model_validate(HTTP | more)


@pytest.fixture(params=["process", "file"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> PacedLimiter:
    state = in_process() if request.param == "process" else in_file(tmp_path / "limit")
    return PacedLimiter(Rates(requests=10.0), state, clock=lambda: NOW)


def test_threads_get_turns_apart_and_none_twice(shared):
    found: list[float] = []

    def take() -> None:
        for _ in range(50):
            found.append((shared.turn(1, FOREVER) or (0, 0))[0])

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found.sort()
    assert len(found) == 400
    assert found[-1] - found[0] == pytest.approx(389 / 10, abs=0.01)


def test_a_turn_taken_before_a_pause_does_not_stand(shared):
    turns = [shared.turn(1, FOREVER) for _ in range(40)]
    assert all(shared.stands(turn) for turn in turns)
    shared.throttled(turns[0], 2.0)
    assert not any(shared.stands(turn) for turn in turns)
    assert shared.turn(1, NOW + 1.9) is None
    later = shared.turn(1, FOREVER)
    assert later[0] == NOW + 2 and shared.stands(later)
    shared.throttled(turns[1], 5.0)
    assert not shared.stands(later), "a longer pause, asked for by a call that was under way"


def test_two_that_share_a_file_share_quota_and_pause(tmp_path):
    one, other = (PacedLimiter(Rates(requests=1.0), in_file(tmp_path / "f"), clock=lambda: NOW) for _ in range(2))
    turns = [source.turn(1, FOREVER) for source in (one, other, one, other)]
    assert [turn[0] for turn in turns] == [NOW, NOW, NOW + 1, NOW + 2]
    one.throttled(turns[0], 60.0)
    assert other.turn(1, NOW + 59) is None


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff" * 96, b"x" * 4096])
def test_a_file_with_anything_else_in_it_does_no_harm(tmp_path, content):
    file = tmp_path / "limit"
    file.write_bytes(content)
    one = PacedLimiter(Rates(requests=1.0), in_file(file), clock=lambda: NOW)
    assert [one.turn(1, FOREVER)[0] for _ in range(3)] == [NOW, NOW, NOW + 1]


def test_the_file_is_the_users_own_and_no_link_is_followed(tmp_path):
    file = tmp_path / "limit"
    with in_file(file)() as pace:
        pace.count = 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (tmp_path / "link").symlink_to(file)
    with pytest.raises(OSError), in_file(tmp_path / "link")():
        pass


def test_a_user_who_fails_leaves_the_lock_and_the_state_as_they_were(tmp_path):
    state = in_file(tmp_path / "limit")
    with pytest.raises(RuntimeError), state() as pace:
        pace.count = 99
        raise RuntimeError
    with state() as pace:
        assert pace == Pace()


def test_a_folder_others_may_write_to_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert own_folder() == tmp_path / f"headrace-{os.getuid()}"
    own_folder().chmod(0o777)
    with pytest.raises(ConfigError, match="expected a folder only you may write to"):
        own_folder()


def test_over_several_machines_each_writer_has_its_share_and_it_follows_their_number():
    asked = settings(requests_per_minute=600, tokens_per_minute=6_000, model="split")
    one = limiter(asked, writers=4, one_host=False)
    assert one.rates == Rates.per_minute(600, 6_000, writers=4)
    assert one.rates.requests == pytest.approx(600 * 0.98 / 60 / 4)
    again = limiter(asked, writers=2, one_host=False)
    assert again is one and one.rates == Rates.per_minute(600, 6_000, writers=2)


def test_a_forked_process_does_not_go_on_with_its_parents_limiter(monkeypatch):
    asked = settings(model="forked")
    one = limiter(asked, writers=1, one_host=False)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert limiter(asked, writers=1, one_host=False) is not one


def test_on_one_machine_all_writers_share_the_whole_quota_in_one_file(tmp_path):
    one = limiter(settings(requests_per_minute=60), writers=4, one_host=True, folder=tmp_path)
    assert one.rates == Rates.per_minute(60, None)
    one.turn(1, FOREVER)
    assert len(list(tmp_path.iterdir())) == 1


def test_the_file_is_one_for_each_service_whatever_else_is_set(tmp_path):
    for more in ({}, {"parallel": 2}, {"key": "secret"}, {"headers": {"a": "b"}}, {"model": "other"}):
        limiter(settings(**more), writers=1, one_host=True, folder=tmp_path).turn(1, FOREVER)
    names = [file.name for file in tmp_path.iterdir()]
    assert len(names) == 2 and not any("secret" in name for name in names)


def test_models_that_run_here_need_no_file(tmp_path):
    for local in (StaticEmbed(), MiniLmEmbed(provider="minilm")):
        limiter(local, writers=4, one_host=True, folder=tmp_path).turn(1, FOREVER)
    assert list(tmp_path.iterdir()) == []
