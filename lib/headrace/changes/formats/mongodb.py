"""MongoDB documents in Debezium events: images as extended JSON text, updates as exact patches."""

from collections.abc import Mapping
from typing import Any

from headrace.changes.envelope import Decoded, Message, Row
from headrace.changes.formats import values
from headrace.changes.formats.extended_json import plain
from headrace.changes.formats.image import Facts, Target, delete, in_column, missing_key, named, upsert
from headrace.changes.formats.payload import Unusable, kind, parse

ID = "_id"
_ADVICE = "Set the connector's capture.mode to change_streams_update_full"


class Documents:
    """Decodes the document events of one source."""

    def changes(
        self, facts: Facts, message: Message, payload: Mapping[str, Any], op: str, rank: str | None
    ) -> list[Decoded]:
        """The changes of one event. Raises Unusable."""
        after = _document(payload.get("after"))
        if op == "d":
            return [self._delete(facts, message, payload)]
        patch = payload.get("updateDescription")
        if op == "u" and isinstance(patch, dict) and any(value is not None for value in patch.values()):
            changed = _patched(patch, after)
            changed = _identity(message, payload, after) | changed
            row, types = columns(changed, facts.target)
            return [upsert(facts, row, types, sent=tuple(row), rank=rank)]
        if after is None:
            raise Unusable(
                "unresolved patch", f"expected the document in after; found neither it nor a patch. {_ADVICE}"
            )
        row, types = columns(_identity(message, payload, after) | after, facts.target)
        return [upsert(facts, row, types, rank=rank)]

    def _delete(self, facts: Facts, message: Message, payload: Mapping[str, Any]) -> Decoded:
        known = _identity(message, payload, None)
        before = _document(payload.get("before")) or {}
        known |= {name: before[name] for name in facts.target.key if name not in known and name in before}
        if not known:
            raise missing_key(facts.target.key or (ID,), {})
        return delete(facts, *columns(known, facts.target))


def columns(document: Mapping[str, Any], target: Target) -> tuple[Row, dict[str, str]]:
    """(text, types) of a document's top-level members. Raises Unusable."""
    row: Row = {}
    types: dict[str, str] = {}
    for column, value in document.items():
        try:
            content, of = plain(value)
        except Unusable as error:
            raise in_column(column, error) from None
        declared = target.declared.get(column)
        if declared is not None:
            row[column], of = named(column, declared, content), declared.type
        else:
            row[column] = values.as_text(content)
        if of is not None:
            types[column] = of
    return row, types


def _document(image: Any) -> dict[str, Any] | None:
    """An image as an object: the connector sends JSON inside a JSON text. Raises Unusable."""
    if isinstance(image, str):
        image = parse(image.encode("utf-8", "surrogatepass"))
    if image is None or isinstance(image, dict):
        return image
    raise Unusable("unknown shape", "expected a document as JSON text or object in after or before")


def _identity(message: Message, payload: Mapping[str, Any], after: Mapping[str, Any] | None) -> dict[str, Any]:
    """`_id` from the document, else from the message key, else from `before`; empty where none has it."""
    if after is not None and ID in after:
        return {ID: after[ID]}
    found = _key_id(message.key)
    if found is None:
        found = (_document(payload.get("before")) or {}).get(ID)
    return {} if found is None else {ID: found}


def _key_id(key: bytes | None) -> Any:
    """The id in a message key `{"id": "<extended JSON>"}`, with or without a schema block."""
    try:
        value = parse(key) if key else None
    except Unusable:
        return None
    if isinstance(value, dict) and "payload" in value:
        value = value["payload"]
    if isinstance(value, dict):
        value = value.get("id", value.get(ID))
    if not isinstance(value, str):
        return value
    try:
        return parse(value.encode("utf-8", "surrogatepass"))
    except Unusable:
        return value


def _patched(patch: Mapping[str, Any], after: Mapping[str, Any] | None) -> dict[str, Any]:
    """The top-level members an update changed. A change inside one needs the whole member from `after`."""
    updated = _document(patch.get("updatedFields")) or {}
    removed = [name for name in _listed(patch.get("removedFields")) if isinstance(name, str)]
    fields = [one.get("field") for one in _listed(patch.get("truncatedArrays")) if isinstance(one, dict)]
    truncated = [name for name in fields if isinstance(name, str)]
    changed: dict[str, Any] = {name: None for name in removed if "." not in name}
    changed |= {name: value for name, value in updated.items() if "." not in name}
    inside = [name for name in (*updated, *removed) if "." in name] + truncated
    for name in inside:
        whole = name.partition(".")[0]
        if after is None:
            raise Unusable(
                "unresolved patch",
                f"expected the whole member in after for a change inside {whole[:100]!r}; found no after. {_ADVICE}",
            )
        changed[whole] = after.get(whole)
    return changed


def _listed(value: Any) -> list[Any]:
    if value is None or isinstance(value, list):
        return value or []
    raise Unusable("unknown shape", f"expected an array in updateDescription; found {kind(value)}")
