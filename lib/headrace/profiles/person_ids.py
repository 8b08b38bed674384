"""Ids of people: sortable by age, told by nobody's data, the same again for the same record.

An id is a ULID (https://github.com/ulid/spec): 48 bits of time, when the record began, and 80 bits of a keyed hash.
"""

import hashlib
import hmac
from datetime import UTC, datetime

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LATEST = (1 << 48) - 1


def own_id(hash_key: bytes, record: str, key: str, since: datetime | None, again: str = "") -> str:
    """The id of the person that a record is alone: 26 characters; the older the record, the lower.

    Args:
        since: when the record began; None sorts first.
        again: tells a record that comes back from the one that is gone, whose id may still be in use.
    """
    millis = 0 if since is None else int(_aware(since).timestamp() * 1000)
    told = "\0".join((record, key, again)).encode()
    number = min(max(millis, 0), _LATEST) << 80
    number |= int.from_bytes(hmac.new(hash_key, b"own\0" + told, hashlib.sha256).digest()[:10])
    return "".join(_LETTERS[number >> shift & 31] for shift in range(125, -1, -5))


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def began(person: str) -> datetime | None:
    """When the record began whose id this is; None where nobody knew."""
    number = 0
    for letter in person[:10]:
        number = number << 5 | _LETTERS.index(letter)
    return datetime.fromtimestamp(number / 1000, UTC) if number else None
