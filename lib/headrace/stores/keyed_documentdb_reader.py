"""Reads rows by key from a collection of Amazon DocumentDB or MongoDB; see `keyed_documentdb`."""

from collections.abc import Sequence
from typing import Any

from headrace.config_keyed_stores import DocumentDbRows
from headrace.ports import Found
from headrace.stores import documentdb_client as client
from headrace.stores.keyed_rows import CLAIM, askable, body_of, check_format, not_there


class DocumentDbReader:
    """The read side; a `ports.KeyedReader`. Reads from the primary, for replicas lag. Threads share it.

    Args:
        settings: server and collection.
        listeners: of pymongo's commands, in tests.
    """

    def __init__(self, settings: DocumentDbRows, listeners: list[Any] | None = None) -> None:
        self._settings = settings
        self._client = client.connect(settings, listeners=listeners)

    def read(self, keys: Sequence[str]) -> dict[str, Found]:
        """The rows that are there and not deleted, as of the newest write a majority keeps."""
        kept = client.collection(self._client, self._settings)
        found: dict[str, Found] = {}
        claimed = False
        with client.answering(self._settings):
            # The claim comes along: without it, nothing found could mean that nothing was made.
            for row in kept.find({"_id": {"$in": [CLAIM, *askable(keys)]}, "deleted": {"$ne": True}}):
                if row["_id"] == CLAIM:
                    claimed = True
                    check_format(int(row["format"]), client.where_of(self._settings))
                else:
                    found[row["_id"]] = Found(int(row["v"]), body_of(row["body"]))
        if not claimed:
            raise not_there(client.where_of(self._settings))
        return found

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
