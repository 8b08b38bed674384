"""Served rows in a collection of Amazon DocumentDB or MongoDB, found by their terms.

Beside its body a row has the fields `find0` to `find4`, one for each filter that has a value: a digest of the term, and
the row's key behind it. So one field's plain index gives a term's keys in order, without a sort and without the rows.
Others were left aside: an index over a list of terms takes a sort by key, and with it every row of the term, where the
server cannot take the order from such an index; a sparse one DocumentDB uses only with `$exists`, which other servers
answer by a scan. Row and terms are one document, so one write under one guard, and the indexes are as new as it.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, ClassVar

from headrace.ports import Found
from headrace.served_rows import MOST_FILTERS
from headrace.stores import documentdb_client as client
from headrace.stores import row_terms
from headrace.stores.keyed_documentdb import DocumentDbStore
from headrace.stores.keyed_documentdb_reader import DocumentDbReader
from headrace.stores.keyed_rows import Row

if TYPE_CHECKING:
    from pymongo.collection import Collection

TERMS = tuple(f"find{place}" for place in range(MOST_FILTERS))
"""The fields that hold terms, and the names of their indexes."""
_BEFORE, _BEHIND = ":", ";"
"""What stands between digest and key, and the sign after it in every order."""


class DocumentDbRowStore(DocumentDbStore):
    """The write side; a `ports.Projection`."""

    beside_body: ClassVar[tuple[str, ...]] = TERMS

    def make(self, rows: "Collection[client.Document]") -> None:
        """Make the indexes where they are missing."""
        super().make(rows)
        for name in TERMS:
            rows.create_index([(name, 1)], name=name)

    def beside(self, row: Row) -> client.Document:
        """The row's terms."""
        terms = row_terms.terms_of(row)
        return {TERMS[place]: f"{_digest(term)}{_BEFORE}{row.key}" for place, term in terms.items()}


class DocumentDbRowReader(DocumentDbReader):
    """A `ports_rows.RowReader`. Threads share it."""

    def having(self, terms: Mapping[int, str], most: int) -> dict[str, Found]:
        """The rows that have all of these terms, in the order of their keys."""
        found = row_terms.having(terms, most, self._page, self.read, client.where_of(self._settings))
        if not found:
            self.read([])  # nothing found could mean that nothing was made
        return found

    def _page(self, place: int, term: str, key: str, most: int) -> tuple[list[str], bool]:
        name, first = TERMS[place], _digest(term) + _BEFORE
        with client.answering(self._settings):
            kept = client.collection(self._client, self._settings)
            rows = kept.find(
                wanted_of(place, term, key), {name: 1, "_id": 0}, sort=[(name, 1)], limit=most, batch_size=most
            )
            keys = [row[name][len(first) :] for row in rows]
        return keys, len(keys) < most


def wanted_of(place: int, term: str, key: str) -> client.Document:
    """The query for rows that have a term, from a key on."""
    digest = _digest(term)
    return {TERMS[place]: {"$gte": f"{digest}{_BEFORE}{key}", "$lt": digest + _BEHIND}}


def _digest(term: str) -> str:
    return blake2b(term.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
