"""Events on their way out: to files, to a topic of a stand-in for confluent-kafka, and when nobody takes them."""

import json
import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import confluent_kafka
import pytest
from confluent_kafka import KafkaError, KafkaException

from headrace.config_conversations import EventsBase, FileEvents, KafkaEvents
from headrace.errors import Unreachable
from headrace.stores.event_buffer import BufferedSink
from headrace.stores.event_sinks import sink
from headrace.stores.event_spool import Spool, put_whole
from unit.conversations.worlds import a_rating, a_turn

SOON, NEVER = "0.01s", "1 hour"


class Taker:
    """A delivery that a test switches off, and that can be made to wait."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.away, self.closed = False, False
        self.asked, self.go = Event(), Event()
        self.go.set()

    def deliver(self, lines: Sequence[bytes]) -> int:
        self.asked.set()
        assert self.go.wait(60)
        if self.away:
            raise Unreachable(expected="somebody", found="nobody", todo="Wait.")
        self.taken += [json.loads(line) for line in lines]
        return 0

    def close(self) -> None:
        self.closed = True


def numbers(events: Sequence[dict[str, Any]]) -> list[int]:
    return [event["n"] for event in events]


def buffered(taker: Taker, **given: Any) -> BufferedSink:
    return BufferedSink(taker, EventsBase.model_validate({"flush": NEVER, **given}))


def in_files(folder: Path) -> list[dict[str, Any]]:
    files = sorted(folder.rglob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]


def test_events_of_several_writers_are_whole_lines_of_files_that_appear_whole(tmp_path: Path, monkeypatch) -> None:
    appeared: list[str] = []
    rename: Callable[..., None] = os.replace
    monkeypatch.setattr("os.replace", lambda old, new: (appeared.append(Path(old).name), rename(old, new))[1])
    sinks = [sink(FileEvents(to="files", path=str(tmp_path / "out"), flush=SOON)) for _ in range(3)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda n: sinks[n % 3].send({"n": n, "text": "ключ\n" * 500}), range(300)))
    for one in sinks:
        one.close()
    assert sorted(numbers(in_files(tmp_path / "out"))) == list(range(300))
    assert [one.lost for one in sinks] == [0, 0, 0]
    assert appeared and all(name.startswith(".") for name in appeared)
    assert list((tmp_path / "out").rglob(".*")) == []


def test_turns_and_ratings_arrive_as_they_are(tmp_path: Path) -> None:
    made = sink(FileEvents(to="files", path=str(tmp_path), flush=NEVER))
    made.send(a_turn(question="\ud800?").to_json())
    made.send(a_rating().to_json())
    made.close()
    turn, rating = in_files(tmp_path)
    assert turn == a_turn(question="??").to_json() and rating == a_rating().to_json()


def test_what_cannot_be_written_whole_leaves_nothing(tmp_path: Path, monkeypatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        put_whole(tmp_path, "a.jsonl", b"x")
    assert list(tmp_path.iterdir()) == []


def test_while_the_stream_is_away_events_wait_in_the_spool_and_another_process_brings_them(tmp_path: Path) -> None:
    taker, spool = Taker(), str(tmp_path / "spool")
    taker.away = True
    first = buffered(taker, spool=spool)
    for n in range(5):
        first.send({"n": n})
    first.close()
    assert (first.lost, taker.taken, taker.closed) == (0, [], True)
    (file,) = (tmp_path / "spool").iterdir()
    assert file.stat().st_mode & 0o077 == 0
    taker.away = False
    second = buffered(taker, spool=spool)
    second.send({"n": 5})
    second.close()
    assert numbers(taker.taken) == [0, 1, 2, 3, 4, 5]
    assert list((tmp_path / "spool").iterdir()) == []


def test_what_a_full_disk_does_not_spool_waits_in_memory_until_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    taker, spool, tried = Taker(), tmp_path / "spool", Event()
    taker.away = True

    def full(handle: int) -> None:
        tried.set()
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("os.fsync", full)
        made = buffered(taker, spool=str(spool), flush=SOON, queue=4, wait=SOON)
        assert [made.send({"n": n}) for n in range(4)] == [True] * 4
        assert tried.wait(60)
        # Only what has no room in memory either is lost, and whoever sent it is told.
        assert made.send({"n": 4}) is False
        assert (made.lost, in_files(spool)) == (1, [])
    made.close()
    assert "the spool takes no more; up to 4 wait in memory" in caplog.text
    assert (made.lost, numbers(in_files(spool))) == (1, [0, 1, 2, 3])


def test_what_a_full_spool_leaves_at_the_end_is_lost_and_told(tmp_path: Path, caplog) -> None:
    taker = Taker()
    taker.away = True
    made = buffered(taker, spool=str(tmp_path), spool_bytes=30)
    for n in range(5):
        made.send({"n": n})
    with caplog.at_level(logging.ERROR):
        made.close()
    assert made.lost == 2
    assert numbers(in_files(tmp_path)) == [0, 1, 2]
    assert "2 lost, 2 in all: the stream was closed while nobody took them" in caplog.text


def test_without_a_spool_events_wait_in_memory_and_are_told_when_lost(caplog) -> None:
    taker = Taker()
    taker.away = True
    made = buffered(taker)
    made.send({"n": 1})
    with caplog.at_level(logging.ERROR):
        made.close()
    assert made.lost == 1 and "1 lost, 1 in all: the stream was closed while nobody took them" in caplog.text


def test_a_full_queue_does_not_hold_up_an_answer(caplog) -> None:
    taker = Taker()
    taker.go.clear()
    made = buffered(taker, queue=2, wait=SOON)
    made.send({"n": 0})
    assert taker.asked.wait(60)  # the thread holds the first, which stays in the queue
    made.send({"n": 1})
    made.send({"n": 2})
    assert made.lost == 1
    taker.go.set()
    made.close()
    assert numbers(taker.taken) == [0, 1]
    made.send({"n": 3})
    made.send({"n": {1}})
    assert made.lost == 3
    assert "the stream is closed" in caplog.text and "it is no JSON: TypeError" in caplog.text


def test_a_spool_that_cannot_be_written_takes_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    spool = Spool(str(tmp_path / "file"), 1000)
    assert spool.add([b"1"]) == 0 and list(spool.batches()) == []


class Brokers:
    """What confluent-kafka's producers of a test send to."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes, bytes]] = []
        self.settings: list[dict[str, Any]] = []
        self.down = self.full = False

    def producer(self, settings: dict[str, Any]) -> "Producer":
        self.settings.append(settings)
        return Producer(self)


