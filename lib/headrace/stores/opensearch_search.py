"""The read side of an OpenSearch index. Queries go to the alias, so each sees one generation."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from headrace.config_indexes import OpenSearchIndex
from headrace.errors import Unreachable
from headrace.ports import Filters, Hit, Model
from headrace.stores.opensearch_client import Refused, Server
from headrace.stores.opensearch_template import cosine, index_of, model_in
from headrace.stores.passage_rows import query_vector, query_words

_FIELDS = ["title^2", "heading^1.5", "text"]
_LEAST_NEIGHBOURS = 100  # fewer make Lucene's graph search miss good ones
_MOST_NEIGHBOURS = 10_000


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


class OpenSearchPassageReader:
    """A `ports.PassageReader`. Thread-safe.

    Args:
        settings: server and index.
        clock: what `max_age` is counted back from.
        generation: one to read instead of the active one.
    """

    def __init__(
        self, settings: OpenSearchIndex, clock: Callable[[], datetime] = now, generation: str | None = None
    ) -> None:
        self._settings, self._clock = settings, clock
        self._index = index_of(settings, generation) if generation else settings.index
        self._server = Server(settings)
        self._known: dict[str, tuple[Model, str]] = {}  # model and engine by index; neither ever changes
        self._last = ""

    def model(self) -> Model:
        """What a query must be embedded with."""
        answer = self._asked("GET", "_mapping", None)
        index, found = next(iter(answer.items()))
        meta = found["mappings"].get("_meta", {})
        model = model_in(meta)
        if model is None:
            todo = "Publish a passage, or name the model when the generation is opened."
            raise Unreachable(
                expected="a generation with a model", found=f"{index} is empty", todo=todo, where=self._server.where
            )
        self._known[index], self._last = (model, meta.get("engine", self._settings.engine)), index
        return model

    def by_words(self, text: str, filters: Filters, limit: int) -> list[Hit]:
        """Best passages by BM25; a word in a title or heading counts for more."""
        words = query_words(text)
        if not words or limit < 1:
            return []
        match = {"multi_match": {"query": " ".join(words), "fields": _FIELDS, "type": "most_fields"}}
        query = {"bool": {"must": [match], "filter": conditions(filters, self._clock())}}
        return self._best(self._search(query, limit), lambda _, score: score)

    def by_vector(self, vector: Sequence[float], filters: Filters, limit: int) -> list[Hit]:
        """Best passages by cosine similarity, found by the index's graph; exact where the filters leave few."""
        if limit < 1:
            return []
        if self._last not in self._known or len(vector) != self._known[self._last][0].dimension:
            self.model()
        asked = query_vector(vector, self._known[self._last][0].dimension, self._server.where)
        nearest = {
            "vector": asked.tolist(),
            "k": min(max(limit, _LEAST_NEIGHBOURS), _MOST_NEIGHBOURS),
            "filter": {"bool": {"filter": conditions(filters, self._clock())}},
        }
        hits = self._search({"knn": {"vector": nearest}}, limit)
        if hits and hits[0]["_index"] not in self._known:
            self.model()
        return self._best(hits, lambda index, score: cosine(self._engine(index), score))

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def _engine(self, index: str) -> str:
        return self._known[index][1] if index in self._known else self._settings.engine

    def _search(self, query: dict[str, Any], limit: int) -> list[dict[str, Any]]:
        body = {"size": min(limit, _MOST_NEIGHBOURS), "query": query, "track_total_hits": False}
        found: list[dict[str, Any]] = self._asked("POST", "_search", body)["hits"]["hits"]
        return found

    def _asked(self, method: str, what: str, body: dict[str, Any] | None) -> Any:
        try:
            return self._server.call(method, f"/{self._index}/{what}", body)
        except Refused as error:
            if error.status != 404:
                raise
            todo = "Run `headrace run index_knowledge` until its first passages are published."
            raise Unreachable(
                expected="a generation to read", found="none is active yet", todo=todo, where=self._server.where
            ) from error

    def _best(self, hits: list[dict[str, Any]], score: Callable[[str, float], float]) -> list[Hit]:
        found: dict[str, Hit] = {}
        for hit in hits:
            body = dict(hit["_source"])
            row = body.pop("row")
            # Where ids are the server's, a passage may be there twice until its older state is deleted.
            held = found.get(row["key"])
            if held is None or row["version"] > held.version:
                found[row["key"]] = Hit(row["key"], row["version"], score(hit["_index"], hit["_score"]), body)
        return sorted(found.values(), key=lambda hit: (-hit.score, hit.key))


def conditions(filters: Filters, at: datetime) -> list[dict[str, Any]]:
    """The filters as queries that must all hold."""
    everybody = {"bool": {"must_not": [{"exists": {"field": "audience"}}]}}
    groups = [{"terms": {"audience": list(filters.audience)}}] if filters.audience else []
    found: list[dict[str, Any]] = [
        {"term": {"row.deleted": False}},
        {"term": {"tenant": filters.tenant}}
        if filters.tenant is not None
        else {"bool": {"must_not": [{"exists": {"field": "tenant"}}]}},
        {"bool": {"should": [everybody, *groups], "minimum_should_match": 1}},
        *({"term": {"tags": tag}} for tag in filters.tags),
    ]
    if filters.languages:
        found.append({"terms": {"language": list(filters.languages)}})
    if filters.sources:
        found.append({"terms": {"source": list(filters.sources)}})
    if filters.max_age is not None:
        found.append({"range": {"changed_at": {"gte": (at - filters.max_age).isoformat()}}})
    return found
