"""A client of DynamoDB tables in memory: what Headrace's stores ask, and an error for everything else.

Requests must fit botocore's model of the service. It is no DynamoDB: it knows no limit of size, throttles nobody and
forgets nothing. Its global indexes can stand still, as DynamoDB's do for a moment. `tests/servers` has the same tests
on DynamoDB Local.
"""

import re
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from threading import Lock
from typing import Any

import botocore.session
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

Item = dict[str, dict[str, Any]]
_TEST = re.compile(r"(attribute_exists|attribute_not_exists)\((\S+)\)|(\S+) (<|=|>=|>) (:\w+)")


@cache
def _model() -> Any:
    return botocore.session.get_session().get_service_model("dynamodb")


class Tables:
    """All tables of an account; `client` goes where `dynamodb_table.client` does.

    Attributes:
        asked: name and arguments of every request.
        longest: items a page of a query holds, as DynamoDB's end at 1 MB.
    """

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, Any]] = {}
        self.items: dict[str, dict[str, Item]] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.longest = 1_000
        self._indexed: dict[str, dict[str, Item]] | None = None
        self._lock = Lock()

    def client(self, _: object = None) -> "Client":
        """A client."""
        return Client(self)

    def indexes_stand_still(self) -> None:
        """From now on, until `indexes_follow`."""
        self._indexed = deepcopy(self.items)

    def indexes_follow(self) -> None:
        """They hold what the tables do."""
        self._indexed = None

    def count(self, name: str) -> int:
        """Requests of this name."""
        return sum(asked == name for asked, _ in self.asked)

    def answer(self, name: str, **asked: Any) -> dict[str, Any]:
        """What a request gives."""
        method = "".join(part.capitalize() for part in name.split("_"))
        problems = ParamValidator().validate(asked, _model().operation_model(method).input_shape)
        assert not problems.has_errors(), problems.generate_report()
        with self._lock:
            self.asked.append((name, asked))
            answer: dict[str, Any] = getattr(self, f"_{name}")(**asked)
            return deepcopy(answer)

    def _create_table(self, TableName: str, BillingMode: str, **about: Any) -> dict[str, Any]:
        if TableName in self.tables:
            raise refusal("ResourceInUseException")
        indexes = [{**one, "IndexStatus": "ACTIVE"} for one in about.pop("GlobalSecondaryIndexes", [])]
        more = {"GlobalSecondaryIndexes": indexes} if indexes else {}
        self.tables[TableName] = {"TableStatus": "ACTIVE", **about, **more}
        self.items[TableName] = {}
        return {}

    def _describe_table(self, TableName: str) -> dict[str, Any]:
        self._of(TableName)
        return {"Table": self.tables[TableName]}

    def _describe_time_to_live(self, TableName: str) -> dict[str, Any]:
        return {"TimeToLiveDescription": self.tables[TableName].get("ttl", {"TimeToLiveStatus": "DISABLED"})}

    def _update_time_to_live(self, TableName: str, TimeToLiveSpecification: dict[str, Any]) -> dict[str, Any]:
        self.tables[TableName]["ttl"] = {"TimeToLiveStatus": "ENABLED", **TimeToLiveSpecification}
        return {}

    def _put_item(self, TableName: str, Item: Item, ConditionExpression: str, **values: Any) -> dict[str, Any]:
        items, key = self._of(TableName), Item["pk"]["S"]
        self._check(items.get(key), ConditionExpression, values)
        items[key] = Item
        return {}

    def _update_item(
        self, TableName: str, Key: Item, UpdateExpression: str, ConditionExpression: str, **values: Any
    ) -> dict[str, Any]:
        items, key = self._of(TableName), Key["pk"]["S"]
        self._check(items.get(key), ConditionExpression, values)
        sets, _, removes = UpdateExpression.removeprefix("SET ").partition(" REMOVE ")
        held = items[key]
        for one in sets.split(", "):
            name, value = one.split(" = ")
            held[_named(name, values)] = values["ExpressionAttributeValues"][value]
        for name in removes.split(", "):
            held.pop(name, None)
        return {}

    def _delete_item(self, TableName: str, Key: Item, ConditionExpression: str, **values: Any) -> dict[str, Any]:
        items, key = self._of(TableName), Key["pk"]["S"]
        self._check(items.get(key), ConditionExpression, values)
        del items[key]
        return {}

    def _get_item(self, TableName: str, Key: Item, ConsistentRead: bool) -> dict[str, Any]:
        held = self._of(TableName).get(Key["pk"]["S"])
        return {"Item": held} if held else {}

    def _batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:
        ((name, asked),) = RequestItems.items()
        keys = [key["pk"]["S"] for key in asked["Keys"]]
        assert asked["ConsistentRead"] is True and 0 < len(keys) <= 100
        items = self._of(name)
        return {"Responses": {name: [items[key] for key in reversed(keys) if key in items]}}

    def _scan(self, TableName: str, FilterExpression: str = "", **values: Any) -> dict[str, Any]:
        items = self._of(TableName).values()
        return {"Items": [one for one in items if not FilterExpression or _holds(one, FilterExpression, values)]}

    def _query(
        self, TableName: str, IndexName: str, KeyConditionExpression: str, Limit: int, ProjectionExpression: str,
        **values: Any,
    ) -> dict[str, Any]:  # fmt: skip
        self._of(TableName)
        if IndexName not in [one["IndexName"] for one in self.tables[TableName].get("GlobalSecondaryIndexes", [])]:
            raise refusal("ValidationException")
        items = (self._indexed or self.items)[TableName]
        fitting = [
            {"pk": items[key]["pk"]}
            for key in sorted(items)
            if IndexName in items[key] and _holds(items[key], KeyConditionExpression, values)
        ]
        size = min(Limit, self.longest)
        full = len(fitting) >= size  # as DynamoDB, which says so before it has looked whether more follow
        return {"Items": fitting[:size], **({"LastEvaluatedKey": fitting[size - 1]} if full else {})}

    def _of(self, table: str) -> dict[str, Item]:
        if table not in self.tables:
            raise refusal("ResourceNotFoundException")
        return self.items[table]

    def _check(self, held: Item | None, condition: str, values: Mapping[str, Any]) -> None:
        if not _holds(held or {}, condition, values):
            raise refusal("ConditionalCheckFailedException", held)


