"""Calls of Kinesis: what is tried again, what is not, and what every error of botocore is taken for."""

import pickle
from typing import Any

import boto3
import pytest
from botocore import exceptions
from botocore.stub import Stubber

from headrace.errors import ConfigError, Fatal, HeadraceError, Retryable, Unreachable
from headrace.stores.aws_clients import aws_client
from headrace.stores.kinesis.api import Kinesis
from headrace.stores.kinesis.backoff import Backoff
from headrace.stores.kinesis.faults import Gone, IteratorExpired, Later, OutOfReach, Silent, translated
from headrace.stores.kinesis.options import Place, ReadOptions
from headrace.stores.kinesis.plan import UNSTARTED, Planner
from headrace.stores.kinesis.ranges import Ranges
from headrace.stores.kinesis.reader import KinesisStreamReader, ShardRange
from kinesis_sim import SimKinesis, Trouble, fault


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now, self.slept = 0.0, []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def backoff(self, **more: Any) -> Backoff:
        return Backoff(sleep=self.sleep, clock=lambda: self.now, **more)


def test_waits_double_up_to_a_limit_with_full_jitter_and_end() -> None:
    clock = Clock()
    asked: list[tuple[float, float]] = []

    def pick(low: float, high: float) -> float:
        asked.append((low, high))
        return high / 2

    def refused() -> None:
        raise Later(expected="", found="", todo="")

    with pytest.raises(Later):
        clock.backoff(give_up=60, first=0.1, longest=10, pick=pick).call(refused, (Retryable,))
    assert asked[:8] == [(0, pytest.approx(0.1 * 2**n)) for n in range(7)] + [(0, 10)]
    assert all(low == 0 for low, _ in asked) and clock.now <= 60 < clock.now + 10


@pytest.mark.parametrize(
    ("error", "kind", "todo"),
    [
        (fault("ProvisionedThroughputExceededException", 400), Later, "Add shards"),
        (fault("LimitExceededException", 400), Later, "Add shards"),
        (fault("KMSThrottlingException", 400), Later, "Add shards"),
        (fault("SomethingNew", 503), Later, "Add shards"),
        (fault("InternalFailure", 500), Later, "Add shards"),
        (fault("ExpiredIteratorException", 400), IteratorExpired, "new one"),
        (fault("InvalidArgumentException", 400), OutOfReach, "Check"),
        (fault("ResourceNotFoundException", 400), Gone, "name, the region"),
        (fault("AccessDeniedException", 400), Fatal, "GetRecords"),
        (fault("AccessDenied", 403), Fatal, "sts:AssumeRole"),
        (fault("KMSAccessDeniedException", 400), Fatal, "kms:Decrypt"),
        (fault("ExpiredTokenException", 400), Fatal, "policy"),
        (exceptions.ReadTimeoutError(endpoint_url="u"), Silent, "network"),
        (exceptions.ConnectTimeoutError(endpoint_url="u"), Unreachable, "network"),
        (exceptions.EndpointConnectionError(endpoint_url="u"), Unreachable, "network"),
        (exceptions.NoCredentialsError(), Fatal, "credentials"),
        (exceptions.ParamValidationError(report="r"), ConfigError, "settings"),
        (RuntimeError("odd"), Retryable, "tried again"),
    ],
    ids=str,
)
def test_every_error_has_a_type_and_says_what_to_do(error: Exception, kind: type[HeadraceError], todo: str) -> None:
    found = translated(error, "Kinesis stream s")
    assert type(found) is kind and todo in found.todo and found.where == "Kinesis stream s"


def test_a_call_that_stays_refused_raises_what_it_was_refused_for() -> None:
    service, clock = SimKinesis(trouble=Trouble(throttled=1.0)), Clock()
    kinesis = Kinesis(Place("s"), client=service, backoff=clock.backoff(give_up=30))
    with pytest.raises(Later, match="stream s"):
        kinesis.shards()
    assert 5 < len(service.calls) < 200 and clock.now <= 30


def test_no_permission_is_not_tried_again() -> None:
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
    client = boto3.client("kinesis", region_name="eu-west-1", **keys)
    with Stubber(client) as stub:
        stub.add_client_error("list_shards", "AccessDeniedException", "no", http_status_code=400)
        with pytest.raises(Fatal, match="policy"):
            Kinesis(Place("s"), client=client).shards()


def test_an_arn_is_named_in_every_call() -> None:
    arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/s"
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
    client = boto3.client("kinesis", region_name="eu-west-1", **keys)
    with Stubber(client) as stub:
        at = {"StreamARN": arn, "ShardId": "shardId-0", "ShardIteratorType": "TRIM_HORIZON"}
        stub.add_response("get_shard_iterator", {"ShardIterator": "i"}, at)
        answer = {"Records": [], "MillisBehindLatest": 0}
        stub.add_response("get_records", answer, {"ShardIterator": "i", "Limit": 5, "StreamARN": arn})
        assert Kinesis(Place(arn), client=client).first_page("shardId-0", "T", 5).records == []
        stub.assert_no_pending_responses()


