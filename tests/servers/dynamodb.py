"""DynamoDB Local, AWS' own emulator, on 127.0.0.1 for tests. It never throttles and forgets nothing by time to live."""

import os
import socket
import urllib.error
import urllib.request
from pathlib import Path

from headrace.config_keyed_stores import DynamoDbRows
from headrace.pipelines.java import find_java

from .jars import fetched
from .process import Process, free_port

MAIN = "com.amazonaws.services.dynamodbv2.local.main.ServerRunner"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "emulated", "AWS_SECRET_ACCESS_KEY": "notarealsecret", "AWS_EC2_METADATA_DISABLED": "true",
}  # fmt: skip
"""What a client of it needs; tables are kept apart by the key id."""


class DynamoDbLocal:
    """A server with its log in `folder`, and its files, which outlive it.

    Args:
        in_memory: it keeps no files, and answers much faster.
    """

    def __init__(self, folder: Path, in_memory: bool = False) -> None:
        self.folder, self.in_memory = folder, in_memory
        self.port = free_port()
        self.process: Process | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "DynamoDbLocal":
        """Starts it, again after a stop or a kill, and returns when it answers."""
        (self.folder / "data").mkdir(parents=True, exist_ok=True)
        if self.process is None:
            files = fetched("dynamodb-pom.xml", "dynamodb-jars.lock")
            jars = os.pathsep.join(str(file) for file in files if file.suffix == ".jar")
            machine = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
            java = [str(find_java().home / "bin" / "java"), *machine, f"-Djava.library.path={files[0].parent}"]
            place = ["-inMemory"] if self.in_memory else ["-dbPath", str(self.folder / "data")]
            options = [*place, "-port", str(self.port), "-disableTelemetry"]
            self.process = Process("dynamodb", [*java, "-cp", jars, MAIN, *options], self.folder)
        self.process.start()
        self.process.wait_ready(self._answers, 60)
        return self

    def stop(self) -> None:
        """Stops it by its own pid."""
        if self.process:
            self.process.stop(seconds=5)

    def kill9(self) -> None:
        """Ends it at once."""
        assert self.process is not None
        self.process.kill9()

    def settings(self, table: str, **more: object) -> DynamoDbRows:
        """Settings of a table there that is made where it is missing."""
        given = {
            "store": "dynamodb", "table": table, "region": "eu-west-1", "endpoint": self.url, "create": True,
            "timeout": "20s",
        }  # fmt: skip
        return DynamoDbRows.model_validate(given | more)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1):
                pass
            urllib.request.urlopen(self.url, timeout=5)
        except urllib.error.HTTPError:  # it wants a signed request, and says so
            return True
        except OSError:
            return False
        return True
