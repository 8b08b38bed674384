"""What became of a person's erasure: by job and table, when it went, and what is left until when. No Spark."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from headrace.config import Config
from headrace.config_maintenance import TableMaintenance
from headrace.erasure import Erasure
from headrace.errors import NotThere
from headrace.identifiers.normalise import TooLong, normaliser
from headrace.pipelines import erasing
from headrace.pipelines.publish_progress import Behind, behind
from headrace.pipelines.tables_view import LakeView
from headrace.stores.delta_reader import ROWS, literal
from headrace.stores.files import LakeFiles
from headrace.tables import ERASURES, MEASURES

_VACUUMED = "headrace.vacuumed_at"
_LOG_KEPT = timedelta(days=30)
"""Delta's own `delta.logRetentionDuration`, which Headrace does not change."""


@dataclass(frozen=True, slots=True)
class Place:
    """A table or store, and how far it is.

    Attributes:
        rows: that were deleted.
        unreadable_at: since when no query finds them; None for not yet.
        gone_by: when the last file that held them is deleted; None where nobody knows.
        gone: whether that has happened.
    """

    job: str
    place: str
    rows: int
    unreadable_at: datetime | None
    gone_by: datetime | None
    gone: bool
    detail: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """One request.

    Attributes:
        jobs: by job when it was done; None for not yet.
        not_able: jobs that this version of Headrace cannot erase in: their tables still hold the person.
        left: what is left, in sentences.
    """

    request: str
    scope: str
    requested_at: str
    jobs: dict[str, str | None]
    not_able: tuple[str, ...]
    places: tuple[Place, ...]
    left: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data."""
        return asdict(self)


def reports(config: Config, who: str) -> list[Report]:
    """Every request about a person, oldest first.

    Args:
        who: what was asked for then: an id or an identifier.

    Raises:
        NotThere: nobody asked.
    """
    files, view = LakeFiles(config.lake), LakeView(config)
    hashing = erasing.hashing(config)
    wanted = {hashing.of("person", who), erasing.asked_hash(hashing, who)}
    values = set(_identifiers(config, who))
    found = [
        one
        for one in erasing.requests(files)
        if wanted.intersection(one.hashes) or values.intersection(one.identifiers)
    ]
    if not found:
        todo = "Requests are found by the id or identifier they were made with, under the same key."
        raise NotThere(expected="a request to erase them", found="none", todo=todo)
    stores = behind(files, list(config.feedback.publish) if config.feedback else [])
    return [_report(one, files, view, stores) for one in found]


def _report(request: Erasure, files: LakeFiles, view: LakeView, stores: Mapping[str, Behind]) -> Report:
    outcomes = {job: erasing.outcome(files, request, job) for job in request.jobs}
    jobs = {job: str(told["done_at"]) if told else None for job, told in outcomes.items()}
    unable = tuple(job for job in request.jobs if job not in erasing.ABLE)
    places = tuple(place for job in request.jobs for place in _places(request, job, view))
    left = (*_left(request, jobs, places), *_not_published(jobs.get(MEASURES.owner), stores))
    return Report(request.name, request.scope, request.requested_at, jobs, unable, places, left)


def _places(request: Erasure, job: str, view: LakeView) -> Iterator[Place]:
    sql = f"SELECT * FROM {ROWS} WHERE request = {literal(request.name)} ORDER BY at"
    told: dict[str, dict[str, dict[str, Any]]] = {}
    for row in view.query(ERASURES.path.format(job=job), sql):
        steps = told.setdefault(row["place"], {})
        # What is repeated after a crash finds nothing any more.
        before = steps.get(row["step"], row)
        steps[row["step"]] = {**row, "rows": max(row["rows"], before["rows"])}
    keep = TableMaintenance()
    for place, steps in told.items():
        deleted = steps.get("deleted") or steps.get("revoked") or {}
        written = steps.get("purged")
        gone_by = written["at"] + keep.vacuum_keep + keep.vacuum_every if written else None
        gone = place.startswith(("store ", "dataset ")) or _vacuumed(view, place, written, keep)
        details = tuple(row["detail"] for row in steps.values() if row["detail"])
        yield Place(job, place, int(deleted.get("rows") or 0), deleted.get("at"), gone_by, gone, details)


def _vacuumed(view: LakeView, place: str, written: dict[str, Any] | None, keep: TableMaintenance) -> bool:
    last = view.properties(place).get(_VACUUMED)
    if written is None or last is None:
        return False
    moment = datetime.fromisoformat(last)
    return bool((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) >= written["at"] + keep.vacuum_keep)


def _left(request: Erasure, jobs: dict[str, str | None], places: tuple[Place, ...]) -> Iterator[str]:
    for job, done in jobs.items():
        if job not in erasing.ABLE:
            yield f"{job}: its tables and stores hold the person; this version of Headrace cannot erase there"
        elif done is None:
            yield f"{job}: it carries the request out in its next batch: `headrace run {job}`"
    if any(done is None for done in jobs.values()):
        yield f"requests/erasures/work/{request.name}: ids and keys in clear, until every job is done"
    for one in places:
        if not one.gone and one.gone_by:
            yield f"{one.place}: old files, until the first VACUUM after {one.gone_by - timedelta(days=1):%Y-%m-%d}"
    moments = [one.unreadable_at for one in places if one.unreadable_at]
    if moments:
        yield f"statistics in Delta's logs, until {max(moments) + _LOG_KEPT:%Y-%m-%d}"
    yield "streams and folders that events come from keep them for as long as they are set to"


def _not_published(counted_again: str | None, stores: Mapping[str, Behind]) -> Iterator[str]:
    """The stores that have not got what was counted again without the person."""
    for name, store in stores.items() if counted_again else ():
        if store.since is None or store.since <= datetime.fromisoformat(str(counted_again)):
            why = f" (the last time: {store.why})" if store.why else ""
            yield f"measures published to {name} still count the person, until {MEASURES.owner} publishes again{why}"


def _identifiers(config: Config, who: str) -> Iterator[tuple[str, str]]:
    if config.profiles is None:
        return
    made = normaliser(config.profiles)
    for kind in config.profiles.found_by():
        try:
            plain = made.plain(kind, who)
        except TooLong:
            continue
        if plain:
            yield kind, made.hashed(kind, plain)
