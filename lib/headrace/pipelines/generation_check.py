"""Whether a generation of an index may be shown to readers: it holds what the lake does, and finds it."""

import base64
import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from pyspark.sql import functions as F

from headrace.errors import Fatal
from headrace.knowledge import served
from headrace.lake import Lake
from headrace.pipelines.index_parts import ServedModel
from headrace.ports import Filters, PassageReader, VectorIndex
from headrace.stores import indexes

SAMPLE = 50
AMONG_FIRST = 10
LEAST_SHARE = 0.95


def problems(lake: Lake, one: ServedModel) -> list[str]:
    """What speaks against it, in sentences: another number of passages than in the lake, or passages not found by
    their own vector among the first ten."""
    passages = served.snapshot(lake, one.model)
    wanted = passages.count()
    sample = [
        json.loads(row["body"]) | {"key": row["key"]}
        for row in passages.orderBy(F.xxhash64("key")).limit(SAMPLE).collect()
    ]
    found: list[str] = []
    for name, index in one.indexes.items():
        try:
            reader = indexes.reader(index, one.generation)
        except Fatal:  # a store that is not searched by vectors
            continue
        try:
            found += [f"{name}: {problem}" for problem in _of(one.stores[name], reader, wanted, sample)]
        finally:
            reader.close()
    return found


def _of(store: VectorIndex, reader: PassageReader, wanted: int, sample: Sequence[dict[str, Any]]) -> Iterator[str]:
    held = sum(1 for row in store.held() if not row.deleted)
    if held != wanted:
        yield f"expected {wanted} passages; found {held}"
    missed = [body["key"] for body in sample if not _finds(reader, body)]
    if len(missed) > len(sample) * (1 - LEAST_SHARE):
        yield f"expected passages to be found by their own vector; {len(missed)} of {len(sample)} were not: {missed[0]}"


def _finds(reader: PassageReader, body: dict[str, Any]) -> bool:
    vector = np.frombuffer(base64.b64decode(body["vector"]), dtype="<f4").tolist()
    filters = Filters(tenant=body["tenant"], audience=tuple(body["audience"] or ()))
    hits = reader.by_vector(vector, filters, AMONG_FIRST)
    # Equal texts have equal vectors, and there may be more than ten of them.
    return any(hit.key == body["key"] or hit.body.get("content_hash") == body["content_hash"] for hit in hits)
