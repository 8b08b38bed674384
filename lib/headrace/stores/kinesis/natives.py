"""The Kinesis sources that platforms bring, as (format, options), and their rows as one shape.

    glue          AWS Glue's `kinesis`
    databricks    Databricks' `kinesis`
    aws-kinesis   github.com/awslabs/spark-sql-kinesis-connector, for EMR and clusters of one's own

Written from their documentation and checked by option tables only: none of them runs outside its platform.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from headrace.errors import ConfigError
from headrace.stores.kinesis.options import Place, Start

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Native = Literal["glue", "databricks", "aws-kinesis"]


def native(
    reader: Native, place: Place, start: Start, on_lost: Literal["fail", "continue"], more: Mapping[str, str]
) -> tuple[str, dict[str, str]]:
    """The format and its options.

    Args:
        more: options of the platform's source, which win.

    Raises ConfigError for what the source cannot do.
    """
    if start.shards:
        raise _cannot(reader, "first_position", "one position for all shards", "positions by shard")
    match reader:
        case "glue":
            name, options = "kinesis", _glue(place, start)
        case "databricks":
            name, options = "kinesis", _databricks(place, start)
        case "aws-kinesis":
            name, options = "aws-kinesis", _awslabs(place, start, on_lost)
    return name, {**options, **more}


def _glue(place: Place, start: Start) -> dict[str, str]:
    if isinstance(start.at, int):
        raise _cannot("glue", "first_position", "trim_horizon or latest", "a time")
    if place.external_id:
        raise _cannot("glue", "external_id", "none", "one")
    role = {"awsSTSRoleARN": place.role_arn, "awsSTSSessionName": place.session_name if place.role_arn else None}
    return _given(
        {
            "streamName": place.name,
            "endpointUrl": _endpoint("glue", place),
            "startingPosition": start.at,
            **role,
        }
    )


def _databricks(place: Place, start: Start) -> dict[str, str]:
    position = start.at
    if isinstance(position, int):
        moment = datetime.fromtimestamp(position / 1000, UTC)
        position_text = f'{{"at_timestamp": "{moment:%m/%d/%Y %H:%M:%S} UTC", "format": "MM/dd/yyyy HH:mm:ss ZZZ"}}'
    else:
        position_text = position
    by_arn = place.stream.startswith("arn:")
    return _given(
        {
            "streamARN" if by_arn else "streamName": place.stream,
            "region": place.own_region,
            "endpoint": place.endpoint,
            "initialPosition": position_text,
            "roleArn": place.role_arn,
            "roleExternalId": place.external_id,
            "roleSessionName": place.session_name if place.role_arn else None,
        }
    )


def _awslabs(place: Place, start: Start, on_lost: str) -> dict[str, str]:
    if place.external_id:
        raise _cannot("aws-kinesis", "external_id", "none", "one")
    position = start.at
    if isinstance(position, int):
        moment = datetime.fromtimestamp(position / 1000, UTC)
        position_text = f"AT_TIMESTAMP {moment:%Y-%m-%dT%H:%M:%SZ}"
    else:
        position_text = position.upper()
    options = {
        "streamName": place.name,
        "region": place.own_region,
        "endpointUrl": _endpoint("aws-kinesis", place),
        "startingPosition": position_text,
        "consumerType": "GetRecords",
        "failOnDataLoss": "true" if on_lost == "fail" else "false",
        "stsRoleArn": place.role_arn,
    }
    return {f"kinesis.{name}": value for name, value in _given(options).items()}


def _endpoint(reader: Native, place: Place) -> str:
    if place.endpoint:
        return place.endpoint
    if place.own_region is None:
        raise _cannot(reader, "region", "a region, or an endpoint", "none")
    return f"https://kinesis.{place.own_region}.amazonaws.com"


def _given(options: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in options.items() if value is not None}


def _cannot(reader: Native, key: str, expected: str, found: str) -> ConfigError:
    todo = "Change it, or use reader: headrace."
    return ConfigError(where=key, expected=f"{expected} with reader: {reader}", found=found, todo=todo)


def common(frame: "DataFrame", reader: Native) -> "DataFrame":
    """The rows as `source.SCHEMA` has them; `shardId` is null where the source does not tell it."""
    from pyspark.sql import functions as F

    told = reader == "databricks"
    return frame.select(
        "data",
        F.col("stream" if told else "streamName").alias("streamName"),
        "partitionKey",
        "sequenceNumber",
        "approximateArrivalTimestamp",
        (F.col("shardId") if told else F.lit(None).cast("string")).alias("shardId"),
    )
