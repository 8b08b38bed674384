"""From rated conversations in Delta tables to folders that a trainer takes: the whole job, in one lake."""

import json
import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from headrace.config import Config
from headrace.errors import DatasetRefused, NotThere
from headrace.lake import Lake
from headrace.pipelines.curate_dataset import due, slot_of
from headrace.pipelines.curating import Built, Curator
from headrace.pipelines.telemetry import Telemetry
from headrace.tables import DATASET_REFUSED, DATASET_ROWS, DATASETS, RATINGS, TURNS, TableContract
from headrace.training.formats import format_named
from headrace.training.layout import SPLITS
from headrace.training.limits import limits_of
from headrace.training.validate import problems

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
PLACES = "Berlin Madrid Oslo Porto Rome Vienna Zurich Athens Dublin Tallinn Riga Bern".split()
THINGS = ["my cello", "a pram", "two cats", "a bicycle", "skis", "a drone", "a wedding dress", "crutches"]


def settings(root: Path, **sets: Any) -> Config:
    events = {"from": "files", "path": str(root / "events"), "format": "json", "position": ["at"]}
    return Config(
        lake=str(root / "lake"),
        sources={"events": events},
        feedback={"sources": ["events"]},
        datasets={"key": "a key for tests only", "sets": sets},
    )


def turn(conversation: str, number: int, question: str, answer: str, **told: Any) -> dict[str, Any]:
    at = START + timedelta(minutes=len(conversation) + number)
    given = {"conversation": conversation, "turn": number, "question": question, "answer": answer, "at": at}
    return {
        "outcome": "answered",
        "language": "en",
        "purposes": ["training"],
        "person": f"of {conversation}",
        **given,
        **told,
    }


def rating(conversation: str, number: int, kind: str, value: float | None = None, **told: Any) -> dict[str, Any]:
    given = {"conversation": conversation, "turn": number, "kind": kind, "value": value}
    return {"rating_id": f"{conversation}/{number}/{kind}", "at": START, "by": "person", "rater": "r", **given, **told}


