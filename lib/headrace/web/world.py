"""Everything the pages are made from, opened when it is first asked for. No Spark."""

import logging
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from headrace.config import Config
from headrace.config_keyed_stores import NeptuneGraph
from headrace.context.assemble import Assembler
from headrace.context.profile import Profile, Profiles
from headrace.conversations.store import Conversations
from headrace.pipelines.assistant import Opened
from headrace.pipelines.conversing import conversations
from headrace.pipelines.people_lookup import lookup
from headrace.pipelines.status import Status, status
from headrace.pipelines.tables_view import LakeView
from headrace.ports_chat import Answerer
from headrace.ports_events import EventSink
from headrace.stores.chat_models import answerers, close
from headrace.stores.delta_reader import NeedsSpark
from headrace.stores.event_sinks import sink
from headrace.web.audit import Audit
from headrace.web.fresh import Seen, numbers

LOOK_AGAIN = 2.0
"""Seconds that a status is shown for: many readers are no burden to the lake."""
_LOOKS = 60
_log = logging.getLogger("headrace")


@dataclass(frozen=True, slots=True)
class Assistant:
    """What answers are made with. `remembered`, `sink`: None where the settings name none."""

    assembler: Assembler
    models: list[Answerer]
    remembered: Conversations | None
    sink: EventSink | None


class World:
    """One deployment; threads share it. To be closed.

    Args:
        now: the clock.
    """

    def __init__(self, config: Config, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.config, self.now = config, now
        self.audit = Audit(config.web.audit)
        self._lock, self._looking = Lock(), Lock()
        self._closing = ExitStack()
        self._assistant: Assistant | None = None
        self._people: Profiles | None = None
        self._looks: deque[Seen] = deque(maxlen=_LOOKS)
        self._status: tuple[float, Status] | None = None

    @property
    def has_people(self) -> bool:
        """Whether profiles can be looked up."""
        profiles = self.config.profiles
        return profiles is not None and any(not isinstance(one, NeptuneGraph) for one in profiles.stores.values())

    def assistant(self) -> Assistant:
        """What answers are made with. Raises HeadraceError where it cannot be opened yet; it is tried again then."""
        with self._lock:
            self._assistant = self._assistant or self._opened()
            return self._assistant

    def _opened(self) -> Assistant:
        settings = self.config.assistant
        with ExitStack() as stack:
            people = stack.enter_context(closing(lookup(self.config))) if self.has_people else None
            opened = stack.enter_context(Opened(self.config, None, settings.context.mode, people))
            models = answerers(settings)
            stack.callback(close, models)
            remembered = conversations(settings)
            if remembered:
                stack.callback(remembered.close)
            events = sink(settings.events) if settings.events else None
            if events:
                stack.callback(events.close)
            made = Assistant(opened.assembler(settings.context.most_passages), models, remembered, events)
            self._closing.push(stack.pop_all())
        return made

    def find(self, who: str) -> list[Profile]:
        """The people that an id or an identifier leads to. Raises HeadraceError where nobody can be looked up."""
        with self._lock:
            if self._people is None:
                self._people = self._closing.enter_context(closing(lookup(self.config)))
            people = self._people
        return people.find(who)

    def view(self) -> LakeView:
        """The lake as it is now."""
        return OnlyDelta(self.config)

    def status(self) -> tuple[Status, list[Seen]]:
        """How the deployment is doing, and what was seen before, oldest first; the newest look is its last."""
        with self._looking:
            if self._status is None or time.monotonic() - self._status[0] >= LOOK_AGAIN:
                found = status(self.config, self.view(), self.now())
                self._status = (time.monotonic(), found)
                self._looks.append(Seen(found.at, numbers(found)))
            return self._status[1], list(self._looks)

    def close(self) -> None:
        """Deliver what waits and give everything back."""
        self._closing.close()


class OnlyDelta(LakeView):
    """Never starts a Spark."""

    def _through_spark(self, relative: str, sql: str) -> list[dict[str, Any]]:
        raise NeedsSpark(relative)
