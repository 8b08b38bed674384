"""Measures in an index of OpenSearch, for OpenSearch Dashboards."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from headrace.config_measures import SLICES
from headrace.config_publish import OpenSearchMeasures
from headrace.errors import Fatal, Unreachable
from headrace.ports_measures import Document, Progress, Span, written
from headrace.stores.opensearch_bulk import dumps
from headrace.stores.opensearch_client import Refused, Server, reason_of
from headrace.stores.passage_rows import batches

_PROGRESS = "headrace-progress"
"""The id of the document that says how far the index has come. It has no `minute`: no dashboard shows it."""
_OURS = {"headrace": "measures"}
_PAGE = 5_000
_LATER = (429, 500, 502, 503, 504)
_WORD = {"type": "keyword", "ignore_above": 8191}
_UNSEARCHED = {"type": "object", "enabled": False}


class OpenSearchMeasureStore:
    """A `ports_measures.MeasureStore`. Raises MissingDependency without the packages of `headrace[opensearch]`."""

    def __init__(self, settings: OpenSearchMeasures) -> None:
        dumps(None)  # a missing package shows when the job starts
        self._settings, self._index = settings, settings.index
        self._server = Server(settings.as_index())

    def look(self) -> bool:
        """Whether the index is there. Raises Fatal for one of something else."""
        self._server.check()
        found = self._server.find("GET", f"/{self._index}/_mapping")
        if found and any(one["mappings"].get("_meta") != _OURS for one in found.values()):
            todo = "Name another `index` under feedback.publish."
            raise Fatal(where=self._server.where, expected="a free name", found="an index of something else", todo=todo)
        return bool(found)

    def open(self) -> None:
        """Make the index where it is missing. Raises Fatal for a server that is not OpenSearch."""
        self._make()

    def progress(self) -> Progress | None:
        """What `keep` was last given; None in an empty index, also where somebody deleted it."""
        found = self._server.find("GET", f"/{self._index}/_doc/{_PROGRESS}")
        if not found:
            self._make()
            return None
        told = found["_source"]["progress"]
        return Progress(told["table"], told["version"])

    def put(self, documents: Sequence[Document]) -> None:
        """Write all, over what has the same id."""
        self._bulk([
            dumps({"index": {"_id": one.id}}) + b"\n" + dumps({"id": one.id, **one.body}) + b"\n" for one in documents
        ])  # fmt: skip

    def held(self, span: Span) -> set[str]:
        """The ids of its documents in these minutes."""
        # What was put a moment ago is not found before.
        self._server.call("POST", f"/{self._index}/_refresh")
        return {id for page in self._pages(span) for id in page}

    def remove(self, ids: Collection[str]) -> None:
        """Delete these; nothing happens where one is not there."""
        self._bulk([dumps({"delete": {"_id": one}}) + b"\n" for one in sorted(ids)])

    def keep(self, progress: Progress) -> None:
        """Remember how far it has come."""
        body = {"progress": {"table": progress.table, "version": progress.version}}
        self._server.call("PUT", f"/{self._index}/_doc/{_PROGRESS}", body)

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def _make(self) -> None:
        if self.look():
            return
        try:
            self._server.quick("PUT", f"/{self._index}", definition(self._settings))
        except Refused as error:
            if error.kind != "resource_already_exists_exception":
                raise

    def _pages(self, span: Span) -> Iterator[list[str]]:
        within = {"range": {"minute": {"gte": written(span.first), "lte": written(span.last)}}}
        body: dict[str, Any] = {
            "size": _PAGE, "query": within, "sort": [{"id": "asc"}], "_source": False, "track_total_hits": False,
        }  # fmt: skip
        while True:
            hits = self._server.call("POST", f"/{self._index}/_search", body)["hits"]["hits"]
            if hits:
                yield [hit["_id"] for hit in hits]
            if len(hits) < _PAGE:
                return
            body = {**body, "search_after": hits[-1]["sort"]}

    def _bulk(self, items: Sequence[bytes]) -> None:
        settings = self._settings
        params = {"filter_path": "items.*.status,items.*.error"}
        for part in batches([len(one) for one in items], settings.rows_per_write, settings.bytes_per_write):
            body = b"".join(items[at] for at in part)
            answer = self._server.call("POST", f"/{self._index}/_bulk", body, params)
            for result in answer["items"]:
                self._check(next(iter(result.values())))

    def _check(self, outcome: Mapping[str, Any]) -> None:
        problem, status = outcome.get("error"), outcome["status"]
        if not problem:
            return
        if status in _LATER:
            found = f"{status} {problem.get('type')}: {reason_of(problem)}"
            todo = "It is tried again."
            raise Unreachable(where=self._server.where, expected="documents to be taken", found=found, todo=todo)
        raise Refused(status, str(problem.get("type")), reason_of(problem), self._server.where)


def definition(settings: OpenSearchMeasures) -> dict[str, Any]:
    """The index's settings and the types of its fields."""
    index = {
        "number_of_shards": settings.shards, "number_of_replicas": settings.replicas,
        "refresh_interval": f"{max(1, round(settings.refresh.total_seconds()))}s",
    }  # fmt: skip
    fields = {
        "id": {"type": "keyword"}, "measure": _WORD, "minute": {"type": "date"}, "slice": _WORD,
        **dict.fromkeys(SLICES, _WORD),
        "numerator": {"type": "double"}, "denominator": {"type": "double"}, "n": {"type": "long"},
        "counted_at": {"type": "date"}, "buckets": _UNSEARCHED, "progress": _UNSEARCHED,
    }  # fmt: skip
    return {"settings": {"index": index}, "mappings": {"_meta": _OURS, "dynamic": False, "properties": fields}}
