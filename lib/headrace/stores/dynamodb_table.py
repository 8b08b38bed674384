"""A table of Amazon DynamoDB: its client, making it, and its refusals in Headrace's words."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from headrace.config_keyed_stores import DynamoDbRows
from headrace.errors import ConfigError, Fatal, HeadraceError, NotThere, Retryable, Unreachable
from headrace.stores.aws_clients import aws_client
from headrace.stores.aws_settings import THROTTLED
from headrace.stores.keyed_rows import CLAIM
from headrace.stores.vectors import brief

CONDITION = "ConditionalCheckFailedException"
MISSING = "ResourceNotFoundException"
KEY, EXPIRES = "pk", "expires"
CLAIM_KEY = {KEY: {"S": CLAIM}}
Item = dict[str, dict[str, Any]]
_LATER = THROTTLED | {
    "InternalServerError", "InternalFailure", "LimitExceededException", "ReplicatedWriteConflictException",
    "RequestTimeout", "RequestTimeoutException", "TransactionConflictException",
}  # fmt: skip
_REFUSED_ROW = frozenset({"ValidationException", "ItemCollectionSizeLimitExceededException"})
_ATTEMPTS = 4
_SECONDS_TO_MAKE, _PAUSE = 120.0, 0.5
_LOGIN = "Give the job valid AWS credentials (a role, a profile or AWS_ACCESS_KEY_ID)."
_TODO = {
    "AccessDeniedException": (
        "Allow dynamodb:GetItem and BatchGetItem on the table in the role's policy (to write: DescribeTable, GetItem, "
        "PutItem, Scan and UpdateItem; for `create: true` CreateTable, DescribeTimeToLive and UpdateTimeToLive too; to "
        "look served rows up: Query on TABLE/index/*)."
    ),
    "AccessDenied": "Allow sts:AssumeRole on the role, and let its trust policy name this job (and the external id).",
    "UnrecognizedClientException": _LOGIN,
    "InvalidSignatureException": "Check the secret key and the machine's clock.",
    "ExpiredTokenException": _LOGIN,
    "MissingAuthenticationToken": _LOGIN,
    "IncompleteSignatureException": _LOGIN,
}


def where_of(settings: DynamoDbRows) -> str:
    """The table, as messages name it."""
    return f"dynamodb {settings.table}"


def client(settings: DynamoDbRows) -> Any:
    """A client of botocore; thread-safe. Raises ConfigError where no region is known."""
    return aws_client(
        "dynamodb", region=settings.region, role=settings.role_arn, seconds=settings.timeout.total_seconds(),
        calls=settings.writers, endpoint=settings.endpoint, external_id=settings.external_id, attempts=_ATTEMPTS,
    )  # fmt: skip


def make(made: Any, settings: DynamoDbRows, indexes: Sequence[str] = ()) -> Mapping[str, Any]:
    """Make the table where it is missing and `create` is on, and wait until it can be used; what describes it.

    Args:
        indexes: text attributes that get a global index of their name in a new table: the rows that have it, by key.

    Raises:
        Fatal: there is none and it is not to be made, or it has another key.
        Retryable: it is still not ready.
    """
    found = described(made, settings)
    if found is None:
        if not settings.create:
            todo = "Make it with Terraform, or set `create: true`: string key `pk`, time to live on `expires`."
            if indexes:
                todo = f"Set `create: true`, or make it: string key `pk`, time to live on `expires`. {indexed(indexes)}"
            raise Fatal(expected="a table", found="no such table", todo=todo, where=where_of(settings))
        _create(made, settings, indexes)
    deadline = time.monotonic() + _SECONDS_TO_MAKE
    while found is None or found["TableStatus"] == "CREATING":
        if time.monotonic() > deadline:
            todo = "It is tried again."
            raise Retryable(expected="a table", found="one being made", todo=todo, where=where_of(settings))
        found = described(made, settings)
        time.sleep(_PAUSE if found is None or found["TableStatus"] == "CREATING" else 0)
    check_key(found, settings)
    if settings.create:
        _forget_expired(made, settings)
    return found  # type: ignore[no-any-return]


def check_key(found: Mapping[str, Any], settings: DynamoDbRows) -> None:
    """Raises Fatal for a table with another key."""
    keys = {one["AttributeName"]: one["KeyType"] for one in found["KeySchema"]}
    kinds = {one["AttributeName"]: one["AttributeType"] for one in found["AttributeDefinitions"]}
    if keys != {KEY: "HASH"} or kinds[KEY] != "S":
        shown = ", ".join(f"{name} ({kinds[name]}, {kind})" for name, kind in keys.items())
        todo = "Name a table of its own for these rows."
        raise Fatal(expected=f"a table with the string key {KEY}", found=shown, todo=todo, where=where_of(settings))


def described(made: Any, settings: DynamoDbRows) -> Any:
    """What describes the table; None where there is none."""
    try:
        with answering(settings):
            return made.describe_table(TableName=settings.table)["Table"]
    except NotThere:
        return None


def _create(made: Any, settings: DynamoDbRows, indexes: Sequence[str]) -> None:
    from botocore.exceptions import ClientError

    try:
        with answering(settings, expected=("ResourceInUseException",)):
            made.create_table(
                TableName=settings.table,
                KeySchema=[{"AttributeName": KEY, "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in (KEY, *indexes)],
                BillingMode="PAY_PER_REQUEST",
                **({"GlobalSecondaryIndexes": [_index(name) for name in indexes]} if indexes else {}),
            )
    except ClientError:
        pass  # another one was faster


def indexed(indexes: Sequence[str]) -> str:
    """How a person makes the indexes."""
    named = f"{indexes[0]} to {indexes[-1]}"
    return f"Global indexes {named}: partition key of that name (string), sort key `pk`, projection KEYS_ONLY."


def _index(name: str) -> Mapping[str, Any]:
    keys = [{"AttributeName": name, "KeyType": "HASH"}, {"AttributeName": KEY, "KeyType": "RANGE"}]
    return {"IndexName": name, "KeySchema": keys, "Projection": {"ProjectionType": "KEYS_ONLY"}}


def _forget_expired(made: Any, settings: DynamoDbRows) -> None:
    """Turn time to live on; a crash may have come between the table and this."""
    from botocore.exceptions import ClientError

    with answering(settings):
        found = made.describe_time_to_live(TableName=settings.table)["TimeToLiveDescription"]
    if found.get("TimeToLiveStatus") in ("ENABLED", "ENABLING"):
        return
    try:
        with answering(settings, expected=("ValidationException",)):
            wanted = {"Enabled": True, "AttributeName": EXPIRES}
            made.update_time_to_live(TableName=settings.table, TimeToLiveSpecification=wanted)
    except ClientError:
        pass  # another one was faster


def claim(client: Any, settings: DynamoDbRows) -> Item | None:
    """The item of the owner's claim; None where there is none."""
    with answering(settings):
        answer = client.get_item(TableName=settings.table, Key=CLAIM_KEY, ConsistentRead=True)
    found: Item | None = answer.get("Item")
    return found


