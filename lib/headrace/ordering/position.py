"""Positions: what "newer" means, as one sortable text.

    position = <epoch>-<source parts>-<rank><hash>      e.g.  0000-00000000000024023128-3f1c09a7be21d

Parts are joined by `-`, which sorts below every character a part may hold (digits and letters), so a plain text
comparison orders positions part by part. The last part settles ties the same way everywhere: the rank (an upsert
beats a delete, a delete beats a truncate, all of them beat a snapshot row at the same source position), then the
larger hash of the content. An equal position is a repeat.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from hashlib import blake2b
from typing import Literal

Operation = Literal["upsert", "delete", "truncate"]
Kind = Literal["auto", "number", "timestamp", "text"]

LOWEST = ""
"""Sorts below every position: the position of a value nobody ever sent."""

SNAPSHOT_START_RANK = "0"
SNAPSHOT_RANK = "1"
RANKS: Mapping[Operation, str] = {"truncate": "2", "delete": "3", "upsert": "4"}

_PLAIN_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_TIMESTAMP = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?\s*(Z|UTC|[+-]\d\d(?::?\d\d)?)?"
)
_HEX = re.compile(r"[0-9a-fA-F]+")
_SEPARATORS = str.maketrans("", "", ":.- ")
_COMPLEMENT = str.maketrans("0123456789", "9876543210")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class UnreadablePosition(ValueError):
    """A part cannot be turned into sortable text; the message becomes the reject's reason."""


def position(parts: Iterable[str], op: Operation, content: bytes, *, epoch: int = 0, rank: str | None = None) -> str:
    """Join encoded parts into one position.

    Args:
        parts: texts made by `integer`, `fixed_hex`, `number` or `text`, most significant first.
        op: gives the rank where `rank` is not given.
        content: canonical bytes of the row, hashed to settle ties; empty for truncates.
        epoch: raised by the operator when the source's own numbering restarts; 0..9999.
    """
    digest = blake2b(content, digest_size=6).hexdigest() if content else "0" * 12
    return "-".join([f"{epoch:04d}", *parts, (rank or RANKS[op]) + digest])


def snapshot_start(parts: Iterable[str], *, epoch: int = 0) -> str:
    """The position just below every row of a snapshot taken at `parts`: a floor for what the snapshot did not show."""
    return "-".join([f"{epoch:04d}", *parts, SNAPSHOT_START_RANK + "0" * 12])


def integer(value: int | str, width: int = 20) -> str:
    """A non-negative integer, zero-padded to `width`. Raises UnreadablePosition for anything else."""
    try:
        whole = int(value)
    except (TypeError, ValueError):
        raise UnreadablePosition(f"expected a whole number, found {_shown(value)}") from None
    if whole < 0 or whole >= 10**width:
        raise UnreadablePosition(f"expected a number from 0 with at most {width} digits, found {_shown(value)}")
    return str(whole).zfill(width)


def fixed_hex(value: str, width: int) -> str:
    """Hexadecimal digits, lower case, padded left to `width`; `:`, `.`, `-` and spaces between them are left out.

    Raises UnreadablePosition.
    """
    digits = value.translate(_SEPARATORS)
    if not _HEX.fullmatch(digits) or len(digits) > width:
        raise UnreadablePosition(f"expected up to {width} hexadecimal digits, found {_shown(value)}")
    return digits.lower().zfill(width)


def sequencer(value: str, width: int = 32) -> str:
    """An S3 sequencer: upper-case hexadecimal, padded right, as the S3 user guide says to compare it."""
    if not _HEX.fullmatch(value) or len(value) > width:
        raise UnreadablePosition(f"expected a hexadecimal sequencer of at most {width} digits, found {_shown(value)}")
    return value.upper().ljust(width, "0")


def number(value: Decimal) -> str:
    """Any decimal number as text that sorts by value: sign, digit count, digits; negatives complemented."""
    if not value.is_finite():
        raise UnreadablePosition(f"expected a finite number, found {value}")
    whole, _, fraction = format(abs(value), "f").partition(".")
    whole, fraction = whole.lstrip("0"), fraction.rstrip("0")
    if len(whole) > 99:
        raise UnreadablePosition(f"expected at most 99 digits before the point, found {len(whole)}")
    body = f"{len(whole):02d}{whole}{fraction}"
    if value < 0:
        # `~` sorts above every digit: of two negatives the one with fewer fraction digits is the larger.
        return "m" + body.translate(_COMPLEMENT) + "~"
    return "n" + body


def text(value: str) -> str:
    """Text as the hexadecimal of its UTF-8 bytes (byte order), marked to sort above numbers."""
    return "x" + value.encode("utf-8").hex()


def column_value(value: str | None, kind: Kind = "auto") -> str:
    """One configured position column as a part.

    `auto` reads numbers and ISO 8601 timestamps (as microseconds since 1970, UTC where no offset is given) as numbers
    and everything else as text. Raises UnreadablePosition for null, empty, or a value that is not of `kind`.
    """
    if value is None or value == "":
        raise UnreadablePosition("expected a value in the position column, found null")
    stripped = value.strip()
    if kind in ("auto", "number"):
        if _PLAIN_NUMBER.fullmatch(stripped):
            return number(Decimal(stripped))
        if kind == "number":
            return number(_decimal(stripped))
    if kind in ("auto", "timestamp"):
        micros = timestamp_micros(stripped)
        if micros is not None:
            return number(micros)
        if kind == "timestamp":
            raise UnreadablePosition(f"expected an ISO 8601 timestamp, found {_shown(value)}")
    return text(value)


def timestamp_micros(value: str) -> Decimal | None:
    """Microseconds since 1970 of an ISO 8601 date or timestamp (nanoseconds kept as a fraction), or None."""
    found = _TIMESTAMP.fullmatch(value)
    if not found:
        return None
    day, clock, seconds, fraction, zone = found.groups()
    offset = "+00:00" if zone in (None, "Z", "UTC") else zone
    try:
        moment = datetime.fromisoformat(f"{day}T{clock or '00:00'}:{seconds or '00'}{offset}")
    except ValueError:
        return None
    whole = (moment - _EPOCH) // timedelta(microseconds=1)
    return Decimal(whole) + Decimal(f"0.{fraction or 0}") * 1_000_000


def _decimal(value: str) -> Decimal:
    try:
        return Decimal(value)
    except InvalidOperation:
        raise UnreadablePosition(f"expected a number, found {_shown(value)}") from None


def _shown(value: object) -> str:
    """A value for a message, cut short: it may be a whole document put in the wrong place."""
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "..."
