"""Settings of the sources: transport, format, and what orders their rows."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from headrace.config_api import ASKED_AT, CHANGE, Api
from headrace.config_base import (
    Contradiction,
    Names,
    OptionText,
    Positive,
    Role,
    Settings,
    Url,
    Values,
    doubled,
)
from headrace.config_kafka import MskIam, check_options
from headrace.config_registry import Registry


class PositionColumn(Settings):
    """One column that orders rows. `type: auto` reads numbers and ISO 8601 timestamps as numbers, the rest as text."""

    column: str
    type: Literal["auto", "number", "timestamp", "text"] = "auto"

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value


class OperationColumn(Settings):
    """Which column says what happened, and which of its values mean delete and truncate; all others upsert.

    With `upsert` given, a value in none of the three lists is refused row by row.
    """

    column: str
    delete: Values = ()
    truncate: Values = ()
    upsert: Values = ()

    @model_validator(mode="after")
    def _one_meaning_each(self) -> "OperationColumn":
        lists = {"delete": self.delete, "truncate": self.truncate, "upsert": self.upsert}
        meant: dict[str, str] = {}
        for name, values in lists.items():
            for value in values:
                first = meant.setdefault(value, name)
                if first != name:
                    found = f"{value} in {first} as well"
                    raise Contradiction(name, "values that mean one thing each", found, "{delete: [D], upsert: [I, U]}")
        return self


# YAML reads a bare null as no value at all.
Omitted = Annotated[Literal["null", "keep"], BeforeValidator(lambda value: "null" if value is None else value)]


class SourceBase(Settings):
    """What every source has in common.

    Attributes:
        position: the columns that order rows (`json` and `snapshot`), most significant first; or `arrival`: the
            transport's own offset, for sources with nothing better. Then a row's order is the order of arrival.
        table: the column that names the table, where one stream of plain rows carries several.
        epoch: raise it by one when the source's own numbering restarts (fail-over, topic created again).
        omitted: what a column missing in a full row means. `null` (default) or `keep` the stored value.
        unavailable: Debezium's `unavailable.value.placeholder`.
        partial_snapshots: Debezium: snapshots show only some rows of a table (filtered ad-hoc snapshots). Otherwise
            rows that a complete snapshot did not show, and that are older than it, are deleted.
        changed_at: the column that says when the row changed (`json` and `snapshot`).
        delete_mode: flattened Debezium rows: what marks a delete (`rewrite`: a `__deleted` field, `tombstone`: a null).
        before_prefix: DMS: prefix of before-image columns where they are sent beside the data.
        first_position: start a new checkpoint at the `earliest` or the `latest` record; see `KinesisSource` for more.
    """

    format: Literal["json", "debezium", "dms", "dynamodb", "objects", "snapshot"]
    position: tuple[PositionColumn, ...] | Literal["arrival"] | None = None
    operation: OperationColumn | None = None
    table: str | None = None
    changed_at: str | None = None
    epoch: Annotated[int, Field(ge=0, le=9999)] = 0
    omitted: Omitted = "null"
    unavailable: str = "__debezium_unavailable_value"
    partial_snapshots: bool = False
    delete_mode: Literal["rewrite", "tombstone"] = "rewrite"
    before_prefix: str = "BI_"
    max_message_bytes: Annotated[int, Field(gt=0)] = 16 * 1024 * 1024

    @model_validator(mode="before")
    @classmethod
    def _one_position_column(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("position"), str) and value["position"] != "arrival":
            return {**value, "position": [value["position"]]}
        return value

    @model_validator(mode="after")
    def _rows_need_a_position(self) -> "SourceBase":
        found = f"format: {self.format} without it" if self.position is None else "an empty list"
        if self.format == "json" and not self.position:
            expected = "the columns that order rows, or arrival"
            raise Contradiction("position", expected, found, "position: [updated_at]")
        if self.format == "snapshot" and (not self.position or self.position == "arrival"):
            found = "arrival" if self.position else found
            expected = "the column that says when the dump was taken"
            raise Contradiction("position", expected, found, "position: [exported_at]")
        if self.operation is not None and self.format != "json":
            found = f"an operation column for format: {self.format}"
            expected = "nothing, as this format says itself what happened to a row"
            raise Contradiction("operation", expected, found, "format: json")
        return self


def _first_position(value: Any) -> Any:
    """`earliest` is Kafka's word for the trim horizon. A time that YAML has read already becomes text again."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if not isinstance(value, str) or value in ("trim_horizon", "latest"):
        return value
    if value == "earliest":
        return "trim_horizon"
    datetime.fromisoformat(value)
    return value


class FilesSource(SourceBase):
    """A folder of files: JSON lines, CSV, Parquet or Avro, told apart by their names, or all read as `encoding`.

    Files are taken in the order they arrived. A file must appear complete (write elsewhere, then move).
    """

    transport: Literal["files"] = Field(alias="from")
    path: str
    encoding: Literal["auto", "json", "csv", "parquet", "avro"] = "auto"
    max_files_per_batch: Annotated[int, Field(gt=0)] = 1000


