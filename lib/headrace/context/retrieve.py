"""Passages for a question: by words and by meaning, both lists made one.

BM25 finds names and numbers, vectors find what is said in other words. Each list's scores are spread over 0 to 1 and a
passage's score is the mean of its two; being absent from a list counts as 0. By words it is taken times the share of
the question that the passage holds: spread alone, the best of a list counts 1 even where it shares no more than "can I"
with the question. Measured on 100 questions against weights and reciprocal ranks: docs/benchmarks.md, Retrieval.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from headrace.context.coverage import covered
from headrace.errors import Fatal, Unreachable
from headrace.ports import Embedder, Filters, Hit, PassageReader

Mode = Literal["hybrid", "words", "vector"]
_DEPTH, _LEAST_DEPTH = 4, 40
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Part:
    """A passage's place in one list.

    Attributes:
        rank: from 1.
        raw: BM25 or cosine, as the index gave it.
        score: the same, spread over 0 to 1 within the list; in a hybrid search by words times what of the question
            the passage holds.
    """

    rank: int
    raw: float
    score: float


@dataclass(frozen=True, slots=True)
class Found:
    """A passage, best first by `score`; scores of different questions do not compare.

    Attributes:
        words, vector: where it stood in each list; None where it was not in it.
        start, end: of the text in its document, in characters.
        age: seconds since the document changed at its source; None where nobody knows.
        version: the index's, to tell two states of one passage apart.
    """

    key: str
    version: int
    score: float
    words: Part | None
    vector: Part | None
    source: str
    document: str
    text: str
    title: str | None = None
    url: str | None = None
    language: str | None = None
    heading: tuple[str, ...] = ()
    start: int = 0
    end: int = 0
    ordinal: int = 0
    tags: tuple[str, ...] = ()
    metadata: dict[str, Any] = field(default_factory=dict)
    position: str | None = None
    age: float | None = None


def retrieve(
    reader: PassageReader,
    embedder: Embedder | None,
    question: str,
    filters: Filters,
    limit: int,
    mode: Mode = "hybrid",
    now: datetime | None = None,
) -> list[Found]:
    """The best passages for a question, best first; equal scores in the order of their keys.

    Args:
        embedder: what made the index's vectors; may be None with `mode="words"`.
        now: what ages are counted to; the present where left out.

    Raises:
        Fatal: the embedder is not the one the index was built with.
        Retryable: the index or the embedder did not answer.
    """
    if limit < 1 or not question.strip():
        return []
    words, vector = _both(reader, embedder, question, filters, max(_DEPTH * limit, _LEAST_DEPTH), mode)
    return fused(question, words, vector, limit, now or datetime.now(UTC), mode)


def _both(
    reader: PassageReader, embedder: Embedder | None, question: str, filters: Filters, depth: int, mode: Mode
) -> tuple[list[Hit], list[Hit]]:
    if mode == "words":
        return reader.by_words(question, filters, depth), []
    for _ in range(_TRIES):
        model = reader.model()
        asked = _embedded(embedder, model, question)
        words = reader.by_words(question, filters, depth) if mode == "hybrid" else []
        vector = reader.by_vector(asked, filters, depth)
        # Another generation may be taken into use between two calls; its vectors must not be compared with this one's.
        if reader.model() == model:
            return words, vector
    todo = "Ask again in a moment."
    raise Unreachable(expected="an index at rest", found=f"its model changed {_TRIES} times", todo=todo)


def _embedded(embedder: Embedder | None, model: tuple[str, int, str], question: str) -> Sequence[float]:
    fingerprint = None if embedder is None else embedder.fingerprint
    if embedder is None or fingerprint != model[2]:
        raise Fatal(
            expected=f"the embedder the index was built with ({model[0]}, {model[1]} numbers, fingerprint {model[2]})",
            found="no embedder" if embedder is None else f"{embedder.model} with fingerprint {fingerprint}",
            todo="Use the settings the index was built with, or wait until the new model's generation is active.",
            where="embed",
        )
    numbers: list[float] = embedder.embed([question], "query")[0].tolist()
    return numbers


def fused(
    question: str, words: Sequence[Hit], vector: Sequence[Hit], limit: int, now: datetime, mode: Mode = "hybrid"
) -> list[Found]:
    """Two lists of hits as one. With one list only, its scores are the scores."""
    by_words, by_vector = _parts(words), _parts(vector)
    if mode == "hybrid":
        by_words = {hit.key: _weighed(by_words[hit.key], question, hit) for hit in words}
    hits = {hit.key: hit for hit in (*words, *vector)}
    # The two lists may have seen two states of one passage; the newer one's text is true.
    for hit in words:
        hits[hit.key] = max(hit, hits[hit.key], key=lambda each: each.version)
    found = [_found(hit, by_words.get(key), by_vector.get(key), mode, now) for key, hit in hits.items()]
    return sorted(found, key=lambda each: (-each.score, each.key))[:limit]


def _parts(hits: Sequence[Hit]) -> dict[str, Part]:
    if not hits:
        return {}
    lowest, highest = min(hit.score for hit in hits), max(hit.score for hit in hits)
    spread = highest - lowest
    return {
        hit.key: Part(rank, hit.score, (hit.score - lowest) / spread if spread else 1.0)
        for rank, hit in enumerate(hits, 1)
    }


def _weighed(part: Part, question: str, hit: Hit) -> Part:
    texts = (hit.body.get("title") or "", *(hit.body.get("heading") or ()), hit.body["text"])
    return replace(part, score=part.score * covered(question, *texts))


def _found(hit: Hit, words: Part | None, vector: Part | None, mode: Mode, now: datetime) -> Found:
    total = sum(part.score for part in (words, vector) if part is not None)
    body = hit.body
    return Found(
        key=hit.key,
        version=hit.version,
        score=total / 2 if mode == "hybrid" else total,
        words=words,
        vector=vector,
        source=body["source"],
        document=body["document"],
        text=body["text"],
        title=body.get("title"),
        url=body.get("url"),
        language=body.get("language"),
        heading=tuple(body.get("heading") or ()),
        start=body.get("start", 0),
        end=body.get("end", 0),
        ordinal=body.get("ordinal", 0),
        tags=tuple(body.get("tags") or ()),
        metadata=dict(body.get("metadata") or {}),
        position=body.get("position"),
        age=_age(body.get("changed_at"), now),
    )


def _age(changed_at: str | None, now: datetime) -> float | None:
    if changed_at is None:
        return None
    changed = datetime.fromisoformat(changed_at)
    if changed.tzinfo is None:
        changed = changed.replace(tzinfo=UTC)
    return max(0.0, (now - changed).total_seconds())
