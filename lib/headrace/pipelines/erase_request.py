"""Whom an erasure is about and what there is of them, read from the lake without Spark; and the request of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from headrace.config import Config
from headrace.erasure import Erasure
from headrace.errors import Fatal, NotThere
from headrace.pipelines import erasing, explain
from headrace.pipelines.erasing import Work
from headrace.pipelines.tables_view import LakeView
from headrace.stores.delta_reader import ROWS, literal
from headrace.stores.files import LakeFiles
from headrace.tables import ALIASES, DATASET_ROWS, PEOPLE, RATINGS, TURNS
from headrace.training.choose import hashed_by

_MORE = 1_000
"""Ids or records of one person that are read."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom it is about.

    Attributes:
        asked: what was asked for.
        rows: by table, how many rows were found to be theirs.
        identifiers: kind and keyed hash.
    """

    asked: str = field(repr=False)
    work: Work = field(repr=False)
    identifiers: tuple[tuple[str, str], ...] = ()
    trained: tuple[str, ...] = ()
    rows: dict[str, int] = field(default_factory=dict)


def subject(config: Config, who: str, *, as_id: bool, view: LakeView | None = None) -> Subject:
    """The one person that an id, now or earlier, or an identifier leads to.

    Args:
        as_id: take it for an id as conversations name it; nobody is looked up.

    Raises:
        NotThere: nobody is known by it.
        Fatal: several people share the identifier.
    """
    view = view or LakeView(config)
    ids = [who] if as_id else _ids(config, who, view)
    people = tuple(dict.fromkeys([*ids, *_earlier(view, ids)]))
    held = _rows(view, PEOPLE.path, "record, `key`, identifiers", "person", people)
    records = tuple(sorted({(row["record"], row["key"]) for row in held}))
    identifiers = sorted({(one["kind"], one["hash"]) for row in held for one in row["identifiers"] or ()})
    trained: tuple[str, ...] = ()
    if config.datasets is not None:
        trained = tuple(map(hashed_by(config.datasets.key.get_secret_value().encode()), people))
    counted = {
        TURNS.path: _count(view, TURNS.path, "person", people),
        RATINGS.path: _count(view, RATINGS.path, "rater", people),
        DATASET_ROWS.path: _count(view, DATASET_ROWS.path, "person", trained),
        PEOPLE.path: len(records),
    }
    return Subject(who, Work(people, records), tuple(identifiers), trained, counted)


def request(config: Config, found: Subject, scope: str) -> Erasure:
    """Write the request of it into the lake."""
    jobs = erasing.jobs_of(config, scope)
    told = erasing.made(
        erasing.hashing(config), scope, [found.asked], found.work, found.trained, found.identifiers, jobs
    )
    files = LakeFiles(config.lake)
    files.create()
    return erasing.write(files, told, found.work)


def _ids(config: Config, who: str, view: LakeView) -> list[str]:
    if config.profiles is not None:
        try:
            found = explain.people(config, who, view)
        except NotThere:
            found = []
        if len(found) > 1:
            todo = f"Erase one of {', '.join(found)}; `headrace explain` tells them apart."
            raise Fatal(expected="an identifier of one person", found=f"{len(found)} who share it", todo=todo)
        if found:
            return found
    if _count(view, TURNS.path, "person", [who]) or _count(view, RATINGS.path, "rater", [who]):
        return [who]
    expected = "a person's id, or an identifier that somebody has"
    todo = "With --id it is taken for an id as conversations name it, and refused from now on."
    raise NotThere(expected=expected, found="nobody", todo=todo)


def _earlier(view: LakeView, ids: Sequence[str]) -> list[str]:
    return [row["person"] for row in _rows(view, ALIASES.path, "person", "now", ids)]


def _rows(view: LakeView, relative: str, columns: str, column: str, values: Iterable[str]) -> list[dict[str, Any]]:
    wanted = ", ".join(map(literal, values))
    if not wanted:
        return []
    return view.query(relative, f"SELECT {columns} FROM {ROWS} WHERE `{column}` IN ({wanted}) LIMIT {_MORE}")


def _count(view: LakeView, relative: str, column: str, values: Sequence[str]) -> int:
    found = _rows(view, relative, "count(*) AS n", column, values)
    return int(found[0]["n"]) if found else 0
