"""DynamoDB change records as they arrive through Kinesis (or a stream trigger)."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from headrace.changes.envelope import Decoded, Ignored, Message, Row
from headrace.changes.formats import values
from headrace.changes.formats.image import Facts, Targets, arrival, delete, in_column, micros, named, unreadable, upsert
from headrace.changes.formats.payload import Fraction, Unusable, kind, parse
from headrace.changes.routes import Routes
from headrace.config_sources import SourceBase
from headrace.ordering import position as positions
from headrace.ordering.position import UnreadablePosition

_OPERATIONS = ("INSERT", "MODIFY", "REMOVE")
_TO_MICROS = {"MILLISECOND": 1_000, "MICROSECOND": 1}
_TTL = "dynamodb.amazonaws.com"


class DynamoDb:
    """Decodes the records of one source. Every image is the full item."""

    def __init__(self, source: SourceBase, routes: Routes) -> None:
        self._source, self._targets = source, Targets(routes)

    def __call__(self, message: Message) -> list[Decoded]:
        """What one record says. Raises Unusable."""
        if message.value is None:
            return [Ignored("tombstone")]
        record = parse(message.value)
        change = record.get("dynamodb") if isinstance(record, dict) else None
        event = record.get("eventName") if isinstance(record, dict) else None
        if isinstance(event, str) and event not in _OPERATIONS:
            raise Unusable("unknown operation", f"expected one of {_OPERATIONS}; found {event[:40]!r}")
        if not isinstance(change, dict) or event is None:
            raise Unusable(
                "unknown shape", f"expected a DynamoDB record with eventName and dynamodb; found {kind(record)}"
            )
        table = _table(record)
        try:
            return [self._change(message, record, change, str(event), table)]
        except Unusable as error:
            error.table = table
            raise

    def _change(
        self, message: Message, record: Mapping[str, Any], change: Mapping[str, Any], event: str, table: str
    ) -> Decoded:
        moment, parts = self._when(message, change)
        target = self._targets.find(table)
        facts = Facts(
            table,
            target,
            parts,
            self._source.epoch,
            moment,
            initiator=_initiator(record.get("userIdentity")),
            size=len(message.value or b""),
        )
        keys = change.get("Keys")
        known = dict(keys) if isinstance(keys, dict) else {}
        if event == "REMOVE":
            old = change.get("OldImage")
            held = old if isinstance(old, dict) else {}
            known |= {name: held[name] for name in target.key if name not in known and name in held}
            return delete(facts, *self._read(known, facts))
        image = change.get("NewImage")
        if not isinstance(image, dict):
            raise Unusable(
                "unknown shape",
                f"expected the item in dynamodb.NewImage; found {kind(image)}. Stream the new image of the table",
            )
        return upsert(facts, *self._read(known | image, facts))

    def _when(self, message: Message, change: Mapping[str, Any]) -> tuple[int | None, tuple[str, ...]]:
        created = change.get("ApproximateCreationDateTime")
        factor = _TO_MICROS.get(str(change.get("ApproximateCreationDateTimePrecision")))
        try:
            moment = values.whole(created) * factor if factor and created is not None else micros(created)
        except Unusable:
            moment = None
        changed = moment if moment is not None and 0 <= moment <= values.LATEST_MICROS else None
        if self._source.position == "arrival":
            return changed, arrival(message)
        if moment is None:
            raise unreadable(
                "expected a time in dynamodb.ApproximateCreationDateTime; found none. Or set position: arrival"
            )
        try:
            return changed, (positions.integer(moment),)
        except UnreadablePosition as error:
            raise unreadable(str(error)) from None

    def _read(self, item: Mapping[str, Any], facts: Facts) -> tuple[Row, dict[str, str]]:
        row: Row = {}
        types: dict[str, str] = {}
        for column, wrapped in item.items():
            try:
                content, of = attribute(wrapped)
            except Unusable as error:
                raise in_column(column, error) from None
            declared = facts.target.declared.get(column)
            if declared is not None:
                row[column], of = named(column, declared, content), declared.type
            else:
                row[column] = values.as_text(content)
            if of is not None:
                types[column] = of
        return row, types


Plain = tuple[Any, str | None]


def attribute(wrapped: Any) -> Plain:
    """(JSON value, Spark type) of an AttributeValue such as `{"N": "42.5"}`. Raises Unusable.

    Numbers keep all their digits; sets are sorted, since their order means nothing and a repeat must read the same.
    """
    if isinstance(wrapped, dict) and len(wrapped) == 1:
        ((name, content),) = wrapped.items()
        read = _KINDS.get(name)
        if read is not None:
            return (None, None) if content is None else read(content)
    raise Unusable(
        "incompatible value",
        f"expected an AttributeValue such as {{'S': '...'}}; found {kind(wrapped)} of another shape",
    )


def _number(content: Any) -> Plain:
    text = values.number_text(content)
    if "." in text and text.partition(".")[2].strip("0"):
        return Fraction(text), "double"
    whole = values.whole(content)
    return whole, values.whole_type(whole)


def _text(content: Any) -> Plain:
    if type(content) is not str:
        raise values.incompatible("text", content)
    return content, "string"


def _binary(content: Any) -> Plain:
    values.binary(content)
    return content, "binary"


def _boolean(content: Any) -> Plain:
    if type(content) is not bool:
        raise values.incompatible("true or false", content)
    return content, "boolean"


def _items(content: Any, read: Callable[[Any], Plain]) -> tuple[list[Any], str | None]:
    if not isinstance(content, list):
        raise values.incompatible("an array", content)
    found = [read(one) for one in content]
    types = {"nested" if isinstance(item, dict | list) else of for item, of in found if item is not None}
    if types == {"bigint", "double"}:
        types = {"double"}
    items = [item for item, of in found]
    if not types:
        return items, None
    only = types.pop()
    return items, "string" if types or only in ("nested", None) else f"array<{only}>"


def _set(read: Callable[[Any], Plain], order: Callable[[Any], Any]) -> Callable[[Any], Plain]:
    def sorted_set(content: Any) -> Plain:
        items, of = _items(content, read)
        return sorted(items, key=order), of

    return sorted_set


def _value(item: Any) -> Decimal:
    return Decimal(values.number_text(item))


def _map(content: Any) -> Plain:
    if not isinstance(content, dict):
        raise values.incompatible("an object", content)
    return {name: attribute(one)[0] for name, one in content.items()}, "string"


_KINDS: dict[str, Callable[[Any], Plain]] = {
    "S": _text,
    "N": _number,
    "B": _binary,
    "BOOL": _boolean,
    "NULL": lambda content: (None, None),
    "M": _map,
    "L": lambda content: _items(content, attribute),
    "SS": _set(_text, str),
    "NS": _set(_number, _value),
    "BS": _set(_binary, str),
}


def _table(record: Mapping[str, Any]) -> str:
    """The table's name, from the record itself or from the stream's ARN."""
    name = record.get("tableName")
    if isinstance(name, str) and name:
        return name
    arn = record.get("eventSourceARN")
    found = arn.partition(":table/")[2].partition("/")[0] if isinstance(arn, str) else ""
    if not found:
        raise Unusable("unknown shape", "expected tableName or eventSourceARN in a DynamoDB record; found neither")
    return found


def _initiator(identity: Any) -> str | None:
    """`ttl` for DynamoDB's own expiry of items, else None."""
    return "ttl" if isinstance(identity, dict) and identity.get("principalId") == _TTL else None
