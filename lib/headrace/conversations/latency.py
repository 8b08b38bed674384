"""Percentiles out of counts that can be added: each value falls into a bucket, and a bucket is 2 % wide.

Counts of minutes add up to those of an hour, and counts of two models to those of both, which percentiles do not.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from fractions import Fraction

GAMMA = 1.02
"""A bucket's upper end over its lower one. A percentile is off by at most (GAMMA - 1) / (GAMMA + 1): 0.99 %."""
ZERO = -10_000
"""The bucket of what is too small to matter."""
_SMALLEST = 1e-9
Buckets = Mapping[int, int]
"""How many values fell into each bucket."""


def bucket(value: float) -> int:
    """The bucket of a value: number i holds those above GAMMA^(i-1), up to GAMMA^i.

    Raises:
        ValueError: it is negative, infinite or not a number.
    """
    if not 0 <= value < math.inf:
        raise ValueError(f"expected a number from 0 on; found {value}")
    return ZERO if value < _SMALLEST else math.ceil(math.log(value) / math.log(GAMMA))


def bucket_sql(value: str) -> str:
    """The same as SQL over a row; null for null, and for what `bucket` refuses."""
    number = f"CAST(({value}) AS DOUBLE)"
    return (
        f"CASE WHEN {number} >= 0 AND {number} < {_SMALLEST} THEN {ZERO} "
        f"WHEN {number} >= {_SMALLEST} AND {number} < 1e300 "
        f"THEN CAST(CEIL(LN({number}) / {math.log(GAMMA)!r}) AS INT) END"
    )


def counted(values: Iterable[float]) -> Counter[int]:
    """The counts of some values. Raises as `bucket` does."""
    return Counter(map(bucket, values))


def merged(some: Iterable[Buckets]) -> Counter[int]:
    """The counts of all together."""
    total: Counter[int] = Counter()
    for buckets in some:
        total.update(buckets)
    return total


def percentile(buckets: Buckets, q: float) -> float | None:
    """The smallest value that at least the share `q` of all values does not exceed; None where there are none.

    It is off by at most 1 %.

    Args:
        q: from 0 to 1, to four digits; 0 is the smallest value.
    """
    if not 0 <= q <= 1:
        raise ValueError(f"expected a share from 0 to 1; found {q}")
    rank = max(1, math.ceil(Fraction(q).limit_denominator(10_000) * sum(buckets.values())))
    passed = 0
    for number, count in sorted(buckets.items()):
        passed += count
        if passed >= rank:
            return 0.0 if number == ZERO else 2 * GAMMA**number / (GAMMA + 1)
    return None
