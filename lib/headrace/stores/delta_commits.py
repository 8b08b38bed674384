"""Commits of a Delta table, read from its log without Spark, and what tells the table from another."""

import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from headrace.errors import Fatal
from headrace.stores.delta_log import newest_checkpoint
from headrace.stores.files import LakeFiles

_COMMIT = re.compile(r"(\d{20})\.json")


@dataclass(frozen=True, slots=True)
class Commits:
    """The log of a table as it was when it was listed.

    Attributes:
        versions: of the commits that are still there, in order.
    """

    files: LakeFiles
    log: str
    names: Sequence[str]
    versions: Sequence[int] = field(init=False)

    def __post_init__(self) -> None:
        found = (_COMMIT.fullmatch(name) for name in self.names)
        object.__setattr__(self, "versions", [int(one[1]) for one in found if one])

    @property
    def newest(self) -> int:
        """The newest version; -1 where there is no table."""
        return self.versions[-1] if self.versions else -1

    def has_all_after(self, version: int) -> bool:
        """Whether every commit after a version is there still, and that version was one of this table."""
        after = [one for one in self.versions if one > version]
        return version <= self.newest and after == list(range(version + 1, self.newest + 1))

    def after(self, version: int) -> Iterator[list[dict[str, Any]]]:
        """The actions of each commit after a version, in order."""
        yield from (self._actions(one) for one in self.versions if one > version)

    def table_id(self) -> str:
        """The id Delta gave the table. Raises Fatal where its log does not say."""
        _, parts = newest_checkpoint(list(self.names))
        for part in parts:
            if found := _id_in_checkpoint(self.files.read_bytes(f"{self.log}/{part}") or b""):
                return found
        for version in self.versions:
            for action in self._actions(version):
                if "metaData" in action:
                    return str(action["metaData"]["id"])
        todo = "Check that nothing but Delta writes there."
        raise Fatal(where=self.log, expected="the table's id", found="none in its log", todo=todo)

    def _actions(self, version: int) -> list[dict[str, Any]]:
        text = self.files.read_text(f"{self.log}/{version:020}.json") or ""
        return [json.loads(line) for line in text.splitlines() if line.strip()]


def commits_of(files: LakeFiles, table: str) -> Commits:
    """The log of a table now."""
    log = f"{table}/_delta_log"
    return Commits(files, log, files.names(log))


def _id_in_checkpoint(content: bytes) -> str | None:
    import pyarrow.parquet as parquet

    column = parquet.read_table(io.BytesIO(content), columns=["metaData"]).column("metaData")
    return next((str(one["id"]) for one in column.to_pylist() if one is not None), None)
