"""A set of keys, and the rows of a table or query that have one of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.changes.columns import col, key_text
from headrace.lake import local_rows, quoted

MOST_LISTED = 1000
"""Keys up to this number are held by the driver, as a part of the plan."""
MOST_LITERALS = 20
"""Values up to this number are written into the query one by one: for each Delta looks at every file's statistics."""
MOST_BROADCAST = 500_000
LISTABLE = frozenset(["string", "bigint", "int", "smallint", "tinyint", "date", "boolean"])
"""Types whose values go to Python and back unchanged."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Distinct keys.

    Attributes:
        frame: the key columns; computed once.
        bounds: by column of a type that can be listed: smallest and largest value, None where one is null.
        listed: the keys themselves where they are few; the driver holds them.
    """

    frame: DataFrame
    count: int
    bounds: dict[str, tuple[Any, Any] | None]
    listed: list[tuple[Any, ...]] | None

    @classmethod
    def of(cls, rows: DataFrame) -> "Keys":
        """The distinct rows of a frame, as keys."""
        frame = rows.distinct().localCheckpoint(eager=False)
        few = frame.limit(MOST_LISTED + 1).collect()
        if len(few) <= MOST_LISTED:
            return cls._few(frame, [tuple(row) for row in few])
        columns = _listable(frame)
        bounds = [F.struct(F.min(col(name)), F.max(col(name)), F.count(col(name))) for name in columns]
        count, *found = frame.agg(F.count(F.lit(1)), *bounds).collect()[0]
        by_column = {
            name: (one[0], one[1]) if one[2] == count else None for name, one in zip(columns, found, strict=True)
        }
        return cls(frame, int(count), by_column, None)

    @classmethod
    def _few(cls, frame: DataFrame, keys: list[tuple[Any, ...]]) -> "Keys":
        columns = _listable(frame)
        if len(columns) == len(frame.columns):
            # As a part of the plan they cost no job of their own.
            ddl = ", ".join(f"{quoted(field.name)} {field.dataType.simpleString()}" for field in frame.schema)
            frame = local_rows(frame.sparkSession, keys, ddl)
        by_column: dict[str, tuple[Any, Any] | None] = {}
        for number, name in enumerate(frame.columns):
            values = [key[number] for key in keys]
            if name in columns:
                by_column[name] = None if not values or None in values else (min(values), max(values))
        return cls(frame, len(keys), by_column, keys)

    def texts(self) -> "Keys":
        """The same keys as texts, in the column `key`, as `changed_keys` holds them."""
        frame = self.frame.select(key_text([col(name) for name in self.frame.columns]).alias("key"))
        listed = None if self.listed is None else [tuple(row) for row in frame.collect()]
        return Keys(frame, self.count, {"key": None}, listed)

    def among(self, rows: DataFrame) -> DataFrame:
        """The rows whose columns of the same names are one of the keys; null counts as equal to null."""
        names = self.frame.columns
        conditions = [condition for name in names if (condition := self._narrow(name)) is not None]
        kept = rows.where(reduce(lambda one, other: one & other, conditions)) if conditions else rows
        if self._literal and conditions and len(names) == 1:
            return kept
        wanted = self.frame.select(*[col(name).alias(f"_k{number}") for number, name in enumerate(names)])
        same = [col(name).eqNullSafe(F.col(f"_k{number}")) for number, name in enumerate(names)]
        return kept.join(self.hinted(wanted), reduce(lambda one, other: one & other, same), "left_semi")

    def hinted(self, frame: DataFrame) -> DataFrame:
        """A frame with a row for each key, to be sent to where the other side's rows are."""
        return F.broadcast(frame) if self.count <= MOST_BROADCAST else frame

    @property
    def _literal(self) -> bool:
        return self.listed is not None and len(self.listed) <= MOST_LITERALS

    def _narrow(self, name: str) -> Column | None:
        """A condition on one column that Spark hands to the files' statistics."""
        if name not in self.bounds:
            return None
        if self.listed is not None and self._literal:
            values = {key[self.frame.columns.index(name)] for key in self.listed}
            known = col(name).isin(sorted(values - {None}))
            return known | col(name).isNull() if None in values else known
        bounds = self.bounds[name]
        return None if bounds is None else col(name).between(*bounds)


def _listable(frame: DataFrame) -> list[str]:
    return [field.name for field in frame.schema if field.dataType.simpleString() in LISTABLE]


def typed_keys(texts: DataFrame, columns: Sequence[tuple[str, str]]) -> DataFrame:
    """Key columns from the text of keys.

    Args:
        texts: column `key`: JSON arrays, as `changed_keys` holds them.
        columns: name and Spark type of each key column.
    """
    values = F.from_json("key", "array<string>")
    named = [values.getItem(number).try_cast(kind).alias(name) for number, (name, kind) in enumerate(columns)]
    return texts.select(*named)
