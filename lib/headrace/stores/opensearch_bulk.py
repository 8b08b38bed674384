"""Bulk requests: built by bytes and count, and what became of each item."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from headrace.errors import MissingDependency
from headrace.ports import Failed, Written
from headrace.stores.generations import not_there
from headrace.stores.opensearch_client import Refused, Server, reason_of
from headrace.stores.opensearch_template import write_alias
from headrace.stores.passage_rows import Row, batches

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
_LATER = (429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Item:
    """One action of a bulk request, as bytes."""

    key: str
    version: int
    lines: bytes


class Bulk:
    """Sends items to one generation. Items the server is too busy for are sent again for a while.

    Args:
        sleep: waits; tests replace it.
    """

    def __init__(self, server: Server, generation: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._server, self._generation, self._sleep = server, generation, sleep
        self._path = f"/{write_alias(server.settings, generation)}/_bulk"

    def send(self, items: Sequence[Item]) -> Written:
        """Send all, in requests within the settings' limits."""
        settings = self._server.settings
        written = Written()
        sizes = [len(item.lines) for item in items]
        for part in batches(sizes, settings.rows_per_write, settings.bytes_per_write):
            written += self._patiently([items[at] for at in part])
        return written

    def _patiently(self, items: list[Item]) -> Written:
        written, pause = Written(), _FIRST_PAUSE
        deadline = time.monotonic() + self._server.settings.timeout.total_seconds()
        while True:
            answer, later = self._once(items)
            written += answer
            if not later:
                return written
            if time.monotonic() + pause > deadline:
                return written + Written(failed=tuple(failed for _, failed in later))
            self._sleep(pause * random.uniform(0.5, 1))
            pause = min(2 * pause, _LONGEST_PAUSE)
            items = [item for item, _ in later]

    def _once(self, items: list[Item]) -> tuple[Written, list[tuple[Item, Failed]]]:
        body = b"".join(item.lines for item in items)
        # `filter_path` spares the answer of every item that went well its length.
        params = {"filter_path": "items.*.status,items.*.error", "require_alias": "true"}
        try:
            answer = self._server.call("POST", self._path, body, params)
        except Refused as error:
            if error.status != 413:
                raise
            return self._halved(items, str(error))
        applied = stale = 0
        failed, later = [], []
        for item, result in zip(items, answer["items"], strict=True):
            outcome = next(iter(result.values()))
            status, problem = outcome["status"], outcome.get("error")
            if status == 409:
                stale += 1
            elif problem is None:
                applied += 1
            elif problem.get("type") == "index_not_found_exception":
                raise not_there(self._generation, self._server.where)
            elif status in _LATER:
                later.append((item, _failure(item, status, problem, retry=True)))
            else:
                # 403 is a block on the index, such as a full disk's; it can be lifted.
                failed.append(_failure(item, status, problem, retry=status == 403))
        return Written(applied, stale, tuple(failed)), later

    def _halved(self, items: list[Item], said: str) -> tuple[Written, list[tuple[Item, Failed]]]:
        if len(items) == 1:
            return Written(failed=(Failed(items[0].key, items[0].version, said, retry=False),)), []
        middle = len(items) // 2
        (first, later), (second, also) = self._once(items[:middle]), self._once(items[middle:])
        return first + second, later + also


def _failure(item: Item, status: int, problem: Any, retry: bool) -> Failed:
    reason = f"{status} {problem.get('type')}: {reason_of(problem)}"
    return Failed(item.key, item.version, reason, retry)


def index_item(row: Row) -> Item:
    """The row as a document; a deleted one as a tombstone. Raises TypeError for a body that is not JSON."""
    action = {"index": {"_id": row.key, "version": row.version, "version_type": "external"}}
    return _item(row.key, row.version, action, document_of(row))


def document_of(row: Row) -> dict[str, Any]:
    """What is stored of a row."""
    marks = {"key": row.key, "version": row.version, "deleted": row.deleted}
    return {"row": marks} if row.body is None else {**row.body, "vector": row.vector, "row": marks}


def tombstone_item(key: str, version: int) -> Item:
    """A tombstone over a document whose version is at most this."""
    action = {"index": {"_id": key, "version": version, "version_type": "external_gte"}}
    return _item(key, version, action, {"row": {"key": key, "version": version, "deleted": True}})


def delete_item(key: str, version: int) -> Item:
    """Removes a document whose version is at most this, for good."""
    return _item(key, version, {"delete": {"_id": key, "version": version, "version_type": "external_gte"}}, None)


def _item(key: str, version: int, action: Any, document: Any) -> Item:
    lines = dumps(action) + b"\n"
    if document is not None:
        lines += dumps(document) + b"\n"
    return Item(key, version, lines)


def dumps(value: object) -> bytes:
    """JSON. Vectors go in their shortest form, which the standard library can neither do nor do fast."""
    try:
        import orjson
    except ModuleNotFoundError as error:
        todo = 'Run `pip install "headrace[opensearch]"`.'
        raise MissingDependency(expected="orjson", found=f"no module {error.name}", todo=todo) from error
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)
