"""PostgreSQL -> Debezium -> Kafka -> headrace -> Delta, on real servers, with parts killed while changes flow."""

from pathlib import Path
from typing import Any

from . import compare, topics
from .connect import Connect
from .driver import Driver
from .kafka import Kafka
from .postgres import Postgres
from .process import ServerError, wait_until
from .workload import Workload

TABLES = ("bookings", "customers", "flights", "hotels", "prices")
KEYS = {"bookings": ["id"], "customers": ["id"], "flights": ["airline", "number", "day"], "hotels": ["hotel_id"]}
TRACKED = ["status", "price"]


class Chain:
    """All five parts, running; every part can be killed and started again."""

    def __init__(
        self,
        folder: Path,
        kafka: Kafka,
        postgres: Postgres,
        seed: int,
        prefix: str = "src",
        schemas: bool = True,
        connector: dict[str, str] | None = None,
        types: dict[str, dict[str, str]] | None = None,
        **settings: Any,
    ) -> None:
        self.kafka, self.postgres, self.prefix = kafka, postgres, prefix
        self.workload = Workload(lambda: postgres.connect(autocommit=False), seed)
        chosen = {"decimal.handling.mode": "precise", "interval.handling.mode": "string", **(connector or {})}
        listed = ",".join(f"public.{name}" for name in TABLES)
        # Offsets are written seldom, so that a killed worker sends a good part of its events twice.
        self.connect = Connect(folder / "connect", kafka, postgres, listed, prefix, schemas, chosen, flush_ms=15_000)
        source = {"from": "kafka", "servers": kafka.servers, "topics": [f"{prefix}.public.*"], "format": "debezium"}
        tables: dict[str, dict[str, Any]] = {
            name: {"source": "shop", "source_table": f"public.{name}", "key": KEYS.get(name, ["id"])} for name in TABLES
        }
        tables["bookings"]["history"] = {"track": TRACKED}
        for name, declared in (types or {}).items():
            tables[name]["types"] = declared
        self.driver = Driver(folder / "headrace", {"shop": source}, tables, **settings)

    def open(self, rows: int = 50) -> "Chain":
        """Creates the tables, starts Connect (which takes a snapshot of them) and the driver."""
        self.workload.create(rows)
        self.connect.start()
        self.wait_snapshots(1)
        self.driver.start()
        return self

    def wait_snapshots(self, count: int, seconds: float = 120) -> None:
        """Waits until Connect has written the last row of its snapshot number `count`."""

        def ends() -> int:
            values = [event.value for event in topics.read(self.kafka.servers, f"{self.prefix}.public.") if event.value]
            return sum(1 for value in values if value["source"]["snapshot"] == "last")

        wait_until(lambda: ends() >= count, f"snapshot {count} is in Kafka", seconds, every=0.5)

    def kill_connect(self, unwritten: int = 180) -> None:
        """Changes rows until Connect has sent so many events since it last wrote its offsets, and kills it then."""
        self.connect.wait_offsets()
        for _ in range(30):
            written, sent = self.connect.offsets_written(), topics.count(self.kafka.servers, f"{self.prefix}.public.")
            self.workload.run(250)
            more = topics.count(self.kafka.servers, f"{self.prefix}.public.") - sent
            if more >= unwritten and self.connect.offsets_written() == written:
                return self.connect.kill9()
        raise ServerError(f"expected Connect to send {unwritten} events between two writes of its offsets, it did not")

    def drain(self, seconds: float = 120) -> None:
        """Waits until everything committed in PostgreSQL has reached Kafka."""
        self.workload.settle()
        with self.postgres.connect() as connection:
            (goal,) = connection.execute("select pg_current_wal_lsn()::text").fetchone() or ("",)

            def arrived() -> bool:
                connection.execute("select pg_logical_emit_message(false, 'headrace test', 'still here')")
                statement = "select confirmed_flush_lsn >= %s::pg_lsn from pg_replication_slots where slot_name = %s"
                return connection.execute(statement, [goal, f"headrace_{self.prefix}"]).fetchone() == (True,)

            wait_until(arrived, "Connect confirms every change", seconds)

    def close(self) -> None:
        """Stops what this chain started; Kafka and PostgreSQL are the caller's."""
        self.workload.close()
        self.driver.kill9()
        self.connect.stop()

    def events(self, table: str) -> list[topics.Event]:
        """What Kafka holds for one table."""
        return topics.read(self.kafka.servers, f"{self.prefix}.public.{table}")

    def differences(self, table: str, current_of_history: bool = False) -> list[str]:
        """Where the Delta table, or the open intervals of its history, are not what PostgreSQL holds."""
        folder = self.driver.lake / ("history" if current_of_history else "tables") / table
        only = "_current" if current_of_history else "true"
        return list(compare.differences(self.postgres.url, folder, table, where=only))

    def history_problems(self) -> list[str]:
        """Where the history of `bookings` is not what the events in Kafka call for."""
        wanted = topics.intervals(
            self.events("bookings"), "id", lambda row: (row["status"], topics.decimal(row["price"], scale=2))
        )
        rows = read(self.driver.lake / "history" / "bookings", "id", *TRACKED, "_valid_from", "_valid_to", "_current")
        found: dict[Any, list[dict[str, Any]]] = {key: [] for key in wanted}
        for row in sorted(rows, key=lambda row: str(row["_valid_from"])):
            found.setdefault(row["id"], []).append(row)
        return [problem for key in found for problem in _problems(key, wanted.get(key, []), found[key])]

    def rejects(self) -> list[dict[str, Any]]:
        """Every refused row."""
        folder = self.driver.lake / "rejects" / "apply_changes"
        return read(folder, "table", "reason", "detail", "key") if folder.exists() else []


def read(folder: Path, *columns: str) -> list[dict[str, Any]]:
    """Columns of a Delta table as dictionaries."""
    picked = ", ".join(f'"{name}"' for name in columns)
    return list(compare.delta_query(folder, f"select {picked} from t").to_pylist())


def _problems(key: Any, wanted: list[tuple[Any, bool]], rows: list[dict[str, Any]]) -> list[str]:
    found = [tuple(row[name] for name in TRACKED) for row in rows]
    if found != [values for values, _ in wanted]:
        return [f"bookings {key}: {[values for values, _ in wanted]} in Kafka, {found} in the history"]
    problems = []
    for at, (row, (_, joined)) in enumerate(zip(rows, wanted, strict=True)):
        follows = rows[at + 1]["_valid_from"] if at + 1 < len(rows) else None
        if joined and row["_valid_to"] != follows:
            problems.append(f"bookings {key} interval {at}: ends {row['_valid_to']}, the next begins {follows}")
        if not joined and (row["_valid_to"] is None or (follows is not None and row["_valid_to"] >= follows)):
            problems.append(f"bookings {key} interval {at}: a deletion closes it, found _valid_to {row['_valid_to']}")
        if row["_current"] != (joined and follows is None):
            problems.append(f"bookings {key} interval {at}: _current is {row['_current']}")
    return problems
