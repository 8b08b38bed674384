"""Tables added to a running deployment: what arrived before they were in the settings is replayed."""

import logging
from dataclasses import replace

from pyspark.sql import functions as F

from headrace.changes.facts import UNKNOWN_TABLE
from headrace.config import Config
from headrace.lake import Lake
from headrace.pipelines import requests
from headrace.pipelines.replay import JOB, of_table
from headrace.pipelines.requests import ReplayRequest
from headrace.stores.files import LakeFiles
from headrace.tables import CHANGES_LOG, REJECTS, TABLES

log = logging.getLogger("headrace")


def ask_for_replays(files: LakeFiles, lake: Lake, config: Config) -> None:
    """Request a replay for every table that is not in the lake yet and has messages in its log or rejects.

    The rejects come first: they leave `rejects` when they land. The log holds those as well, and what was ignored;
    a message that comes twice changes nothing. Each is asked for once: what makes no row would come at every start.
    """
    new = [name for name in config.tables if not lake.exists(TABLES.format(table=name))]
    asked = {
        (request.take_from, request.table) for request in requests.list_open(files, JOB, refuse=False, done_too=True)
    }
    for relative, request in (
        (REJECTS.path.format(job=JOB), ReplayRequest("rejects", reason=UNKNOWN_TABLE)),
        (CHANGES_LOG.path, ReplayRequest("log")),
    ):
        names = [name for name in new if (request.take_from, name) not in asked]
        if not names or not lake.exists(relative):
            continue
        # Rows that found a table when they arrived are passed over by the statistics of `table`, file by file.
        unrouted = lake.read(relative).where(F.col("table").isNull())
        if request.reason is not None:
            unrouted = unrouted.where(F.col("reason") == request.reason)
        found = [F.coalesce(F.bool_or(of_table(name, config)), F.lit(False)).alias(name) for name in names]
        first = unrouted.agg(*found).collect()[0]
        for name in (name for name in names if first[name]):
            requests.write(files, replace(request, table=name))
            log.info("table=%s is new: what arrived for it before is taken from %s", name, relative)
