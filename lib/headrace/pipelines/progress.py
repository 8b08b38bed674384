"""How far a store has come with its outbox, kept in a file of the lake."""

import json
import logging
from dataclasses import asdict, dataclass, replace

from headrace.stores.files import LakeFiles

log = logging.getLogger("headrace")
EPOCH_BITS = 40
"""A row's version in a store is `epoch << 40 | commit of the outbox`."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a store has followed an outbox.

    Attributes:
        outbox: the outbox table's id.
        version: the last commit written.
        written: the highest version the store took.
        filling: the store has to be written whole first. Kept before the first row is: after a crash the half of a fill
            would look like the whole.
    """

    outbox: str = ""
    epoch: int = 0
    version: int = -1
    written: int = -1
    filling: bool = False

    def row_version(self, commit: int) -> int:
        """The version in the store of what a commit of the outbox told."""
        return self.epoch << EPOCH_BITS | commit

    def from_the_start(self) -> "Progress":
        """Everything is to be written again, above whatever the store holds of this epoch."""
        return replace(self, epoch=self.epoch + 1, filling=True)


def read(files: LakeFiles, place: str) -> Progress | None:
    """What was kept; None before the first time."""
    text = files.read_text(place)
    return None if text is None else Progress(**json.loads(text))


def keep(files: LakeFiles, place: str, progress: Progress) -> None:
    """Keep it."""
    files.replace_text(place, json.dumps(asdict(progress)))


def found_again(known: Progress | None, outbox: str, newest: int | None) -> Progress:
    """Where to go on with a store.

    Args:
        known: what was kept of it.
        outbox: the outbox table's id today.
        newest: the highest version the store holds, -1 for none; None where it cannot say.
    """
    held = newest if newest is not None else known.written if known else -1
    if known is not None and known.outbox == outbox and held >> EPOCH_BITS <= known.epoch:
        # Less than it took: somebody removed it, or put an older copy back.
        return replace(known, filling=known.filling or held < known.written)
    # Commits of another outbox count from 0 again, and another's rows may be of any commit: only a higher epoch passes
    # them. A store that never held anything begins with the outbox.
    before = max(known.epoch if known else -1, held >> EPOCH_BITS)
    return Progress(outbox, before + 1, filling=before >= 0)
