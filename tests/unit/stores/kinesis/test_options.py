"""Options of `headrace-kinesis` and of the platforms' own sources."""

from typing import Any

import pytest

from headrace.config_sources import KinesisSource
from headrace.errors import ConfigError
from headrace.pipelines import check
from headrace.stores.kinesis.natives import native
from headrace.stores.kinesis.options import KNOWN, Place, Start, parsed_start, read_options
from headrace.stores.kinesis_places import places
from headrace.stores.kinesis_source import reader_options

ARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/orders"
ROLE = "arn:aws:iam::123456789012:role/reader"
NINE = 1_795_338_000_000  # 2026-11-22T09:00:00Z


def test_every_option_is_read_in_any_case() -> None:
    given = {
        "streamarn": ARN, "REGION": "eu-west-1", "endpoint": "http://127.0.0.1:1", "roleArn": ROLE,
        "roleExternalId": "x", "roleSessionName": "s", "startingPosition": "latest", "onLost": "continue",
        "maxSecondsPerBatch": "5", "maxRowsPerBatch": "10", "maxBytesPerBatch": "11", "recordsPerCall": "12",
        "until": "13", "callSeconds": "1.5", "giveUpSeconds": "3",
    }  # fmt: skip
    assert {name.lower() for name in given} == {name.lower() for name in KNOWN} - {"streamname"}
    found = read_options(given)
    assert found.place == Place(ARN, "eu-west-1", "http://127.0.0.1:1", ROLE, "x", "s", 1.5, 3.0)
    assert (found.start, found.on_lost, found.until) == (Start("latest"), "continue", 13)
    assert (found.max_seconds, found.max_rows, found.max_bytes, found.page) == (5.0, 10, 11, 12)


