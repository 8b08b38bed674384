"""Which type holds the values of two types."""

import re

_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")
_WHOLE = {"tinyint": 3, "smallint": 5, "int": 10, "bigint": 19}
_FLOATING = ("float", "double")
_EXACT_IN_DOUBLE = ("tinyint", "smallint", "int", *_FLOATING)
_FRACTION = 18
"""Leaves 20 digits before the point, what Delta asks for to turn a bigint into a decimal without a rewrite."""


def wider(old: str, new: str) -> str | None:
    """The type that a column of type `old` needs to take values of `new` too, or None where there is none.

    What is stored stays what it is, to the last digit: a bigint or a decimal never becomes a double, which holds 15
    digits for sure. It becomes a decimal that holds it, with as many digits for the fraction as are left; values with
    more than those are refused. A string column takes every scalar as text.
    """
    if old == new or old == "string":
        return old
    if old.startswith("array<") and new.startswith("array<"):
        element = wider(old[6:-1], new[6:-1])
        return f"array<{element}>" if element else None
    if old in _WHOLE and new in _WHOLE:
        return max(old, new, key=lambda kind: _WHOLE[kind])
    if _is_number(old) and _is_number(new):
        if old in _EXACT_IN_DOUBLE and (new in _FLOATING or old in _FLOATING):
            return "double"
        return _with_fraction(old) if new in _FLOATING else _wider_decimal(old, new)
    if {old, new} == {"date", "timestamp"}:
        return "timestamp"
    return None


def wider_key(old: str, new: str) -> str | None:
    """As `wider`, for a key column: None where the keys stored would read differently."""
    width = wider(old, new)
    return width if width and same_text(old, width) else None


def same_text(old: str, new: str) -> bool:
    """Whether every value has the same text in both types, and two different values have two different texts.

    Tombstones, the log and `changed_keys` name a row by the text of its key.
    """
    if old.startswith("array<") and new.startswith("array<"):
        return same_text(old[6:-1], new[6:-1])
    before, after = _digits(old), _digits(new)
    if not before or not after:
        return old == new
    return before[0] <= after[0] and before[1] == after[1]


def grows(old: str, new: str) -> bool:
    """Whether a stored column may become `new`: as learned, or because a person declared it a double."""
    return old != new and (wider(old, new) == new or (new == "double" and _is_number(old)))


def delta_widens(old: str, new: str) -> bool:
    """Whether Delta can change the column's type in its metadata alone (Delta's type widening feature)."""
    if old in _WHOLE and new in _WHOLE:
        return _WHOLE[old] < _WHOLE[new]
    if new == "double":
        return old in ("float", "tinyint", "smallint", "int")
    before, after = _digits(old), _digits(new)
    if not before or not after or not new.startswith("decimal"):
        return False
    if old in _WHOLE:
        # Delta asks for 10 whole digits before it turns an int into a decimal, and 20 for a bigint.
        return after[0] >= (20 if old == "bigint" else 10)
    return after[0] >= before[0] and after[1] >= before[1]


def _is_number(kind: str) -> bool:
    return kind in _WHOLE or kind in ("float", "double") or kind.startswith("decimal")


def _digits(kind: str) -> tuple[int, int] | None:
    """Digits before and after the point."""
    if kind in _WHOLE:
        return _WHOLE[kind], 0
    found = _DECIMAL.fullmatch(kind)
    return (int(found[1]) - int(found[2]), int(found[2])) if found else None


def _with_fraction(old: str) -> str | None:
    """The decimal for an exact number that meets a fraction: of its 38 digits 18 for the fraction where they fit."""
    found = _digits(old)
    if found is None:
        return None
    fraction = max(found[1], min(_FRACTION, 38 - found[0]))
    return f"decimal(38,{fraction})"


def _wider_decimal(old: str, new: str) -> str | None:
    before, after = _digits(old), _digits(new)
    if before is None or after is None:
        return None
    whole, fraction = max(before[0], after[0]), max(before[1], after[1])
    return f"decimal({whole + fraction},{fraction})" if whole + fraction <= 38 else None
