"""Requests to erase a person, as files of the lake: who wrote them, who still has something to do, what came of it.

requests/erasures/NAME.json             the request: hashes only, kept for good; it is the suppression list
requests/erasures/work/NAME.json        ids and record keys in clear, until every job is done
requests/erasures/JOB/work/NAME.json    what a job has found to be erased, until it is done
requests/erasures/JOB/done/NAME.json    what came of it
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from headrace.config import Config
from headrace.erasure import Erasure, Hashing, Suppressed, suppressed
from headrace.errors import ConfigError
from headrace.pipelines import request_files
from headrace.stores.files import LakeFiles

FOLDER = "requests/erasures"
ABLE = ("track_feedback", "curate_dataset")
"""Jobs that carry requests out by now; requests of the others stay open, and so does the work."""


@dataclass(frozen=True, slots=True)
class Work:
    """What rows are found by.

    Attributes:
        people: the ids of the person, now and earlier.
        records: the rows about the person: record, key as a JSON array.
    """

    people: tuple[str, ...]
    records: tuple[tuple[str, str], ...] = ()


def hashing(config: Config) -> Hashing:
    """The keyed hashes of the settings. Raises ConfigError where there is no key."""
    if config.profiles is not None:
        return Hashing(config.profiles.hash_key.get_secret_value().encode())
    if config.datasets is not None:
        return Hashing(config.datasets.key.get_secret_value().encode())
    if config.feedback is not None and config.feedback.hash_key is not None:
        return Hashing(config.feedback.hash_key.get_secret_value().encode())
    todo = "Write `hash_key: {secret: env:HEADRACE_HASH_KEY}` there, at least 16 characters that never change."
    raise ConfigError(where="feedback.hash_key", expected="a key for hashes", found="none", todo=todo)


def jobs_of(config: Config, scope: str) -> tuple[str, ...]:
    """The jobs of these settings that hold something about people."""
    has = {
        "apply_changes": bool(config.tables),
        "build_profiles": config.profiles is not None,
        "index_knowledge": config.knowledge is not None,
        "track_feedback": config.feedback is not None,
    }
    there = [job for job, is_there in has.items() if is_there and scope == "all"]
    return (*there, "curate_dataset") if config.datasets is not None else tuple(there)


def write(files: LakeFiles, request: Erasure, work: Work) -> Erasure:
    """Write a request into the lake, its work first: a request that is there can be carried out."""
    now = datetime.now(UTC)
    named = replace(request, name=request_files.new_name(now, "erasure"), requested_at=now.isoformat())
    files.write_text(f"{FOLDER}/work/{named.name}", json.dumps({"people": work.people, "records": work.records}))
    files.write_text(f"{FOLDER}/{named.name}", json.dumps(named.to_json(), indent=2) + "\n")
    return named


def requests(files: LakeFiles) -> list[Erasure]:
    """All of them, oldest first; a file that is none is passed over."""
    return list(request_files.listed(files, FOLDER, _parse, "an erasure", refuse=False, done_too=True))


def work_of(files: LakeFiles, request: Erasure) -> Work | None:
    """What rows are found by; None once every job is done."""
    text = files.read_text(f"{FOLDER}/work/{request.name}")
    if text is None:
        return None
    body = json.loads(text)
    return Work(tuple(body["people"]), tuple((record, key) for record, key in body["records"]))


def outcome(files: LakeFiles, request: Erasure, job: str) -> dict[str, Any] | None:
    """What a job recorded; None while it has something to do."""
    return request_files.outcome(files, f"{FOLDER}/{job}", request.name)


class Erasures:
    """The requests as one job sees them. Listed anew by `refresh`; only new files are read."""

    def __init__(self, files: LakeFiles, job: str, config: Config) -> None:
        self._files, self._job, self._config = files, job, config
        self._folder = f"{FOLDER}/{job}"
        self._known: dict[str, Erasure | None] = {}
        self._done: set[str] = set()

    def refresh(self) -> None:
        """Read what came since."""
        names = self._files.names(FOLDER)
        for name in (name for name in names if name not in self._known and name.endswith(".json")):
            self._known[name] = _request(name, self._files.read_text(f"{FOLDER}/{name}"))
        if any(one for name, one in self._known.items() if one and self._mine(one) and name not in self._done):
            self._done = set(self._files.names(f"{self._folder}/done"))

    def all(self) -> list[Erasure]:
        """Every request, oldest first."""
        return [one for _, one in sorted(self._known.items()) if one is not None]

    def open(self) -> list[Erasure]:
        """Those that this job has yet to carry out, oldest first."""
        return [one for one in self.all() if self._mine(one) and one.name not in self._done]

    def suppressed(self, *, training: bool = False) -> Suppressed | None:
        """Whom to refuse; None where nobody was erased. Raises ConfigError for another key."""
        found = self.all()
        return suppressed(hashing(self._config), found, training=training) if found else None

    def work(self, request: Erasure) -> Work:
        """What rows are found by; of nobody where the file is gone."""
        return work_of(self._files, request) or Work(())

    def plan(self, request: Erasure) -> dict[str, Any] | None:
        """What this job began to erase."""
        text = self._files.read_text(f"{self._folder}/work/{request.name}")
        return None if text is None else json.loads(text)

    def keep_plan(self, request: Erasure, plan: Mapping[str, Any]) -> None:
        """Remember it, before the first row is deleted."""
        self._files.replace_text(f"{self._folder}/work/{request.name}", json.dumps(plan))

    def done(self, request: Erasure, told: Mapping[str, Any]) -> None:
        """Record that this job is done; what is in clear goes once nobody needs it any more."""
        request_files.record(self._files, self._folder, request.name, told)
        self._done.add(request.name)
        self._files.delete(f"{self._folder}/work/{request.name}")
        tidy(self._files, request)

    def _mine(self, request: Erasure) -> bool:
        return self._job in request.jobs


def tidy(files: LakeFiles, request: Erasure) -> None:
    """Delete the work of a request that every job is done with."""
    if all(outcome(files, request, job) for job in request.jobs):
        files.delete(f"{FOLDER}/work/{request.name}")


def made(
    hashing: Hashing,
    scope: str,
    asked: Iterable[str],
    work: Work,
    trained: Sequence[str],
    identifiers: Sequence[tuple[str, str]],
    jobs: Sequence[str],
) -> Erasure:
    """A request that holds hashes of all these, to be written."""
    hashes = [hashing.of("person", one) for one in work.people]
    hashes += [hashing.of("record", *one) for one in work.records]
    hashes += [asked_hash(hashing, one) for one in asked]
    return Erasure(
        "training" if scope == "training" else "all", "", hashing.check(), tuple(dict.fromkeys(hashes)),
        tuple(trained), tuple(identifiers), tuple(jobs),
    )  # fmt: skip


def asked_hash(hashing: Hashing, who: str) -> str:
    """What a report finds a request by."""
    return hashing.of("asked", who.strip().casefold())


def _parse(name: str, text: str) -> Erasure:
    return Erasure.from_json(name, json.loads(text))


def _request(name: str, text: str | None) -> Erasure | None:
    try:
        return _parse(name, text or "")
    except (ValueError, KeyError, TypeError):
        return None
