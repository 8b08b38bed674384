"""Requests: what a person asks of a running job, as immutable JSON files in `<lake>/requests/`.

Each table is written by one job only, so nobody else may replay into it. The job carries the request out in its next
batch, or at its next start, and records the outcome in `requests/done/<same name>`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from headrace.pipelines import request_files
from headrace.stores.files import LakeFiles

FOLDER = "requests"
From = Literal["log", "rejects"]


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """Take messages of `changes_log` or `rejects` in again. Filters that are None let everything through.

    Attributes:
        take_from: `log` or `rejects` (`from` in the file).
        reason: only rejects with this reason.
        table: only this table of the lake.
        since, until: only messages that arrived in this time (`until` not included), UTC.
        name: the file's name; empty until it is written.
    """

    take_from: From
    reason: str | None = None
    table: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    job: str = "apply_changes"
    requested_at: datetime | None = None
    name: str = ""


def write(files: LakeFiles, request: ReplayRequest) -> ReplayRequest:
    """Write the request into the lake; the request as written, with its name and time."""
    now = datetime.now(UTC)
    name = request_files.new_name(now, "replay")
    written = replace(request, requested_at=now, name=name)
    files.write_text(f"{FOLDER}/{name}", json.dumps(_body(written), indent=2) + "\n")
    return written


def list_open(files: LakeFiles, job: str, *, refuse: bool = True, done_too: bool = False) -> list[ReplayRequest]:
    """The job's requests that are not done yet, oldest first.

    Args:
        refuse: record a file that is no request as refused; a mere reader passes it over.
        done_too: those that were carried out as well.
    """
    what = "a replay request"
    found = request_files.listed(files, FOLDER, _parse, what, refuse=refuse, done_too=done_too)
    return [request for request in found if request.job == job]


def mark_done(files: LakeFiles, request: ReplayRequest, outcome: Mapping[str, Any]) -> None:
    """Record that the request was carried out.

    Args:
        outcome: counts and remarks, e.g. {"messages": 12, "batch": "feed/7"}.
    """
    request_files.record(files, FOLDER, request.name, outcome)


def outcome_of(files: LakeFiles, request: ReplayRequest) -> dict[str, Any] | None:
    """What the job recorded, with `done_at`; None while the request is open."""
    return request_files.outcome(files, FOLDER, request.name)


def _body(request: ReplayRequest) -> dict[str, Any]:
    return {
        "kind": "replay",
        "job": request.job,
        "from": request.take_from,
        "reason": request.reason,
        "table": request.table,
        "since": request.since.isoformat() if request.since else None,
        "until": request.until.isoformat() if request.until else None,
        "requested_at": request.requested_at.isoformat() if request.requested_at else None,
    }


def _parse(name: str, text: str) -> ReplayRequest:
    body = json.loads(text)
    if body["kind"] != "replay" or body["from"] not in ("log", "rejects"):
        raise ValueError(f"kind {body['kind']!r} from {body['from']!r}")
    return ReplayRequest(
        take_from=body["from"],
        reason=_text(body, "reason"),
        table=_text(body, "table"),
        since=_time(body, "since"),
        until=_time(body, "until"),
        job=str(body["job"]),
        requested_at=_time(body, "requested_at"),
        name=name,
    )


def _text(body: Mapping[str, Any], field: str) -> str | None:
    value = body.get(field)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{field} {value!r}")
    return value


def _time(body: Mapping[str, Any], field: str) -> datetime | None:
    text = _text(body, field)
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
