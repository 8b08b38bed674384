"""SecantusDB on 127.0.0.1 for tests: a server of the MongoDB protocol, the stand-in for Amazon DocumentDB.

It is GPL and therefore a program of its own, in an environment of its own, and no dependency of anything. It takes more
than DocumentDB does; `Allowed` fails a test on that.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pymongo
from pymongo.errors import PyMongoError
from pymongo.monitoring import CommandListener, CommandStartedEvent

from headrace.config_keyed_stores import DocumentDbRows

from .jars import cache_folder
from .process import Process, ServerError, free_port

LOCK = Path(__file__).parent / "secantus.lock"
_COMMANDS = {
    "update", "delete", "insert", "find", "getMore", "killCursors", "createIndexes", "hello", "ismaster", "ping",
    "endSessions", "saslStart", "saslContinue",
}  # fmt: skip
_OPERATORS = {
    "$set", "$unset", "$setOnInsert", "$lt", "$gte", "$ne", "$in", "$db", "$readPreference",
    "$clusterTime",
}  # fmt: skip
_OPTIONS = {
    "update": {"q", "u", "upsert", "multi"},
    "delete": {"q", "limit"},
}


class Secantus:
    """A server whose data lies in `folder`; or the one of $HEADRACE_TEST_MONGODB, which is never stopped.

    Args:
        arguments: more of the command line, such as certificates.
    """

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.external = os.environ.get("HEADRACE_TEST_MONGODB")
        self.folder, self.arguments = folder, arguments
        self.port = free_port()
        self.process: Process | None = None

    @property
    def uri(self) -> str:
        """Where it answers."""
        return self.external or f"mongodb://127.0.0.1:{self.port}"

    def start(self) -> "Secantus":
        """Starts it, again after a stop or a kill, and returns when it takes connections."""
        if self.external:
            return self
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.process is None:
            program = [str(environment() / "bin" / "secantusd-py"), "--host", "127.0.0.1", "--port", str(self.port)]
            # DocumentDB acknowledges a write when it is on disk; this one only says so, unless told to.
            data = ["--storage-path", str(self.folder / "data"), "--sync-on-commit"]
            self.process = Process("secantus", [*program, *data, *self.arguments], self.folder)
        self.process.start()
        self.process.wait_ready(self._answers, 60)
        return self

    def stop(self) -> None:
        """Stops it by its own pid."""
        if self.process:
            self.process.stop(seconds=5)

    def kill9(self) -> None:
        """Ends it at once."""
        assert self.process is not None, "a server that was started elsewhere is not killed"
        self.process.kill9()

    def client(self, **more: Any) -> "pymongo.MongoClient[dict[str, Any]]":
        """A client of its own."""
        return pymongo.MongoClient(self.uri, serverSelectionTimeoutMS=2_000, **more)

    def settings(self, collection: str, **more: Any) -> DocumentDbRows:
        """Settings of a collection there."""
        given = {"store": "documentdb", "uri": self.uri, "tls": False, "collection": collection, "timeout": "60s"}
        return DocumentDbRows.model_validate(given | more)

    def _answers(self) -> bool:
        import socket

        try:
            with socket.create_connection(("127.0.0.1", self.port), 1):
                pass
            if self.arguments:  # with TLS or a login a plain client learns nothing more
                return True
            with self.client() as client:
                client.admin.command("ping")
        except (OSError, PyMongoError):
            return False
        return True


class Allowed(CommandListener):
    """Keeps what was sent that DocumentDB 4.0 to 8.0 would not all take.

    By AWS' table of commands and operators (awslabs/amazon-documentdb-tools, compat-tool) and its developer guide:
    no pipeline as an update, no `$$NOW`, no retryable writes, no command or operator that is not listed here.
    """

    def __init__(self) -> None:
        self.refused: list[str] = []
        self.seen: set[str] = set()

    def started(self, event: CommandStartedEvent) -> None:
        """Look at a command."""
        self.seen.add(event.command_name)
        self.refused += problems(event.command_name, dict(event.command))

    def succeeded(self, event: Any) -> None:
        """Nothing to look at."""

    failed = succeeded


def problems(name: str, command: dict[str, Any]) -> list[str]:
    """What DocumentDB would not take of a command."""
    found = [] if name in _COMMANDS else [f"the command {name}"]
    if "txnNumber" in command:
        found.append("a retryable write or a transaction")
    if name in ("update", "delete", "insert") and command.get("writeConcern") != {"w": "majority"}:
        found.append(f"the write concern {command.get('writeConcern')}")
    for each in command.get("updates", []) + command.get("deletes", []):
        if isinstance(each.get("u"), list):
            found.append("a pipeline as an update")
        elif "u" in each and not all(part.startswith("$") for part in each["u"]):
            found.append("a whole document as an update")
        found += [f"the option {option}" for option in each.keys() - _OPTIONS[name]]
    # Keys below these are data or operators; what rows hold is text, and no key is theirs.
    return found + [f"the operator {part}" for part in _dollars(command) if part not in _OPERATORS]


def _dollars(value: Any) -> list[str]:
    if isinstance(value, dict):
        here = [key for key in value if key.startswith("$")]
        return here + [each for item in value.values() for each in _dollars(item)]
    if isinstance(value, list | tuple):
        return [each for item in value for each in _dollars(item)]
    return [value] if isinstance(value, str) and value.startswith("$$") else []


def environment() -> Path:
    """The virtual environment that the server runs in, made once from secantus.lock."""
    key = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()[:12]
    place = cache_folder() / f"secantus-{key}"
    done = place / "installed"
    if not done.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        _run(sys.executable, "-m", "venv", "--clear", str(place))
        _run(str(place / "bin" / "python"), "-m", "pip", "install", "-q", "--no-deps", "-r", str(LOCK))
        done.touch()
    return place


def _run(*command: str) -> None:
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, capture_output=True, text=True, env=environ, cwd=tempfile.gettempdir())
    if done.returncode != 0:
        raise ServerError(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
