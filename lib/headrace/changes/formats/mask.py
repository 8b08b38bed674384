"""Masking: a message without the values of named columns, for `changes_log` and `rejects`."""

from collections.abc import Collection, Mapping
from typing import Any

from headrace.changes.formats.payload import Unusable, json_text, parse, to_bytes

_NOT_ROWS = frozenset({"schema", "metadata", "transaction", "Keys", "bucket"})
"""Members that describe a message and hold no values of non-key columns."""

_STATEMENTS = ("query", "ddl")
"""SQL text with the row's values in it (Debezium for MySQL with `include.query`)."""


def masked(value: bytes, columns: Collection[str], *, keys: Collection[str] = (), before_prefix: str = "BI_") -> bytes:
    """The message as JSON with the values of `columns` replaced by null; empty bytes where it is not JSON.

    A member of that name, in capitals or not, is masked at every depth outside the parts that only describe the message
    (schema blocks, Debezium's source, metadata), so that an image in an unknown place does not leak; likewise the
    column's before-image (`BI_name`) and a patch inside it (`name.first`). Columns in `keys` stay.
    Text that is JSON itself (MongoDB's images) is masked inside. Bytes that are not a JSON object or array cannot be
    masked, so nothing of them is kept: `masked` answers `b""`.
    """
    hidden = frozenset(map(str.casefold, columns)) - frozenset(map(str.casefold, keys))
    if not hidden:
        return value
    try:
        content = parse(value)
        return to_bytes(_Mask(hidden, before_prefix).of(content)) if isinstance(content, dict | list) else b""
    except (Unusable, RecursionError):
        return b""


class _Mask:
    def __init__(self, hidden: frozenset[str], before_prefix: str) -> None:
        self._hidden = hidden | {f"{before_prefix.casefold()}{column}" for column in hidden if before_prefix}

    def of(self, value: Any) -> Any:
        """The same value without the hidden members."""
        if isinstance(value, dict):
            return {name: self._member(name, content, value) for name, content in value.items()}
        if isinstance(value, list):
            return [self.of(one) for one in value]
        return self._text(value) if isinstance(value, str) else value

    def _member(self, name: str, content: Any, within: Mapping[str, Any]) -> Any:
        if not self._hidden.isdisjoint((name.casefold(), name.partition(".")[0].casefold())):
            return {"NULL": True} if _is_attribute(content) else None
        if name == "source" and isinstance(content, dict) and "op" in within:
            return {inner: None if inner in _STATEMENTS else one for inner, one in content.items()}
        if name in _NOT_ROWS and isinstance(content, dict):
            return content
        if name in _STATEMENTS and isinstance(content, str) and "source" in within:
            return None
        return self.of(content)

    def _text(self, text: str) -> str | None:
        """Text, which may be JSON inside JSON: MongoDB's images and patches, wrapped messages."""
        if text.lstrip()[:1] not in ("{", "["):
            return text
        folded = text.casefold()
        # JSON may write any letter of a name as an escape.
        if "\\u" not in text and not any(column in folded for column in self._hidden):
            return text
        try:
            return json_text(self.of(parse(text.encode("utf-8", "surrogatepass"))))
        except Unusable:
            return None


def _is_attribute(content: Any) -> bool:
    """Whether a value is a DynamoDB AttributeValue, whose null is spelt `{"NULL": true}`."""
    kinds = {"S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"}
    return isinstance(content, dict) and len(content) == 1 and content.keys() <= kinds
