"""The Kinesis source in Spark, against emulators: nothing lost and nothing twice, whatever is killed."""

import json
import random
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as parquet
import pytest

from .kinesis import ENVIRONMENT, KinesisServer
from .process import Process


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KinesisServer]:
    """kinesis-local."""
    server = KinesisServer(tmp_path_factory.mktemp("kinesis-local"), "local")
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="module")
def lite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KinesisServer]:
    """kinesalite."""
    server = KinesisServer(tmp_path_factory.mktemp("kinesalite"), "lite")
    try:
        yield server.start()
    finally:
        server.stop()


class Reader:
    """The program `kinesis_reader.py` on one folder."""

    def __init__(self, folder: Path, server: KinesisServer, stream: str, **options: str) -> None:
        self.folder = folder
        asked = {
            "streamName": stream, "region": "eu-west-1", "endpoint": server.url, "callSeconds": "2",
            "maxRowsPerBatch": "4000", **options,
        }  # fmt: skip
        library = str(Path(__file__).parents[2] / "lib")
        command = [sys.executable, str(Path(__file__).with_name("kinesis_reader.py")), str(folder), json.dumps(asked)]
        self.process = Process("reader", [*command, "200 milliseconds"], folder, {**ENVIRONMENT, "PYTHONPATH": library})

    def tries(self) -> dict[int, list[Path]]:
        """The finished tries of every batch."""
        found = defaultdict(list)
        for done in self.folder.glob("out/batch=*/try=*/_SUCCESS"):
            found[int(done.parent.parent.name.partition("=")[2])].append(done.parent)
        return found

    def rows(self, place: Path) -> list[tuple[str, str]]:
        """(shard, sequence number) of one try, sorted."""
        rows = parquet.read_table(place, columns=["shardId", "sequenceNumber"]).to_pylist()
        return sorted((row["shardId"], row["sequenceNumber"]) for row in rows)

    def all(self) -> list[tuple[str, str]]:
        """The rows of every batch, after making sure that all its tries brought the same."""
        found = []
        for number, tries in sorted(self.tries().items()):
            first = self.rows(tries[0])
            assert all(self.rows(other) == first for other in tries[1:]), f"batch {number} was not the same again"
            found += first
        return found

    def count(self) -> int:
        """How many rows the finished batches hold."""
        return sum(
            sum(parquet.read_metadata(file).num_rows for file in tries[0].glob("*.parquet"))
            for tries in self.tries().values()
        )


def killed_story(folder: Path, server: KinesisServer, records: int, kills: int) -> Reader:
    """Send records while shards split and merge and the reader is killed; returns when all have been read."""
    stream = f"orders-{records}"
    server.create(stream, 2)
    reader = Reader(folder, server, stream)
    reader.process.start()
    part, chance = records // (kills + 1), random.Random(records)
    for kill in range(kills + 1):
        server.put(stream, ((f"key{number % 97}", b"x" * 200) for number in range(part)))
        if kill == 0:
            server.split(stream, 0)
        elif kill == 1:
            server.merge(stream, 1)
        if kill < kills:
            goal = reader.count() + chance.randrange(1, part)
            reader.process.wait_ready(lambda goal=goal: reader.count() >= goal, 120)
            reader.process.kill9()
            reader.process.start()
    reader.process.wait_ready(lambda: reader.count() >= part * (kills + 1), 600)
    reader.process.kill9()
    return reader


def test_a_reader_killed_twice_under_a_split_and_a_merge_loses_nothing(tmp_path: Path, lite: KinesisServer) -> None:
    reader = killed_story(tmp_path, lite, records=20_000, kills=2)
    rows = reader.all()
    assert len(rows) == len(set(rows)) == 20_000 // 3 * 3
    assert len({shard for shard, _ in rows}) >= 4


@pytest.mark.soak
def test_a_reader_killed_ten_times_loses_none_of_100_000(tmp_path: Path, lite: KinesisServer) -> None:
    reader = killed_story(tmp_path, lite, records=100_000, kills=10)
    rows = reader.all()
    assert len(rows) == len(set(rows)) == 100_000 // 11 * 11
    print(f"{sum(len(tries) - 1 for tries in reader.tries().values())} batches were read again", file=sys.stderr)


def test_latest_reads_what_comes_after_the_start_and_tells_no_secret(tmp_path: Path, local: KinesisServer) -> None:
    local.create("later", 1)
    local.put("later", [("a", b"old")] * 20)
    reader = Reader(tmp_path, local, "later", startingPosition="latest")
    reader.process.start()
    first = tmp_path / "checkpoint" / "offsets" / "0"
    reader.process.wait_ready(first.exists, 120)
    local.put("later", [("a", b"secret payload")] * 30)
    reader.process.wait_ready(lambda: reader.count() >= 30, 60)
    reader.process.kill9()
    assert len(set(reader.all())) == 30
    assert set(json.loads(first.read_text().splitlines()[2])) == {"shards", "from", "at", "created"}
    log = reader.process.log_tail(10_000)
    assert ENVIRONMENT["AWS_SECRET_ACCESS_KEY"] not in log and "secret payload" not in log
