"""What `track_feedback` last counted by, kept in a file of the lake."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import blake2b

from headrace.conversations.measures import Measure
from headrace.stores.files import LakeFiles

PLACE = "checkpoints/track_feedback/counted-by.json"
_FORMAT = 1
"""Raised when the same events would count otherwise."""


def fingerprint(sentiment: str, measures: Sequence[Measure]) -> str:
    """Of what decides about numbers: others mean that all is to be counted again."""
    told = json.dumps([_FORMAT, sentiment, [asdict(one) for one in measures]], sort_keys=True)
    return blake2b(told.encode(), digest_size=16).hexdigest()


def counted_by(files: LakeFiles) -> str | None:
    """What was kept; None before the first time."""
    text = files.read_text(PLACE)
    return None if text is None else str(json.loads(text)["fingerprint"])


def keep(files: LakeFiles, told: str) -> None:
    """Remember it."""
    files.replace_text(PLACE, json.dumps({"fingerprint": told}) + "\n")
