"""Rows of passages on their way into a vector index: checked one by one, then one per key."""

import binascii
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from headrace.errors import Fatal
from headrace.passages import unpacked
from headrace.ports import Failed, Model, Projected, Vectors
from headrace.stores.generations import described

MAX_KEY_BYTES = 512
"""The longest id OpenSearch takes; the others keep to it, so that an index can be moved."""
MAX_VERSION = 2**63 - 1
_MOST_WORDS = 100
_MOST_ASKED = 1_000  # characters; each may be a word of its own, and servers take some 1,000
_LISTS = ("heading", "tags", "audience")
_TEXTS = ("source", "document", "text")
_TEXTS_OR_NULL = ("title", "url", "language", "tenant", "changed_at")


class Unfit(ValueError):
    """Why a row can never be stored."""


@dataclass(frozen=True, slots=True, eq=False)  # arrays have no plain equality
class Row:
    """One checked row. A living one has a body without its vector, and the vector, of length 1."""

    key: str
    version: int
    body: Mapping[str, Any] | None = None
    vector: Vectors | None = None
    changed_at: datetime | None = None

    @property
    def deleted(self) -> bool:
        """Whether the row is gone."""
        return self.body is None


def checked(rows: Sequence[Projected], model: Model | None) -> tuple[list[Row], list[Failed], int]:
    """Rows a store can take, the newest of each key; those it never can; how many a newer one of the batch replaces.

    Args:
        model: the generation's; None takes the one of the first living row.
    """
    newest: dict[str, Row] = {}
    failed: list[Failed] = []
    replaced = 0
    for row in rows:
        try:
            taken = _checked(row, model)
        except Unfit as error:
            failed.append(Failed(row.key, row.version, str(error), retry=False))
            continue
        model = model or model_of(taken)
        held = newest.get(taken.key)
        replaced += held is not None
        if held is None or taken.version > held.version:
            newest[taken.key] = taken
    return list(newest.values()), failed, replaced


def model_of(row: Row) -> Model | None:
    """What made the row's vector; None for a deleted row."""
    if row.body is None:
        return None
    return Model(row.body["model"], row.body["dimension"], row.body["fingerprint"])


def first_model(rows: Sequence[Row]) -> Model | None:
    """The model of the first living row; None where there is none."""
    return next((model_of(row) for row in rows if not row.deleted), None)


def _checked(row: Projected, model: Model | None) -> Row:
    try:
        size = len(row.key.encode("utf-8"))
    except UnicodeEncodeError:
        raise Unfit("the key is not valid Unicode") from None
    if not 0 < size <= MAX_KEY_BYTES or "\0" in row.key:
        raise Unfit(f"expected a key of 1 to {MAX_KEY_BYTES} bytes without NUL; found {size} bytes")
    if not 0 <= row.version <= MAX_VERSION:
        raise Unfit(f"expected a version from 0 to {MAX_VERSION}; found {row.version}")
    if row.deleted:
        return Row(row.key, row.version)
    if row.body is None:
        raise Unfit("expected a body; found none in a row that is not deleted")
    return _living(row, row.body, model)


def _living(row: Projected, body: Mapping[str, Any], model: Model | None) -> Row:
    for name in _TEXTS:
        _check(body, name, isinstance(body.get(name), str), "text")
    for name in _TEXTS_OR_NULL:
        _check(body, name, body.get(name) is None or isinstance(body[name], str), "text or null")
    for name in _LISTS:
        value = body.get(name)
        is_list = isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
        _check(body, name, value is None or is_list, "a list of text")
    vector = _vector(body, model)
    rest = {name: value for name, value in body.items() if name != "vector"}
    return Row(row.key, row.version, rest, vector, _time(body.get("changed_at")))


def _check(body: Mapping[str, Any], name: str, fits: bool, expected: str) -> None:
    if not fits:
        raise Unfit(f"{name}: expected {expected}; found {type(body.get(name)).__name__}")


def _vector(body: Mapping[str, Any], model: Model | None) -> Vectors:
    try:
        made_by = Model(str(body["model"]), int(body["dimension"]), str(body["fingerprint"]))
        vector = unpacked(body)
    except (KeyError, TypeError, ValueError, binascii.Error) as error:
        raise Unfit(f"expected a vector with model, dimension and fingerprint; {error!r}") from None
    if model is not None and made_by != model:
        raise Unfit(f"vector: expected one of {described(model)}; found one of {described(made_by)}")
    if vector.shape != (made_by.dimension,):
        raise Unfit(f"vector: expected {made_by.dimension} numbers; found {vector.size}")
    length = float(np.linalg.norm(vector.astype(np.float64)))
    if not np.isfinite(length) or length == 0:
        raise Unfit("vector: expected finite numbers, not all zero; found NaN, infinity or only zeros")
    return (vector / length).astype(np.float32)


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Unfit(f"changed_at: expected ISO 8601; found {text[:40]!r}") from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def batches(sizes: Sequence[int], most_rows: int, most_bytes: int) -> Iterator[range]:
    """Cuts rows of these sizes, in order, into requests that stay within both limits; one row at least."""
    start = filled = 0
    for at, size in enumerate(sizes):
        if at > start and (filled + size > most_bytes or at - start >= most_rows):
            yield range(start, at)
            start, filled = at, 0
        filled += size
    if start < len(sizes):
        yield range(start, len(sizes))


def too_large(row: Row, size: int, most: int) -> Failed | None:
    """The failure of a row that no request can hold; None where it fits."""
    if size <= most:
        return None
    reason = f"expected at most {most} bytes (bytes_per_write); found {size}"
    return Failed(row.key, row.version, reason, retry=False)


def query_words(text: str) -> list[str]:
    """The different words of a question, in order: letters and digits only, so none means anything to a parser."""
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFC", text[:_MOST_ASKED]))
    return list(dict.fromkeys(words))[:_MOST_WORDS]


def folded(text: str) -> str:
    """The text's words in small letters without accents, for a store that cannot fold them itself."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    return " ".join(re.findall(r"[^\W_]+", plain.casefold()))


def query_vector(vector: Sequence[float] | Vectors, dimension: int, where: str) -> Vectors:
    """A question's vector, of length 1. Raises Fatal where it does not fit the index."""
    asked = np.asarray(vector, dtype=np.float32)
    length = float(np.linalg.norm(asked)) if asked.shape == (dimension,) else 0.0
    if not np.isfinite(length) or length == 0:
        raise Fatal(
            expected=f"a query vector of {dimension} finite numbers, not all zero",
            found=f"shape {asked.shape}, length {length}",
            todo="Embed the question with the model that `model()` names.",
            where=where,
        )
    return np.asarray(asked / length, dtype=np.float32)
