"""A Kinesis stream of passages with their vectors, for OpenSearch Ingestion or anything else that reads it.

A record's data is the message that `kafka_index` sends, deletes included: the document `opensearch_index` would write,
with owner and generation beside it, as Kinesis has no headers. Its partition key is the passage's key. Kinesis refuses
nothing: the guard is the reader's, by `row.version`. A stream cannot be searched, claimed, listed by key or swept.
"""

from collections.abc import Sequence
from typing import Any

from headrace.config_indexes import KinesisIndex
from headrace.errors import Fatal
from headrace.ports import Failed, Model, Projected, Written
from headrace.stores.generations import checked_generation, not_open
from headrace.stores.kinesis.api import Kinesis
from headrace.stores.kinesis.backoff import Backoff
from headrace.stores.kinesis.options import Place
from headrace.stores.kinesis.put import Event, put_events
from headrace.stores.knows_no_keys import KnowsNoKeys
from headrace.stores.opensearch_bulk import document_of, dumps
from headrace.stores.passage_rows import Row, checked, first_model, too_large

_SECONDS = 60.0


class KinesisVectorIndex(KnowsNoKeys):
    """The write side; a `ports.VectorIndex` as far as a stream can be one.

    Args:
        settings: the stream.
        generation: stands in each message; a reader of the stream decides what it does with each.
        model: what the vectors are made with; None takes what the first passage says.
        client: of botocore, in tests.
    """

    def __init__(
        self,
        settings: KinesisIndex,
        generation: str,
        model: Model | None = None,
        client: Any = None,
        backoff: Backoff | None = None,
    ) -> None:
        self._settings, self._model = settings, model
        self._generation = checked_generation(generation)
        self._backoff = backoff or Backoff(give_up=_SECONDS)
        place = Place(
            settings.stream, settings.region, settings.endpoint, settings.role_arn, settings.external_id,
            give_up_seconds=_SECONDS,
        )  # fmt: skip
        self._where = place.where
        self._kinesis = Kinesis(place, client=client, backoff=backoff)
        self._owner: str | None = None

    def open(self, owner: str) -> None:
        """Look for the stream. `owner` stands in each message; a stream cannot be claimed.

        Raises Fatal where the stream is not there, or not ready.
        """
        dumps(None)  # a missing package shows now and not at the first row
        status = self._kinesis.describe().status
        if status not in ("ACTIVE", "UPDATING"):
            todo = "Wait until the stream is active."
            raise Fatal(expected="an active stream", found=status, todo=todo, where=self._where)
        self._owner = owner

    def attach(self, owner: str) -> None:
        """The same: nothing is made."""
        self.open(owner)

    def write(self, rows: Sequence[Projected]) -> Written:
        """Send the newest row of each key; what Kinesis confirmed counts as applied."""
        if self._owner is None:
            raise not_open(self._where)
        taken, failed, replaced = checked(rows, self._model)
        self._model = self._model or first_model(taken)
        ready: list[tuple[Row, Event]] = []
        for row in taken:
            data = self._data(row, self._owner, failed)
            if data is not None:
                ready.append((row, Event(row.key, data)))
        refused = put_events(self._kinesis, [event for _, event in ready], self._backoff)
        failed += [_failure(ready[one.index][0], one.reason, one.retry) for one in refused]
        return Written(len(ready) - len(refused), replaced, tuple(failed))

    def _data(self, row: Row, owner: str, failed: list[Failed]) -> bytes | None:
        message = {**document_of(row), "owner": owner, "generation": self._generation}
        try:
            data = dumps(message)
        except (TypeError, ValueError) as error:
            failed.append(_failure(row, f"expected a body of JSON values; {error}", False))
            return None
        problem = too_large(row, len(data), self._settings.bytes_per_write)
        if problem:
            failed.append(problem)
        return None if problem else data

    def close(self) -> None:
        """Nothing is held back: a write returns when its records are confirmed."""
        self._owner = None


def _failure(row: Row, reason: str, retry: bool) -> Failed:
    return Failed(row.key, row.version, reason, retry)
