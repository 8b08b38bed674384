"""Text values -> typed columns, and the names they get in the table."""

import re

from pyspark.sql import Column
from pyspark.sql import functions as F

from headrace.config_names import RESERVED
from headrace.lake import quoted

_WHOLE = r"^-?[0-9]+$"
_MIDNIGHT = r"^\d+-\d+-\d+([T ]00?:00(:00(\.0+)?)?)?([zZ]|[+-]00:?00)?$"
_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)")
_DECIMALS = re.compile(r"array<decimal\(\d+,\s*(\d+)\)>")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
MOST_NAME = 200
_ODD_NAME = re.compile(r"[ ,;{}()\n\t=]")


def col(name: str) -> Column:
    """A column by its exact name, whatever characters it holds."""
    return F.col(quoted(name))


def free_name(wanted: str, taken: set[str]) -> str:
    """`wanted`, or `wanted_2`, `wanted_3`, ...: Delta tells names apart without regard to case.

    A name Spark cannot take loses its control characters and what is beyond 200 characters; an empty one is `column`.
    """
    wanted = _CONTROL.sub("", wanted)[:MOST_NAME] or "column"
    lowered = {name.lower() for name in taken} | RESERVED
    name, suffix = wanted, 2
    while name.lower() in lowered:
        name, suffix = f"{wanted}_{suffix}", suffix + 1
    return name


def needs_mapping(names: list[str]) -> bool:
    """Whether a table with these columns needs Delta's column mapping (Parquet refuses some characters)."""
    return any(_ODD_NAME.search(name) for name in names)


def typed(text: Column, kind: str) -> Column:
    """The value of a text in the column's type; null where it does not fit (see `misfit`)."""
    if kind == "string":
        return text
    if kind == "date":
        days = F.date_add(F.lit("1970-01-01").cast("date"), text.try_cast("int"))
        return F.when(text.rlike(_WHOLE), days).otherwise(text.try_cast("date"))
    if kind in ("timestamp", "timestamp_ntz"):
        micros = F.timestamp_micros(text.try_cast("bigint"))
        value = F.when(text.rlike(_WHOLE), micros).otherwise(text.try_cast("timestamp"))
        return value.cast(kind) if kind == "timestamp_ntz" else value
    if kind == "binary":
        return F.try_to_binary(text, F.lit("base64"))
    if kind.startswith(("array<", "map<", "struct<")):
        return F.from_json(text, kind)
    return text.try_cast(kind)


def misfit(text: Column, value: Column, kind: str) -> Column:
    """True where a text is there but `value`, made of it by `typed`, is not what it says."""
    lost = text.isNotNull() & value.isNull()
    if kind.startswith(("array<", "map<", "struct<")):
        lost &= F.trim(text) != "null"
        if found := _DECIMALS.fullmatch(kind):
            return lost | text.rlike(_beyond(found[1])) | text.rlike(r"\d[eE]-")
        return lost
    if found := _DECIMAL.fullmatch(kind):
        # A cast to fewer fraction digits rounds silently. Near 38 digits so does a comparison: there the text decides.
        exact = text.try_cast(f"decimal(38,{min(int(found[2]) + 8, 37)})")
        cut = text.rlike(_beyond(found[2])) & ~text.rlike("[eE]")
        return lost | cut | F.coalesce(exact != value, F.lit(False))
    if kind in ("float", "double"):
        # "Infinity" is what it says; a number that became infinite is not.
        return lost | (F.abs(value).cast("double") == float("inf")) & text.rlike(r"\d")
    return lost


def key_misfit(text: Column, value: Column, kind: str) -> Column:
    """As `misfit`, and true where the value says less than the text: two keys must not become one."""
    lost = misfit(text, value, kind)
    if kind in ("float", "double"):
        whole = text.try_cast("decimal(38,0)")
        return lost | text.rlike(_WHOLE) & ~F.coalesce(whole == value.try_cast("decimal(38,0)"), F.lit(False))
    if kind == "date":
        return lost | ~text.rlike(_WHOLE) & ~text.rlike(_MIDNIGHT)
    return lost


def _beyond(scale: str) -> str:
    """Finds a digit that counts beyond `scale` digits after the point."""
    return rf"\.\d{{{scale}}}\d*[1-9]"


def untyped(value: Column, kind: str) -> Column:
    """The text of a typed value, such that `typed` gives the value back."""
    if kind == "binary":
        return F.base64(value)
    if kind == "date":
        return F.unix_date(value).cast("string")
    if kind == "timestamp":
        return F.unix_micros(value).cast("string")
    if kind.startswith(("array<", "map<", "struct<")):
        return F.to_json(value)
    return value.cast("string")


def key_text(columns: list[Column]) -> Column:
    """A key as one text: a JSON array of the typed values cast to text."""
    return F.to_json(F.array(*[value.cast("string") for value in columns]))
