"""Numbers that add up to the same sum in every order: decimals, never rounded.

A float counts as the shortest decimal that stands for it, so ten times 0.1 is 1.
"""

import re
from decimal import Context, Decimal, Inexact, InvalidOperation

from headrace.profiles.values import Json

_MAGNITUDE = 400
"""Largest power of ten, and smallest one below zero, of a number that is added up. A float has 308 and 324."""

EXACT = Context(prec=5 * _MAGNITUDE, traps=[Inexact, InvalidOperation])
"""Wide enough that no sum of such numbers is ever rounded."""

_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d{1,4})?", re.ASCII)


def exact(value: Json | Decimal) -> Decimal | None:
    """The number as it is written in decimals, so 0.1 is a tenth; None for what is none, or too large to add up."""
    if isinstance(value, float):
        value = repr(value)
    if isinstance(value, str):
        value = Decimal(value.strip()) if len(value) <= 999 and _NUMBER.fullmatch(value.strip()) else None
    if value is None or isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    number = Decimal(value)
    if not number.is_finite():
        return None
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    if number and (number.adjusted() > _MAGNITUDE or exponent < -_MAGNITUDE):
        return None
    return number if number else Decimal(0)


def number_text(number: Decimal) -> str:
    """A number in plain digits, without zeros that say nothing: `12.5`, `-3`, `0`."""
    return format(number.normalize(EXACT), "f") if number else "0"
