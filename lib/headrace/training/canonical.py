"""A value as JSON, in one spelling: the same value is the same bytes, everywhere."""

import json
from typing import Any

# They end no line in JSON Lines, but do for readers such as Python's `splitlines`.
_ENDS_OF_LINES = {"\u0085": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def canonical(value: Any) -> bytes:
    """UTF-8 on one line without an end of line: keys sorted, nothing escaped that needs no escape.

    Raises:
        ValueError: a number that JSON has not, or text that is no Unicode.
    """
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    for one, escaped in _ENDS_OF_LINES.items():
        text = text.replace(one, escaped)
    return text.encode("utf-8")
