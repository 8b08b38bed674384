"""The calls of Kinesis that reading and writing need, each tried again where that can help."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from headrace.errors import HeadraceError, Retryable
from headrace.stores.aws_clients import aws_client
from headrace.stores.kinesis.backoff import Backoff
from headrace.stores.kinesis.faults import IteratorExpired, OutOfReach, Silent, translated
from headrace.stores.kinesis.options import Place
from headrace.stores.kinesis.positions import iterator_arguments

_PAUSE = 0.25
"""Seconds between two empty pages of one shard: a shard answers five reads a second."""


class Record(NamedTuple):
    """One record. `arrived`: when Kinesis took it, about, in milliseconds since 1970."""

    sequence: str
    arrived: int
    key: str
    data: bytes


class Page(NamedTuple):
    """What one GetRecords brought. `next`: None at the end of a closed shard. `behind`: ms behind the shard's tip."""

    records: list[Record]
    next: str | None
    behind: int


@dataclass(frozen=True, slots=True)
class Shard:
    """One shard of the list. `closed`: it was split or merged, and takes no more records."""

    id: str
    parents: tuple[str, ...]
    closed: bool


@dataclass(frozen=True, slots=True)
class Stream:
    """What describes the stream. `created` in seconds since 1970; `retention` in milliseconds."""

    name: str
    status: str
    created: int
    retention: int
    open_shards: int


class Kinesis:
    """One stream. Thread-safe.

    Args:
        client: of botocore; made from `place` where not given, at the first call.
        pause: between two empty pages.

    Raises (every method): Later, Unreachable: the same call may work later, it was tried for `give_up_seconds`; Fatal:
    it will not (no such stream, no permission); ConfigError: settings.
    """

    def __init__(self, place: Place, client: Any = None, backoff: Backoff | None = None, pause: float = _PAUSE) -> None:
        self.place, self._made = place, client
        self._backoff = backoff or Backoff(give_up=place.give_up_seconds)
        self._pause = pause

    def describe(self) -> Stream:
        """The stream's state."""
        found = self._call("describe_stream_summary", self.place.arguments)["StreamDescriptionSummary"]
        return Stream(
            name=found["StreamName"],
            status=found["StreamStatus"],
            created=int(found["StreamCreationTimestamp"].timestamp()),
            retention=int(found["RetentionPeriodHours"]) * 3_600_000,
            open_shards=int(found["OpenShardCount"]),
        )

    def shards(self) -> dict[str, Shard]:
        """Every shard that still holds or may take records, by id."""
        shards: dict[str, Shard] = {}
        asked: Mapping[str, Any] = self.place.arguments
        while True:
            answer = self._call("list_shards", asked)
            for one in answer["Shards"]:
                parents = (one.get("ParentShardId"), one.get("AdjacentParentShardId"))
                closed = bool(one["SequenceNumberRange"].get("EndingSequenceNumber"))
                shards[one["ShardId"]] = Shard(one["ShardId"], tuple(filter(None, parents)), closed)
            if not answer.get("NextToken"):
                return shards
            # A token stands for the stream; both together are refused.
            asked = {"NextToken": answer["NextToken"]}

    def pages(self, shard: str, place: str, limit: int) -> Iterator[Page]:
        """Pages from a place on, for ever, or to the end of a closed shard; empty ones too.

        Raises OutOfReach where no iterator leads to the place.
        """
        reached = place
        iterator: str | None = self._iterator(shard, iterator_arguments(place))
        while iterator is not None:
            try:
                page = self._get(iterator, limit)
            except IteratorExpired:
                iterator = self._iterator(shard, iterator_arguments(reached))
                continue
            if page.records:
                reached = page.records[-1].sequence
            yield page
            if not page.records:
                self._backoff.sleep(self._pause)
            iterator = page.next

    def first_page(self, shard: str, place: str, limit: int) -> Page:
        """The first page with records, or an empty one where the tip or the end of the shard was reached."""
        page = Page([], None, 0)
        for page in self.pages(shard, place, limit):
            if page.records or page.behind == 0:
                break
        return page

    def first_since(self, shard: str, moment: int, sure: bool = False) -> Record | None:
        """The first record that arrived then or later, in milliseconds since 1970; None where there is none.

        Args:
            sure: whether None must be the truth; otherwise it is also the answer of a server that stays silent.
        """
        at = datetime.fromtimestamp(moment / 1000, UTC)
        asked = {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": at}
        while True:
            try:
                return self._first(self._iterator(shard, asked, patient=sure), sure)
            except IteratorExpired:
                continue
            except OutOfReach:
                return None  # a time ahead of the server's own clock
            except Silent:
                if sure:
                    raise
                return None

    def _first(self, iterator: str | None, patient: bool) -> Record | None:
        while iterator is not None:
            page = self._get(iterator, 1, patient)
            if page.records:
                return page.records[0]
            iterator = page.next if page.behind else None
        return None

    def put(self, entries: Sequence[Mapping[str, Any]]) -> list[str | None]:
        """One PutRecords; for each record None, or the code of what it was refused for."""
        answer = self._call("put_records", {**self.place.arguments, "Records": list(entries)})
        return [one.get("ErrorCode") for one in answer["Records"]]

    def _iterator(self, shard: str, where: Mapping[str, Any], patient: bool = True) -> str:
        asked = {**self.place.arguments, "ShardId": shard, **where}
        return str(self._call("get_shard_iterator", asked, patient)["ShardIterator"])

    def _get(self, iterator: str, limit: int, patient: bool = True) -> Page:
        asked: dict[str, Any] = {"ShardIterator": iterator, "Limit": limit}
        asked |= {name: value for name, value in self.place.arguments.items() if name == "StreamARN"}
        answer = self._call("get_records", asked, patient)
        records = [
            Record(
                one["SequenceNumber"], round(one["ApproximateArrivalTimestamp"].timestamp() * 1000),
                one["PartitionKey"], one["Data"],
            )
            for one in answer["Records"]
        ]  # fmt: skip
        return Page(records, answer.get("NextShardIterator"), int(answer.get("MillisBehindLatest") or 0))

    def _call(self, name: str, asked: Mapping[str, Any], patient: bool = True) -> Any:
        never = (IteratorExpired,) if patient else (IteratorExpired, Silent)
        return self._backoff.call(partial(self._once, name, asked), (Retryable,), never)

    def _once(self, name: str, asked: Mapping[str, Any]) -> Any:
        try:
            method: Callable[..., Any] = getattr(self._client(), name)
            return method(**asked)
        except HeadraceError:
            raise
        except Exception as error:
            raise translated(error, self.place.where) from error

    def _client(self) -> Any:
        if self._made is None:
            place = self.place
            self._made = aws_client(
                "kinesis", region=place.own_region, role=place.role_arn, seconds=place.call_seconds, calls=16,
                endpoint=place.endpoint, external_id=place.external_id, session_name=place.session_name,
            )  # fmt: skip
        return self._made

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_made": None}
