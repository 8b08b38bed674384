"""What sources held at a moment, and when all of it is in the lake.

Only that makes "as of" true: a batch tells what came, not what else there was. A source is asked what it holds; once
the stream's checkpoint has taken that much, everything sent by then is in the tables.
"""

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from headrace.config import Config
from headrace.config_sources import FilesSource, KafkaSource, KinesisSource
from headrace.errors import HeadraceError
from headrace.pipelines import lag
from headrace.pipelines.lag import Checkpoint, checkpoint_folder
from headrace.stores.kafka_look import KafkaLook
from headrace.stores.kinesis_look import KinesisLook

log = logging.getLogger("headrace")
EVERY = 10.0
"""Seconds between two questions to a source."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a source had sent by a moment; `taken` says whether all of it is in the lake."""

    at: datetime
    taken: Callable[[], bool]


def mark(config: Config, source: str) -> Mark | None:
    """Ask a source what it holds now; None where it cannot be asked. Raises HeadraceError where it does not answer."""
    settings, at = config.sources[source], datetime.now(UTC)
    checkpoint = Checkpoint(checkpoint_folder(config, source))
    match settings:
        case KafkaSource():
            look = KafkaLook(settings.servers, settings.options, settings.auth)
            held = look.offsets(look.topics(settings.topics))
            return Mark(at, lambda: lag.messages_behind(settings, held, checkpoint.offsets()) == 0)
        case FilesSource():
            there = lag.files_in(settings)
            return None if there is None else Mark(at, lambda: there <= lag.files_taken(checkpoint))
        case KinesisSource():
            if settings.reader != "headrace":
                return None
            behind = KinesisLook(settings).behind(checkpoint.shards())
            return Mark(at - timedelta(milliseconds=behind), lambda: True)
    return None


class Marks:
    """The marks of some sources. Not for several threads.

    Attributes:
        reached: by source, the newest moment by which all it had sent is in the lake.
    """

    def __init__(self, config: Config, sources: Collection[str]) -> None:
        self._config, self._sources = config, sources
        self._waiting: dict[str, Mark] = {}
        self._next: dict[str, float] = {}
        self._silent: set[str] = set()
        self.reached: dict[str, datetime] = {}

    def ask(self) -> None:
        """Ask every source that is due and has no mark waiting."""
        for source in self._sources:
            if source not in self._waiting and time.monotonic() >= self._next.get(source, 0.0):
                self._next[source] = time.monotonic() + EVERY
                if (found := self._asked(source)) is not None:
                    self._waiting[source] = found

    def look(self, *, now: bool = False) -> None:
        """See which marks were reached.

        Args:
            now: ask again at once, whether it is due or not; for the end of a run.
        """
        self._look()
        if now:
            self._next.clear()
        self.ask()
        self._look()

    def of(self, sources: Collection[str]) -> datetime | None:
        """The moment by which all that these sources had sent is in the lake; None where nobody knows."""
        reached = [self.reached.get(source) for source in sources]
        known = [one for one in reached if one is not None]
        return min(known) if known and len(known) == len(reached) else None

    def _look(self) -> None:
        for source, one in list(self._waiting.items()):
            if self._told(source, one.taken):
                del self._waiting[source]
                self.reached[source] = max(one.at, self.reached.get(source, one.at))

    def _asked(self, source: str) -> Mark | None:
        try:
            found = mark(self._config, source)
            self._silent.discard(source)
            return found
        except (HeadraceError, OSError) as error:
            self._say(source, error)
            return None

    def _told(self, source: str, taken: Callable[[], bool]) -> bool:
        try:
            return taken()
        except (HeadraceError, OSError, ValueError, KeyError, TypeError) as error:
            self._say(source, error)
            return False

    def _say(self, source: str, error: Exception) -> None:
        """Once, not every ten seconds."""
        if source not in self._silent:
            self._silent.add(source)
            log.warning("source=%s does not say how far it is, served rows grow stale: %s", source, error)
