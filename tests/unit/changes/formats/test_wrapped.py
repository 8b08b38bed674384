"""Lines `{"key", "value", "headers"}` of files."""

import pytest

from headrace.changes.envelope import Message
from headrace.changes.formats.wrapped import unwrapped


@pytest.mark.parametrize(
    ("line", "key", "value", "headers"),
    [
        (b'{"key":{"id":1},"value":{"op":"c"}}', b'{"id":1}', b'{"op":"c"}', ()),
        (b'{"value":{"op":"t"},"key":null}', None, b'{"op":"t"}', ()),
        (b'{"key":{"id":1},"value":null}', b'{"id":1}', None, ()),
        (b'{"value":{"op":"c"}}', None, b'{"op":"c"}', ()),
        (b'{"key":"{\\"id\\":1}","value":"{\\"op\\":\\"c\\"}"}', b'{"id":1}', b'{"op":"c"}', ()),
        (b'{"key":1,"value":{},"headers":{"a":"x","b":null}}', b"1", b"{}", (("a", b"x"), ("b", None))),
    ],
    ids=["both", "null key", "tombstone", "no key", "texts", "headers"],
)
def test_a_wrapped_line_becomes_the_message_it_holds(
    line: bytes, key: bytes | None, value: bytes | None, headers: tuple[tuple[str, bytes | None], ...]
) -> None:
    message = unwrapped(Message(None, line, stream="in.jsonl", offset=7))
    assert message == Message(key, value, headers, stream="in.jsonl", offset=7)


@pytest.mark.parametrize(
    "line",
    [b'{"id":1,"value":2}', b'{"key":1,"other":2}', b'{"value":', b"[]", b"", b'\xff{"value":1}', b'"value"'],
    ids=["other members", "no value", "cut", "array", "empty", "not UTF-8", "text"],
)
def test_any_other_line_stays_as_it_is(line: bytes) -> None:
    assert unwrapped(Message(None, line)) == Message(None, line)
