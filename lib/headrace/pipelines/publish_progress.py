"""How far each store of measures has come, kept in a file of the lake: read without asking any store. No Spark."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from headrace.conversations.published_since import touched
from headrace.ports_measures import Progress
from headrace.stores.delta_commits import Commits, commits_of
from headrace.stores.files import LakeFiles
from headrace.tables import MEASURES


@dataclass(frozen=True, slots=True)
class Reached:
    """What is known of a store.

    Attributes:
        table, version: as in `ports_measures.Progress`; "" and -1 before the first time.
        why: what kept the last publishing from being done; empty where it was.
    """

    table: str = ""
    version: int = -1
    why: str = ""


@dataclass(frozen=True, slots=True)
class Behind:
    """A store that has not got all of the table.

    Attributes:
        since: when the first change was made that it has not got; None where Delta's log does not tell any more.
        why: as in `Reached`.
    """

    since: datetime | None
    why: str


def place(name: str) -> str:
    """The file that tells of a store."""
    return f"checkpoints/{MEASURES.owner}/published-{name}.json"


def reached(files: LakeFiles, name: str) -> Reached:
    """What was kept."""
    text = files.read_text(place(name))
    return Reached() if text is None else Reached(**json.loads(text))


def keep(files: LakeFiles, name: str, now: Reached) -> None:
    """Remember it."""
    files.replace_text(place(name), json.dumps(asdict(now)) + "\n")


def done(progress: Progress) -> Reached:
    """Of a store that has come so far."""
    return Reached(progress.table, progress.version)


def behind(files: LakeFiles, names: Sequence[str]) -> dict[str, Behind]:
    """Those of the stores that have not got all of the table yet."""
    commits = commits_of(files, MEASURES.path)
    if not names or commits.newest < 0:
        return {}
    table = commits.table_id()
    told = {name: reached(files, name) for name in names}
    return {name: found for name, one in told.items() if (found := _behind(commits, table, one)) is not None}


def _behind(commits: Commits, table: str, one: Reached) -> Behind | None:
    if one.table != table:
        return Behind(_moment(next(commits.after(-1), [])), one.why)
    if one.version > commits.newest or not commits.has_all_after(one.version):
        return Behind(None, one.why)
    for actions in commits.after(one.version):
        found = touched([actions])
        # Upkeep moves rows and sets properties: a store need not know.
        if found.anything or found.fresh or found.gone:
            return Behind(_moment(actions), one.why)
    return None


def _moment(actions: Sequence[Mapping[str, Any]]) -> datetime | None:
    return next(_stamps(actions), None)


def _stamps(actions: Sequence[Mapping[str, Any]]) -> Iterator[datetime]:
    for one in actions:
        stamp = (one.get("commitInfo") or {}).get("timestamp")
        if isinstance(stamp, int):
            yield datetime.fromtimestamp(stamp / 1000, UTC)
