"""Served rows in a table of Amazon DynamoDB, found by their terms.

Beside its body a row has the attributes `find0` to `find4`, a term for each filter, and the table a global index for
each of them: `findN` and `pk`, with nothing else in it. Row and terms are one item, so one put under one guard;
DynamoDB carries a term that changed to its index, usually within a second. The reader reads the rows that an index
names once more, as of the newest write, so no row is shown as it was; one that was just made may be missed for that
moment.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from headrace.errors import Fatal, Retryable
from headrace.ports import Found
from headrace.served_rows import MOST_FILTERS
from headrace.stores import dynamodb_table as table
from headrace.stores import row_terms
from headrace.stores.keyed_dynamodb import DynamoDbStore
from headrace.stores.keyed_dynamodb_reader import DynamoDbReader
from headrace.stores.keyed_rows import Row
from headrace.stores.vectors import brief

TERMS = tuple(f"find{place}" for place in range(MOST_FILTERS))
"""The attributes that hold terms, and the names of their indexes."""
_TODO = f"Name a new table with `create: true`, or make what is missing. {table.indexed(TERMS)}"


class DynamoDbRowStore(DynamoDbStore):
    """The write side; a `ports.Projection`."""

    beside_body: ClassVar[tuple[str, ...]] = TERMS
    indexes: ClassVar[tuple[str, ...]] = TERMS

    def beside(self, row: Row) -> table.Item:
        """The row's terms."""
        return {TERMS[place]: {"S": term} for place, term in row_terms.terms_of(row).items()}

    def check(self, found: Mapping[str, Any]) -> None:
        """Raises Fatal for a table without the indexes, Retryable while they are made."""
        indexes = {one["IndexName"]: one for one in found.get("GlobalSecondaryIndexes", ())}
        about: dict[str, Any] = {"where": table.where_of(self._settings)}
        wrong = [name for name in TERMS if name not in indexes or _keys(indexes[name]) != [name, table.KEY]]
        if wrong:
            expected = f"a table with the global indexes {', '.join(TERMS)}"
            raise Fatal(expected=expected, found=f"none that fits for {', '.join(wrong)}", todo=_TODO, **about)
        unready = [name for name in TERMS if indexes[name].get("IndexStatus", "ACTIVE") in ("CREATING", "DELETING")]
        if unready:
            found_ = f"{', '.join(unready)} being made"
            raise Retryable(expected="indexes that can be asked", found=found_, todo="It is tried again.", **about)


def _keys(index: Mapping[str, Any]) -> list[str]:
    return [one["AttributeName"] for one in sorted(index["KeySchema"], key=lambda one: one["KeyType"])]


class DynamoDbRowReader(DynamoDbReader):
    """A `ports_rows.RowReader`. Threads share it."""

    def having(self, terms: Mapping[int, str], most: int) -> dict[str, Found]:
        """The rows that have all of these terms, in the order of their keys.

        Raises:
            Fatal: the table has no such index, or the terms are too common.
        """
        self.check_claim()
        return row_terms.having(terms, most, self._page, self.read, table.where_of(self._settings))

    def _page(self, place: int, term: str, key: str, most: int) -> tuple[list[str], bool]:
        from botocore.exceptions import ClientError

        try:
            with table.answering(self._settings, expected=("ValidationException",)):
                answer = self._client.query(
                    TableName=self._settings.table,
                    IndexName=TERMS[place],
                    KeyConditionExpression="#t = :t AND pk >= :k",
                    ExpressionAttributeNames={"#t": TERMS[place]},
                    ExpressionAttributeValues={":t": {"S": term}, ":k": {"S": key}},
                    ProjectionExpression=table.KEY,
                    Limit=most,
                )
        except ClientError as error:
            found = f"{type(error).__name__}: {brief(str(error))}"
            where = table.where_of(self._settings)
            raise Fatal(expected=f"a global index {TERMS[place]}", found=found, todo=_TODO, where=where) from error
        return [item[table.KEY]["S"] for item in answer["Items"]], "LastEvaluatedKey" not in answer
