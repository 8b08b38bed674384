"""Messages with their key and headers as lines of a file."""

from dataclasses import replace

import msgspec

from headrace.changes.envelope import Message


class _Wrapped(msgspec.Struct, forbid_unknown_fields=True):
    """A message with its key, as one line of a file; each part JSON as it is, or a text that holds it."""

    # Not `Raw | None`: msgspec then takes null only.
    value: msgspec.Raw
    key: msgspec.Raw = msgspec.Raw(b"null")
    headers: dict[str, msgspec.Raw] | None = None


def unwrapped(message: Message) -> Message:
    """A line `{"key": ..., "value": ..., "headers": {...}}` as the message it holds; any other line as it is."""
    line = message.value or b""
    if b'"value"' not in line:
        return message
    try:
        wrapped = msgspec.json.decode(line, type=_Wrapped)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return message
    headers = tuple((name, _raw(value)) for name, value in (wrapped.headers or {}).items())
    return replace(message, key=_raw(wrapped.key), value=_raw(wrapped.value), headers=headers)


def _raw(value: msgspec.Raw) -> bytes | None:
    raw = bytes(value)
    if raw == b"null":
        return None
    return msgspec.json.decode(raw, type=str).encode() if raw.startswith(b'"') else raw
