"""Debezium's marker for a value it does not know: an unchanged large value (TOAST, LOB) the database did not log."""

import base64
import hashlib
import uuid
from typing import Any

from headrace.errors import ConfigError


class Markers:
    """Tells whether a JSON value is the marker, in every shape PostgreSQL's column types give it.

    Shapes: text; the same as bytes (base64, or hexadecimal by `binary.handling.mode`); an array with one of these; an
    array of its bytes as numbers (int4[], int8[]); an array with the name-based UUID of it (uuid[]); a map from it to
    itself (hstore), also as JSON text.

    Args:
        placeholder: Debezium's `unavailable.value.placeholder`, text or `hex:` and the bytes.
    """

    def __init__(self, placeholder: str) -> None:
        content = _content(placeholder)
        encoded = [base64.b64encode(content), base64.urlsafe_b64encode(content), content.hex().encode()]
        texts = {one.decode() for one in encoded}
        try:
            text = content.decode("utf-8")
            texts |= {text, f'{{"{text}":"{text}"}}', f'{{"{text}": "{text}"}}'}
            self._map: dict[str, str] | None = {text: text}
        except UnicodeDecodeError:
            self._map = None
        self._texts = tuple(sorted(texts))
        name = uuid.UUID(bytes=hashlib.md5(content, usedforsecurity=False).digest(), version=3)
        self._lists: list[list[Any]] = [[one] for one in (*self._texts, str(name))] + [list(content)]

    def __call__(self, value: Any) -> bool:
        of = type(value)
        if of is str:
            return value in self._texts
        if of is list:
            return value in self._lists
        return of is dict and value == self._map


def _content(placeholder: str) -> bytes:
    if not placeholder.startswith("hex:"):
        return placeholder.encode("utf-8")
    try:
        return bytes.fromhex(placeholder[4:])
    except ValueError:
        raise ConfigError(
            expected="hexadecimal digits after hex:",
            found=repr(placeholder),
            todo="Copy unavailable.value.placeholder from the connector's settings.",
            where="unavailable",
        ) from None
