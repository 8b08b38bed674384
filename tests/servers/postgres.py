"""A PostgreSQL server with logical decoding on 127.0.0.1 for tests."""

import os
import pwd
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from .process import Process, ServerError, free_port

DEBIAN = Path("/usr/lib/postgresql/15/bin")


class Postgres:
    """A server with data, port and log in `folder`; or the one of $HEADRACE_TEST_POSTGRES, which is never stopped.

    $HEADRACE_TEST_POSTGRES is a URL such as postgresql://user:password@127.0.0.1:5432/shop; it needs wal_level=logical.
    """

    def __init__(self, folder: Path, programs: Path | None = None, variable: str = "HEADRACE_TEST_POSTGRES") -> None:
        self.external = os.environ.get(variable)
        self.programs = programs
        url = urlsplit(self.external or f"postgresql://postgres@127.0.0.1:{free_port()}/postgres")
        self.host, self.port = url.hostname or "127.0.0.1", url.port or 5432
        self.user, self.password = url.username or "postgres", url.password or ""
        self.database = url.path.lstrip("/") or "postgres"
        self.folder = folder
        self.data = folder / "data"
        self.process: Process | None = None

    @property
    def url(self) -> str:
        """The connection URL, for psycopg and for scripts."""
        login = self.user + (f":{self.password}" if self.password else "")
        return f"postgresql://{login}@{self.host}:{self.port}/{self.database}"

    def connect(self, autocommit: bool = True) -> "psycopg.Connection[tuple[object, ...]]":
        """A new connection with the session time zone UTC."""
        return psycopg.connect(self.url, autocommit=autocommit, options="-c timezone=UTC", connect_timeout=5)

    def start(self) -> "Postgres":
        """Creates the data folder on the first call, starts the server and returns when it answers."""
        if self.external:
            return self
        if self.process is None:
            self._initialise()
        assert self.process is not None
        self.process.start()
        self.process.wait_ready(self._answers, 60)
        return self

    def _initialise(self) -> None:
        programs, owner = self.programs or _programs(), _owner()
        self.folder.mkdir(parents=True, exist_ok=True)
        if owner:
            # A folder of its own: pytest takes away other users' right to walk through its folders.
            self.data = Path(tempfile.mkdtemp(prefix="headrace-postgres-"))
            shutil.chown(self.data, owner, owner)
        options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
        initdb = [str(programs / "initdb"), "-D", str(self.data), *options]
        groups = {"user": owner, "group": owner, "extra_groups": []} if owner else {}
        done = subprocess.run(initdb, capture_output=True, text=True, cwd=self.data, **groups)  # type: ignore[call-overload]
        if done.returncode != 0:
            raise ServerError(f"initdb failed:\n{done.stdout}{done.stderr}")
        settings = {
            "wal_level": "logical",
            "max_wal_senders": "8",
            "max_replication_slots": "8",
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",  # but synchronous_commit on: without it the log position lags behind what a snapshot sees
            "shared_buffers": "64MB",
            "timezone": "UTC",
        }
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(programs / "postgres"), "-D", str(self.data), "-p", str(self.port), *flags]
        self.process = Process("postgres", command, self.folder, user=owner, cwd=self.data)

    def _answers(self) -> bool:
        try:
            with self.connect():
                return True
        except psycopg.OperationalError:
            return False

    def kill9(self) -> None:
        """Ends the server as a lost machine would."""
        if self.process:
            self.process.kill9()

    def restart(self) -> None:
        """Starts a stopped or killed server again on the same port and data."""
        self.start()

    def stop(self) -> None:
        """Stops the server by its own pid, without waiting for clients to leave."""
        import signal

        if self.process:
            self.process.stop(signal.SIGINT)
            if self.data.parent != self.folder:
                shutil.rmtree(self.data, ignore_errors=True)


def _programs() -> Path:
    """The folder with initdb and postgres: Debian's package, the PATH, or the binaries inside PyPI's pgserver."""
    if (DEBIAN / "initdb").exists():
        return DEBIAN
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else packaged()


def packaged() -> Path:
    """The binaries inside PyPI's pgserver, which bring pgvector too."""
    found = find_spec("pgserver")  # not imported: it would start to look after a server of its own
    if found is None or found.origin is None:
        raise ServerError(
            "expected a PostgreSQL server, found none: install Debian's postgresql-15, or "
            "`pip install pgserver==0.1.4`, or set HEADRACE_TEST_POSTGRES to a running server's URL"
        )
    return Path(found.origin).parent / "pginstall" / "bin"


def _owner() -> str | None:
    """The user to run the server as: PostgreSQL refuses root, so root hands over to `postgres` (or `nobody`)."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise ServerError("PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody` to run it as")
