"""Puts the parts of `build_profiles` together: what hashes identifiers, and one publisher for each store."""

from datetime import UTC, datetime
from functools import partial

from headrace.config_keyed_stores import ProfileStore
from headrace.config_profiles import Profiles
from headrace.lake import Lake, local_rows
from headrace.pipelines.deliver import Delivery
from headrace.pipelines.index_parts import lake_id
from headrace.pipelines.profile_batch import JOB
from headrace.pipelines.profile_progress import LAKE_ID, store_place
from headrace.pipelines.publish import Publisher
from headrace.ports import Failed
from headrace.profiles import served
from headrace.profiles.served import PROFILES_OUTBOX
from headrace.stores import keyed
from headrace.stores.files import LakeFiles
from headrace.tables import OUTBOX, REJECTS

_PARKED = """source string, table string, reason string, detail string, key string, rejected_at timestamp, batch string,
    day date"""


def publishers(lake: Lake, settings: Profiles) -> list[Publisher]:
    """One for each store, not opened."""
    owner = lake_id(LakeFiles(lake.root), LAKE_ID)
    return [_publisher(lake, settings, name, store, owner) for name, store in settings.stores.items()]


def _publisher(lake: Lake, settings: Profiles, name: str, one: ProfileStore, owner: str) -> Publisher:
    return Publisher(
        name,
        store_place(name),
        owner,
        lake,
        LakeFiles(lake.root),
        Delivery(keyed.rows(one), one.attempts, partial(_park, lake, name)),
        lake.ensure(OUTBOX, table=PROFILES_OUTBOX),
        lambda rows: rows,
        partial(served.snapshot, lake, settings.found_by()),
        urgent_first=False,
        keep=settings.keep_outbox,
        by_commit=True,
    )


def _park(lake: Lake, store: str, failed: list[Failed]) -> None:
    now = datetime.now(UTC)
    rows = [
        (store, "profiles", "not published", one.reason, one.key, now, f"{JOB}/{store}", now.date()) for one in failed
    ]
    lake.append(local_rows(lake.spark, rows, _PARKED), lake.ensure(REJECTS, job=JOB))
