"""A collection of Amazon DocumentDB or MongoDB as a store of rows by key.

A row is `{_id: key, v: version, body: JSON text}`, a deleted one `{_id, v, deleted: true, expires}`. A TTL index takes
it away minutes after `keep_deleted`; from then on the publisher's own order keeps older rows out. The guard is the
filter of an upsert, `{_id, v: {$lt: version}}`: where the document is newer, the filter misses, the server tries to
insert and answers E11000. The same comes where another writer was faster, and its version may be lower. Such rows are
sent once more, without upsert; what then misses is stale.

The claim is a document of the collection as well, and holds the highest version: an index of versions would have to be
written with every row. It is raised before rows are written, so it is never too low, whatever crashes; after a purge it
stays where it was. Where it is gone, so is the collection, which an upsert would make again without a word.

DocumentDB refuses updates in the form of a pipeline, so none is used.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from headrace.config_keyed_stores import DocumentDbRows
from headrace.errors import Retryable
from headrace.ports import Failed, Held, Projected, Written
from headrace.stores import documentdb_client as client
from headrace.stores.keyed_rows import (
    CLAIM,
    FORMAT,
    MOST_BODY_BYTES,
    Row,
    check_claim,
    checked,
    not_open,
    not_there,
)
from headrace.stores.passage_rows import batches

if TYPE_CHECKING:
    from pymongo import DeleteOne, MongoClient, UpdateOne
    from pymongo.collection import Collection

_BYTES_PER_WRITE = 8_000_000
_PAGE = 1_000


class DocumentDbStore:
    """The write side; a `ports.Projection`. Many processes may write at a time.

    Args:
        settings: server and collection.
        listeners: of pymongo's commands, in tests.

    Attributes:
        beside_body: what a row may have beside its body, and a deleted one has not.
    """

    beside_body: ClassVar[tuple[str, ...]] = ()

    def __init__(self, settings: DocumentDbRows, listeners: list[Any] | None = None) -> None:
        self._settings, self._listeners = settings, listeners
        self._where = client.where_of(settings)
        self._client: MongoClient[client.Document] | None = None
        self._owner = ""

    def open(self, owner: str) -> None:
        """Make what is missing and claim the collection for `owner`."""
        rows = self._connect(owner)
        with self._opening():
            # Before the claim: who finds the claim finds them too.
            self.make(rows)
            self._claim(rows, owner)
            self._check_claim(rows)

    def attach(self, owner: str) -> None:
        """Use the collection there is."""
        rows = self._connect(owner)
        with self._opening():
            self._check_claim(rows)

    def make(self, rows: "Collection[client.Document]") -> None:
        """Make the indexes where they are missing."""
        rows.create_index([("expires", 1)], name="expires", expireAfterSeconds=0)

    def beside(self, row: Row) -> client.Document:
        """What a row has beside its body, of `beside_body`."""
        return {}

    def _claim(self, rows: "Collection[client.Document]", owner: str) -> None:
        from pymongo.errors import DuplicateKeyError

        claim = {"owner": owner, "format": FORMAT, "newest": -1}
        try:
            rows.update_one({"_id": CLAIM}, {"$setOnInsert": claim}, upsert=True)
        except DuplicateKeyError:
            pass  # another one was faster; who it was is looked at next

    def _check_claim(self, rows: "Collection[client.Document]") -> client.Document:
        found = rows.find_one({"_id": CLAIM})
        if found is None:
            raise not_there(self._where)
        release = f"delete the document {CLAIM!r} of the collection"
        check_claim(self._owner, str(found["owner"]), int(found["format"]), self._where, release)
        return found

    def _raise_newest(self, rows: "Collection[client.Document]", version: int) -> None:
        """Say that rows of this version may follow. Raises NotThere where the claim is gone, Fatal for another's."""
        lower = {"_id": CLAIM, "owner": self._owner, "newest": {"$lt": version}}
        if not rows.update_one(lower, {"$set": {"newest": version}}).matched_count:
            self._check_claim(rows)

    def write(self, rows: Sequence[Projected]) -> Written:
        """Take each row whose version is above the one held."""
        kept = self._opened()
        taken, failed, replaced = checked(rows, MOST_BODY_BYTES)
        written = Written(stale=replaced, failed=tuple(failed))
        expires = datetime.now(UTC) + self._settings.keep_deleted
        cuts = list(batches([row.size for row in taken], self._settings.rows_per_write, _BYTES_PER_WRITE))
        if not cuts:
            return written
        with self._answering():
            self._raise_newest(kept, max(row.version for row in taken))
            parts = [taken[cut.start : cut.stop] for cut in cuts]
            if len(parts) == 1:
                return written + self._send(kept, parts[0], expires)
            with ThreadPoolExecutor(self._settings.writers) as pool:
                return sum(pool.map(lambda part: self._send(kept, part, expires), parts), written)

    def _send(self, kept: "Collection[client.Document]", rows: Sequence[Row], expires: datetime) -> Written:
        applied, errors = self._bulk(kept, [self._update(row, expires, upsert=True) for row in rows])
        again = [rows[error["index"]] for error in errors if client.is_held(error)]
        failed = tuple(self._failed(rows[error["index"]], error) for error in errors if not client.is_held(error))
        if not again:
            return Written(applied, 0, failed)
        more, errors = self._bulk(kept, [self._update(row, expires, upsert=False) for row in again])
        failed += tuple(self._failed(again[error["index"]], error) for error in errors)
        return Written(applied + more, len(again) - more - len(errors), failed)

    def _update(self, row: Row, expires: datetime, *, upsert: bool) -> "UpdateOne":
        from pymongo import UpdateOne

        if row.text is None:
            there: client.Document = {"deleted": True, "expires": expires}
        else:
            there = {"body": row.text, **self.beside(row)}
        others = [name for name in ("body", "deleted", "expires", *self.beside_body) if name not in there]
        change = {"$set": {"v": row.version, **there}, "$unset": dict.fromkeys(others, "")}
        return UpdateOne({"_id": row.key, "v": {"$lt": row.version}}, change, upsert=upsert)

    def _bulk(self, kept: "Collection[client.Document]", requests: "Sequence[UpdateOne | DeleteOne]") -> Any:
        """How many were applied, and what the server said of the others."""
        from pymongo.errors import BulkWriteError

        try:
            done = kept.bulk_write(requests, ordered=False)
            return done.upserted_count + done.matched_count + done.deleted_count, []
        except BulkWriteError as error:
            found = error.details
        if found.get("writeConcernErrors"):
            reason = str(found["writeConcernErrors"][0].get("errmsg", ""))[:300]
            todo = "All of it is written again; the server may have lost its primary."
            raise Retryable(expected="a write that a majority keeps", found=reason, todo=todo, where=self._where)
        return found["nUpserted"] + found["nMatched"] + found["nRemoved"], found["writeErrors"]

    def _failed(self, row: Row, error: client.Document) -> Failed:
        reason = f"code {error.get('code')}: {str(error.get('errmsg', ''))[:300]}"
        if error.get("code") == client.DUPLICATE:
            reason = f"expected no unique index but that of _id; {reason}"
        good = client.for_good(error.get("code", 0)) or error.get("code") == client.DUPLICATE
        return Failed(row.key, row.version, reason, retry=not good)

    def sweep(self, before_version: int) -> int:
        """Delete every row whose version is lower. What is swept stays out for anything older."""
        from pymongo import UpdateOne

        with self._answering():
            self._raise_newest(self._opened(), before_version - 1)

        expires = datetime.now(UTC) + self._settings.keep_deleted
        older = {"v": {"$lt": before_version}, "deleted": {"$ne": True}}
        change = {
            "$set": {"v": before_version - 1, "deleted": True, "expires": expires},
            "$unset": dict.fromkeys(["body", *self.beside_body], ""),
        }
        return self._each(older, lambda key: UpdateOne({"_id": key, **older}, change))

    def purge(self, before_version: int) -> int:
        """Forget deletes whose version is lower."""
        from pymongo import DeleteOne

        older = {"v": {"$lt": before_version}, "deleted": True}
        return self._each(older, lambda key: DeleteOne({"_id": key, **older}))

    def _each(self, which: client.Document, request: Any) -> int:
        # Not one update of many: on a large collection it would take longer than an answer may.
        kept, done = self._opened(), 0
        with self._answering():
            self._check_claim(kept)
            for page in _pages(kept.find(which, {"_id": 1}, batch_size=_PAGE)):
                applied, errors = self._bulk(kept, [request(found["_id"]) for found in page])
                if errors:
                    reason = str(errors[0].get("errmsg", ""))[:300]
                    raise Retryable(expected="all rows done", found=reason, todo="Repeat it.", where=self._where)
                done += applied
        return done

    def held(self) -> Iterator[Held]:
        """Every key, deleted ones included until they expire. A key that changes meanwhile comes once, old or new."""
        kept = self._opened()
        with self._answering():
            self._check_claim(kept)
            # By key: in any other order a document that is written meanwhile may come twice.
            found = kept.find({"_id": {"$ne": CLAIM}}, {"v": 1, "deleted": 1}, sort=[("_id", 1)], batch_size=_PAGE)
            for row in found:
                yield Held(row["_id"], int(row["v"]), bool(row.get("deleted")))

    def newest(self) -> int:
        """The highest version it ever took or began to take; -1 for none."""
        kept = self._opened()
        with self._answering():
            return int(self._check_claim(kept)["newest"])

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _connect(self, owner: str) -> "Collection[client.Document]":
        self.close()
        self._owner = owner
        self._client = client.connect(self._settings, listeners=self._listeners)
        return client.collection(self._client, self._settings)

    def _opened(self) -> "Collection[client.Document]":
        if self._client is None:
            raise not_open(self._where)
        return client.collection(self._client, self._settings)

    def _answering(self) -> AbstractContextManager[None]:
        return client.answering(self._settings)

    @contextmanager
    def _opening(self) -> Iterator[None]:
        try:
            with self._answering():
                yield
        except BaseException:
            self.close()
            raise


def _pages(rows: Any) -> Iterator[list[client.Document]]:
    page: list[client.Document] = []
    for row in rows:
        page.append(row)
        if len(page) == _PAGE:
            yield page
            page = []
    if page:
        yield page
