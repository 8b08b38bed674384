"""The data source `headrace-kinesis`."""

from pyspark.sql.datasource import DataSource, DataSourceStreamReader
from pyspark.sql.types import StructType

from headrace.stores.kinesis.options import read_options
from headrace.stores.kinesis.reader import KinesisStreamReader

NAME = "headrace-kinesis"
SCHEMA = """data binary, streamName string, partitionKey string, sequenceNumber string,
    approximateArrivalTimestamp timestamp, shardId string"""


class KinesisDataSource(DataSource):
    """One stream of Amazon Kinesis Data Streams.

    Register it, then `spark.readStream.format("headrace-kinesis")`. Options: see `options.KNOWN` and docs/kinesis.md.
    """

    @classmethod
    def name(cls) -> str:
        """The name of the format."""
        return NAME

    def schema(self) -> str:
        """The columns of a row."""
        return SCHEMA

    def streamReader(self, schema: StructType) -> DataSourceStreamReader:
        """The reader. Raises ConfigError for wrong options."""
        reader: DataSourceStreamReader = KinesisStreamReader(read_options(self.options))
        return reader
