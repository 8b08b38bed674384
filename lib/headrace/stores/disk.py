"""Says in plain words when a file system is what failed: full, read-only, out of handles or broken."""

import re

from headrace.errors import Unreachable

_SAID = {
    "No space left on device": "Free some room",
    "Disk quota exceeded": "Free some room, or have the quota raised",
    "Read-only file system": "Mount it for writing",
    "Input/output error": "Have the disk looked at",
    "Too many open files": "Raise the limit (`ulimit -n`)",
}
_PATH = r"(?:(?P<path>/[^\s:'\"]+)['\"]?: )?"
_AFTER = r"(?:: ['\"](?P<after>/[^'\"]+)['\"])?"
_FOUND = re.compile(f"{_PATH}(?P<said>{'|'.join(map(re.escape, _SAID))}){_AFTER}")


def disk_trouble(error: BaseException) -> Unreachable | None:
    """The failure of a file system that caused `error`, wherever Java or Python tell of it; None for others."""
    cause: BaseException | None = error
    while cause is not None:
        # Of an error raised on purpose the cause says more.
        found = _FOUND.search(str(cause)) if not isinstance(cause, Unreachable) else None
        if found:
            place = found["path"] or found["after"]
            return Unreachable(
                expected="a file system that takes what is written",
                found=f"{found['said']} ({place})" if place else found["said"],
                todo=f"{_SAID[found['said']]}, then start again: what was committed is whole, the rest is done again.",
            )
        cause = cause.__cause__ or cause.__context__
    return None
