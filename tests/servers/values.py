"""Random values of every PostgreSQL column type the workload uses, edge cases included. All take a seeded generator."""

import datetime as dt
import json
import math
import string
import uuid
from collections.abc import Callable
from decimal import Decimal
from random import Random

Make = Callable[[Random], object]

WORDS = [
    "rain",
    "Zürich",
    "日本",
    "O'Hare",
    'say "hi"',
    "back\\slash",
    "tab\there",
    "two\nlines",
    "😀",
    "",
    " ",
    "null",
    "{}",
]
EPOCH = dt.datetime(1970, 1, 1)


def whole(low: int, high: int) -> Make:
    """Whole numbers, the two limits more often than chance."""
    return lambda rng: rng.choice([low, high, 0]) if rng.random() < 0.1 else rng.randint(low, high)


def decimal(digits: int, scale: int) -> Make:
    """Decimals that fill up to `digits` digits with `scale` of them after the point."""

    def make(rng: Random) -> Decimal:
        size = digits if rng.random() < 0.1 else rng.randint(1, digits)
        return Decimal(rng.randint(-(10**size) + 1, 10**size - 1)).scaleb(-scale)

    return make


def any_decimal(rng: Random) -> Decimal:
    """Decimals of changing scale, as a numeric column without precision holds them (kept inside decimal(38,18))."""
    scale = rng.randint(0, 12)
    return Decimal(rng.randint(-(10**15), 10**15)).scaleb(-scale)


def single(rng: Random) -> float:
    """Numbers a 4-byte float holds exactly or nearly, infinities and NaN rarely."""
    return rng.choice([math.nan, math.inf, -0.0, 3.4e38]) if rng.random() < 0.03 else rng.uniform(-1e6, 1e6)


def double(rng: Random) -> float:
    """8-byte floats of all magnitudes, infinities and NaN rarely."""
    if rng.random() < 0.03:
        return rng.choice([math.nan, math.inf, -math.inf, 5e-324, 1.7976931348623157e308])
    return rng.uniform(-1, 1) * 10 ** rng.randint(-20, 20)


def flag(rng: Random) -> bool:
    """True or false."""
    return rng.random() < 0.5


def text(rng: Random) -> str:
    """Short text with quotes, line breaks, other alphabets and the empty string."""
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 4)))


def short(limit: int) -> Make:
    """Plain text of at most `limit` characters."""
    return lambda rng: "".join(rng.choices(string.ascii_letters, k=rng.randint(0, limit)))


def one_of(*options: str) -> Make:
    """One of the given texts."""
    return lambda rng: rng.choice(options)


def day(rng: Random) -> dt.date:
    """Dates from 1583 to 9999, mostly of our time. (Earlier ones come shifted out of Debezium's own snapshot.)"""
    if rng.random() < 0.05:
        return rng.choice([dt.date(1583, 1, 1), dt.date(1969, 12, 31), dt.date(9999, 12, 31)])
    return dt.date(2020, 1, 1) + dt.timedelta(days=rng.randint(0, 4000))


def clock(rng: Random) -> dt.time:
    """Times of day with microseconds, midnight and the last microsecond included."""
    if rng.random() < 0.05:
        return rng.choice([dt.time(0, 0), dt.time(23, 59, 59, 999999)])
    return dt.time(rng.randint(0, 23), rng.randint(0, 59), rng.randint(0, 59), rng.choice([0, rng.randint(0, 999999)]))


def minute(rng: Random) -> dt.time:
    """Times of day in whole minutes, midnight included."""
    return dt.time(rng.randint(0, 23), rng.randint(0, 59))


def moment(rng: Random) -> dt.datetime:
    """Timestamps without zone: microseconds, before 1970 and far ahead included."""
    if rng.random() < 0.05:
        return rng.choice(
            [EPOCH - dt.timedelta(25567), EPOCH - dt.timedelta(microseconds=1), EPOCH + dt.timedelta(84006)]
        )
    fraction = rng.choice([0, rng.randint(0, 999999)])
    return EPOCH + dt.timedelta(seconds=rng.randint(10**9, 2 * 10**9), microseconds=fraction)


def zoned(rng: Random) -> dt.datetime:
    """Timestamps with a zone other than UTC now and then."""
    return moment(rng).replace(tzinfo=dt.timezone(dt.timedelta(hours=rng.choice([0, 0, 2, -11]))))


def span(rng: Random) -> str:
    """Intervals with months, days and fractions, negative ones too."""
    seconds = f"{rng.randint(-9999, 999999)}.{rng.randint(0, 999999):06d}"
    return f"{rng.randint(-14, 30)} months {rng.randint(-3, 40)} days {seconds} seconds"


def identifier(rng: Random) -> uuid.UUID:
    """A random UUID of the seeded generator."""
    return uuid.UUID(int=rng.getrandbits(128), version=4)


def document(rng: Random) -> str:
    """JSON text: nested, with numbers of several shapes, nulls and odd keys."""
    body = {"a.b": rng.randint(-5, 10**12), "π": [None, True, rng.random()], "w": {"s p": text(rng)}}
    return json.dumps(body, ensure_ascii=False)


def address(rng: Random) -> str:
    """IPv4 and IPv6 addresses, with and without a network mask."""
    return rng.choice(["192.168.0.1", "10.1.0.0/16", "::1", "2001:db8::ff00:42:8329", f"10.0.0.{rng.randint(0, 255)}"])


def raw(rng: Random) -> bytes:
    """Bytes of every value, the empty string included."""
    return rng.randbytes(rng.randint(0, 40))


def list_of(make: Make, most: int = 4) -> Make:
    """Arrays of 0 to `most` values, a null among them now and then."""
    return lambda rng: [None if rng.random() < 0.1 else make(rng) for _ in range(rng.randint(0, most))]


def large_text(rng: Random) -> str:
    """Text above the 2 kB at which PostgreSQL stores a value apart (TOAST)."""
    return "".join(rng.choices("abcdefghij é日", k=rng.randint(2500, 4000)))


def large_bytes(rng: Random) -> bytes:
    """Bytes above the TOAST limit."""
    return rng.randbytes(rng.randint(2500, 4000))


def large_list(make: Make, count: int) -> Make:
    """An array long enough to be stored apart."""
    return lambda rng: [make(rng) for _ in range(count)]


def large_document(rng: Random) -> str:
    """A JSON document above the TOAST limit."""
    return json.dumps({"body": large_text(rng), "n": rng.randint(0, 9)}, ensure_ascii=False)
