"""The bytes before Avro bytes: which schema of a registry a message was written with."""

import zlib
from typing import NamedTuple
from uuid import UUID

from headrace.changes.formats.payload import Unusable


class Framed(NamedTuple):
    """Avro bytes and the id of the schema they were written with."""

    id: int | UUID
    body: bytes


def framed(raw: bytes, told: bytes | None, *, glue: bool, most: int) -> Framed | None:
    """The bytes behind the id of their schema; None where they have none.

    Args:
        told: a header's schema id: then all of `raw` is the body.
        most: bytes that a compressed body may grow to. Raises Unusable where it holds more, or is damaged.
    """
    if glue:
        return _framed_by_glue(raw, most)
    start = raw if told is None else told
    if start[:1] == b"\0" and len(start) >= 5:
        id: int | UUID = int.from_bytes(start[1:5], "big")
        size = 5
    elif start[:1] == b"\1" and len(start) >= 17:
        id, size = UUID(bytes=start[1:17]), 17
    else:
        return None
    return Framed(id, raw[size:] if told is None else raw)


def _framed_by_glue(raw: bytes, most: int) -> Framed | None:
    if len(raw) < 18 or raw[:2] not in (b"\3\0", b"\3\5"):
        return None
    id, body = UUID(bytes=raw[2:18]), raw[18:]
    if raw[1] == 5:
        inflater = zlib.decompressobj()
        try:
            body = inflater.decompress(body, most + 1)
        except zlib.error:
            raise broken(id, "compressed bytes that are damaged") from None
        if len(body) > most:
            detail = f"expected at most {most} bytes; found more, compressed. Raise max_message_bytes of the source"
            raise Unusable("oversize message", detail)
        if not inflater.eof:
            raise broken(id, "compressed bytes that end too soon")
    return Framed(id, body)


def broken(id: int | UUID, found: str) -> Unusable:
    """Why bytes are no value of their schema."""
    todo = "Check that the producer writes with the schema whose id it sends"
    return Unusable("not Avro", f"expected a value of schema {id} and nothing behind it; found {found}. {todo}")
