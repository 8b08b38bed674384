"""Served rows: while tables are applied, their stores follow, and say how far.

A store follows `changed_keys`: told of a key, it is given the row as it is now, with the commit as its version. Every
change of a row is told after it was made, so whatever comes twice, late or after a crash ends with the newest. What a
crash may leave untold is written down before (`untold`), and all rows are then told once more.
"""

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from headrace.changes import served
from headrace.changes.served_columns import unknown_column
from headrace.config import Config
from headrace.config_sources import ApiSource
from headrace.errors import NotThere, Retryable
from headrace.lake import Lake
from headrace.pipelines import serve_parts
from headrace.pipelines.forgetting import Forgetting
from headrace.pipelines.serve_parts import JOB, ServedStore
from headrace.pipelines.serve_places import FORGOT_AT, UNTOLD, made_by_place
from headrace.pipelines.source_marks import Marks
from headrace.pipelines.telemetry import Telemetry
from headrace.served_rows import heartbeat, heartbeat_key
from headrace.stores.files import LakeFiles
from headrace.tables import TABLES

log = logging.getLogger("headrace")
LOOK_SECONDS = 1.0
LONGEST_PAUSE = 60.0
TRIES = 5
"""Of a store that is away at the end of a run."""


class Serving:
    """All served tables of a deployment. Does nothing where there are none."""

    def __init__(self, lake: Lake, config: Config, telemetry: Telemetry | None = None) -> None:
        self._config = config
        self._lake, self._files = lake, LakeFiles(config.lake)
        self._telemetry = telemetry or Telemetry(config.metrics)
        self._followed = [_Followed(lake, one) for one in serve_parts.stores(lake, config)]
        stores = config.serve.stores if config.serve else {}
        self._forgetting = Forgetting(self._files, FORGOT_AT, [one.store.publisher for one in self._followed], stores)
        self._base = frozenset(config.served()) & config.tables.keys()
        self._sources: dict[str, frozenset[str]] = {}
        self._marks = Marks(config, ())
        self._stop, self._wake = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    def open(self, derived: Mapping[str, Collection[str]]) -> None:
        """Check what can be checked, and take up where the last run ended.

        Args:
            derived: by derived table, the tables its SQL reads.

        Raises:
            ConfigError: a table that is there does not have a column that is served.
            Fatal: a store cannot be used as it is.
        """
        self._sources = {name: _sources_of(name, self._config, derived) for name in self._config.served()}
        self._marks = Marks(self._config, sorted({source for each in self._sources.values() for source in each}))
        for one in self._followed:
            one.check_columns()
        untold = self._files.read_text(UNTOLD) is not None
        for one in self._followed:
            one.take_up(untold)
        if untold:
            self._files.delete(UNTOLD)
        self._marks.ask()

    @contextmanager
    def untold(self, tables: Collection[str]) -> Iterator[None]:
        """Around what may delete rows of these tables without a trace, until `changed_keys` tells of them."""
        if self._base.isdisjoint(tables):
            yield
            return
        self._files.replace_text(UNTOLD, "A batch was cut off here; the next start fills the served stores.\n")
        yield
        self._files.delete(UNTOLD)

    def start(self) -> None:
        """Follow from now on, in a thread: a store that is away holds up no table."""
        if self._followed:
            self._wake.set()
            self._thread = threading.Thread(target=self._follow, name="serving", daemon=True)
            self._thread.start()

    def news(self) -> None:
        """A batch was applied."""
        self._wake.set()

    def check(self) -> None:
        """Raises what ended the thread."""
        if self._failure is not None:
            raise self._failure

    def finish(self, stop: threading.Event) -> None:
        """Bring every store in step; for the end of a run. Raises Retryable where one stays away."""
        tries = 0
        while True:
            self._round(stop, news=True, now=True)
            away = [one.away for one in self._followed if one.away is not None]
            tries += bool(away)
            if stop.is_set() or not (away or any(one.behind for one in self._followed)):
                return
            if tries > TRIES:
                raise away[0]
            stop.wait(1)

    def end(self) -> None:
        """Follow no more, and give back every connection."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        for one in self._followed:
            one.store.publisher.delivery.store.close()

    def _follow(self) -> None:
        while not self._stop.is_set():
            news = self._wake.is_set()
            self._wake.clear()
            try:
                self._round(self._stop, news=news)
            except BaseException as error:
                self._failure = error
                return
            self._wake.wait(LOOK_SECONDS)

    def _round(self, stop: threading.Event, *, news: bool, now: bool = False) -> None:
        if not self._followed:
            return
        # First how far the sources are, then the rows: these are at least as new.
        self._marks.look(now=now)
        for one in self._followed:
            as_of = {table.name: self._marks.of(self._sources[table.name]) for table in one.store.tables}
            one.bring(as_of, stop, news=news, now=now)
            self._telemetry.behind(JOB, f"serve/{one.store.name}", one.behind)
        self._forgetting.run(away=[one.store.name for one in self._followed if one.away is not None])


class _Followed:
    """A store that is kept in step.

    Attributes:
        away: why nothing could be written last time; None where it could.
    """

    def __init__(self, lake: Lake, store: ServedStore) -> None:
        self._lake, self.store, self._publisher = lake, store, store.publisher
        self._files = LakeFiles(lake.root)
        self.away: Retryable | NotThere | None = None
        self._pause, self._next = 1.0, 0.0
        self._told: dict[str, datetime] = {}
        self._positions: dict[str, str | None] = {}

    def check_columns(self) -> None:
        """Raises ConfigError for a column that a table which is there does not have."""
        for one in self.store.tables:
            relative = TABLES.format(table=one.name)
            if self._lake.exists(relative) and (wrong := unknown_column(one, self._lake.read(relative).columns)):
                raise wrong

    def take_up(self, untold: bool) -> None:
        """Have the store filled where its rows were made by other settings, or not all changes were told."""
        place = made_by_place(self.store.name)
        if not untold and self._files.read_text(place) == self.store.fingerprint:
            self._tried(self._publisher.open)
            return
        self._files.delete(place)  # until the fill is asked for, which a store that is away cannot be
        self._tried(self._asked_for_fill)

    @property
    def behind(self) -> bool:
        """Whether the store lacks something, as far as is known."""
        one = self._publisher
        return self.away is not None or one.behind or one.filling or one.late > 0

    def bring(self, as_of: Mapping[str, datetime | None], stop: threading.Event, *, news: bool, now: bool) -> None:
        """Write what is missing, then as of when the rows are true, where that is later than was said.

        Args:
            news: a batch was applied.
            now: although it was away a moment ago.
        """
        later = {table: at for table, at in as_of.items() if at is not None and at > self._told.get(table, _NEVER)}
        if (now or time.monotonic() >= self._next) and (later or news or self.behind):
            self._tried(lambda: self._bring(later, stop))

    def _bring(self, later: Mapping[str, datetime], stop: threading.Event) -> None:
        if self._files.read_text(made_by_place(self.store.name)) is None:
            self._asked_for_fill()
        try:
            self._publish(stop)
        except NotThere as error:
            log.warning("store=%s is made again and filled: %s", self.store.name, error)
            self._publisher.made_again()
            self._publish(stop)
        self._check_doubts()
        one = self._publisher
        if one.behind or one.filling or one.late:
            return
        one.beat(
            {heartbeat_key(table): (at, heartbeat(table, self._position(table), at)) for table, at in later.items()}
        )
        self._told |= later

    def _position(self, table: str) -> str | None:
        if table not in self._positions:
            self._positions[table] = served.newest_position(self._lake, table)
        return self._positions[table]

    def _check_doubts(self) -> None:
        """Raises Retryable, and has all rows told again, where the store may hold older rows than the table."""
        if doubted := len(self.store.doubted):
            self.store.doubted.clear()
            self._files.delete(made_by_place(self.store.name))
            todo = "Look into rejects/apply_changes; the store is filled again."
            raise Retryable(
                expected="rows the store takes or forgets", found=f"{doubted} it does neither with", todo=todo,
                where=self.store.name,
            )  # fmt: skip

    def _publish(self, stop: threading.Event) -> None:
        while True:
            done = self._publisher.run()
            if done.applied or done.failed:
                self._positions.clear()
                log.info(
                    "store=%s applied=%s stale=%s rejected=%s late=%s",
                    self.store.name, done.applied, done.stale, len(done.failed), self._publisher.late,
                )  # fmt: skip
            if stop.is_set() or not self._publisher.behind:
                return

    def _asked_for_fill(self) -> None:
        self._publisher.refill()
        self._files.replace_text(made_by_place(self.store.name), self.store.fingerprint)

    def _tried(self, step: Callable[[], object]) -> None:
        try:
            step()
        except (Retryable, NotThere) as error:
            self.away = error
            self._next, self._pause = time.monotonic() + self._pause, min(2 * self._pause, LONGEST_PAUSE)
            log.warning("store=%s rows are served later: %s", self.store.name, error)
        else:
            self.away, self._pause, self._next = None, 1.0, 0.0


_NEVER = datetime.min.replace(tzinfo=UTC)


def _sources_of(table: str, config: Config, derived: Mapping[str, Collection[str]]) -> frozenset[str]:
    """The sources whose changes reach a table; an API's answers come when they come."""
    if table in config.tables:
        source = config.tables[table].source
        return frozenset() if isinstance(config.sources[source], ApiSource) else frozenset([source])
    return frozenset().union(*(_sources_of(base, config, derived) for base in derived[table]))
