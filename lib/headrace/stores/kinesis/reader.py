"""What Spark calls to stream from Kinesis."""

import importlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark.sql.datasource import DataSourceStreamReader, InputPartition

from headrace.stores.kinesis.api import Kinesis
from headrace.stores.kinesis.options import ReadOptions
from headrace.stores.kinesis.plan import UNSTARTED, Offset, Planner
from headrace.stores.kinesis.positions import END
from headrace.stores.kinesis.ranges import Ranges, columns

if TYPE_CHECKING:
    import pyarrow as pa

try:  # Spark 4.2 asks for a batch within limits, and has a trigger for what is there now.
    _newer: Any = importlib.import_module("pyspark.sql.streaming.datasource")
except ImportError:
    _newer = None

_Base: Any = (
    type("_Base", (DataSourceStreamReader, _newer.SupportsTriggerAvailableNow), {})
    if hasattr(_newer, "SupportsTriggerAvailableNow")
    else DataSourceStreamReader
)


@dataclass
class ShardRange(InputPartition):
    """One task: a range of one shard."""

    shard: str
    start: str
    end: str


class KinesisStreamReader(_Base):  # type: ignore[misc]
    """Plans on the driver, reads in the tasks. Pickled to them without its client."""

    def __init__(self, options: ReadOptions, kinesis: Kinesis | None = None) -> None:
        self._options = options
        self._kinesis = kinesis or Kinesis(options.place)
        self._planner = Planner(self._kinesis, options, _now)
        self._base = self._offered = UNSTARTED
        self._until: int | None = None

    def initialOffset(self) -> Offset:
        """Nothing read. Always the same, so that a first batch that runs again starts where it did."""
        return UNSTARTED

    def latestOffset(self, start: Offset | None = None, limit: Any = None) -> Offset:
        """The end of the next batch; the same offset where there is nothing new.

        Args:
            start, limit: given by Spark 4.2. Before, a batch goes on from the one that was planned or committed last.
        """
        base = self._base if start is None else start
        rows = getattr(limit, "max_rows", None) or getattr(limit, "rows", None)
        size = getattr(limit, "max_bytes", None) or getattr(limit, "bytes", None)
        self._offered = self._planner.next(base, until=self._until, rows=rows, size=size)
        return self._offered

    def prepareForTriggerAvailableNow(self) -> None:
        """Spark 4.2: what arrives from now on is left for another run."""
        self._until = _now()

    def partitions(self, start: Offset, end: Offset) -> Sequence[InputPartition]:
        """The ranges of a batch. After a restart Spark calls this first: with the offset to go on from twice, or with
        a batch to run again."""
        self._base = end
        if start == end:
            return []
        return [ShardRange(shard, place, end["shards"][shard]) for shard, place in end["from"].items() if place != END]

    def commit(self, end: Offset) -> None:
        """The batch is done."""
        # Told of the batch before the running one, it must not go back.
        if end == self._offered:
            self._base = end

    def read(self, partition: InputPartition) -> "Iterator[pa.RecordBatch]":
        """The rows of one range, in order."""
        import pyarrow as pa

        assert isinstance(partition, ShardRange)
        schema = arrow_schema()
        options = self._options
        reading = Ranges(self._kinesis, options.page, options.on_lost)
        for found in reading.records(partition.shard, partition.start, partition.end):
            values = columns(options.place.name, partition.shard, found)
            yield pa.RecordBatch.from_pydict(dict(values), schema=schema)


def arrow_schema() -> "pa.Schema":
    """The columns of a row."""
    import pyarrow as pa

    return pa.schema(
        [
            ("data", pa.binary()),
            ("streamName", pa.string()),
            ("partitionKey", pa.string()),
            ("sequenceNumber", pa.string()),
            ("approximateArrivalTimestamp", pa.timestamp("us", tz="UTC")),
            ("shardId", pa.string()),
        ]
    )


def _now() -> int:
    return round(time.time() * 1000)
