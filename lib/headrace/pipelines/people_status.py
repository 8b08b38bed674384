"""How people and the stores of their profiles are doing, read from the lake without Spark."""

from dataclasses import dataclass, field
from typing import Any

from headrace.config import Config
from headrace.pipelines import profile_progress, progress
from headrace.pipelines.tables_view import LakeView
from headrace.stores.delta_reader import ROWS
from headrace.stores.files import LakeFiles
from headrace.tables import CHANGED_KEYS, OUTBOX, PEOPLE, PROFILES, QUARANTINE

OUTBOX_PATH = OUTBOX.path.format(table="profiles")


@dataclass(frozen=True, slots=True)
class PeopleStatus:
    """The whole.

    Attributes:
        records: living ones, by their name in the settings.
        people: those who have a profile.
        quarantined: values that link nobody, by kind.
        behind: commits of `changed_keys` not taken yet; None before the first batch.
        stores: by name, the commits of the outbox each has not seen; None where it was never filled.
    """

    records: dict[str, int]
    people: int
    quarantined: dict[str, int]
    behind: int | None
    stores: dict[str, int | None] = field(default_factory=dict)


def people_status(config: Config, view: LakeView) -> PeopleStatus | None:
    """None where the settings know no profiles."""
    if config.profiles is None:
        return None
    files = LakeFiles(config.lake)
    reached = profile_progress.read(files)
    behind = None if reached is None else max(0, view.version(CHANGED_KEYS.path) - reached.commit)
    told = view.version(OUTBOX_PATH)
    return PeopleStatus(
        records=_counts(view, PEOPLE.path, "record", "WHERE NOT deleted"),
        people=sum(_counts(view, PROFILES.path, "'all'", "WHERE NOT deleted").values()),
        quarantined=_counts(view, QUARANTINE.path, "kind", ""),
        behind=behind,
        stores={name: _behind(files, name, told) for name in config.profiles.stores},
    )


def _counts(view: LakeView, relative: str, by: str, rest: str) -> dict[str, int]:
    rows: list[dict[str, Any]] = view.query(
        relative, f"SELECT {by} AS one, count(*) AS n FROM {ROWS} {rest} GROUP BY 1"
    )
    return {str(row["one"]): int(row["n"]) for row in rows}


def _behind(files: LakeFiles, store: str, told: int) -> int | None:
    known = progress.read(files, profile_progress.store_place(store))
    return None if known is None else max(0, told - known.version)
