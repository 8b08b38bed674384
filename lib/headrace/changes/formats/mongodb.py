"""MongoDB events of Debezium."""

from typing import Any

from headrace.changes.envelope import Decoded, Message
from headrace.changes.formats.image import Facts
from headrace.config import SourceBase


class Documents:
    def __init__(self, source: SourceBase) -> None:
        self._source = source

    def changes(self, facts: Facts, message: Message, payload: Any, op: str, rank: str | None) -> list[Decoded]:
        raise NotImplementedError
