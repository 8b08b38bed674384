"""Requests to rebuild: what a person asks of `index_knowledge`, as JSON files in `<lake>/requests/index_knowledge/`.

The job carries a request out in its next round, or at its next start, and records the outcome in `done/<same name>`.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from headrace.pipelines import request_files
from headrace.stores.files import LakeFiles

FOLDER = "requests/index_knowledge"
Kind = Literal["model", "rollback", "drop", "index"]


@dataclass(frozen=True, slots=True)
class Rebuild:
    """What to do.

    Attributes:
        kind: `model`: change to another; `rollback`: to the one before; `drop` one that is not active; fill an `index`
            anew.
        name: of the model or the index; none for `rollback`.
        file: the request's name; empty until it is written.
    """

    kind: Kind
    name: str | None = None
    requested_at: str = ""
    file: str = ""


def write(files: LakeFiles, request: Rebuild) -> Rebuild:
    """Write the request into the lake; the request as written."""
    now = datetime.now(UTC)
    file = request_files.new_name(now, request.kind)
    written = replace(request, requested_at=now.isoformat(), file=file)
    files.write_text(f"{FOLDER}/{file}", json.dumps(asdict(written), indent=2) + "\n")
    return written


def list_open(files: LakeFiles, *, refuse: bool = True) -> list[Rebuild]:
    """The requests that are not done yet, oldest first; see `request_files.listed`."""
    what = "a request to rebuild"
    return list(request_files.listed(files, FOLDER, _parse, what, refuse=refuse, done_too=False))


def mark_done(files: LakeFiles, file: str, outcome: Mapping[str, Any]) -> None:
    """Record that the request was carried out, or why it was not."""
    request_files.record(files, FOLDER, file, outcome)


def outcome_of(files: LakeFiles, file: str) -> dict[str, Any] | None:
    """What the job recorded; None while the request is open."""
    return request_files.outcome(files, FOLDER, file)


def _parse(name: str, text: str) -> Rebuild:
    body = json.loads(text)
    request = Rebuild(body["kind"], body["name"], body["requested_at"], name)
    if request.kind not in get_args(Kind):
        raise ValueError(f"kind {request.kind!r}")
    return request