def test_an_arn_tells_name_and_region() -> None:
    place = read_options({"streamARN": ARN}).place
    assert (place.name, place.own_region, place.arguments) == ("orders", "eu-west-1", {"StreamARN": ARN})


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("TRIM_HORIZON", Start("trim_horizon")), ("earliest", Start("trim_horizon")), ("latest", Start("latest")),
        ("2026-11-22T09:00:00Z", Start(NINE)), ("2026-11-22T10:00:00+01:00", Start(NINE)),
        ("2026-11-22 09:00:00", Start(NINE)),
        ('{"shardId-000000000000": "<17", "*": "latest"}', Start("latest", {"shardId-000000000000": "<17"})),
    ],
)  # fmt: skip
def test_starting_positions(text: str, start: Start) -> None:
    assert parsed_start(text) == start


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "expected streamName or streamARN; found neither"),
        ({"streamName": "a", "streamARN": ARN}, "found both"),
        ({"streamName": "a b"}, "a stream's name; found a b"),
        ({"streamARN": "orders"}, "arn:aws:kinesis:"),
        ({"streamName": "a", "awsSecretKey": "x"}, "option awssecretkey: expected one of streamName"),
        ({"streamName": "a", "startingPosition": "yesterday"}, "an ISO 8601 time; found yesterday"),
        ({"streamName": "a", "startingPosition": '{"s": "9x"}'}, "a place for s"),
        ({"streamName": "a", "startingPosition": "{"}, "a JSON object of shards"),
        ({"streamName": "a", "onLost": "ignore"}, "fail or continue; found ignore"),
        ({"streamName": "a", "maxRowsPerBatch": "0"}, "a number above 0; found 0"),
        ({"streamName": "a", "callSeconds": "soon"}, "a number above 0; found soon"),
        ({"streamName": "a", "roleExternalId": "x"}, "roleArn beside it"),
    ],
)
def test_wrong_options_say_what_to_do(given: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_options(given)
    assert said in str(caught.value) and caught.value.todo


def source(**more: Any) -> KinesisSource:
    settings = {"from": "kinesis", "streams": ["orders"], "format": "dms", "region": "eu-west-1", **more}
    return KinesisSource.model_validate(settings)


def test_settings_become_options_and_streams_share_what_a_batch_may_hold() -> None:
    both = source(streams=["b", ARN], max_records_per_batch=100, first_position="earliest", on_lost="continue")
    first, second = (reader_options(both, place) for place in places(both))
    assert first["streamARN"] == ARN and second["streamName"] == "b"
    assert (first["maxRowsPerBatch"], first["startingPosition"], first["onLost"]) == ("50", "trim_horizon", "continue")
    assert read_options(first).place.name == "orders"
    assert "until" not in first and reader_options(both, places(both)[0], 5)["until"] == "5"


@pytest.mark.parametrize(
    ("reader", "place", "start", "expected"),
    [
        ("glue", Place("orders", "eu-west-1"), Start(),
         ("kinesis", {"streamName": "orders", "endpointUrl": "https://kinesis.eu-west-1.amazonaws.com",
                      "startingPosition": "trim_horizon"})),
        ("glue", Place(ARN, role_arn=ROLE), Start("latest"),
         ("kinesis", {"streamName": "orders", "endpointUrl": "https://kinesis.eu-west-1.amazonaws.com",
                      "startingPosition": "latest", "awsSTSRoleARN": ROLE, "awsSTSSessionName": "headrace"})),
        ("databricks", Place("orders", "eu-west-1"), Start("latest"),
         ("kinesis", {"streamName": "orders", "region": "eu-west-1", "initialPosition": "latest"})),
        ("databricks", Place(ARN, role_arn=ROLE, external_id="x"), Start(NINE),
         ("kinesis", {"streamARN": ARN, "region": "eu-west-1", "roleArn": ROLE, "roleExternalId": "x",
                      "roleSessionName": "headrace", "initialPosition":
                      '{"at_timestamp": "11/22/2026 09:00:00 UTC", "format": "MM/dd/yyyy HH:mm:ss ZZZ"}'})),
        ("aws-kinesis", Place("orders", "eu-west-1", role_arn=ROLE), Start(NINE),
         ("aws-kinesis", {"kinesis.streamName": "orders", "kinesis.region": "eu-west-1",
                          "kinesis.endpointUrl": "https://kinesis.eu-west-1.amazonaws.com",
                          "kinesis.startingPosition": "AT_TIMESTAMP 2026-11-22T09:00:00Z",
                          "kinesis.consumerType": "GetRecords", "kinesis.failOnDataLoss": "true",
                          "kinesis.stsRoleArn": ROLE})),
    ],
)  # fmt: skip
def test_options_of_the_platforms_sources(reader: Any, place: Place, start: Start, expected: tuple[str, Any]) -> None:
    assert native(reader, place, start, "fail", {}) == expected
    name, options = native(reader, place, start, "fail", {"shardsPerTask": "9"})
    assert options == {**expected[1], "shardsPerTask": "9"} and name == expected[0]


@pytest.mark.parametrize(
    ("reader", "place", "start", "key"),
    [
        ("glue", Place("orders", "r"), Start(NINE), "first_position"),
        ("glue", Place("orders", "r", role_arn=ROLE, external_id="x"), Start(), "external_id"),
        ("glue", Place("orders"), Start(), "region"),
        ("aws-kinesis", Place("orders", "r", role_arn=ROLE, external_id="x"), Start(), "external_id"),
        ("databricks", Place("orders", "r"), Start("latest", {"s": "T"}), "first_position"),
    ],
)
def test_what_a_platforms_source_cannot_do_is_refused(reader: Any, place: Place, start: Start, key: str) -> None:
    with pytest.raises(ConfigError, match=f"^{key}: .*use reader: headrace"):
        native(reader, place, start, "fail", {})


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            {"streams": [ARN], "region": "us-east-1"},
            "region: expected the region the ARN says, or none; found us-east-1",
        ),
        (
            {"streams": ["arn:aws:sqs:eu-west-1:111122223333:orders"]},
            "streams: expected names of streams, or their whole",
        ),
        ({"streams": ["orders/today"]}, "streams: expected names of streams, or their whole ARNs"),
        ({"streams": ["orders"], "endpoint": "127.0.0.1:4567"}, "endpoint"),
        ({"streams": ["orders"], "role_arn": "reader"}, "role_arn"),
    ],
)
def test_a_source_that_no_call_could_reach_is_refused_when_settings_load(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        source(**wrong)


def test_check_tells_what_a_platforms_source_cannot_do_without_asking_aws() -> None:
    given = source(streams=["orders"], region="eu-west-1", reader="glue", first_position="2026-11-22T09:00:00Z")
    with pytest.raises(ConfigError, match=r"first_position: .*reader: glue; found a time"):
        check._kinesis(given)
