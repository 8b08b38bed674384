"""How far `build_profiles` has come with the changed keys, kept in a file of the lake."""

import json
from dataclasses import asdict, dataclass
from hashlib import blake2b

from headrace.config_profiles import Profiles
from headrace.stores.files import LakeFiles

FOLDER = "checkpoints/build_profiles"
"""Beside the tables, as VACUUM deletes what it does not know in their folders; and apart from what other jobs write."""

PLACE = f"{FOLDER}/progress.json"
LAKE_ID = f"{FOLDER}/lake-id"
"""What tells this lake's profiles from those of every other."""


@dataclass(frozen=True, slots=True)
class Reached:
    """How far the job has come.

    Attributes:
        keys: the id of the table `changed_keys`.
        commit: its last commit that was taken whole.
        batch: the number of the batch that took it.
        settings: what profiles were made by; others make all of them anew. Empty while they are.
    """

    keys: str
    commit: int
    batch: int
    settings: str


def store_place(store: str) -> str:
    """The file that keeps how far a store has come."""
    return f"{FOLDER}/publishers/{store}.json"


def read(files: LakeFiles) -> Reached | None:
    """What was kept; None before the first time."""
    text = files.read_text(PLACE)
    return None if text is None else Reached(**json.loads(text))


def keep(files: LakeFiles, reached: Reached) -> None:
    """Keep it."""
    files.replace_text(PLACE, json.dumps(asdict(reached)))


def fingerprint(settings: Profiles) -> str:
    """Changes whenever the same rows might make other people or other profiles."""
    told = settings.model_dump_json(exclude={"stores", "hash_key", "trigger", "keep_outbox", "driver_links"})
    # Not the key itself: whether it is the same is seen by what it makes.
    key = blake2b(b"headrace", key=settings.hash_key.get_secret_value().encode()[:64], digest_size=8).hexdigest()
    return blake2b(f"1|{told}|{key}".encode(), digest_size=16).hexdigest()
