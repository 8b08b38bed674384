"""For `03_sql_on_a_live_stream`: bookings that arrive while the notebook watches."""

import json
import random
import threading
import time
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from headrace.notebooks.place import Place
from headrace.pipelines.demo import SEED
from headrace.travel.agency import Agency
from headrace.travel.channel import Delivery, deliver, write_whole
from headrace.travel.columns import Row

TABLE = "bookings"
_ROW = "booking_id BIGINT, customer_id BIGINT, status STRING, price DECIMAL(10,2)"
_COLUMNS = ("booking_id", "customer_id", "status", "price")
SCHEMA = f"{_ROW}, op STRING, lsn BIGINT"


def bookings(steps: int = 1_000) -> tuple[list[str], list[Row]]:
    """The events of the travel company's bookings as JSON lines, and the bookings its database holds in the end.

    Some lines come late, some twice, and none in order. Each has the columns of `SCHEMA`.
    """
    database = Agency(SEED, steps=steps).database
    log = [event for event in database.log if event.table == TABLE]
    waves = deliver(log, random.Random(SEED), waves=6, files=1, schemas=False)
    arrived = (one for wave in waves for one in wave[0] if one.line["value"] is not None)
    return [_line(one) for one in arrived], list(database.rows[TABLE].values())


def feed(lines: Sequence[str], place: Place, files: int = 20, pause: float = 0.75) -> threading.Thread:
    """Start a thread that writes the lines into folder `in`, one file after each pause (seconds), and return it."""
    most = -(-len(lines) // files)

    def write() -> None:
        for number, start in enumerate(range(0, len(lines), most), 1):
            time.sleep(pause)
            write_whole(place.local / "in" / f"bookings-{number:03d}.jsonl", lines[start : start + most])
            place.share("in")

    thread = threading.Thread(target=write, name="feed", daemon=True)
    thread.start()
    return thread


def watch(spark: SparkSession, sql: str, feeding: threading.Thread, every: float = 1.0) -> list[dict[str, Any]]:
    """Ask a query again and again until the thread ends: its rows, each with `seconds` since the first time."""
    began, seen = time.monotonic(), []
    while True:
        last = not feeding.is_alive()
        seconds = round(time.monotonic() - began, 1)
        seen += [{"seconds": seconds, **row.asDict()} for row in spark.sql(sql).collect()]
        if last:
            return seen
        feeding.join(every)


def counted(spark: SparkSession, rows: Sequence[Row], where: str, column: str) -> dict[str, int]:
    """How many of the database's bookings meet a condition, for each value of a SQL expression."""
    plain = [tuple(row[name] for name in _COLUMNS) for row in rows]
    frame = spark.createDataFrame(plain, _ROW).where(where)
    return {row[0]: row[1] for row in frame.groupBy(F.expr(column)).count().collect()}


def _line(delivery: Delivery) -> str:
    event = delivery.event
    values = {name: event.row[name] for name in _COLUMNS} | {"op": event.op, "lsn": event.lsn}
    return json.dumps({name: float(value) if isinstance(value, Decimal) else value for name, value in values.items()})
