"""Settings of what is remembered of conversations, and of the stream that turns and ratings go out on."""

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from headrace.config_base import Contradiction, OptionText, Positive, Settings, Text, Timeout
from headrace.config_kafka import MskIam, check_options
from headrace.config_keyed_stores import KeyedStore

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")


class Conversations(Settings):
    """What is remembered of conversations.

    Attributes:
        store: where; not one that holds profiles.
        keep: for how long a turn is.
    """

    store: Annotated[KeyedStore, Field(discriminator="store")]
    keep: Timeout = timedelta(days=30)


class EventsBase(Settings):
    """What every stream of events has in common.

    Attributes:
        texts: whether an event holds the texts that an answer was made from, which may be a person's.
        flush: the longest an event waits for others.
        queue: events that may wait in memory.
        wait: the longest that an answer waits for room in the queue; after that its event is lost, and told as such.
        spool: a folder of this machine for events while the stream is away; without one they wait in memory only.
        spool_bytes: how much it may hold.
    """

    texts: bool = False
    flush: Timeout = timedelta(seconds=2)
    queue: Positive = 10_000
    wait: Timeout = timedelta(seconds=0.1)
    spool: Text | None = None
    spool_bytes: Positive = 64 * 1024 * 1024

    @model_validator(mode="after")
    def _on_a_disk(self) -> "EventsBase":
        for key in ("path", "spool"):
            if _URL.match(getattr(self, key, None) or ""):
                raise Contradiction(key, "a folder on a disk of this machine", "a URL", f"{key}: ./events")
        return self


class FileEvents(EventsBase):
    """A folder of JSON lines, which a source `from: files` reads."""

    to: Literal["files"]
    path: Text


class KafkaEvents(EventsBase):
    """A topic of an Apache Kafka cluster; a conversation's events stay in order.

    Attributes:
        auth: how to sign in to Amazon MSK with IAM; every other way is set by `options`, as for sources.
        timeout: the longest wait for the brokers.
    """

    to: Literal["kafka"]
    servers: Text
    topic: Text
    auth: MskIam | None = None
    options: dict[str, OptionText | SecretStr] = Field(default_factory=dict)
    timeout: Timeout = timedelta(seconds=10)

    @model_validator(mode="after")
    def _one_way_in(self) -> "KafkaEvents":
        check_options(self.auth, self.options)
        return self


Events = Annotated[FileEvents | KafkaEvents, Field(discriminator="to")]
