"""Served rows in a collection of Amazon DocumentDB or MongoDB, found by their terms.

Beside its body a row has the list `terms`, one for each filter that has a value, under one index: `terms` and `_id`.
Row and terms are one document, so one write under one guard, and the index is as new as the document. A term holds
table and column, so that one index does for all filters of all tables.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from headrace.ports import Found
from headrace.stores import documentdb_client as client
from headrace.stores import row_terms
from headrace.stores.keyed_documentdb import DocumentDbStore
from headrace.stores.keyed_documentdb_reader import DocumentDbReader
from headrace.stores.keyed_rows import Row

if TYPE_CHECKING:
    from pymongo.collection import Collection

TERMS = "terms"
_INDEX = [(TERMS, 1), ("_id", 1)]


class DocumentDbRowStore(DocumentDbStore):
    """The write side; a `ports.Projection`."""

    beside_body: ClassVar[tuple[str, ...]] = (TERMS,)

    def make(self, rows: "Collection[client.Document]") -> None:
        """Make the indexes where they are missing."""
        super().make(rows)
        rows.create_index(_INDEX, name=TERMS)

    def beside(self, row: Row) -> client.Document:
        """The row's terms."""
        terms = list(row_terms.terms_of(row).values())
        return {TERMS: terms} if terms else {}


class DocumentDbRowReader(DocumentDbReader):
    """A `ports_rows.RowReader`. Threads share it."""

    def having(self, terms: Mapping[int, str], most: int) -> dict[str, Found]:
        """The rows that have all of these terms, in the order of their keys."""
        found = row_terms.having(terms, most, self._page, self.read, client.where_of(self._settings))
        if not found:
            self.read([])  # nothing found could mean that nothing was made
        return found

    def _page(self, place: int, term: str, key: str, itself: bool, most: int) -> tuple[list[str], bool]:
        with client.answering(self._settings):
            wanted = {TERMS: term, "_id": {"$gte" if itself else "$gt": key}}
            kept = client.collection(self._client, self._settings)
            rows = kept.find(wanted, {"_id": 1}, sort=[("_id", 1)], limit=most, batch_size=most)
            keys = [row["_id"] for row in rows]
        return keys, len(keys) < most
