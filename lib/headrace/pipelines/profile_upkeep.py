"""What `build_profiles` does between batches: upkeep of its tables, and of what stores remember of deletes."""

from collections.abc import Sequence
from datetime import UTC, datetime

from headrace.config_profiles import Profiles
from headrace.pipelines.forgetting import Forgetting
from headrace.pipelines.profile_progress import FOLDER
from headrace.pipelines.publish import Publisher
from headrace.pipelines.upkeep import Upkeep
from headrace.stores.files import LakeFiles

PLACE = f"{FOLDER}/purged-at"


class ProfileUpkeep:
    """Looks after tables, and once a day after stores that do not forget by themselves."""

    def __init__(self, tables: Upkeep, files: LakeFiles, settings: Profiles, publishers: Sequence[Publisher]) -> None:
        self._tables = tables
        self._forgetting = Forgetting(files, PLACE, publishers, settings.stores)

    def run(self, now: datetime | None = None, *, tables: int | None = None) -> None:
        """Do what is due.

        Args:
            tables: look after so many tables at most, the next call goes on.
        """
        now = now or datetime.now(UTC)
        self._tables.run(now, tables=tables)
        self._forgetting.run(now)
