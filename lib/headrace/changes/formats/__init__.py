"""Decoders: one message of a transport -> changes, rejects and ignored records, per format.

Pure Python, run once per message inside Spark's workers. A decoder never raises: what it cannot use becomes a
`Reject` whose detail never shows values.
"""

from collections.abc import Callable
from functools import partial

from headrace.changes.envelope import Decoded, Message, Reject
from headrace.changes.formats.debezium import Debezium
from headrace.changes.formats.dms import Dms
from headrace.changes.formats.dynamodb import DynamoDb
from headrace.changes.formats.object_events import ObjectEvents
from headrace.changes.formats.payload import Unusable
from headrace.changes.formats.rows import Rows
from headrace.changes.routes import Routes
from headrace.config_sources import SourceBase

Decoder = Callable[[Message], list[Decoded]]


def decoder(source: SourceBase, routes: Routes) -> Decoder:
    """The decoder of a source's format. It keeps caches: make one per worker, use it from one thread.

    The decoder answers for any bytes and never raises. Raises ConfigError here, at start, for wrong declared types.
    """
    decode = _of_format(source, routes)
    most = source.max_message_bytes

    def decoded(message: Message) -> list[Decoded]:
        size = len(message.value) if message.value is not None else 0
        if size > most:
            detail = f"expected at most {most} bytes; found {size}. Raise max_message_bytes of the source"
            return [Reject("oversize message", detail)]
        try:
            return decode(message)
        except Unusable as error:
            return [Reject(error.reason, error.detail[:1000], error.table[:300])]
        except Exception as error:
            # A bug of a decoder must cost one message, not the stream; the type alone, as the text may show values.
            return [Reject("decoder error", f"{type(error).__name__} in the {source.format} decoder. Please report it")]

    return decoded


def _of_format(source: SourceBase, routes: Routes) -> Decoder:
    make: dict[str, Callable[[SourceBase, Routes], Decoder]] = {
        "debezium": Debezium,
        "dms": Dms,
        "dynamodb": DynamoDb,
        "objects": ObjectEvents,
        "json": Rows,
        "snapshot": partial(Rows, dump=True),
    }
    return make[source.format](source, routes)


__all__ = ["Decoder", "decoder"]