class Client:
    """What botocore's client is called by."""

    class exceptions:
        ConditionalCheckFailedException = ClientError

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def __getattr__(self, name: str) -> Any:
        if not hasattr(self._tables, f"_{name}"):
            raise AttributeError(name)
        return lambda **asked: self._tables.answer(name, **asked)

    def close(self) -> None:
        """Nothing to close."""


def refusal(code: str, item: Item | None = None) -> ClientError:
    """A refusal as botocore raises it."""
    said: Any = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    return ClientError(said | ({"Item": item} if item else {}), "Any")


def _holds(item: Item, condition: str, values: Mapping[str, Any]) -> bool:
    return any(all(_test(item, one, values) for one in each.split(" AND ")) for each in condition.split(" OR "))


def _test(item: Item, text: str, values: Mapping[str, Any]) -> bool:
    parts = _TEST.fullmatch(text)
    assert parts, f"the double does not know {text!r}"
    if parts[1]:
        return (_named(parts[2], values) in item) == (parts[1] == "attribute_exists")
    held = item.get(_named(parts[3], values))
    if held is None:
        return False
    mine, other = _value(held), _value(values["ExpressionAttributeValues"][parts[5]])
    return {"<": mine < other, "=": mine == other, ">=": mine >= other, ">": mine > other}[parts[4]]


def _named(name: str, values: Mapping[str, Any]) -> str:
    return str(values["ExpressionAttributeNames"][name]) if name.startswith("#") else name


def _value(value: Mapping[str, Any]) -> Any:
    ((kind, plain),) = value.items()
    return int(plain) if kind == "N" else plain
