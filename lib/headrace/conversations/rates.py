"""A share with what is known of it: few ratings say little, and a share must show it."""

from typing import NamedTuple

LEAST = 30
"""Below so many a share is shown as uncertain."""
SQUARED_Z = 1.959963984540054**2
"""Of an interval of 95 %."""


class Rate(NamedTuple):
    """A share.

    Attributes:
        value: None where nothing was counted.
        low, high: Wilson's interval: in 95 of 100 such cases the true share lies in it.
        among: how many it is a share of.
        enough: whether that is at least the number asked for.
    """

    value: float | None
    low: float
    high: float
    among: float
    enough: bool


def rate(numerator: float, denominator: float, least: float = LEAST) -> Rate:
    """The share and its interval.

    Args:
        numerator: how many of the `denominator` it is true of.

    Raises:
        ValueError: it is true of more than there are, or of less than none.
    """
    if not 0 <= numerator <= denominator:
        raise ValueError(f"expected a part of {denominator}; found {numerator}")
    if denominator == 0:
        return Rate(None, 0.0, 1.0, 0, False)
    share, square = numerator / denominator, SQUARED_Z
    middle = (share + square / (2 * denominator)) / (1 + square / denominator)
    spread = share * (1 - share) / denominator + square / (4 * denominator * denominator)
    half = (SQUARED_Z * spread) ** 0.5 / (1 + square / denominator)
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    # Rounding alone could leave the share outside of its own interval.
    return Rate(share, min(low, share), max(high, share), denominator, denominator >= least)
