"""Topics of an Apache Kafka cluster as raw messages."""

import re

from pydantic import SecretStr
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from headrace.config_sources import KafkaSource
from headrace.stores.kafka_auth import spark_options


def stream(spark: SparkSession, source: KafkaSource, runtime: str = "local") -> DataFrame:
    """A stream of the topics' records, schema `tables.MESSAGES`; headers are kept."""
    records = spark.readStream.format("kafka").options(**options(source, runtime)).load()
    return records.select(
        F.col("key").alias("message_key"),
        F.col("value").alias("message"),
        "headers",
        F.col("topic").alias("stream"),
        "partition",
        "offset",
        F.col("timestamp").alias("arrived_at"),
    )


def options(source: KafkaSource, runtime: str) -> dict[str, str]:
    """What Spark's Kafka source is told, secrets included."""
    return {
        "kafka.bootstrap.servers": source.servers,
        "startingOffsets": source.first_position,
        "maxOffsetsPerTrigger": str(source.max_offsets_per_batch),
        "includeHeaders": "true",
        # A topic that matches a pattern later must not wait for Kafka's default of five minutes.
        "kafka.metadata.max.age.ms": "10000",
        **topic_option(source.topics),
        **spark_options(source.auth, runtime),
        **{
            name: value.get_secret_value() if isinstance(value, SecretStr) else value
            for name, value in source.options.items()
        },
    }


def topic_option(topics: tuple[str, ...]) -> dict[str, str]:
    """Spark's `subscribe`, or `subscribePattern` where a name holds `*`."""
    if not any("*" in topic for topic in topics):
        return {"subscribe": ",".join(topics)}
    return {"subscribePattern": "|".join(re.escape(topic).replace(r"\*", ".*") for topic in topics)}
