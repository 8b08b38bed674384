"""Enrichment beside the job's loop: a thread for each API, so that a slow or dead one holds up nobody."""

import logging
import threading
from datetime import UTC, datetime

from pyspark.sql import DataFrame

from headrace.changes import enrich
from headrace.config import Config
from headrace.config_api import apis
from headrace.errors import HeadraceError
from headrace.lake import Lake
from headrace.pipelines.enrich import Enricher, Round
from headrace.tables import ANSWERS, TABLES

log = logging.getLogger("headrace")
LOOK_SECONDS = 5.0
"""Between two looks for new keys."""
PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 30.0, 600.0


class Enrichment:
    """All APIs of a deployment. Their answers are streams; `apply_changes` follows them like any source.

    Raises ConfigError for settings that no call could be made with.
    """

    def __init__(self, lake: Lake, config: Config) -> None:
        self._lake, self._stop = lake, threading.Event()
        self._enrichers = {
            source: Enricher(lake, source, api, table, config.tables[table].key)
            for table, (source, api) in apis(config).items()
        }
        self._threads: list[threading.Thread] = []

    @property
    def sources(self) -> list[str]:
        """The sources whose streams come from here."""
        return list(self._enrichers)

    def stream(self, source: str) -> DataFrame:
        """The answers that change the table, as raw messages."""
        table = self._enrichers[source].table
        place = self._lake.path(self._lake.ensure(ANSWERS, table=table))
        # What is forgotten was told before; compaction is no news.
        reader = self._lake.spark.readStream.format("delta").option("skipChangeCommits", "true")
        return enrich.messages(reader.load(place), table)

    def drain(self, stop: threading.Event) -> list[str]:
        """Ask for what is due now, as far as services and budgets go; the sources that have news."""
        news = []
        for source, one in self._enrichers.items():
            told, more = 0, True
            while more and not stop.is_set():
                found = self._tried(one, stop) or Round(stuck=True)
                told, more = told + found.told, found.more and not found.stuck
            news += [source] if told else []
        return news

    def start(self) -> None:
        """Ask from now on, each API in a thread of its own."""
        for source, one in self._enrichers.items():
            thread = threading.Thread(target=self._follow, args=(one,), name=f"enrich {source}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def end(self) -> None:
        """Ask no more; what was answered is written."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        for one in self._enrichers.values():
            one.close()

    def _follow(self, one: Enricher) -> None:
        pause, seen, found = PAUSE_SECONDS, -1, Round(more=True)
        while not self._stop.is_set():
            version = self._version(one)
            if version == seen and not found.more and not _is_past(found.next_at):
                self._stop.wait(LOOK_SECONDS)
                continue
            found = self._tried(one, self._stop) or Round(more=True, stuck=True)
            seen = version
            if found.stuck:
                self._stop.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS) if found.stuck else PAUSE_SECONDS

    def _tried(self, one: Enricher, stop: threading.Event) -> Round | None:
        """A round; None where it failed. Whatever it is, tables must go on, and so the job."""
        try:
            return one.round(stop)
        except HeadraceError as error:
            log.error("table=%s asking goes on after a pause: %s", one.table, error)
        except Exception as error:
            said = (str(error).splitlines() or [""])[0][:300]
            log.error("table=%s asking goes on after a pause: %s: %s", one.table, type(error).__name__, said)
        return None

    def _version(self, one: Enricher) -> int:
        keys = TABLES.format(table=one.keys_from)
        try:
            return self._lake.version(keys) if self._lake.exists(keys) else -1
        except Exception:
            return -2  # the round tells


def _is_past(moment: datetime | None) -> bool:
    return moment is not None and moment <= datetime.now(UTC)
