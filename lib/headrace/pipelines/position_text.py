"""Positions for people: `0000-00000000000000024023128-43f1c09a7be21` is `24023128 upsert 3f1c`."""

import re
from datetime import UTC, datetime, timedelta

from headrace.ordering.position import RANKS, SNAPSHOT_RANK, SNAPSHOT_START_RANK

_RANK_NAMES = {rank: name for name, rank in RANKS.items()} | {
    SNAPSHOT_RANK: "snapshot row",
    SNAPSHOT_START_RANK: "snapshot start",
}
_POSITION = re.compile(r"(\d{4})((?:-[^-]+)*)-([0-4])([0-9a-f]{12})")
_COMPLEMENT = str.maketrans("0123456789", "9876543210")
_YEARS = range(2000, 2100)


def readable(position: str | None) -> str:
    """The position without its padding; as it is where it is of no known shape, `-` where there is none."""
    if not position:
        return "-"
    found = _POSITION.fullmatch(position)
    if not found:
        return position
    epoch, parts, rank, digest = found.groups()
    said = [f"epoch {int(epoch)}"] if int(epoch) else []
    said.append(" / ".join(_part(part) for part in parts.split("-")[1:]))
    said.append(_RANK_NAMES[rank] + (f" {digest[:4]}" if int(digest, 16) else ""))
    return " ".join(part for part in said if part)


def _part(part: str) -> str:
    if number := re.fullmatch(r"n(\d\d)(\d*)", part):
        return _number(number[2], int(number[1]))
    if number := re.fullmatch(r"m(\d\d)(\d*)~", part):
        plain = (number[1] + number[2]).translate(_COMPLEMENT)
        return "-" + _number(plain[2:], int(plain[:2]))
    if re.fullmatch(r"x([0-9a-f]{2})*", part):
        return bytes.fromhex(part[1:]).decode("utf-8", "replace")
    return part.lstrip("0") or "0"


def _number(digits: str, whole: int) -> str:
    before, after = digits[:whole] or "0", digits[whole:]
    moment = _moment(before) if whole == 16 else None
    return moment or (f"{before}.{after}" if after else before)


def _moment(micros: str) -> str | None:
    """A number of 16 digits is a time in microseconds, where it falls into this century."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(micros))
    return f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}" if moment.year in _YEARS else None
