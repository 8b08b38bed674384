"""AWS Glue Schema Registry: one call, `glue:GetSchemaVersion`."""

from functools import partial
from typing import Any
from uuid import UUID

from headrace.config_registry import GlueRegistry
from headrace.errors import Fatal, HeadraceError, Retryable, Unreachable
from headrace.ports import WriterSchema
from headrace.stores.aws_clients import aws_client, translated
from headrace.stores.aws_settings import THROTTLED
from headrace.stores.kinesis.backoff import Backoff
from headrace.stores.vectors import brief

_CALL_SECONDS = 10.0
_NOBODY = UUID(int=0)
_TODO = {
    "AccessDeniedException": "Allow glue:GetSchemaVersion on the schema and its registry in the role's policy.",
    "AccessDenied": "Allow sts:AssumeRole on registry.role_arn, and let its trust policy name this job.",
}


class Glue:
    """Schema versions by their id.

    Raises (every method): as `SchemaLookup`; ConfigError where no region is known.
    """

    def __init__(self, settings: GlueRegistry, backoff: Backoff, client: Any = None) -> None:
        self._settings, self._backoff, self._made = settings, backoff, client
        self._where = f"schema registry glue ({settings.region or 'own region'})"

    def schema(self, id: int | UUID) -> WriterSchema | None:
        """As in `SchemaLookup`."""
        answer = self._backoff.call(partial(self._once, id), (Retryable,))
        if answer is None:
            return None
        return WriterSchema(str(answer["SchemaDefinition"]), str(answer.get("DataFormat") or "AVRO"))

    def tried(self) -> str:
        """`answers`, after asking for a schema that cannot be there: the role may ask for schemas."""
        self.schema(_NOBODY)
        return "answers"

    def _once(self, id: int | UUID) -> Any:
        try:
            return self._client().get_schema_version(SchemaVersionId=str(id))
        except HeadraceError:
            raise
        except Exception as error:
            told = self._meaning(error)
            if told is None:
                return None
            raise told from error

    def _client(self) -> Any:
        if self._made is None:
            own = self._settings
            self._made = aws_client(
                "glue", region=own.region, role=own.role_arn, seconds=_CALL_SECONDS, calls=1,
                endpoint=own.endpoint, external_id=own.external_id,
            )  # fmt: skip
        return self._made

    def _meaning(self, error: Exception) -> HeadraceError | None:
        """None where Glue says that there is no such schema version."""
        response = getattr(error, "response", None)
        if not isinstance(response, dict) or "Error" not in response:
            return translated(error, self._where)
        code, said = str(response["Error"].get("Code", "")), brief(str(response["Error"].get("Message") or ""))
        status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
        about = {"where": self._where, "expected": "a schema", "found": f"{code}: {said}" if said else code}
        if code == "EntityNotFoundException":
            return None
        if code in THROTTLED or code == "InternalServiceException" or status >= 500:
            return Unreachable(**about, todo="Ask AWS for a higher quota of GetSchemaVersion calls, if it goes on.")
        return Fatal(**about, todo=_TODO.get(code, "Check `registry` of the source and the role's policy."))
