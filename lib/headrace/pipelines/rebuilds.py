"""Requests to rebuild: what a person asks of `index_knowledge`, as JSON files in `<lake>/requests/index_knowledge/`.

The job carries a request out in its next round, or at its next start, and records the outcome in `done/<same name>`.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, get_args

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
    file = f"{now:%Y%m%dT%H%M%S%f}Z-{request.kind}-{secrets.token_hex(4)}.json"
    written = replace(request, requested_at=now.isoformat(), file=file)
    files.write_text(f"{FOLDER}/{file}", json.dumps(asdict(written), indent=2) + "\n")
    return written


def list_open(files: LakeFiles, *, refuse: bool = True) -> list[Rebuild]:
    """The requests that are not done yet, oldest first.

    Args:
        refuse: record a file that is no request as refused; a mere reader passes it over.
    """
    done = set(files.names(f"{FOLDER}/done"))
    found = []
    for name in files.names(FOLDER):
        if name in done or not name.endswith(".json") or name.startswith("."):
            continue
        try:
            body = json.loads(files.read_text(f"{FOLDER}/{name}") or "")
            request = Rebuild(body["kind"], body["name"], body["requested_at"], name)
            if request.kind not in get_args(Kind):
                raise ValueError(f"kind {request.kind!r}")
        except (ValueError, KeyError, TypeError) as error:
            if refuse:
                mark_done(files, name, {"refused": f"expected a request to rebuild; found {error}"})
            continue
        found.append(request)
    return found


def mark_done(files: LakeFiles, file: str, outcome: Mapping[str, Any]) -> None:
    """Record that the request was carried out, or why it was not."""
    body = {"request": file, "done_at": datetime.now(UTC).isoformat(), **outcome}
    files.write_text(f"{FOLDER}/done/{file}", json.dumps(body, indent=2) + "\n")


def outcome_of(files: LakeFiles, file: str) -> dict[str, Any] | None:
    """What the job recorded; None while the request is open."""
    text = files.read_text(f"{FOLDER}/done/{file}")
    return json.loads(text) if text else None
