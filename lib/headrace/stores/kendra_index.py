"""Amazon Kendra. It has no versions and no generations, so one task writes in order. Tested against a stub only.

Kendra makes its own vectors: only text, title, address, language and audience go there. It has no tenants; a passage of
one is refused, since everybody could find it.
"""

from collections.abc import Callable, Sequence
from typing import Any

from headrace.config_indexes import KendraIndex
from headrace.ports import Failed, Model, Projected, Unacceptable, Written
from headrace.stores.aws_clients import aws_client, translated
from headrace.stores.generations import checked_generation, not_open
from headrace.stores.knows_no_keys import KnowsNoKeys
from headrace.stores.passage_rows import Row, checked

_AT_A_TIME = 10  # Kendra takes no more documents in one call
_SECONDS = 30.0


class KendraVectorIndex(KnowsNoKeys):
    """The write side; a `ports.VectorIndex` as far as Kendra can be one.

    It lists no documents: empty its data source before a rebuild.

    Args:
        settings: the index; with `data_source_id`, documents belong to that custom data source.
        generation, model: for the messages only.
    """

    def __init__(self, settings: KendraIndex, generation: str, model: Model | None = None) -> None:
        self._settings, self._model = settings, model
        self._generation = checked_generation(generation)
        self._where = f"kendra index {settings.index_id}"
        self._client: Any = None
        self._job = ""

    def open(self, owner: str) -> None:
        """Look for the index, and begin a synchronisation of the data source. Kendra cannot be claimed."""
        self.attach(owner)
        settings, begin = self._settings, self._client.start_data_source_sync_job
        if settings.data_source_id:
            begun = self._call(begin, Id=settings.data_source_id, IndexId=settings.index_id)
            self._job = begun["ExecutionId"]

    def attach(self, owner: str) -> None:
        """Look for the index."""
        settings = self._settings
        client = aws_client("kendra", region=settings.region, role=settings.role, seconds=_SECONDS, calls=1)
        self._call(client.describe_index, Id=settings.index_id)
        self._client = client

    def write(self, rows: Sequence[Projected]) -> Written:
        """Send puts and deletes, ten at a time; there is nothing a row could be stale against."""
        if self._client is None:
            raise not_open(self._where)
        taken, failed, replaced = checked(rows, self._model)
        deletes = [row for row in taken if row.deleted]
        puts = [row for row in taken if row.body is not None and row.body.get("tenant") is None]
        tenants = [row for row in taken if row.body is not None and row.body.get("tenant") is not None]
        reason = "Kendra keeps no tenants apart; give each an index of its own"
        failed += [Failed(row.key, row.version, reason, retry=False) for row in tenants]
        written = Written(stale=replaced, failed=tuple(failed))
        for rows_of_a_kind, send in ((puts, self._put), (deletes, self._delete)):
            for start in range(0, len(rows_of_a_kind), _AT_A_TIME):
                written += _sent(rows_of_a_kind[start : start + _AT_A_TIME], send)
        return written

    def _put(self, rows: Sequence[Row]) -> Any:
        documents = [self._document(row) for row in rows]
        return self._call(self._client.batch_put_document, **self._index, Documents=documents)

    def _delete(self, rows: Sequence[Row]) -> Any:
        keys = [row.key for row in rows]
        return self._call(self._client.batch_delete_document, **self._index, DocumentIdList=keys)

    @property
    def _index(self) -> dict[str, str]:
        return {"IndexId": self._settings.index_id}

    def _document(self, row: Row) -> dict[str, Any]:
        body = row.body or {}
        attributes = [_attribute("_version", "StringValue", str(row.version))]
        if body.get("url"):
            attributes.append(_attribute("_source_uri", "StringValue", body["url"]))
        if body.get("language"):
            attributes.append(_attribute("_language_code", "StringValue", body["language"]))
        if row.changed_at:
            attributes.append(_attribute("_last_updated_at", "DateValue", row.changed_at))
        if self._job:
            attributes.append(_attribute("_data_source_id", "StringValue", self._settings.data_source_id))
            attributes.append(_attribute("_data_source_sync_job_execution_id", "StringValue", self._job))
        document = {
            "Id": row.key,
            "Title": body.get("title") or " > ".join(body.get("heading") or ()) or body["document"],
            "Blob": body["text"].encode("utf-8"),
            "ContentType": "PLAIN_TEXT",
            "Attributes": attributes,
        }
        groups = [{"Name": name, "Type": "GROUP", "Access": "ALLOW"} for name in body.get("audience") or ()]
        return {**document, "AccessControlList": groups} if groups else document

    def _call(self, method: Any, **arguments: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return method(**arguments)
        except (BotoCoreError, ClientError) as error:
            raise translated(error, self._where, "an answer from Kendra") from error

    def close(self) -> None:
        """End the synchronisation."""
        if self._client is not None and self._job:
            source = self._settings.data_source_id
            self._call(self._client.stop_data_source_sync_job, Id=source, **self._index)
        self._client, self._job = None, ""


def _attribute(key: str, kind: str, value: Any) -> dict[str, Any]:
    return {"Key": key, "Value": {kind: value}}


def _sent(rows: Sequence[Row], send: Callable[[Sequence[Row]], Any]) -> Written:
    """What became of rows. A request that is refused whole is halved until the row that is at fault stands alone."""
    try:
        return _outcome(rows, send(rows))
    except Unacceptable as error:
        if len(rows) == 1:
            return Written(failed=(Failed(rows[0].key, rows[0].version, error.found[:300], retry=False),))
    middle = len(rows) // 2
    return _sent(rows[:middle], send) + _sent(rows[middle:], send)


def _outcome(rows: Sequence[Row], answer: dict[str, Any]) -> Written:
    refused = {one["Id"]: one for one in answer.get("FailedDocuments", ())}
    failed = []
    for row in rows:
        if row.key in refused:
            code, said = refused[row.key].get("ErrorCode", ""), refused[row.key].get("ErrorMessage", "")
            failed.append(Failed(row.key, row.version, f"{code}: {said}"[:300], code == "InternalError"))
    return Written(len(rows) - len(failed), 0, tuple(failed))
