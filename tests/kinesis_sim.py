"""A Kinesis in memory, as botocore's client shows it: shards that split and merge, retention, and everything that may
go wrong on the way. Written from the API's documentation; it knows nothing of headrace.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

HOUR = 3_600_000
TOP = 2**128


@dataclass
class Row:
    """One record."""

    sequence: int
    arrived: int
    key: str
    data: bytes


@dataclass
class SimShard:
    """One shard. `closed_at` is None while it takes records."""

    id: str
    low: int
    high: int
    parents: tuple[str, ...] = ()
    rows: list[Row] = field(default_factory=list)
    closed_at: int | None = None
    tip: int = 0


@dataclass
class Trouble:
    """How often what happens, from 0 to 1.

    Attributes:
        throttled, expired, empty, short: of calls refused, iterators expired, pages empty, pages shorter than asked.
        disorder: milliseconds by which arrival times may be wrong.
        refuse_deleted: the number of a deleted record leads nowhere.
        mute: a time with nothing at or after it gets no answer.
    """

    throttled: float = 0.0
    expired: float = 0.0
    empty: float = 0.0
    short: float = 0.0
    disorder: int = 0
    refuse_deleted: bool = False
    mute: bool = False


class SimKinesis:
    """The client and the service in one. `now` moves only when it is told to."""

    def __init__(self, shards: int = 1, seed: int = 0, trouble: Trouble | None = None, hours: int = 24) -> None:
        self.now, self.created = 1_700_000_000_000, 1_699_999_000
        self.hours, self.trouble, self.random = hours, trouble or Trouble(), random.Random(seed)
        self.shards: dict[str, SimShard] = {}
        self.sequence = 4959_0338_2714_9025_6608
        self.calls: list[str] = []
        self.all: list[Row] = []
        self.home: dict[int, str] = {}
        for number in range(shards):
            self._shard(TOP * number // shards, TOP * (number + 1) // shards)

    def _shard(self, low: int, high: int, parents: tuple[str, ...] = ()) -> SimShard:
        made = SimShard(f"shardId-{len(self.shards):012d}", low, high, parents)
        self.shards[made.id] = made
        return made

    def put(self, key: str, data: bytes = b"x") -> Row:
        """Take one record, at once."""
        place = random.Random(key).randrange(TOP)
        shard = next(s for s in self.shards.values() if s.closed_at is None and s.low <= place < s.high)
        self.sequence += self.random.randrange(1, 1000)
        wrong = self.random.randint(-self.trouble.disorder, self.trouble.disorder)
        row = Row(self.sequence, self.now + wrong, key, data)
        shard.rows.append(row)
        shard.tip = row.sequence
        self.all.append(row)
        self.home[row.sequence] = shard.id
        return row

    def open(self) -> list[SimShard]:
        """The shards that take records, in order of their keys."""
        return sorted((one for one in self.shards.values() if one.closed_at is None), key=lambda one: one.low)

    def split(self, at: int) -> None:
        """Split one of the open shards in two."""
        shard = self.open()[at % len(self.open())]
        shard.closed_at = self.now
        middle = (shard.low + shard.high) // 2
        self._shard(shard.low, middle, (shard.id,))
        self._shard(middle, shard.high, (shard.id,))

    def merge(self, at: int) -> None:
        """Make one of two neighbours, where there are two."""
        if len(self.open()) < 2:
            return
        first = at % (len(self.open()) - 1)
        one, other = self.open()[first : first + 2]
        one.closed_at = other.closed_at = self.now
        self._shard(one.low, other.high, (one.id, other.id))

    def pass_time(self, millis: int) -> None:
        """Let time pass, and what is older than the retention be deleted."""
        self.now += millis
        oldest = self.now - self.hours * HOUR
        for shard in list(self.shards.values()):
            while shard.rows and shard.rows[0].arrived < oldest:
                shard.rows.pop(0)
            if shard.closed_at is not None and shard.closed_at < oldest and not shard.rows:
                del self.shards[shard.id]

    # What follows is botocore's client.

    def describe_stream_summary(self, **asked: Any) -> Mapping[str, Any]:
        self._troubled("describe")
        return {
            "StreamDescriptionSummary": {
                "StreamName": asked.get("StreamName", "sim"), "StreamStatus": "ACTIVE",
                "StreamCreationTimestamp": datetime.fromtimestamp(self.created, UTC),
                "RetentionPeriodHours": self.hours, "OpenShardCount": len(self.open()),
            }
        }  # fmt: skip

    def list_shards(self, **asked: Any) -> Mapping[str, Any]:
        self._troubled("list")
        assert ("NextToken" in asked) != ("StreamName" in asked)
        start = int(asked.get("NextToken", 0))
        listed = list(self.shards.values())
        answer: dict[str, Any] = {"Shards": [_listed(one) for one in listed[start : start + 3]]}
        return answer | ({"NextToken": str(start + 3)} if start + 3 < len(listed) else {})

    def get_shard_iterator(self, **asked: Any) -> Mapping[str, Any]:
        self._troubled("iterator")
        if asked["ShardId"] not in self.shards:
            raise fault("ResourceNotFoundException", 400)
        shard = self.shards[asked["ShardId"]]
        number = int(asked.get("StartingSequenceNumber", 0))
        deleted = number and number <= shard.tip and not any(row.sequence == number for row in shard.rows)
        if (deleted and self.trouble.refuse_deleted) or number > shard.tip:
            raise fault("InvalidArgumentException", 400)
        match asked["ShardIteratorType"]:
            case "TRIM_HORIZON":
                at = 0
            case "AT_SEQUENCE_NUMBER":
                at = number
            case "AFTER_SEQUENCE_NUMBER":
                at = number + 1
            case "AT_TIMESTAMP":
                at = self._since(shard, asked["Timestamp"])
        return {"ShardIterator": f"{shard.id}|{at}"}

    def _since(self, shard: SimShard, moment: datetime) -> int:
        millis = round(moment.timestamp() * 1000)
        if millis > self.now:
            raise fault("InvalidArgumentException", 400)
        found = next((row.sequence for row in shard.rows if row.arrived >= millis), None)
        if found is None and self.trouble.mute and shard.closed_at is None:
            raise ReadTimeoutError(endpoint_url="http://sim")
        return shard.tip + 1 if found is None else found

    def get_records(self, **asked: Any) -> Mapping[str, Any]:
        self._troubled("records")
        if self.random.random() < self.trouble.expired:
            raise fault("ExpiredIteratorException", 400)
        name, _, at = asked["ShardIterator"].partition("|")
        if name not in self.shards:
            return {"Records": [], "NextShardIterator": None, "MillisBehindLatest": 0}
        shard, limit = self.shards[name], asked["Limit"]
        there = [row for row in shard.rows if row.sequence >= int(at)]
        if there and self.random.random() < self.trouble.empty:
            return {"Records": [], "NextShardIterator": f"{name}|{at}", "MillisBehindLatest": 7}
        if self.random.random() < self.trouble.short:
            limit = self.random.randint(1, limit)
        page, rest = there[:limit], there[limit:]
        after = page[-1].sequence + 1 if page else int(at)
        over = shard.closed_at is not None and not rest
        behind = max(1, self.now - page[-1].arrived) if rest else 0
        following = None if over else f"{name}|{after}"
        return {"Records": [_shown(row) for row in page], "NextShardIterator": following, "MillisBehindLatest": behind}

    def put_records(self, **asked: Any) -> Mapping[str, Any]:
        self._troubled("put")
        answers: list[dict[str, Any]] = []
        for one in asked["Records"]:
            if self.random.random() < self.trouble.short:
                answers.append({"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "too much"})
            else:
                answers.append({"SequenceNumber": str(self.put(one["PartitionKey"], one["Data"]).sequence)})
        return {"Records": answers, "FailedRecordCount": sum("ErrorCode" in one for one in answers)}

    def _troubled(self, call: str) -> None:
        self.calls.append(call)
        if self.random.random() < self.trouble.throttled:
            codes = ["ProvisionedThroughputExceededException", "LimitExceededException", "InternalFailure"]
            raise fault(self.random.choice(codes), self.random.choice([400, 500]))


def fault(code: str, status: int) -> ClientError:
    """An error as botocore raises it."""
    answer: Any = {"Error": {"Code": code, "Message": "so it is"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "Call")


def _listed(shard: SimShard) -> dict[str, Any]:
    numbers = {"StartingSequenceNumber": "1"} | ({} if shard.closed_at is None else {"EndingSequenceNumber": "9"})
    names = ("ParentShardId", "AdjacentParentShardId")
    return {"ShardId": shard.id, "SequenceNumberRange": numbers, **dict(zip(names, shard.parents, strict=False))}


def _shown(row: Row) -> dict[str, Any]:
    return {
        "SequenceNumber": str(row.sequence), "PartitionKey": row.key, "Data": row.data,
        "ApproximateArrivalTimestamp": datetime.fromtimestamp(row.arrived / 1000, UTC),
    }  # fmt: skip