def test_a_role_of_another_account_is_taken_on_with_its_external_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    asked: list[dict[str, str]] = []
    monkeypatch.setattr("headrace.stores.aws_clients._assume", lambda _, how, __: asked.append(how))
    client = aws_client(
        "kinesis", region="eu-west-1", role="arn:aws:iam::1:role/r", seconds=1, calls=1,
        endpoint="http://127.0.0.1:9", external_id="x1", session_name="night",
    )  # fmt: skip
    assert asked == [{"RoleArn": "arn:aws:iam::1:role/r", "RoleSessionName": "night", "ExternalId": "x1"}]
    assert client.meta.endpoint_url == "http://127.0.0.1:9"


def test_the_end_that_is_gone_is_an_error_and_not_a_shorter_batch(caplog: pytest.LogCaptureFixture) -> None:
    service = SimKinesis()
    rows = [service.put("a") for _ in range(30)]
    kinesis = Kinesis(Place("s"), client=service, pause=0)
    shard = next(iter(service.shards))
    start, end = f"<{rows[3].sequence}", f"<{rows[20].sequence}"
    strict, loose = Ranges(kinesis, 7), Ranges(kinesis, 7, "continue")

    def count(ranges: Ranges) -> int:
        return sum(len(some) for some in ranges.records(shard, start, end))

    assert count(strict) == 17
    del service.shards[shard].rows[:10]
    for refuse in (False, True):
        service.trouble.refuse_deleted = refuse
        with pytest.raises(Fatal, match="retention deleted it"):
            count(strict)
        assert count(loose) == 10 and "is deleted by the stream's retention" in caplog.text
        caplog.clear()
    service.trouble.refuse_deleted = False
    service.shards[shard].rows.clear()
    service.split(0)
    with pytest.raises(Fatal, match="retention deleted it"):
        count(strict)
    assert count(loose) == 0
    del service.shards[shard]
    with pytest.raises(Fatal):
        count(strict)
    assert count(loose) == 0 and "is deleted by the stream's retention" in caplog.text


def test_only_empty_pages_before_an_end_that_is_known_are_given_up_after_a_while() -> None:
    service, ticks = SimKinesis(trouble=Trouble(empty=1.0)), iter(range(0, 10_000, 5))
    row = service.put("a")
    kinesis = Kinesis(Place("s"), client=service, pause=0)
    place = f"<{row.sequence}"
    with pytest.raises(Unreachable, match="nothing was passed over"):
        list(
            Ranges(kinesis, 7, clock=lambda: next(ticks)).records(next(iter(service.shards)), place, str(row.sequence))
        )


def test_a_reader_goes_to_the_tasks_without_its_client_and_takes_up_where_spark_says() -> None:
    service = SimKinesis()
    for number in range(5):
        service.put(f"k{number}", b"d%d" % number)
    options = ReadOptions(Place("s"))
    reader = KinesisStreamReader(options, Kinesis(options.place, client=service))
    reader._planner = Planner(reader._kinesis, options, lambda: service.now)
    first = reader.latestOffset()
    assert reader.latestOffset() == first != reader.initialOffset() == UNSTARTED
    (part,) = reader.partitions(UNSTARTED, first)
    assert isinstance(part, ShardRange)
    batches = [batch.to_pylist() for batch in reader.read(part)]
    assert [row["data"] for batch in batches for row in batch] == [b"d%d" % number for number in range(5)]
    assert b"SimKinesis" not in pickle.dumps(reader._kinesis)
    service.put("later")
    again = KinesisStreamReader(options, Kinesis(options.place, client=service))
    again._planner = Planner(again._kinesis, options, lambda: service.now)
    assert again.partitions(first, first) == []
    second = again.latestOffset()
    assert len(second["from"]) == 1 and again.latestOffset(first, None) == second
    again.partitions(first, second)
    again.commit(first)
    newest = service.put("newest")
    started = again.latestOffset()["from"]
    assert list(started.values()) == [f"<{newest.sequence}"], "told late of the batch before, it does not go back"


def test_limits_of_spark_4_2_make_a_batch_smaller() -> None:
    class MaxRows:
        max_rows = 3

    service = SimKinesis()
    for _ in range(20):
        service.put("k")
    options = ReadOptions(Place("s"))
    reader = KinesisStreamReader(options, Kinesis(options.place, client=service))
    reader._planner = Planner(reader._kinesis, options, lambda: service.now)
    (part,) = reader.partitions(UNSTARTED, reader.latestOffset(UNSTARTED, MaxRows()))
    assert sum(batch.num_rows for batch in reader.read(part)) == 3