def told(first: int, last: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Conversations, each about something of its own."""
    turns, ratings = [], []
    for number in range(first, last):
        place, thing = PLACES[number % len(PLACES)], THINGS[number // len(PLACES) % len(THINGS)]
        name = f"c{number:03d}"
        question = f"May I take {thing} on the flight to {place} on day {number}?"
        answer = f"Yes: on flights to {place} {thing} may come along if you tell us {number % 7 + 2} days before."
        turns.append(turn(name, 1, question, answer))
        ratings.append(rating(name, 1, "thumbs", 1.0))
    return turns, ratings


def append(lake: Lake, table: TableContract, rows: list[dict[str, Any]]) -> None:
    relative = lake.ensure(table)
    schema = lake.read(relative).schema
    frame = lake.spark.createDataFrame([tuple(one.get(name) for name in schema.names) for one in rows], schema)
    lake.append(frame, relative)


TRAPS = [
    ("ask me", "Write to ada.lovelace@example.org about the seat to Lima, please, will you?", "Done."),
    ("empty", "What is the limit for bags on the flight to Quito?", " "),
    ("no consent", "What does a seat by the window to Cairo cost me?", "It is 12 euros more than others."),
    (
        "twin", "May I take  MY CELLO on the flight to Berlin on day 0?",
        "Yes: on flights to Berlin my cello may come along if you tell us 2 days before.",
    ),
    ("tied", "Is there coffee on board of the plane to Lagos?", "Yes, and tea as well, at no charge."),
    ("asked in the test", "Which gate does the flight to Reykjavik leave from?", "It leaves from gate B 12 today."),
]  # fmt: skip


@pytest.fixture(scope="module")
def world(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lake, Path]]:
    root = tmp_path_factory.mktemp("curated")
    lake = Lake(spark, str(root / "lake"))
    turns, ratings = told(0, 90)
    for name, question, answer in TRAPS:
        turns.append(turn(name, 1, question, answer, **({"purposes": []} if name == "no consent" else {})))
        ratings.append(rating(name, 1, "thumbs", 1.0))
    ratings.append(rating("tied", 1, "thumbs", -1.0, rater="another", rating_id="tied again"))
    turns.append(turn("ask me", 2, "And by phone? I am on +49 30 901820.", "You can, the line is open all day long."))
    ratings.append(rating("ask me", 2, "thumbs", 1.0))
    append(lake, TURNS, turns)
    append(lake, RATINGS, ratings)
    (root / "evaluation.txt").write_text("Which gate does the flight to Reykjavik leave from?\n")
    yield lake, root


def support(root: Path, **changed: Any) -> dict[str, Any]:
    splits = {"train": 0.6, "validation": 0.2, "test": 0.2}
    one = {"kind": "sft", "formats": ["trl_sft", "converse"], "splits": splits, "files": 2}
    return one | {"evaluation": [str(root / "evaluation.txt")]} | changed


def built(lake: Lake, root: Path, slot: int, **changed: Any) -> Built:
    config = settings(root, support=support(root, **changed))
    assert config.datasets is not None
    return Curator(lake, config, config.datasets).build("support", START + timedelta(days=slot))


def lines(place: str, split: str) -> list[dict[str, Any]]:
    files = sorted(Path(place, split).glob("part-*"))
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def sides(lake: Lake, version: str) -> dict[str, str]:
    rows = lake.read(DATASET_ROWS.path).where(F.col("version") == version).collect()
    return {row["conversation"]: row["split"] for row in rows}


def test_a_version_in_every_slot(world: tuple[Lake, Path]) -> None:
    lake, root = world
    first = built(lake, root, 0)
    assert first.new and set(first.rows) == set(SPLITS)
    # 90, one of two turns of the first trap; its answer of one word says too little for the other.
    assert sum(first.rows.values()) == 91 or first.refused
    reasons = {row["reason"]: row["step"] for row in lake.read(DATASET_REFUSED.path).collect()}
    assert reasons["no_answer"] == reasons["no_consent"] == "choose"
    assert reasons["exact_duplicate_of"] == "duplicates"
    assert reasons["same_text"] == "contaminated"
    for format in ("trl_sft", "converse"):
        folder = Path(first.places[format])
        assert list(problems(folder, format_named(format), limits_of(format))) == []
        assert sorted(file.name for file in (folder / "train").glob("part-*")) == [
            "part-00001-of-00002.jsonl", "part-00002-of-00002.jsonl",
        ]  # fmt: skip
    whole = "".join(json.dumps(lines(first.places["trl_sft"], split)) for split in SPLITS)
    assert "ada.lovelace" not in whole and "901820" not in whole and "[PHONE_" in whole
    assert "Lagos" not in whole, "a tie is no good answer"
    assert "of c0" not in whole + str(lake.read(DATASET_ROWS.path).collect()), "persons are known by keyed hashes only"

    shutil.rmtree(first.places["converse"])
    again = built(lake, root, 1)
    assert (again.version, again.new) == (first.version, False)
    assert Path(first.places["converse"]).exists(), "a folder that was lost is written again"
    slots = lake.read(DATASETS.path).orderBy("slot").collect()
    assert [row["version"] for row in slots] == [first.version] * 2
    assert slots[0]["sources"] == {"turns": 1, "ratings": 1} and slots[0]["rows"] == first.rows
    assert lake.read(DATASET_ROWS.path).count() == sum(first.rows.values())

    before = sides(lake, first.version)
    turns, ratings = told(90, 96)
    append(lake, TURNS, turns)
    append(lake, RATINGS, ratings)
    third = built(lake, root, 2)
    assert third.new and third.version != first.version
    now = sides(lake, third.version)
    assert {name: now[name] for name in before} == before and len(now) == len(before) + 6
    assert Path(first.places["trl_sft"]).exists(), "an earlier version stays"


def test_a_kill_before_it_was_recorded_is_mended(world: tuple[Lake, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    lake, root = world

    class Killed(Exception):
        pass

    def killed(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Curator, "_recorded", killed)
        with pytest.raises(Killed):
            built(lake, root, 3, system="Be kind.")
    found = built(lake, root, 3, system="Be kind.")
    assert found.new and [
        row["version"] for row in lake.read(DATASETS.path).where(F.col("version") == found.version).collect()
    ]
    assert lines(found.places["trl_sft"], "train")[0]["prompt"][0] == {"role": "system", "content": "Be kind."}


def test_what_is_due_is_made_once(world: tuple[Lake, Path]) -> None:
    lake, root = world
    config = settings(root, due=support(root, formats=["trl_sft"]), few=support(root, since="2030-01-01"))
    assert config.datasets is not None
    curator = Curator(lake, config, config.datasets)
    now, stop = START + timedelta(days=9, hours=5), threading.Event()
    failed = due(curator, config, now, stop, Telemetry(config.metrics))
    assert isinstance(failed, DatasetRefused) and "few" not in {
        row["dataset"] for row in lake.read(DATASETS.path).collect()
    }
    [row] = lake.read(DATASETS.path).where("dataset = 'due'").collect()
    assert row["slot"].replace(tzinfo=UTC) == slot_of(now, timedelta(days=1)) == datetime(2026, 11, 10, tzinfo=UTC)
    assert curator.done("due", slot_of(now, timedelta(days=1)))
    with pytest.raises(NotThere, match="as of 2020"):
        curator.build("due", now, as_of=datetime(2020, 1, 1, tzinfo=UTC))
