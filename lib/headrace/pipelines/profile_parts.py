"""Puts the parts of `build_profiles` together: what hashes identifiers, and one publisher for each store."""

from functools import partial

from headrace.config_keyed_stores import ProfileStore
from headrace.config_profiles import Profiles
from headrace.lake import Lake
from headrace.pipelines.deliver import Delivery
from headrace.pipelines.index_parts import park
from headrace.pipelines.lake_ids import lake_id
from headrace.pipelines.profile_batch import JOB
from headrace.pipelines.profile_progress import LAKE_ID, store_place
from headrace.pipelines.publish import Publisher
from headrace.profiles import served
from headrace.profiles.served import PROFILES_OUTBOX
from headrace.stores import keyed
from headrace.stores.files import LakeFiles
from headrace.tables import OUTBOX


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
        Delivery(keyed.rows(one), one.attempts, partial(park, lake, JOB, PROFILES_OUTBOX, name)),
        lake.ensure(OUTBOX, table=PROFILES_OUTBOX),
        lambda rows: rows,
        partial(served.snapshot, lake, settings.found_by()),
        urgent_first=False,
        keep=settings.keep_outbox,
        by_commit=True,
    )
