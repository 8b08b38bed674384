"""Whose a row is: a record, named by its key, or an identifier, named by its keyed hash."""

from collections.abc import Iterable, Mapping

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import pandas_udf

from headrace.identifiers.normalise import Normaliser, TooLong, Value
from headrace.profiles.links import Ref

_RECORD, _VALUE = "r", "i"
SEPARATOR = "\x1f"


def of_record(ref: Ref) -> str:
    """The owner that a record is."""
    return SEPARATOR.join((_RECORD, *ref))


def of_value(value: Value) -> str:
    """The owner that an identifier is."""
    return SEPARATOR.join((_VALUE, *value))


def parsed(owner: str) -> Ref | Value:
    """What an owner's text says."""
    kind, name, rest = owner.split(SEPARATOR, 2)
    return Ref(name, rest) if kind == _RECORD else Value(name, rest)


def columns(record: Column, key: Column) -> Column:
    """The owner that a record is, of columns."""
    return F.concat_ws(SEPARATOR, F.lit(_RECORD), record, key)


def value_columns(kind: Column, hashed: Column) -> Column:
    """The owner that an identifier is, of columns."""
    return F.concat_ws(SEPARATOR, F.lit(_VALUE), kind, hashed)


def owned(
    rows: DataFrame, by: Mapping[str, str], records: Iterable[str], normaliser: Normaliser, name: str = "_owner"
) -> DataFrame:
    """Rows with the owner they name first; null where they name none.

    Args:
        by: records or kinds of identifiers, each with its column.
    """
    known = frozenset(records)
    candidates = [
        columns(F.lit(one), F.to_json(F.array(F.col(column).cast("string"))))
        if one in known
        else value_columns(F.lit(one), _hashed(one, normaliser)(F.col(column).cast("string")))
        for one, column in by.items()
    ]
    # concat_ws passes over null: without a value there must be no owner.
    there = [
        F.when(F.col(column).isNotNull() & (F.size(F.split(candidate, SEPARATOR)) == 3), candidate)
        for candidate, column in zip(candidates, by.values(), strict=True)
    ]
    return rows.withColumn(name, F.coalesce(*there))


def _hashed(kind: str, normaliser: Normaliser):  # type: ignore[no-untyped-def]
    def hashed(texts: pd.Series) -> pd.Series:
        return texts.map(lambda text: _hash(kind, text, normaliser), na_action="ignore")

    return pandas_udf(hashed, "string")  # type: ignore[call-overload]


def _hash(kind: str, text: str, normaliser: Normaliser) -> str | None:
    try:
        plain = normaliser.plain(kind, text)
    except TooLong:
        return None
    return normaliser.hashed(kind, plain) if plain else None
