"""Requests of a person to a job as files of the lake: each is written once, and its outcome recorded beside it."""

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from headrace.stores.files import LakeFiles

POLL_SECONDS = 0.5
Request = TypeVar("Request")


def new_name(now: datetime, kind: str) -> str:
    """A name nobody else takes; names sort by time."""
    return f"{now:%Y%m%dT%H%M%S%f}Z-{kind}-{secrets.token_hex(4)}.json"


def listed(
    files: LakeFiles, folder: str, parse: Callable[[str, str], Request], what: str, *, refuse: bool, done_too: bool
) -> Iterator[Request]:
    """The requests of a folder, oldest first.

    Args:
        parse: makes a request of a file's name and text; raises ValueError, KeyError or TypeError for what is none.
        what: the kind of request, for the record of a refused file.
        refuse: record a file that is no request as refused; a mere reader passes it over.
        done_too: those that were carried out as well.
    """
    done = set() if done_too else set(files.names(f"{folder}/done"))
    for name in files.names(folder):
        if name in done or not name.endswith(".json") or name.startswith("."):
            continue
        try:
            yield parse(name, files.read_text(f"{folder}/{name}") or "")
        except (ValueError, KeyError, TypeError) as error:
            if refuse:
                record(files, folder, name, {"refused": f"expected {what}; found {error}"})


def record(files: LakeFiles, folder: str, name: str, outcome: Mapping[str, Any]) -> None:
    """Record what became of a request."""
    body = {"request": name, "done_at": datetime.now(UTC).isoformat(), **outcome}
    files.write_text(f"{folder}/done/{name}", json.dumps(body, indent=2, default=str) + "\n")


def outcome(files: LakeFiles, folder: str, name: str) -> dict[str, Any] | None:
    """What the job recorded, with `done_at`; None while the request is open."""
    text = files.read_text(f"{folder}/done/{name}")
    return json.loads(text) if text else None


def waited(look: Callable[[], dict[str, Any] | None], seconds: float) -> dict[str, Any] | None:
    """The outcome once there is one; None where there is none in time."""
    deadline = time.monotonic() + seconds
    while (found := look()) is None and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return found
