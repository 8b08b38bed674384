"""Which type holds the values of two types."""

import re

_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")
_WHOLE = {"tinyint": 3, "smallint": 5, "int": 10, "bigint": 19}


def wider(old: str, new: str) -> str | None:
    """The narrowest type that holds both, or None where there is none.

    A string column takes every scalar as text. A fraction widens whole numbers to double, as JSON has no other kind.
    """
    if old == new or old == "string":
        return old
    if old.startswith("array<") and new.startswith("array<"):
        element = wider(old[6:-1], new[6:-1])
        return f"array<{element}>" if element else None
    if old in _WHOLE and new in _WHOLE:
        return max(old, new, key=lambda kind: _WHOLE[kind])
    if {old, new} <= {"float", "double"} or ("double" in (old, new) and _is_number(old) and _is_number(new)):
        return "double"
    if "float" in (old, new) and _is_number(old) and _is_number(new):
        return "double"
    if _is_number(old) and _is_number(new):
        return _wider_decimal(old, new)
    if {old, new} == {"date", "timestamp"}:
        return "timestamp"
    return None


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


def _wider_decimal(old: str, new: str) -> str | None:
    before, after = _digits(old), _digits(new)
    if before is None or after is None:
        return None
    whole, fraction = max(before[0], after[0]), max(before[1], after[1])
    return f"decimal({whole + fraction},{fraction})" if whole + fraction <= 38 else None
