"""The job `build_profiles`: ordered tables -> people -> profiles -> stores. Wiring only."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from pyspark.sql import functions as F

from headrace.config import Config
from headrace.config_profiles import Profiles
from headrace.errors import ConfigError, NotThere, Retryable
from headrace.identifiers.normalise import normaliser
from headrace.lake import Lake
from headrace.pipelines import profile_plan, profile_progress
from headrace.pipelines.kept_tables import upkeep_of_profiles
from headrace.pipelines.profile_batch import JOB, Done, ProfileBatches, Touched
from headrace.pipelines.profile_parts import publishers
from headrace.pipelines.profile_progress import Reached
from headrace.pipelines.profile_rows import ProfileRows
from headrace.pipelines.profile_upkeep import ProfileUpkeep
from headrace.pipelines.publish import Publisher
from headrace.pipelines.runtime import spark_session
from headrace.pipelines.telemetry import Telemetry
from headrace.stores.files import LakeFiles
from headrace.tables import CHANGED_KEYS

log = logging.getLogger("headrace")
PEOPLE = "people"
"""What measures of all records together are called."""
MOST_KEYS = 200_000
"""Changed keys that one batch takes; of more everything is read anew."""
TRIES = 5


def run(config: Config, once: bool, stop: threading.Event, telemetry: Telemetry | None = None) -> int:
    """Run the job until `stop` is set, or with `once` until every store is in step.

    Returns:
        0. What went wrong is raised.
    """
    settings = config.profiles
    if settings is None:
        raise ConfigError(
            where="profiles", expected="records about people, and stores", found="nothing", todo="See docs/profiles.md."
        )
    spark = spark_session(
        f"headrace {JOB}", s3=config.lake.startswith("s3://"), settings=config.spark, runtime=config.runtime
    )
    job = _Job(Lake(spark, config.lake), config, settings, stop, telemetry or Telemetry(config.metrics))
    try:
        job.start()
        return job.once() if once else job.stream()
    finally:
        job.close()


class _Job:
    """The loop: take what changed, publish."""

    def __init__(
        self, lake: Lake, config: Config, settings: Profiles, stop: threading.Event, telemetry: Telemetry
    ) -> None:
        self._lake, self._settings, self._stop, self._telemetry = lake, settings, stop, telemetry
        self._files = LakeFiles(config.lake)
        hashing = normaliser(settings)
        self._rows = ProfileRows(lake, settings, config.keys(), hashing)
        self._batches = ProfileBatches(lake, settings, self._rows, hashing)
        self._publishers = publishers(lake, settings)
        tables = upkeep_of_profiles(lake, config, settings.keep_outbox)
        self._upkeep = ProfileUpkeep(tables, self._files, settings, self._publishers)
        self._settings_told = profile_progress.fingerprint(settings)
        self._reached: Reached | None = None
        self._batch = -1
        self._unclean = False
        self._away: Retryable | NotThere | None = None

    def start(self) -> None:
        """Open what can fail, and take up where the last run ended."""
        log.info("job=%s started", JOB)
        self._rows.check()
        for publisher in self._publishers:
            publisher.open()
        self._batch = self._batches.people.start()
        reached = profile_progress.read(self._files)
        if reached:
            # Beyond all numbers there were: of two places of a row the one with the higher number counts.
            self._batch = max(self._batch, reached.batch)
        if reached and reached.settings == self._settings_told:
            self._reached = reached
        self._take_up(reached)

    def _take_up(self, reached: Reached | None) -> None:
        """Finish what a crash cut off."""
        plan = profile_plan.read(self._files)
        if plan and (reached is None or plan.batch > reached.batch):
            self._batch = max(self._batch, plan.batch)
            if self._reached:
                log.info("job=%s finishes batch %s, which was cut off", JOB, plan.batch)
                self._batches.finish(plan)
                # Its keys are not all it stands for: they come again.
                self._reached = replace(self._reached, batch=plan.batch)
                profile_progress.keep(self._files, self._reached)
            else:
                self._batches.people.write(plan.outcome, plan.batch, again=True)
                self._refill()
        elif self._fill_was_cut_off(reached):
            self._refill()

    def _fill_was_cut_off(self, reached: Reached | None) -> bool:
        if reached is None:
            return self._lake.version(self._publishers[0].outbox) > 0
        return not reached.settings

    def _refill(self) -> None:
        """All is made anew, and may come to something else than stores were told: fill them from the tables."""
        self._unclean = True
        for publisher in self._publishers:
            publisher.refill()

    def close(self) -> None:
        """Give back every connection."""
        for publisher in self._publishers:
            publisher.delivery.store.close()

    def once(self) -> int:
        """Until nothing is left to do. Raises Retryable where a store stays away."""
        tries = 0
        while not self._stop.is_set():
            self._round()
            if self._news() or self._behind():
                continue
            late = any(publisher.late or publisher.behind for publisher in self._publishers)
            tries += self._away is not None
            if not (late or self._away) or tries > TRIES:
                break
            self._stop.wait(1)
        self._upkeep.run()
        if self._away is not None:
            raise self._away
        return 0

    def stream(self) -> int:
        """Until a stop is asked for."""
        while not self._stop.is_set():
            began = time.monotonic()
            self._round()
            if not self._behind():
                self._upkeep.run(tables=1)
            self._stop.wait(max(0.0, self._settings.trigger.total_seconds() - (time.monotonic() - began)))
        return 0

    def _round(self) -> None:
        self._telemetry.working(JOB, PEOPLE)
        self._away = None
        self._take()
        for publisher in self._publishers:
            self._tried(f"store={publisher.name}", partial(self._publish, publisher))
            self._telemetry.behind(JOB, publisher.name, publisher.behind or publisher.late > 0)
        self._telemetry.alive(JOB, PEOPLE)

    def _news(self) -> bool:
        return self._lake.exists(CHANGED_KEYS.path) and (
            self._reached is None or self._lake.version(CHANGED_KEYS.path) > self._reached.commit
        )

    def _behind(self) -> bool:
        return self._away is None and any(publisher.behind for publisher in self._publishers)

    def _take(self) -> None:
        """Take the keys that changed since the last batch, or everything."""
        if not self._lake.exists(CHANGED_KEYS.path):
            return
        newest, reached = self._lake.version(CHANGED_KEYS.path), self._reached
        nothing_new = reached is not None and newest == reached.commit
        if nothing_new and not self._batches.due():
            return
        table = self._lake.table_id(CHANGED_KEYS.path)
        touched = self._touched(newest, table)
        if touched is not None and not touched and not self._batches.due():
            if self._reached and newest > self._reached.commit:
                self._reached = replace(self._reached, commit=newest)
                profile_progress.keep(self._files, self._reached)
            return
        began = time.monotonic()
        self._batch += 1
        if touched is None:
            profile_progress.keep(self._files, Reached(table, newest, self._batch, ""))
            done = self._batches.fill(self._batch, self._unclean)
            self._unclean = False
        else:
            done = self._batches.take(touched, self._batch)
        self._reached = Reached(table, newest, self._batch, self._settings_told)
        profile_progress.keep(self._files, self._reached)
        profile_plan.done(self._files)
        self._told(done, time.monotonic() - began)

    def _touched(self, newest: int, table: str) -> Touched | None:
        """Changed keys by table; None where everything has to be read."""
        reached = self._reached
        if reached is None or reached.keys != table or newest < reached.commit:
            return None
        if newest == reached.commit:
            return {}
        try:
            keys = self._lake.appended(CHANGED_KEYS.path, reached.commit + 1, newest)
            keys = keys.where(F.col("table").isin(list(self._settings.tables())))
            newest_each = keys.groupBy("table", "key").agg(F.max("position").alias("position"))
            rows = newest_each.limit(MOST_KEYS + 1).toArrow().to_pylist()
        except Lake.Missing:
            return None
        if len(rows) > MOST_KEYS:
            return None
        found: dict[str, dict[str, str]] = {}
        for row in rows:
            found.setdefault(row["table"], {})[row["key"]] = row["position"]
        return found

    def _told(self, done: Done, seconds: float) -> None:
        served = done.served
        self._telemetry.observe(
            JOB,
            PEOPLE,
            BatchSeconds=seconds,
            RowsApplied=served.written + served.deleted,
            RowsStale=served.unchanged,
            RowsRejected=done.rejected,
        )
        events = " ".join(f"{kind}={count}" for kind, count in sorted(done.events.items()))
        log.info(
            "job=%s records=%s profiles=%s unchanged=%s gone=%s rejected=%s %s seconds=%.1f",
            JOB, done.records, served.written, served.unchanged, served.deleted, done.rejected, events, seconds,
        )  # fmt: skip

    def _tried(self, what: str, step: Callable[[], None]) -> None:
        try:
            step()
        except (Retryable, NotThere) as error:
            self._away = error
            log.warning("%s %s", what, error)

    def _publish(self, publisher: Publisher) -> None:
        try:
            written = publisher.run()
        except NotThere as error:
            log.warning("store=%s is made again and filled: %s", publisher.name, error)
            publisher.made_again()
            return
        if written.applied or written.stale or written.failed:
            log.info(
                "store=%s applied=%s stale=%s rejected=%s late=%s",
                publisher.name, written.applied, written.stale, len(written.failed), publisher.late,
            )  # fmt: skip