class Producer:
    def __init__(self, brokers: Brokers) -> None:
        self.brokers, self.waiting = brokers, []

    def produce(self, topic: str, value: bytes, key: bytes, on_delivery: Callable[..., None]) -> None:
        if len(value) > 1000:
            raise KafkaException(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE))
        if self.brokers.full:
            self.brokers.full = False
            raise BufferError
        self.waiting.append(((topic, key, value), on_delivery))

    def poll(self, timeout: float) -> None:
        self.flush(timeout)

    def flush(self, timeout: float) -> None:
        for message, report in self.waiting:
            if self.brokers.down:
                report(KafkaError(KafkaError._MSG_TIMED_OUT), None)
            else:
                self.brokers.messages.append(message)
                report(None, None)
        self.waiting.clear()


@pytest.fixture
def brokers(monkeypatch: pytest.MonkeyPatch) -> Brokers:
    made = Brokers()
    monkeypatch.setattr(confluent_kafka, "Producer", made.producer)
    return made


def topic(**given: Any) -> KafkaEvents:
    return KafkaEvents.model_validate({"to": "kafka", "servers": "b:1", "topic": "t", "flush": NEVER, **given})


def test_kafka_gets_one_message_for_each_event_keyed_by_conversation(brokers: Brokers, caplog) -> None:
    brokers.full = True
    made = sink(topic(options={"kafka.security.protocol": "SSL"}))
    made.send(a_turn(conversation="ключ").to_json())
    made.send(a_turn(answer="long" * 1000).to_json())
    made.send(a_rating().to_json())
    made.close()
    assert [(name, key.decode()) for name, key, _ in brokers.messages] == [("t", "ключ"), ("t", "c1")]
    assert [json.loads(value)["event"] for _, _, value in brokers.messages] == ["turn", "rating"]
    assert made.lost == 1 and "takes none of this size" in caplog.text
    (told,) = brokers.settings
    assert told["enable.idempotence"] is True and told["security.protocol"] == "SSL" and "group.id" not in told


def test_brokers_that_are_away_leave_events_in_the_spool(brokers: Brokers, tmp_path: Path) -> None:
    brokers.down = True
    made = sink(topic(spool=str(tmp_path)))
    made.send(a_turn().to_json())
    made.close()
    assert brokers.messages == [] and made.lost == 0 and in_files(tmp_path) == [a_turn().to_json()]
    brokers.down = False
    sink(topic(spool=str(tmp_path))).close()
    assert [json.loads(value) for _, _, value in brokers.messages] == [a_turn().to_json()]
    assert len(brokers.settings) == 2


@pytest.mark.parametrize("key", ["path", "spool"])
def test_a_folder_must_be_of_this_machine(key: str) -> None:
    with pytest.raises(ValueError, match="a folder on a disk of this machine"):
        FileEvents.model_validate({"to": "files", "path": "./out", key: "s3://bucket/x"})
