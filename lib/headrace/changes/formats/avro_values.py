"""Values as Kafka Connect's JsonConverter writes them, from what fastavro reads; see `avro_schema.Node.convert`."""

import base64
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Convert = Callable[[Any], Any]
"""Of a value that is not null."""


def base64_text(value: bytes) -> str:
    """Bytes as base64."""
    return base64.b64encode(value).decode()


def double(value: float) -> float | str:
    """A number; where JSON has none for it the text that Jackson writes."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def single(value: float) -> float | str:
    """A number of 32 bits with the fewest digits that are it; as one of 64 bits it would take twice as many."""
    return float(str(np.float32(value))) if math.isfinite(value) else double(value)


def record(converts: Sequence[tuple[str, Convert]]) -> Convert:
    """The same record with these fields converted."""

    def convert(value: dict[str, Any]) -> dict[str, Any]:
        for field, of in converts:
            found = value[field]
            if found is not None:
                value[field] = of(found)
        return value

    return convert


def items(of: Convert | None) -> Convert | None:
    """A list with its items converted; None where there is nothing to do."""
    return of and (lambda value: [None if one is None else of(one) for one in value])


def mapping(of: Convert | None) -> Convert | None:
    """A map with its values converted; None where there is nothing to do."""
    return of and (lambda value: {key: None if one is None else of(one) for key, one in value.items()})


def entries(key: str, value: str, of: Convert | None) -> Convert:
    """Records of key and value as pairs: Connect's maps whose keys are no text."""

    def convert(entries: list[dict[str, Any]]) -> list[list[Any]]:
        pairs = entries if of is None else [of(one) for one in entries]
        return [[one[key], one[value]] for one in pairs]

    return convert


def member(names: Mapping[str, tuple[str, Convert | None]]) -> Convert:
    """A union as an object with a field for each type, all null but one."""
    empty = {name: None for name, _ in names.values()}

    def convert(value: dict[str, Any]) -> dict[str, Any]:
        ((field, found),) = value.items()
        name, of = names[field]
        return {**empty, name: found if of is None or found is None else of(found)}

    return convert
