"""The streams that a source reads, as their clients take them. No Spark."""

from headrace.config_sources import KinesisSource
from headrace.stores.kinesis.options import Place


def places(source: KinesisSource) -> list[Place]:
    """Where the streams are, in the order of their names: a checkpoint knows them by number."""
    return [
        Place(stream, source.region, source.endpoint, source.role_arn, source.external_id)
        for stream in sorted(source.streams)
    ]
