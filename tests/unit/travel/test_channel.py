"""The rough road: nothing is lost on it, and it really is rough."""

import json
import random
from pathlib import Path

import pytest

from headrace.travel.agency import Agency
from headrace.travel.channel import Delivery, deliver, write_wave
from headrace.travel.debezium import lines


@pytest.fixture(scope="module")
def agency() -> Agency:
    return Agency(seed=7, steps=300)


@pytest.fixture(scope="module")
def waves(agency: Agency) -> list[list[list[Delivery]]]:
    return deliver(agency.database.log, random.Random(1), waves=3, files=4)


def test_every_message_arrives_at_least_once(agency: Agency, waves: list[list[list[Delivery]]]) -> None:
    sent = [json.dumps(line) for event in agency.database.log for line in lines(event)]
    arrived = [json.dumps(item.line) for files in waves for file in files for item in file if not item.copy]
    assert sorted(arrived) == sorted(sent)


def test_about_a_sixth_comes_twice_and_a_seventh_late(waves: list[list[list[Delivery]]]) -> None:
    everything = [item for files in waves for file in files for item in file]
    copies, late = sum(item.copy for item in everything), sum(item.late for item in everything)
    assert 0.10 < copies / len(everything) < 0.17
    assert 0.08 < late / len(everything) < 0.25


def test_a_copy_never_arrives_before_the_wave_of_its_first(waves: list[list[list[Delivery]]]) -> None:
    first: dict[str, int] = {}
    for files in waves:
        for item in (item for file in files for item in file if not item.copy):
            first[json.dumps(item.line)] = item.wave
    assert all(item.wave >= first[json.dumps(item.line)] for files in waves for file in files for item in file)


def test_lines_inside_a_file_are_not_in_the_order_of_the_log(waves: list[list[list[Delivery]]]) -> None:
    positions = [item.event.lsn for item in waves[-1][0]]
    assert positions != sorted(positions)


def test_a_wave_is_written_as_whole_files_of_json_lines(waves: list[list[list[Delivery]]], tmp_path: Path) -> None:
    paths = write_wave(waves[0], 0, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"wave-1-file-{number}.jsonl" for number in (1, 2, 3, 4)
    ]
    for path, deliveries in zip(paths, waves[0], strict=True):
        assert [json.loads(line) for line in path.read_text("utf-8").splitlines()] == [item.line for item in deliveries]
