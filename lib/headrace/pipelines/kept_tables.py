"""Which tables each job looks after, and which of their rows expire."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from pyspark.sql import Column
from pyspark.sql import functions as F

from headrace.config import Config
from headrace.config_api import apis
from headrace.config_feedback import Feedback
from headrace.conversations.ordered import ORDERED, floors_of
from headrace.conversations.settled import border
from headrace.conversations.track import JOB, Tracker
from headrace.lake import Lake
from headrace.pipelines.upkeep import Kept, Upkeep
from headrace.profiles.served import PROFILES_OUTBOX
from headrace.tables import (
    ALIASES,
    ANSWERS,
    BATCHES,
    BEHAVIOUR,
    CHANGED_KEYS,
    CHANGES_LOG,
    CHUNKS,
    COUNTED,
    DATASET_REFUSED,
    DATASET_ROWS,
    DATASETS,
    DOCUMENTS,
    ERASURES,
    HISTORY,
    IDENTIFIERS,
    IDENTITY_EVENTS,
    MEASURES,
    OUTBOX,
    PASSAGES,
    PASSAGES_OUTBOX,
    PEOPLE,
    PLACED,
    PROFILES,
    QUARANTINE,
    RATINGS,
    REACHED,
    REJECTS,
    SCHEMAS,
    SUPPRESSED,
    TABLES,
    TOMBSTONES,
    TRUNCATES,
    TURNS,
    VECTORS,
    VERSIONS,
)

log = logging.getLogger("headrace")
SPARE = timedelta(days=1)
Expired = Callable[[Lake, datetime], Column | None]


def upkeep_of_changes(lake: Lake, config: Config) -> Upkeep:
    """What `apply_changes` looks after: the log and rejects go by whole days, tombstones by the time of the delete."""
    tables = [
        Kept(CHANGES_LOG.path, expired=_days(config.log.keep), every_look=True),
        Kept(REJECTS.path.format(job="apply_changes"), expired=_days(config.rejects.keep), every_look=True),
        *[Kept(one.path) for one in (CHANGED_KEYS, BATCHES, TRUNCATES, SCHEMAS)],
    ]
    for name, table in config.tables.items():
        settings = table.maintenance
        tables += [Kept(path.format(table=name), settings) for path in (TABLES, HISTORY, VERSIONS.path)]
        deleted = _older("deleted_at", settings.purge_tombstones_after)
        tables.append(Kept(TOMBSTONES.path.format(table=name), settings, deleted))
    tables += [Kept(ANSWERS.path.format(table=name)) for name in apis(config)]
    for name, derived in config.derive.items():
        settings = derived.maintenance
        tables += [Kept(path.format(table=name), settings) for path in (TABLES, REACHED.path)]
        deleted = _older("deleted_at", settings.purge_tombstones_after)
        tables.append(Kept(TOMBSTONES.path.format(table=name), settings, deleted))
    return Upkeep(lake, tables, BATCHES.path)


def upkeep_of_knowledge(lake: Lake, config: Config, keep_outbox: timedelta) -> Upkeep:
    """What `index_knowledge` looks after."""
    tables = [
        Kept(OUTBOX.path.format(table=PASSAGES_OUTBOX), expired=_told_long_ago(keep_outbox, PASSAGES_OUTBOX)),
        Kept(REJECTS.path.format(job="index_knowledge"), expired=_days(config.rejects.keep), every_look=True),
        Kept(PASSAGES.path, expired=_forgotten),
        *[Kept(one.path) for one in (DOCUMENTS, CHUNKS, VECTORS)],
    ]
    return Upkeep(lake, tables, DOCUMENTS.path)


def upkeep_of_profiles(lake: Lake, config: Config, keep_outbox: timedelta) -> Upkeep:
    """What `build_profiles` looks after."""
    tables = [
        Kept(OUTBOX.path.format(table=PROFILES_OUTBOX), expired=_told_long_ago(keep_outbox, PROFILES_OUTBOX)),
        Kept(REJECTS.path.format(job="build_profiles"), expired=_days(config.rejects.keep), every_look=True),
        *[Kept(one.path, sorted_by=one.sorted_by) for one in (PEOPLE, IDENTIFIERS, ALIASES, PROFILES)],
        Kept(BEHAVIOUR.path, expired=_hours(config), sorted_by=BEHAVIOUR.sorted_by),
        Kept(PLACED.path, thin=_placed_again, sorted_by=PLACED.sorted_by),
        *[Kept(one.path) for one in (IDENTITY_EVENTS, QUARANTINE)],
    ]
    return Upkeep(lake, tables, PEOPLE.path)


def upkeep_of_feedback(lake: Lake, config: Config, settings: Feedback, tracker: Tracker) -> Upkeep:
    """What `track_feedback` looks after. Turns and ratings go with their whole conversation, by whole days."""
    floors = [TOMBSTONES.path.format(table=floors_of(table)) for table in ORDERED.values()]
    tables = [
        Kept(REJECTS.path.format(job="track_feedback"), expired=_days(config.rejects.keep), every_look=True),
        Kept(TURNS.path, thin=_settled(tracker, settings.keep) if settings.keep else None),
        *[Kept(one.path) for one in (RATINGS, COUNTED, MEASURES)],
        *[Kept(one.path.format(job="track_feedback")) for one in (SUPPRESSED, ERASURES)],
        *[Kept(path, expired=_withdrawn(tracker, settings.purge_tombstones_after)) for path in floors],
    ]
    return Upkeep(lake, tables, TURNS.path)


def upkeep_of_datasets(lake: Lake) -> Upkeep:
    """What `curate_dataset` looks after."""
    tables = [Kept(one.path) for one in (DATASETS, DATASET_ROWS, DATASET_REFUSED)]
    tables += [Kept(ERASURES.path.format(job="curate_dataset"))]
    return Upkeep(lake, tables, DATASETS.path)


def _hours(config: Config) -> Expired:
    """Hours that count nowhere any more; with a day to spare, and a feed that has left the settings is kept."""
    keep = {name: one.keep for name, one in config.profiles.behaviour.items()} if config.profiles else {}

    def expired(_: Lake, now: datetime) -> Column | None:
        old = [(F.col("feed") == name) & (F.col("hour") < F.lit(now - one - SPARE)) for name, one in keep.items()]
        return reduce(or_, old) if old else None

    return expired


def _placed_again(lake: Lake, _: datetime) -> None:
    """Of the places of a row only the newest counts."""
    rows = lake.read(PLACED.path)
    newest = rows.groupBy("feed", "key").agg(F.max("batch").alias("batch"), F.count("*").alias("places"))
    newest = newest.where("places > 1").drop("places").localCheckpoint()
    if not newest.isEmpty():
        merge = lake.table(PLACED.path).alias("t").merge(newest.alias("s"), "t.feed = s.feed AND t.key = s.key")
        merge.whenMatchedDelete("t.batch < s.batch").execute()


def _settled(tracker: Tracker, keep: timedelta) -> Callable[[Lake, datetime], None]:
    def thin(_: Lake, now: datetime) -> None:
        before = border(now, keep)
        left = tracker.settle(before)
        log.info("job=%s settled_before=%s conversations_left=%s", JOB, before.date(), left)

    return thin


def _withdrawn(tracker: Tracker, keep: timedelta) -> Expired:
    """A withdrawal is remembered against older events; none comes in from before the border."""

    def expired(_: Lake, now: datetime) -> Column | None:
        border = tracker.settled - SPARE if tracker.settled else now - keep
        return F.col("deleted_at") < F.lit(max(border, now - keep))

    return expired


def _days(keep: timedelta) -> Expired:
    """By whole days, which are partitions."""
    return lambda _, now: F.col("day") < F.lit((now - keep).date())


def _older(column: str, keep: timedelta) -> Expired:
    return lambda _, now: F.col(column) < F.lit(now - keep)


def _told_long_ago(keep: timedelta, outbox: str) -> Expired:
    # Its newest batch stays: a start tells by it what a crash kept from the outbox.
    def expired(lake: Lake, now: datetime) -> Column | None:
        newest = lake.read(OUTBOX.path.format(table=outbox)).agg(F.max("batch")).collect()[0][0]
        return None if newest is None else (F.col("day") < F.lit((now - keep).date())) & (F.col("batch") < newest)

    return expired


def _forgotten(lake: Lake, now: datetime) -> Column | None:
    """Deleted passages that the outbox does not tell of any more."""
    oldest = lake.read(lake.ensure(OUTBOX, table=PASSAGES_OUTBOX)).agg(F.min("batch")).collect()[0][0]
    return None if oldest is None else F.col("deleted") & (F.col("batch") < oldest)
