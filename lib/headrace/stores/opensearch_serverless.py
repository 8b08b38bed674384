"""Vector collections of OpenSearch Serverless: weaker than an index. Tested against a stub and a plain server only.

These collections refuse document ids, and with them external versions. A passage is replaced by looking for its key,
adding the new state and deleting the older ones. The look sees what was refreshed, so the guard holds for one writer at
a time; what this object wrote itself it remembers. Readers may find two states of a passage for a moment and take the
newer.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from headrace.config_indexes import OpenSearchIndex, ServerlessVectorIndex
from headrace.ports import Failed, Held, Model, Projected, Written
from headrace.stores import opensearch_template as template
from headrace.stores.generations import check_model, check_owner, still_active
from headrace.stores.opensearch_bulk import document_of, dumps
from headrace.stores.opensearch_client import reason_of
from headrace.stores.opensearch_index import OpenSearchVectorIndex
from headrace.stores.opensearch_search import OpenSearchPassageReader, now
from headrace.stores.passage_rows import Row, batches, checked, first_model

_MOST_REMEMBERED = 100_000
_MOST_FOUND = 10_000
_KEYS_AT_A_TIME = 500
Place = tuple[int, str]
"""Version and the server's id of one state of a passage."""


def as_opensearch(settings: ServerlessVectorIndex) -> OpenSearchIndex:
    """The collection as an index: signed requests, faiss, which is its only engine."""
    return OpenSearchIndex(
        store="opensearch",
        hosts=(settings.host,),
        index=settings.index,
        auth="aws",
        region=settings.region,
        role=settings.role,
        serverless=True,
        engine="faiss",
        rows_per_write=settings.rows_per_write,
        bytes_per_write=settings.bytes_per_write,
    )


