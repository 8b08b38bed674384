"""A table of Amazon DynamoDB as a store of rows by key.

A row is `{pk, v, body: JSON text}`, a deleted one `{pk, v, deleted: true, expires}`. Time to live takes it away days
after `keep_deleted`; from then on the publisher's own order keeps older rows out. The guard is the condition of each
put, `attribute_not_exists(pk) OR v < :v`. Writes in batches know no conditions: each row is a request of its own,
`writers` of them side by side.

The highest version stands in the item of the claim, since to look for it would read the table. It is raised before the
rows are written, so it is never too low, whatever crashes; after a purge it stays where it was.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any, ClassVar, TypeVar

from headrace.config_keyed_stores import DynamoDbRows
from headrace.ports import Failed, Held, Projected, Written
from headrace.stores import dynamodb_table as table
from headrace.stores.keyed_rows import (
    CLAIM,
    FORMAT,
    Row,
    check_claim,
    checked,
    not_open,
    not_there,
)

MOST_BYTES = 409_600 - 128
"""Of key and body: DynamoDB takes 400 KB with the names and numbers beside them."""
_GUARD = "attribute_not_exists(pk) OR v < :v"
_NAMES = {"#d": "deleted"}

One = TypeVar("One")
Made = TypeVar("Made")


class DynamoDbStore:
    """The write side; a `ports.Projection`. Many processes may write at a time.

    Args:
        settings: the table; `rows_per_write` means nothing here.

    Attributes:
        beside_body: what a row may have beside its body, and a deleted one has not. indexes: global ones over these.
    """

    beside_body: ClassVar[tuple[str, ...]] = ()
    indexes: ClassVar[tuple[str, ...]] = ()

    def __init__(self, settings: DynamoDbRows) -> None:
        self._settings = settings
        self._where = table.where_of(settings)
        self._client: Any = None
        self._owner = ""

    def open(self, owner: str) -> None:
        """Make the table where `create` says so, and claim it for `owner`."""
        self._client, self._owner = None, owner
        client = table.client(self._settings)
        self.check(table.make(client, self._settings, self.indexes))
        claim = {**table.CLAIM_KEY, "owner": {"S": owner}, "format": {"N": str(FORMAT)}, "newest": {"N": "-1"}}
        with table.answering(self._settings):
            try:
                client.put_item(
                    TableName=self._settings.table, Item=claim, ConditionExpression="attribute_not_exists(pk)"
                )
            except client.exceptions.ConditionalCheckFailedException:
                self._check_claim(table.claim(client, self._settings))
        self._client = client

    def attach(self, owner: str) -> None:
        """Use the table there is."""
        self._client, self._owner = None, owner
        client = table.client(self._settings)
        if (found := table.described(client, self._settings)) is None:
            raise not_there(self._where)
        self.check(found)
        self._check_claim(table.claim(client, self._settings))
        self._client = client

    def check(self, found: Mapping[str, Any]) -> None:
        """Raises where the table that is described so does not do."""

    def beside(self, row: Row) -> table.Item:
        """What a row has beside its body, of `beside_body`."""
        return {}

    def _check_claim(self, claim: table.Item | None) -> None:
        if claim is None:
            raise not_there(self._where)
        release = f"delete the item {CLAIM!r} of the table"
        check_claim(self._owner, claim["owner"]["S"], int(claim["format"]["N"]), self._where, release)

    def write(self, rows: Sequence[Projected]) -> Written:
        """Take each row whose version is above the one held. A row that is throttled for long fails for now."""
        self._opened()
        taken, failed, replaced = checked(rows, MOST_BYTES)
        written = Written(stale=replaced, failed=tuple(failed))
        if not taken:
            return written
        self._raise_newest(max(row.version for row in taken))
        expires = str(self._expires())
        return sum(_side_by_side(taken, lambda row: self._put(row, expires), self._settings.writers), written)

    def _expires(self) -> int:
        return int(time.time() + self._settings.keep_deleted.total_seconds())

    def _raise_newest(self, version: int) -> None:
        """Say that rows of this version may follow. Raises NotThere where the claim is gone, Fatal for another's."""
        try:
            self._client.update_item(
                TableName=self._settings.table,
                Key=table.CLAIM_KEY,
                UpdateExpression="SET newest = :v",
                ConditionExpression="#o = :o AND newest < :v",
                ExpressionAttributeNames={"#o": "owner"},
                ExpressionAttributeValues={":v": {"N": str(version)}, ":o": {"S": self._owner}},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except Exception as error:
            if table.code_of(error) != table.CONDITION:
                raise table.translated(error, self._settings) from error
            self._check_claim(error.response.get("Item"))  # type: ignore[attr-defined]

    def _put(self, row: Row, expires: str) -> Written:
        item: table.Item = {"pk": {"S": row.key}, "v": {"N": str(row.version)}}
        if row.text is None:
            item |= {"deleted": {"BOOL": True}, table.EXPIRES: {"N": expires}}
        else:
            item |= {"body": {"S": row.text}, **self.beside(row)}
        try:
            self._client.put_item(
                TableName=self._settings.table,
                Item=item,
                ConditionExpression=_GUARD,
                ExpressionAttributeValues={":v": item["v"]},
            )
        except Exception as error:
            if table.code_of(error) == table.CONDITION:
                return Written(stale=1)
            if table.for_good(error) or table.later(error):
                reason = " ".join(str(error).split())[:300]
                return Written(failed=(Failed(row.key, row.version, reason, retry=table.later(error)),))
            raise table.translated(error, self._settings) from error
        return Written(applied=1)

    def sweep(self, before_version: int) -> int:
        """Delete every row whose version is lower. What is swept stays out for anything older."""
        self._opened()
        self._raise_newest(before_version - 1)
        values: table.Item = {
            ":n": {"N": str(before_version - 1)}, ":t": {"BOOL": True}, ":e": {"N": str(self._expires())},
        }  # fmt: skip
        change = "SET v = :n, #d = :t, expires = :e REMOVE " + ", ".join(["body", *self.beside_body])
        return self._each(
            before_version, "v < :b AND attribute_not_exists(#d)", "update_item", values, UpdateExpression=change
        )

    def purge(self, before_version: int) -> int:
        """Forget deletes whose version is lower."""
        self._opened()
        return self._each(before_version, "v < :b AND attribute_exists(#d)", "delete_item", {})

    def _each(self, before_version: int, which: str, method: str, values: table.Item, **more: str) -> int:
        """Do something to every row of a kind, if it still is of that kind; how many were."""
        before = {":b": {"N": str(before_version)}}

        def change(item: table.Item) -> int:
            try:
                getattr(self._client, method)(
                    TableName=self._settings.table,
                    Key={"pk": item["pk"]},
                    ConditionExpression=which,
                    ExpressionAttributeNames=_NAMES,
                    ExpressionAttributeValues=values | before,
                    **more,
                )
            except Exception as error:
                if table.code_of(error) == table.CONDITION:
                    return 0
                raise table.translated(error, self._settings) from error
            return 1

        pages = self._pages(FilterExpression=which, ExpressionAttributeValues=before)
        return sum(sum(_side_by_side(page, change, self._settings.writers)) for page in pages)

    def held(self) -> Iterator[Held]:
        """Every key, deleted ones included until they expire. A key that changes meanwhile comes once, old or new."""
        self._opened()
        for page in self._pages():
            for item in page:
                if item["pk"]["S"] != CLAIM:
                    yield Held(item["pk"]["S"], int(item["v"]["N"]), "deleted" in item)

    def _pages(self, **which: Any) -> Iterator[list[table.Item]]:
        asked = {
            "TableName": self._settings.table,
            "ConsistentRead": True,
            "ProjectionExpression": "pk, v, #d",
            "ExpressionAttributeNames": _NAMES,
            **which,
        }
        while True:
            with table.answering(self._settings):
                answer = self._client.scan(**asked)
            yield answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def newest(self) -> int:
        """The highest version it ever took or began to take; -1 for none."""
        self._opened()
        claim = table.claim(self._client, self._settings)
        self._check_claim(claim)
        return int(claim["newest"]["N"]) if claim else -1

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _opened(self) -> None:
        if self._client is None:
            raise not_open(self._where)


def _side_by_side(each: Sequence[One], call: Callable[[One], Made], writers: int) -> list[Made]:
    """What the calls give, so many at a time; after the first that raises no other begins."""
    stop, writers = Event(), min(writers, len(each))

    def some(first: int) -> list[Made]:
        made = []
        for one in each[first::writers]:
            if stop.is_set():
                break
            try:
                made.append(call(one))
            except BaseException:
                stop.set()
                raise
        return made

    if writers <= 1:
        return [call(one) for one in each]
    with ThreadPoolExecutor(writers) as pool:
        return [made for part in pool.map(some, range(writers)) for made in part]