@contextmanager
def answering(settings: DynamoDbRows, expected: tuple[str, ...] = ()) -> Iterator[None]:
    """botocore's errors as Unreachable, Retryable (throttled), NotThere or Fatal; codes that are expected pass."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        if code_of(error) in expected:
            raise
        raise translated(error, settings) from error


def code_of(error: Any) -> str:
    """The code of a refusal; empty for what was no answer."""
    response = getattr(error, "response", None)
    return str(response["Error"].get("Code", "")) if isinstance(response, dict) and "Error" in response else ""


def translated(error: Any, settings: DynamoDbRows) -> HeadraceError:
    """The error of ours that says the same."""
    from botocore import exceptions

    found = f"{type(error).__name__}: {brief(str(error))}"
    about: dict[str, Any] = {"expected": "an answer from DynamoDB", "found": found, "where": where_of(settings)}
    code = code_of(error)
    if code:
        return _of_code(code, error.response, about)
    if isinstance(error, exceptions.SSLError):
        return Fatal(**about, todo="Check `endpoint`, and the certificates that this machine trusts (AWS_CA_BUNDLE).")
    if isinstance(error, exceptions.HTTPClientError | exceptions.ConnectionError | exceptions.IncompleteReadError):
        return Unreachable(**about, todo="It is tried again; check the network, the region and the VPC endpoint.")
    logins = (exceptions.NoCredentialsError, exceptions.PartialCredentialsError, exceptions.CredentialRetrievalError)
    if isinstance(error, logins):
        return Fatal(**about, todo=_LOGIN)
    if isinstance(error, exceptions.ParamValidationError | exceptions.InvalidRegionError):
        return ConfigError(**about, todo="Correct the settings of this store.")
    return Retryable(**about, todo="It is tried again.")


def _of_code(code: str, response: Mapping[str, Any], about: dict[str, Any]) -> HeadraceError:
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
    if code == MISSING:
        todo = "The job that feeds it fills it (`headrace run`) once it is there; check table, region and account."
        return NotThere(**about | {"expected": "a table that was made before"}, todo=todo)
    if code in _LATER or status >= 500:
        return Retryable(**about, todo="It is tried again; the table or the account may write no faster.")
    return Fatal(**about, todo=_TODO.get(code, "Check the settings of this store and the role's policy."))


def later(error: Any) -> bool:
    """Whether a row refused in this way may be taken later, though the table answers."""
    status = int(getattr(error, "response", {}).get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
    return code_of(error) in _LATER or status >= 500


def for_good(error: Any) -> bool:
    """Whether it is the row's own fault."""
    return code_of(error) in _REFUSED_ROW