class KafkaSource(SourceBase):
    """Topics of an Apache Kafka cluster. `topics` may hold names and patterns with `*`.

    Attributes:
        auth: how to sign in to Amazon MSK with IAM; every other way is set by `options`.
        options: passed on to Spark's Kafka source as they are, e.g. `kafka.security.protocol`; values may be secrets.
        registry: its messages are Avro; here are the schemas they were written with.
    """

    transport: Literal["kafka"] = Field(alias="from")
    servers: str
    topics: Annotated[Names, Field(min_length=1)]
    max_offsets_per_batch: Annotated[int, Field(gt=0)] = 200_000
    first_position: Literal["earliest", "latest"] = "earliest"
    auth: MskIam | None = None
    options: dict[str, OptionText | SecretStr] = Field(default_factory=dict)
    registry: Registry | None = None

    @model_validator(mode="after")
    def _one_way_in(self) -> "KafkaSource":
        check_options(self.auth, self.options)
        return self


_STREAM = re.compile(r"^(arn:aws[a-z-]*:kinesis:[a-z0-9-]+:\d{12}:stream/)?[A-Za-z0-9_.-]{1,128}$")


class KinesisSource(SourceBase):
    """Streams of Amazon Kinesis Data Streams, by name or ARN.

    Attributes:
        streams: read side by side in one query; a stream that joins or leaves them needs a new checkpoint.
        region: AWS region; an ARN says it itself.
        endpoint: URL of a VPC endpoint or an emulator.
        role_arn, external_id: the role to take on, of another account for instance.
        reader: `headrace` runs everywhere; the others are the sources that platforms bring.
        first_position: start a new checkpoint at the `trim_horizon`, the `latest` record or a time (ISO 8601).
        on_lost: what happens when the stream's retention deleted records before they were read.
        max_records_per_batch, max_bytes_per_batch: about the most a batch holds. max_seconds_per_batch: of the stream.
        options: passed on to a platform's own source as they are.
        registry: its records are Avro; here are the schemas they were written with.
    """

    transport: Literal["kinesis"] = Field(alias="from")
    streams: Annotated[Names, Field(min_length=1)]
    region: str | None = None
    endpoint: Url | None = None
    role_arn: Role | None = None
    external_id: str | None = None
    reader: Literal["headrace", "glue", "databricks", "aws-kinesis"] = "headrace"
    first_position: Annotated[str, BeforeValidator(_first_position)] = "trim_horizon"
    on_lost: Literal["fail", "continue"] = "fail"
    max_records_per_batch: Positive = 200_000
    max_bytes_per_batch: Positive = 512 * 1024 * 1024
    max_seconds_per_batch: Positive = 3600
    options: dict[str, OptionText] = Field(default_factory=dict)
    registry: Registry | None = None

    @model_validator(mode="after")
    def _fits(self) -> "KinesisSource":
        if self.external_id and not self.role_arn:
            example = "role_arn: arn:aws:iam::123456789012:role/reader"
            raise Contradiction("external_id", "role_arn beside it", "none", example)
        if self.options and self.reader == "headrace":
            expected = "none, as Headrace's own reader is set by the keys beside it"
            raise Contradiction("options", expected, "some, with reader: headrace", "reader: databricks")
        if again := doubled(self.streams):
            raise Contradiction("streams", "each stream once", again[0][1], "streams: [orders, clicks]")
        for stream in self.streams:
            if not _STREAM.match(stream):
                example = "streams: [orders]"
                raise Contradiction("streams", "names of streams, or their whole ARNs", repr(stream), example)
            region = stream.split(":")[3] if stream.startswith("arn:") else None
            if region and self.region not in (None, region):
                found = f"{self.region}, and {stream} is in {region}"
                raise Contradiction("region", "the region the ARN says, or none", found, f"region: {region}")
        return self


class ApiSource(SourceBase, Api):
    """A REST API that is asked for each key of a table. Its rows are the answers, the last one counts."""

    transport: Literal["api"] = Field(alias="from")
    format: Literal["json"] = "json"
    position: tuple[PositionColumn, ...] = (PositionColumn(column=ASKED_AT, type="timestamp"),)
    operation: OperationColumn = OperationColumn(column=CHANGE, delete=("delete",))
    changed_at: str = ASKED_AT

    @model_validator(mode="after")
    def _own_order(self) -> "ApiSource":
        for name in sorted(self.model_fields_set - {"transport", "epoch", *Api.model_fields}):
            raise Contradiction(name, "nothing, as Headrace makes these rows itself", "a value", "from: api")
        return self


Source = Annotated[FilesSource | KafkaSource | KinesisSource | ApiSource, Field(discriminator="transport")]
