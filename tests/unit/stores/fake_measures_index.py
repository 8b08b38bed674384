"""An OpenSearch that holds one index of measures, as far as its store asks; and every request that it got."""

import gzip
import json
from collections.abc import Mapping
from typing import Any

from headrace.config_publish import OpenSearchMeasures
from headrace.errors import Unreachable
from headrace.stores.measures_opensearch import OpenSearchMeasureStore


class FakeServer:
    """Takes the place of `opensearch_client.Server`."""

    where = "opensearch index m"

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        self.index: Mapping[str, Any] | None = None
        self.asked: list[tuple[str, str, Any]] = []
        self.away = False
        self.refuse: dict[str, Any] | None = None
        """What the next document is answered with."""

    def check(self) -> None:
        self._ask("GET", "/", None)

    def close(self) -> None:
        pass

    def quick(self, method: str, path: str, body: Any = None) -> Any:
        return self.call(method, path, body)

    find = quick

    def call(self, method: str, path: str, body: Any = None, params: Any = None) -> Any:
        self._ask(method, path, body)
        what = path.removeprefix("/m").removeprefix("/")
        if what == "_mapping":
            return {"m": self.index} if self.index else None
        if what == "":
            self.index = body
        elif what.startswith("_doc/"):
            return self._document(method, what.removeprefix("_doc/"), body)
        elif what == "_bulk":
            return self._bulk(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
        elif what == "_search":
            return self._search(body)
        else:
            assert what == "_refresh", path
        return {}

    def _ask(self, method: str, path: str, body: Any) -> None:
        if self.away:
            raise Unreachable(expected="an answer", found="none", todo="Wait.")
        self.asked.append((method, path, body))

    def _document(self, method: str, id: str, body: Any) -> Any:
        if method == "PUT":
            self.documents[id] = body
        found = self.documents.get(id)
        return None if found is None else {"_source": found}

    def _bulk(self, body: bytes) -> Any:
        lines, items = [json.loads(line) for line in body.splitlines()], []
        while lines:
            ((action, about),) = lines.pop(0).items()
            document = lines.pop(0) if action == "index" else None
            if self.refuse:
                items.append({action: self.refuse})
                self.refuse = None
            elif document is not None:
                self.documents[about["_id"]] = document
                items.append({action: {"status": 200}})
            else:
                items.append({action: {"status": 200 if self.documents.pop(about["_id"], None) else 404}})
        return {"items": items}

    def _search(self, body: Any) -> Any:
        within, after = body["query"]["range"]["minute"], body.get("search_after", [""])[0]
        found = sorted(
            id for id, one in self.documents.items() if within["gte"] <= one.get("minute", "") <= within["lte"]
        )
        page = [one for one in found if one > after][: body["size"]]
        return {"hits": {"hits": [{"_id": one, "sort": [one]} for one in page]}}


def store_of(server: FakeServer, **settings: Any) -> OpenSearchMeasureStore:
    """A store that asks the fake."""
    given = {"store": "opensearch", "hosts": ["http://127.0.0.1:9"], "index": "m", **settings}
    store = OpenSearchMeasureStore(OpenSearchMeasures.model_validate(given))
    store._server = server  # type: ignore[assignment]
    return store
