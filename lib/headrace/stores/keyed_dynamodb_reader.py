"""Reads rows by key from a table of Amazon DynamoDB; see `keyed_dynamodb`."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

from headrace.config_keyed_stores import DynamoDbRows
from headrace.errors import Retryable
from headrace.ports import Found
from headrace.stores import dynamodb_table as table
from headrace.stores.keyed_rows import askable, body_of, check_format, not_there

_KEYS_PER_READ = 100  # the most one request may name


class DynamoDbReader:
    """The read side; a `ports.KeyedReader`. Consistent reads, which cost twice as much. Threads share it."""

    def __init__(self, settings: DynamoDbRows) -> None:
        self._settings = settings
        self._client = table.client(settings)
        self._claimed = False

    def read(self, keys: Sequence[str]) -> dict[str, Found]:
        """The rows that are there and not deleted, as of the newest write that DynamoDB confirmed."""
        self.check_claim()
        found: dict[str, Found] = {}
        asked = askable(keys)
        for at in range(0, len(asked), _KEYS_PER_READ):
            for item in self._some(asked[at : at + _KEYS_PER_READ]):
                if "body" in item:
                    found[item["pk"]["S"]] = Found(int(item["v"]["N"]), body_of(item["body"]["S"]))
        return found

    def check_claim(self) -> None:
        """Raises NotThere for a table that nobody has filled. Asks once."""
        if not self._claimed:
            claim = table.claim(self._client, self._settings)
            if claim is None:
                raise not_there(table.where_of(self._settings))
            check_format(int(claim["format"]["N"]), table.where_of(self._settings))
            self._claimed = True

    def _some(self, keys: Sequence[str]) -> Iterator[table.Item]:
        name, pause = self._settings.table, 0.02
        deadline = time.monotonic() + self._settings.timeout.total_seconds()
        wanted: Any = {name: {"Keys": [{"pk": {"S": key}} for key in keys], "ConsistentRead": True}}
        while wanted:
            with table.answering(self._settings):
                answer = self._client.batch_get_item(RequestItems=wanted)
            yield from answer["Responses"].get(name, [])
            wanted = answer.get("UnprocessedKeys")
            if wanted and not answer["Responses"].get(name):  # throttled; else only more than one answer holds
                if time.monotonic() > deadline:
                    todo = "It is tried again; the table may read no faster."
                    where = table.where_of(self._settings)
                    raise Retryable(expected="all keys read", found="throttling", todo=todo, where=where)
                time.sleep(pause)
                pause = min(2 * pause, 1.0)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
