"""Data-quality rules of a table as conditions on its rows."""

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

from headrace.changes.columns import col
from headrace.config import Expectation


def described(rule: Expectation) -> str:
    """The rule as a reader would say it, e.g. `price at least 0`; it is the reject's detail."""
    if rule.check is not None:
        return rule.check
    parts = []
    if rule.not_null:
        parts.append("not null")
    if rule.min is not None:
        parts.append(f"at least {rule.min}")
    if rule.max is not None:
        parts.append(f"at most {rule.max}")
    if rule.values:
        parts.append(f"one of {', '.join(map(str, rule.values))}")
    if rule.pattern is not None:
        parts.append(f"like {rule.pattern}")
    return f"{rule.column} {' and '.join(parts)}"


def holds(rule: Expectation) -> Column:
    """True where a row keeps the rule; null counts as kept, save for `not_null`."""
    if rule.check is not None:
        return F.coalesce(F.expr(rule.check), F.lit(True))
    value = col(str(rule.column))
    conditions: list[Column] = []
    if rule.min is not None:
        conditions.append(value >= F.lit(rule.min))
    if rule.max is not None:
        conditions.append(value <= F.lit(rule.max))
    if rule.values:
        conditions.append(value.isin(list(rule.values)))
    if rule.pattern is not None:
        conditions.append(value.cast("string").rlike(rule.pattern))
    kept = reduce(lambda left, right: left & right, conditions, F.lit(True))
    return value.isNotNull() & F.coalesce(kept, F.lit(True)) if rule.not_null else F.coalesce(kept, F.lit(True))


def broken(rules: Sequence[Expectation], on_fail: str) -> Column:
    """The first rule of this severity that a row breaks, described; null where it breaks none."""
    chosen = [rule for rule in rules if rule.on_fail == on_fail]
    if not chosen:
        return F.lit(None).cast("string")
    return F.coalesce(*[F.when(~holds(rule), F.lit(described(rule))) for rule in chosen])
