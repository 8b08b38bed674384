"""An Apache Kafka broker (KRaft, one node) on 127.0.0.1 for tests."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from .jars import java
from .process import Process, ServerError, free_port

CLUSTER_ID = "AAAAAAAAQACAAAAAAAAAAA"


class Kafka:
    """A broker with data, port and log in `folder`; or the one of $HEADRACE_TEST_KAFKA, which is never stopped."""

    def __init__(self, folder: Path) -> None:
        self.external = os.environ.get("HEADRACE_TEST_KAFKA")
        self.folder = folder
        self.port, self.controller_port = free_port(), free_port()
        self.process: Process | None = None
        self._producer: Producer | None = None

    @property
    def servers(self) -> str:
        """The bootstrap servers, as clients want them."""
        return self.external or f"127.0.0.1:{self.port}"

    def start(self) -> "Kafka":
        """Formats the data folder on the first call, starts the broker and returns when it answers."""
        if self.external:
            return self
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.process is None:
            settings = self._write_settings()
            tool = java("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(settings))
            done = subprocess.run(tool, capture_output=True, text=True)
            if done.returncode != 0:
                raise ServerError(f"Kafka could not format its data folder:\n{done.stdout}{done.stderr}")
            self.process = Process("kafka", self.command(settings), self.folder)
        self.process.start()
        self.process.wait_ready(self._answers, 60)
        return self

    def _answers(self) -> bool:
        try:
            return bool(self.admin().list_topics(timeout=2).brokers)
        except Exception:
            return False  # librdkafka raises one class for every transport state; the deadline decides

    def admin(self) -> AdminClient:
        """An admin client of the broker."""
        return AdminClient({"bootstrap.servers": self.servers, "log_level": 0})

    def create_topic(self, name: str, partitions: int = 1) -> None:
        """Creates a topic and returns when the broker confirmed it."""
        admin = self.admin()  # librdkafka cancels what is pending when its client is no longer referenced
        for created in admin.create_topics([NewTopic(name, partitions, 1)]).values():
            created.result(20)

    def send(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()
    ) -> None:
        """Queues one record; `flush` returns when the broker has confirmed all of them."""
        if self._producer is None:
            self._producer = Producer({"bootstrap.servers": self.servers, "linger.ms": 5})
        self._producer.produce(topic, key=key, value=value, headers=list(headers))
        self._producer.poll(0)

    def flush(self, seconds: float = 30) -> None:
        """Returns when the broker has every record sent. Raises ServerError when it does not confirm in time."""
        if self._producer is not None and self._producer.flush(seconds):
            raise ServerError(f"Kafka did not confirm every record within {seconds:.0f} s")

    def kill9(self) -> None:
        """Ends the broker as a lost machine would."""
        if self.process:
            self.process.kill9()

    def restart(self) -> None:
        """Starts a stopped or killed broker again on the same port and data."""
        self.start()

    def stop(self) -> None:
        """Stops the broker by its own pid."""
        self._producer = None  # it would go on looking for its broker, and say so
        if self.process:
            self.process.stop()

    def _write_settings(self) -> Path:
        settings = self.folder / "server.properties"
        lines = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port}",
            "controller.listener.names": "CONTROLLER",
            "controller.quorum.voters": f"1@127.0.0.1:{self.controller_port}",
            "log.dirs": str(self.folder / "data"),
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            "message.max.bytes": "20000000",
        }
        settings.write_text("".join(f"{name}={value}\n" for name, value in self.settings(lines).items()))
        return settings

    def command(self, settings: Path) -> list[str]:
        """What starts the broker."""
        return java("kafka.Kafka", str(settings))

    def settings(self, lines: dict[str, str]) -> dict[str, str]:
        """The broker's settings."""
        return lines
