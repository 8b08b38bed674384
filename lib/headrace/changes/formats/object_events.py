"""Object events of Amazon S3: bucket notifications and EventBridge events, as rows keyed by bucket and key."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus

from headrace.changes.envelope import Decoded, Ignored, Message, Reject, Row
from headrace.changes.formats import values
from headrace.changes.formats.image import Facts, Targets, arrival, delete, micros, unreadable, upsert
from headrace.changes.formats.payload import Unusable, kind, parse
from headrace.changes.routes import Routes
from headrace.config_sources import SourceBase
from headrace.ordering import position as positions
from headrace.ordering.position import UnreadablePosition

_CREATED, _GONE = ("ObjectCreated:", "Object Created"), ("ObjectRemoved:", "LifecycleExpiration:", "Object Deleted")
_TYPES = {
    "bucket": "string",
    "key": "string",
    "size": "bigint",
    "etag": "string",
    "version_id": "string",
    "event": "string",
    "url": "string",
}


class ObjectEvents:
    """Decodes the events of one source. The table has no name of its own."""

    def __init__(self, source: SourceBase, routes: Routes) -> None:
        self._source, self._targets = source, Targets(routes)

    def __call__(self, message: Message) -> list[Decoded]:
        """One answer per record: one that cannot be used does not stop the others. Raises Unusable."""
        if message.value is None:
            return [Ignored("tombstone")]
        event = parse(message.value)
        if isinstance(event, dict) and isinstance(event.get("Records"), list):
            return [self._safe(message, record) for record in event["Records"]] or [Ignored("no records")]
        if isinstance(event, dict) and event.get("Event") == "s3:TestEvent":
            return [Ignored("test message")]
        if isinstance(event, dict) and isinstance(event.get("detail"), dict) and "detail-type" in event:
            return [self._event_bridge(message, event, event["detail"])]
        raise Unusable(
            "unknown shape", f"expected an S3 notification or EventBridge event; found {kind(event)} of another"
        )

    def _safe(self, message: Message, record: Any) -> Decoded:
        try:
            return self._notification(message, record)
        except Unusable as error:
            return Reject(error.reason, error.detail)

    def _notification(self, message: Message, record: Any) -> Decoded:
        about = record.get("s3") if isinstance(record, dict) else None
        if not isinstance(about, dict):
            raise Unusable("unknown shape", f"expected records with s3; found {kind(record)} without")
        thing = _member(about, "object")
        key = thing.get("key")
        name = str(record.get("eventName", "")).removeprefix("s3:")
        row = {
            "bucket": _member(about, "bucket").get("name"),
            "key": _unquoted(key) if isinstance(key, str) else key,
            "size": thing.get("size"),
            "etag": thing.get("eTag"),
            "version_id": thing.get("versionId"),
            "event": name,
        }
        return self._change(message, row, thing.get("sequencer"), record.get("eventTime"))

    def _event_bridge(self, message: Message, event: Mapping[str, Any], detail: Mapping[str, Any]) -> Decoded:
        thing = _member(detail, "object")
        row = {
            "bucket": _member(detail, "bucket").get("name"),
            "key": thing.get("key"),
            "size": thing.get("size"),
            "etag": thing.get("etag"),
            "version_id": thing.get("version-id"),
            "event": str(event["detail-type"]),
        }
        return self._change(message, row, thing.get("sequencer"), event.get("time"))

    def _change(self, message: Message, raw: dict[str, Any], sequencer: Any, when: Any) -> Decoded:
        event = raw["event"]
        if not event.startswith(_CREATED + _GONE):
            # Restores, tags, access lists: the object's bytes are the same, and S3 sends no sequencer.
            return Ignored("object unchanged")
        raw["url"] = f"s3://{raw['bucket']}/{raw['key']}" if raw["bucket"] and raw["key"] else None
        target = self._targets.find("")
        facts = Facts("", target, self._parts(message, sequencer), self._source.epoch, micros(when))
        row: Row = {column: values.as_text(value) for column, value in raw.items()}
        if event.startswith(_GONE):
            identifying = {column: row[column] for column in target.key or ("bucket", "key") if column in row}
            return delete(facts, identifying, _TYPES)
        return upsert(facts, row, dict(_TYPES))

    def _parts(self, message: Message, sequencer: Any) -> tuple[str, ...]:
        if self._source.position == "arrival":
            return arrival(message)
        if not isinstance(sequencer, str):
            raise unreadable("expected a sequencer with the object; found none. Set position: arrival for such events")
        try:
            return (positions.sequencer(sequencer),)
        except UnreadablePosition as error:
            raise unreadable(str(error)) from None


def _unquoted(key: str) -> str:
    """Notifications send keys URL-encoded, EventBridge as they are."""
    try:
        return unquote_plus(key, errors="strict")
    except UnicodeDecodeError:
        raise Unusable("wrong UTF-8", "expected an object key in UTF-8; found other bytes in the encoded key") from None


def _member(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = of.get(name)
    if not isinstance(found, dict):
        raise Unusable("unknown shape", f"expected {name} as an object; found {kind(found)}")
    return found
