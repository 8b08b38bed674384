"""An OpenSearch index as the write side of passages.

Rows are guarded by external versions. A delete is a document of ours that no search finds: the server forgets real
deletes after `index.gc_deletes`, and an old write would then bring a passage back. `delete_by_query` is never used:
it counts versions in its own way, and the next real update would be taken for an old one.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from headrace.config_indexes import OpenSearchIndex
from headrace.errors import Fatal
from headrace.ports import Failed, Held, Model, Projected, Written
from headrace.stores import opensearch_template as template
from headrace.stores.generations import (
    check_model,
    check_owner,
    checked_generation,
    not_open,
    not_there,
    still_active,
)
from headrace.stores.opensearch_bulk import Bulk, Item, delete_item, dumps, index_item, tombstone_item
from headrace.stores.opensearch_client import Refused, Server
from headrace.stores.opensearch_engine import check_engine
from headrace.stores.passage_rows import Row, checked, first_model, too_large

_PAGE = 5_000  # documents; a server gives 10,000 at most


class OpenSearchVectorIndex:
    """The write side of one generation; a `ports.VectorIndex`. Many processes may write at a time.

    Args:
        settings: server and index.
        generation: what `write`, `sweep`, `held` and `purge` work on.
        model: what its vectors are made with; None takes what the first passage says.
    """

    def __init__(self, settings: OpenSearchIndex, generation: str, model: Model | None = None) -> None:
        self._settings, self._wanted = settings, model
        self._generation = checked_generation(generation)
        self._index = template.index_of(settings, generation)
        self._control = template.control_of(settings)
        self._server = Server(settings)
        self._bulk = Bulk(self._server, generation)
        self._model: Model | None = None
        self._is_open = False

    def open(self, owner: str) -> None:
        """Make what is missing and claim the index for `owner`."""
        dumps(None)  # a missing package shows now and not at the first row
        server, index = self._server, self._settings.index
        server.check()
        self._create(self._control, template.control_definition(self._settings))
        release = f"delete the document `owner` of the index {self._control}"
        check_owner(self._claim("owner", {"owner": owner})["owner"], owner, server.where, release)
        if self._aliased() is None and server.find("HEAD", f"/{index}"):
            todo = "Name another index: this name becomes an alias of the active generation."
            raise Fatal(expected="a free name for an alias", found=f"an index {index}", todo=todo, where=server.where)
        if not server.find("HEAD", f"/{self._index}"):
            check_engine(server)
            self._create(self._index, template.definition(self._settings, self._generation))
        self._is_open = True
        self._find_model()

    def attach(self, owner: str) -> None:
        """Use the index there is."""
        self._server.check()
        if not self._server.find("HEAD", f"/{self._index}"):
            raise not_there(self._generation, self._server.where)
        self._is_open = True

    def _create(self, index: str, body: dict[str, Any]) -> None:
        try:
            self._server.quick("PUT", f"/{index}", body)
        except Refused as error:
            if error.kind != "resource_already_exists_exception":
                raise

    def _claim(self, name: str, document: dict[str, Any]) -> dict[str, Any]:
        """The control document of this name: ours where it is the first, else the one there is."""
        try:
            self._server.quick("PUT", f"/{self._control}/_create/{quote(name)}", document)
            return document
        except Refused as error:
            if error.status != 409:
                raise
        return dict(self._server.quick("GET", f"/{self._control}/_doc/{quote(name)}")["_source"])

    def _find_model(self) -> None:
        kept = self._server.find("GET", f"/{self._control}/_doc/{quote(self._name())}")
        if kept is not None:
            self._model = template.model_in(kept["_source"])
        if self._wanted and self._model:
            check_model(self._model, self._wanted, self._server.where)
        if self._wanted or self._model:
            self._settle(self._model or self._wanted)  # again, where a crash came between the two steps

    def _name(self) -> str:
        return f"generation {self._generation}"

    def _settle(self, model: Model | None) -> None:
        """Fix the generation's model: the first writer's, which the others take over."""
        assert model is not None
        document = {"model": model.name, "dimension": model.dimension, "fingerprint": model.fingerprint}
        self._model = template.model_in(self._claim(self._name(), document)) or model
        fields = template.vector_mapping(self._settings, self._model)
        if self._server.find("PUT", f"/{self._index}/_mapping", fields) is None:
            raise not_there(self._generation, self._server.where)

    def write(self, rows: Sequence[Projected]) -> Written:
        """Take each row whose version is above the one held."""
        self._check_open()
        taken, failed, replaced = checked(rows, self._model)
        if self._model is None and first_model(taken) is not None:
            self._settle(first_model(taken))
            taken, failed, replaced = checked(rows, self._model)
        items = self._items(taken, failed)
        return Written(stale=replaced, failed=tuple(failed)) + self._bulk.send(items)

    def _items(self, rows: Sequence[Row], failed: list[Failed]) -> list[Item]:
        items = []
        for row in rows:
            try:
                item = index_item(row)
            except (TypeError, ValueError) as error:
                failed.append(Failed(row.key, row.version, f"expected a body of JSON values; {error}", retry=False))
                continue
            problem = too_large(row, len(item.lines), self._settings.bytes_per_write)
            if problem:
                failed.append(problem)
            else:
                items.append(item)
        return items

    def sweep(self, before_version: int) -> int:
        """Delete every row whose version is lower. What is swept stays out for anything older."""
        return self._each(False, before_version, lambda key, _: tombstone_item(key, before_version - 1))

    def purge(self, before_version: int) -> int:
        """Forget deletes whose version is lower."""
        return self._each(True, before_version, delete_item)

    def _each(self, deleted: bool, before_version: int, item: Any) -> int:
        query = {
            "bool": {
                "filter": [
                    {"term": {"row.deleted": deleted}},
                    {"range": {"row.version": {"lt": before_version}}},
                ]
            }
        }
        done = 0
        for page in self._pages(query):
            written = self._bulk.send([item(row.key, row.version) for row in page])
            if written.failed:
                todo = "Correct what it says, then repeat."
                raise Fatal(
                    expected="all rows done", found=written.failed[0].reason, todo=todo, where=self._server.where
                )
            done += written.applied
        return done

    def held(self) -> Iterator[Held]:
        """Every key, deleted ones included. A key that changes meanwhile comes once, old or new."""
        for page in self._pages({"match_all": {}}):
            yield from page

    def newest(self) -> int:
        """The highest version held; -1 for none."""
        self._check_open()
        self._refresh(self._index)
        body = {
            "size": 1, "query": {"match_all": {}}, "sort": [{"row.version": "desc"}], "_source": False,
            "docvalue_fields": ["row.version"], "track_total_hits": False,
        }  # fmt: skip
        hits = self._server.call("POST", f"/{self._index}/_search", body)["hits"]["hits"]
        return int(hits[0]["fields"]["row.version"][0]) if hits else -1

    def _pages(self, query: dict[str, Any]) -> Iterator[list[Held]]:
        # By key and not by a scroll or a point in time: a key keeps its place, and serverless has no scroll.
        self._check_open()
        self._refresh(self._index)
        body = {
            "size": _PAGE,
            "query": query,
            "sort": [{"row.key": "asc"}],
            "_source": False,
            "docvalue_fields": ["row.deleted"],
            "version": True,
            "track_total_hits": False,
        }
        while True:
            answer = self._server.call("POST", f"/{self._index}/_search", body)
            hits = answer["hits"]["hits"]
            if hits:
                yield [Held(hit["_id"], hit["_version"], hit["fields"]["row.deleted"][0]) for hit in hits]
            if len(hits) < _PAGE:
                return
            body["search_after"] = hits[-1]["sort"]

    def _refresh(self, index: str) -> None:
        if self._settings.serverless:
            return  # it has no such call
        try:
            self._server.call("POST", f"/{index}/_refresh")
        except Refused as error:
            if error.status == 404:
                raise not_there(self._generation, self._server.where) from error
            raise

    def generations(self) -> list[str]:
        """Names of the generations there are, oldest first."""
        self._check_open()
        found = self._server.call("GET", f"/{self._settings.index}__*/_settings")
        made = []
        for index, answer in found.items():
            name = template.generation_of(self._settings, index)
            if name is not None:
                made.append((int(answer["settings"]["index"].get("creation_date", 0)), name))
        return [name for _, name in sorted(made)]

    def active(self) -> str | None:
        """The generation readers see."""
        self._check_open()
        index = self._aliased()
        return None if index is None else template.generation_of(self._settings, index)

    def _aliased(self) -> str | None:
        found = self._server.find("GET", f"/_alias/{self._settings.index}")
        return next(iter(found), None) if found else None

    def activate(self, generation: str) -> None:
        """Let readers see another generation, all of them at the same moment."""
        self._check_open()
        index = template.index_of(self._settings, checked_generation(generation))
        if not self._server.find("HEAD", f"/{index}"):
            raise not_there(generation, self._server.where)
        self._refresh(index)
        name, pattern = self._settings.index, f"{self._settings.index}__*"
        actions = [
            {"remove": {"index": pattern, "alias": name, "must_exist": False}},
            {"add": {"index": index, "alias": name}},
        ]
        self._server.call("POST", "/_aliases", {"actions": actions})

    def drop(self, generation: str) -> None:
        """Remove a generation that is not active."""
        if self.active() == generation:
            raise still_active(generation, self._server.where)
        self._server.find("DELETE", f"/{template.index_of(self._settings, checked_generation(generation))}")
        self._server.find("DELETE", f"/{self._control}/_doc/{quote(f'generation {generation}')}")

    def close(self) -> None:
        """Close the connections."""
        self._server.close()
        self._is_open = False

    def _check_open(self) -> None:
        if not self._is_open:
            raise not_open(self._server.where)
