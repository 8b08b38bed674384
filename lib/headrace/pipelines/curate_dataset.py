"""The job `curate_dataset`: a version of every dataset in each slot of its schedule. Wiring only."""

import logging
import threading
from datetime import UTC, datetime, timedelta

from headrace.config import Config
from headrace.errors import ConfigError, DatasetRefused, HeadraceError, NotThere, Retryable
from headrace.lake import Lake
from headrace.pipelines import streams
from headrace.pipelines.curating import JOB, Curator
from headrace.pipelines.runtime import spark_session
from headrace.pipelines.telemetry import Telemetry

log = logging.getLogger("headrace")
POLL_SECONDS = 60.0
RETRY = timedelta(minutes=15)
"""After which a dataset that could not be made is tried again: a try reads all of its tables."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def run(config: Config, once: bool, stop: threading.Event, telemetry: Telemetry | None = None) -> int:
    """Make the versions that are due; without `once` go on until `stop` is set.

    Returns:
        0. What went wrong with one dataset is raised when the others are done.
    """
    curator = curator_of(config)
    told = telemetry or Telemetry(config.metrics)
    later: dict[str, datetime] = {}
    while True:
        failed = due(curator, config, datetime.now(UTC), stop, told, later)
        curator.upkeep()
        # Too few ratings today may be enough tomorrow; anything else will not mend itself.
        if failed is not None and (once or not isinstance(failed, DatasetRefused | NotThere)):
            raise failed
        if once or stop.wait(POLL_SECONDS):
            return 0


def curator_of(config: Config) -> Curator:
    """The maker of versions, with a Spark session. Raises ConfigError without settings of datasets."""
    settings = config.datasets
    if settings is None:
        todo = "See docs/datasets.md."
        raise ConfigError(where="datasets", expected="datasets by name", found="nothing", todo=todo)
    spark = spark_session(
        f"headrace {JOB}",
        kafka=False,
        avro=False,
        s3=config.lake.startswith("s3://"),
        settings=config.spark,
        packages=streams.packages(config),
        runtime=config.runtime,
    )
    return Curator(Lake(spark, config.lake), config, settings)


def due(
    curator: Curator,
    config: Config,
    now: datetime,
    stop: threading.Event,
    telemetry: Telemetry,
    later: dict[str, datetime] | None = None,
) -> HeadraceError | None:
    """Make what is due now. Returns the first error.

    Args:
        later: when those that failed are tried again, by dataset; kept up to date.
    """
    first: HeadraceError | None = None
    later = {} if later is None else later
    try:
        curator.erase()
    except Retryable as error:
        log.error("job=%s an erasure is tried again: %s", JOB, error)
        first = error
    for name, one in config.datasets.sets.items() if config.datasets else ():
        slot = curator.wanted(name, slot_of(now, one.every))
        if stop.is_set():
            break
        if now < later.get(name, now) or slot is None:
            telemetry.alive(JOB, name)
            continue
        telemetry.working(JOB, name)
        try:
            built = curator.build(name, slot)
            telemetry.observe(JOB, name, RowsApplied=sum(built.rows.values()), RowsRejected=sum(built.refused.values()))
        except HeadraceError as error:
            log.error("job=%s dataset=%s %s", JOB, name, error)
            first = first or error
            later[name] = now + RETRY
        telemetry.alive(JOB, name)
    return first


def slot_of(now: datetime, every: timedelta) -> datetime:
    """When the span began that a moment is in; spans are counted from 1970."""
    return _EPOCH + (now - _EPOCH) // every * every
