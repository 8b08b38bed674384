"""Versions of datasets as the tables tell of them, without Spark."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from headrace.config import Config
from headrace.config_datasets import Dataset
from headrace.errors import ConfigError, DatasetRefused, NotThere
from headrace.stores.dataset_places import DatasetPlaces
from headrace.stores.delta_reader import DeltaReader, literal
from headrace.tables import DATASET_ROWS, DATASETS

NEWEST = "newest"
_MAPS = ("sources", "rows", "refused")


@dataclass(frozen=True, slots=True)
class Known:
    """A version.

    Attributes:
        slot: the newest that has it; `slots`: how many do.
        as_of: of its tables. built_at: when that slot's was made.
        settings: their fingerprint.
        sources: the versions of the tables it is made of.
        rows: by split. refused: by step and reason.
        moved: rows that stand in another split than in the version before.
        folder: below which its folders are.
    """

    dataset: str
    version: str
    slot: datetime
    slots: int
    as_of: datetime
    built_at: datetime
    kind: str
    formats: tuple[str, ...]
    settings: str
    sources: Mapping[str, int]
    rows: Mapping[str, int]
    refused: Mapping[str, int]
    moved: int
    folder: str
    revoked_at: datetime | None = None
    revoked_why: str | None = None

    def places(self) -> dict[str, str]:
        """Of its folders, by format."""
        lie = DatasetPlaces(self.folder)
        return {format: lie.place(self.dataset, self.version, format) for format in self.formats}

    def usable(self) -> "Known":
        """Itself. Raises DatasetRefused where it was revoked."""
        if self.revoked_at is None:
            return self
        found = f"revoked at {self.revoked_at:%Y-%m-%d %H:%M}" + (f": {self.revoked_why}" if self.revoked_why else "")
        todo = f"Take a newer one: `headrace dataset show {self.dataset}`."
        raise DatasetRefused(
            where=f"{self.dataset} {self.version}", expected="a version to use", found=found, todo=todo
        )


def named(config: Config, name: str) -> Dataset:
    """The settings of a dataset. Raises ConfigError where there are none of that name."""
    sets = config.datasets.sets if config.datasets else {}
    if name not in sets:
        todo = "Name one of these." if sets else "See docs/datasets.md."
        expected = f"one of the datasets {', '.join(sorted(sets))}" if sets else "settings of datasets"
        raise ConfigError(where="datasets.sets", expected=expected, found=name if sets else "none", todo=todo)
    return sets[name]


def versions(reader: DeltaReader, name: str | None = None) -> list[Known]:
    """The versions of a dataset, or of all by name: the newest first."""
    where = f" WHERE dataset = {literal(name)}" if name is not None else ""
    rows = reader.query(DATASETS.path, f"SELECT * FROM rows{where} ORDER BY dataset, built_at DESC, slot DESC")
    found: dict[tuple[str, str], Known] = {}
    slots: dict[tuple[str, str], int] = {}
    for row in rows:
        key = row["dataset"], row["version"]
        slots[key] = slots.get(key, 0) + 1
        # What was revoked and then made again, as the person agrees again, is not revoked: the newest row says so.
        found.setdefault(key, _known(row))
    return [replace(one, slots=slots[key]) for key, one in found.items()]


def chosen(some: Sequence[Known], name: str, wanted: str) -> Known:
    """The version that somebody means.

    Args:
        some: of one dataset, the newest first.
        wanted: a version or how one begins, `newest`, or `newest~1` for the one before; revoked ones are no newest.

    Raises:
        NotThere: there is none.
        ConfigError: several begin like that, or it is no such name.
    """
    see = f"`headrace dataset show {name}` lists them."
    if not some:
        todo = f"`headrace dataset build {name}` makes one."
        raise NotThere(where=name, expected="a version", found="none", todo=todo)
    start, sign, back = wanted.partition("~")
    if start == NEWEST:
        if sign and not (back.isascii() and back.isdigit()):
            raise ConfigError(where="VERSION", expected=f"{NEWEST} or {NEWEST}~1", found=wanted, todo=see)
        living = [one for one in some if one.revoked_at is None]
        steps = int(back or 0)
        if steps < len(living):
            return living[steps]
        found = f"{len(living)} that {'is' if len(living) == 1 else 'are'} not revoked"
        raise NotThere(where=name, expected=f"{steps + 1} versions for {wanted}", found=found, todo=see)
    fit = [one for one in some if wanted and one.version.startswith(wanted)]
    if len(fit) == 1:
        return fit[0]
    if fit:
        found = f"{', '.join(one.version for one in fit[:5])}"
        raise ConfigError(where="VERSION", expected=f"one version that begins with {wanted}", found=found, todo=see)
    raise NotThere(where=name, expected="a version", found=wanted or "an empty name", todo=see)


def moves(reader: DeltaReader, name: str, one: str, other: str) -> dict[tuple[str | None, str | None], int]:
    """How many examples stand in which split of one version and in which of the other; None for in neither."""
    split = "max(CASE WHEN version = {} THEN split END)"
    inner = (
        f"SELECT {split.format(literal(one))} AS was, {split.format(literal(other))} AS now FROM rows "
        f"WHERE dataset = {literal(name)} AND version IN ({literal(one)}, {literal(other)}) GROUP BY example"
    )
    rows = reader.query(DATASET_ROWS.path, f"SELECT was, now, count(*) AS n FROM ({inner}) GROUP BY was, now")
    return {(row["was"], row["now"]): int(row["n"]) for row in rows}


def _known(row: Mapping[str, Any]) -> Known:
    told = {name: row[name] for name in Known.__slots__ if name in row}
    maps = {name: dict(row[name] or {}) for name in _MAPS}
    return Known(**{**told, **maps, "formats": tuple(row["formats"]), "moved": row["moved"] or 0, "slots": 1})