class ServerlessVectorStore(OpenSearchVectorIndex):
    """The write side of one generation, for one writer at a time; a `ports.VectorIndex` but for its weaker guard."""

    def __init__(self, settings: ServerlessVectorIndex, generation: str, model: Model | None = None) -> None:
        super().__init__(as_opensearch(settings), generation, model)
        self._recent: dict[str, Place] = {}
        self._owner = ""

    def open(self, owner: str) -> None:
        """Make the index where it is missing; the claim and the model stand in its mapping."""
        dumps(None)  # a missing package shows now and not at the first row
        self._server.check()
        if not self._server.find("HEAD", f"/{self._index}"):
            body = template.definition(self._settings, self._generation)
            self._create(
                self._index, {**body, "aliases": {}, "mappings": {**body["mappings"], "_meta": {"owner": owner}}}
            )
        meta = self._meta()
        release = f"delete the index {self._index}"
        check_owner(meta.get("owner", owner), owner, self._server.where, release)
        self._owner = owner
        self._is_open = True
        self._model = template.model_in(meta)
        if self._wanted and self._model:
            check_model(self._model, self._wanted, self._server.where)
        if self._wanted:
            self._settle(self._wanted)

    def _meta(self) -> dict[str, Any]:
        found = self._server.call("GET", f"/{self._index}/_mapping")
        return dict(next(iter(found.values()))["mappings"].get("_meta", {}))

    def _settle(self, model: Model | None) -> None:
        assert model is not None
        self._model = template.model_in(self._meta()) or model
        fields = template.vector_mapping(self._settings, self._model)
        self._server.quick(
            "PUT", f"/{self._index}/_mapping", {**fields, "_meta": {**fields["_meta"], "owner": self._owner}}
        )

    def write(self, rows: Sequence[Projected]) -> Written:
        """Replace each row that is newer than what was found."""
        self._check_open()
        taken, failed, replaced = checked(rows, self._model)
        if self._model is None and first_model(taken) is not None:
            self._settle(first_model(taken))
            taken, failed, replaced = checked(rows, self._model)
        written = Written(stale=replaced)
        sizes = [len(item.lines) for item in self._items(taken, failed)]
        refused = {one.key for one in failed}
        fitting = [row for row in taken if row.key not in refused]
        for part in batches(sizes, self._settings.rows_per_write, self._settings.bytes_per_write):
            written += self._replace(fitting[part.start : part.stop], guarded=True)
        return written + Written(failed=tuple(failed))

    def _replace(self, rows: Sequence[Row], guarded: bool) -> Written:
        places = self._places([row.key for row in rows])
        newer = [row for row in rows if not guarded or row.version > max(places.get(row.key, [(-1, "")]))[0]]
        if not newer:
            return Written(stale=len(rows))
        answer = self._bulk_lines([dumps({"index": {}}) + b"\n" + dumps(document_of(row)) + b"\n" for row in newer])
        failed, outdated = [], []
        for row, result in zip(newer, answer, strict=True):
            if "error" in result:
                reason = f"{result['status']} {reason_of(result['error'])}"
                failed.append(Failed(row.key, row.version, reason, result["status"] >= 429))
                continue
            outdated += [identity for _, identity in places.get(row.key, ())]
            self._remember(row.key, (row.version, result["_id"]))
        if outdated:
            self._bulk_lines([dumps({"delete": {"_id": identity}}) + b"\n" for identity in outdated])
        return Written(len(newer) - len(failed), len(rows) - len(newer), tuple(failed))

    def _places(self, keys: Sequence[str]) -> dict[str, list[Place]]:
        found: dict[str, list[Place]] = {}
        self._refresh(self._index)
        for start in range(0, len(keys), _KEYS_AT_A_TIME):
            query = {"terms": {"row.key": list(keys[start : start + _KEYS_AT_A_TIME])}}
            body = {"size": _MOST_FOUND, "query": query, "_source": ["row"]}
            for hit in self._server.call("POST", f"/{self._index}/_search", body)["hits"]["hits"]:
                row = hit["_source"]["row"]
                found.setdefault(row["key"], []).append((row["version"], hit["_id"]))
        for key in keys:
            recent = self._recent.get(key)
            if recent is not None and recent not in found.get(key, ()):
                found.setdefault(key, []).append(recent)
        return found

    def _remember(self, key: str, place: Place) -> None:
        self._recent.pop(key, None)
        self._recent[key] = place
        if len(self._recent) > _MOST_REMEMBERED:
            del self._recent[next(iter(self._recent))]

    def _bulk_lines(self, lines: list[bytes]) -> list[dict[str, Any]]:
        answer = self._server.call("POST", f"/{self._index}/_bulk", b"".join(lines))
        return [next(iter(item.values())) for item in answer["items"]]

    def sweep(self, before_version: int) -> int:
        """Delete every row whose version is lower. What is swept stays out for anything older."""
        old = [row.key for row in self.held() if not row.deleted and row.version < before_version]
        done = 0
        for start in range(0, len(old), _KEYS_AT_A_TIME):
            part = [Row(key, before_version - 1) for key in old[start : start + _KEYS_AT_A_TIME]]
            done += self._replace(part, guarded=False).applied
        return done

    def purge(self, before_version: int) -> int:
        """Forget deletes whose version is lower."""
        old = [row.key for row in self.held() if row.deleted and row.version < before_version]
        for start in range(0, len(old), _KEYS_AT_A_TIME):
            part = old[start : start + _KEYS_AT_A_TIME]
            gone = [identity for places in self._places(part).values() for _, identity in places]
            self._bulk_lines([dumps({"delete": {"_id": identity}}) + b"\n" for identity in gone])
            for key in part:
                self._recent.pop(key, None)
        return len(old)

    def held(self) -> Iterator[Held]:
        """Every key, deleted ones included, its newest state."""
        self._check_open()
        self._refresh(self._index)
        sort = [{"row.key": "asc"}, {"row.version": "asc"}]
        body: dict[str, Any] = {"size": 1_000, "query": {"match_all": {}}, "sort": sort, "_source": ["row"]}
        last: Held | None = None
        while hits := self._server.call("POST", f"/{self._index}/_search", body)["hits"]["hits"]:
            for hit in hits:
                row = hit["_source"]["row"]
                if last is not None and last.key != row["key"]:
                    yield last
                last = Held(row["key"], row["version"], row["deleted"])
            body["search_after"] = hits[-1]["sort"]
        if last is not None:
            yield last

    def drop(self, generation: str) -> None:
        """Remove a generation that is not active."""
        if self.active() == generation:
            raise still_active(generation, self._server.where)
        self._server.find("DELETE", f"/{template.index_of(self._settings, generation)}")


class ServerlessPassageReader(OpenSearchPassageReader):
    """A `ports.PassageReader` of a vector collection."""

    def __init__(
        self, settings: ServerlessVectorIndex, clock: Callable[[], datetime] = now, generation: str | None = None
    ) -> None:
        super().__init__(as_opensearch(settings), clock, generation)
