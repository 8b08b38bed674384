"""Kafka Connect (standalone) with Debezium's PostgreSQL connector for tests."""

import json
import urllib.request
from pathlib import Path

from .jars import java
from .kafka import Kafka
from .postgres import Postgres
from .process import Process, free_port, wait_until

NAME = "shop"


class Connect:
    """One worker that copies `tables` of a PostgreSQL server into the topics `<prefix>.<schema>.<table>`."""

    def __init__(
        self,
        folder: Path,
        kafka: Kafka,
        postgres: Postgres,
        tables: str,
        prefix: str = "src",
        schemas: bool = True,
        settings: dict[str, str] | None = None,
        flush_ms: int = 1000,
    ) -> None:
        self.folder, self.kafka, self.postgres = folder, kafka, postgres
        self.tables, self.prefix, self.schemas = tables, prefix, schemas
        self.settings, self.flush_ms = settings or {}, flush_ms
        self.port = free_port()
        self.process: Process | None = None

    def start(self) -> "Connect":
        """Starts the worker and returns when the connector's task runs."""
        self.folder.mkdir(parents=True, exist_ok=True)
        worker = _properties(self.folder / "worker.properties", self._worker())
        connector = _properties(self.folder / "connector.properties", self._connector())
        if self.process is None:
            command = java("org.apache.kafka.connect.cli.ConnectStandalone", str(worker), str(connector))
            self.process = Process("connect", command, self.folder)
        self.process.start()
        self.process.wait_ready(self._task_runs, 90)
        return self

    def _task_runs(self) -> bool:
        states = self.task_states()
        return bool(states) and all(state == "RUNNING" for state in states)

    def task_states(self) -> list[str]:
        """The states of the connector's tasks (RUNNING, FAILED, ...), empty while the worker does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/connectors/{NAME}/status", timeout=5) as answer:
                return [task["state"] for task in json.load(answer)["tasks"]]
        except OSError:
            return []

    def offsets_written(self) -> int:
        """When the worker last wrote its offsets, in nanoseconds; 0 where it has not yet."""
        offsets = self.folder / "offsets"
        return offsets.stat().st_mtime_ns if offsets.exists() and offsets.stat().st_size else 0

    def wait_offsets(self, seconds: float = 60) -> None:
        """Waits until the worker has written its first offsets: killed before, it would take its snapshot again."""
        wait_until(lambda: self.offsets_written() > 0, "Connect writes its offsets", seconds)

    def kill9(self) -> None:
        """Ends the worker as a lost machine would: events since its last offset flush come again after the restart."""
        if self.process:
            self.process.kill9()

    def restart(self) -> None:
        """Starts a stopped or killed worker again with the same offsets."""
        self.start()

    def stop(self) -> None:
        """Stops the worker by its own pid."""
        if self.process:
            self.process.stop()

    def _worker(self) -> dict[str, str]:
        converter = "org.apache.kafka.connect.json.JsonConverter"
        flag = str(self.schemas).lower()
        return {
            "bootstrap.servers": self.kafka.servers,
            "key.converter": converter,
            "value.converter": converter,
            "key.converter.schemas.enable": flag,
            "value.converter.schemas.enable": flag,
            "offset.storage.file.filename": str(self.folder / "offsets"),
            "offset.flush.interval.ms": str(self.flush_ms),
            "plugin.discovery": "service_load",
            "listeners": f"http://127.0.0.1:{self.port}",
            "producer.max.request.size": "20000000",
        }

    def _connector(self) -> dict[str, str]:
        return {
            "name": NAME,
            "connector.class": "io.debezium.connector.postgresql.PostgresConnector",
            "tasks.max": "1",
            "database.hostname": self.postgres.host,
            "database.port": str(self.postgres.port),
            "database.user": self.postgres.user,
            "database.password": self.postgres.password,
            "database.dbname": self.postgres.database,
            "topic.prefix": self.prefix,
            "table.include.list": self.tables,
            "plugin.name": "pgoutput",
            "slot.name": f"headrace_{self.prefix}",
            "publication.name": f"headrace_{self.prefix}",
            "publication.autocreate.mode": "filtered",
            "snapshot.mode": "initial",
            "skipped.operations": "none",
            "decimal.handling.mode": "string",
            "poll.interval.ms": "50",
            **self.settings,
        }


def _properties(path: Path, values: dict[str, str]) -> Path:
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    path.chmod(0o600)  # it holds the database password
    return path
