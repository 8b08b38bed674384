"""What Kinesis' refusals mean: whether the same call may work later, and what to do where it will not."""

from collections.abc import Mapping
from typing import Any

from headrace.errors import ConfigError, Fatal, HeadraceError, Retryable, Unreachable

_LATER = frozenset(
    {
        "ProvisionedThroughputExceededException", "LimitExceededException", "ThrottlingException", "Throttling",
        "RequestLimitExceeded", "TooManyRequestsException", "KMSThrottlingException", "InternalFailure",
        "InternalFailureException", "InternalServerError", "ServiceUnavailable", "ServiceUnavailableException",
        "ServiceUnavailableError", "RequestTimeout", "RequestTimeoutException", "SlowDown",
    }
)  # fmt: skip


class Later(Retryable):
    """Refused for now: throttled, or the service failed."""


class OutOfReach(Fatal):
    """No iterator leads to a position: it is no place of this shard, or not one any more."""


class Gone(Fatal):
    """No such stream or shard, or not any more."""


class IteratorExpired(Retryable):
    """An iterator is good for five minutes."""


class Silent(Unreachable):
    """No answer within the time a call may take."""


def translated(error: Exception, where: str) -> HeadraceError:
    """The error of ours for one of botocore's. Anything else is Retryable."""
    from botocore import exceptions

    response = getattr(error, "response", None)
    if isinstance(response, dict) and "Error" in response:
        return _of_response(response, where)
    about = {"where": where, "expected": "an answer from Kinesis", "found": f"{type(error).__name__}: {error}"}
    if isinstance(error, exceptions.ReadTimeoutError):
        return Silent(**about, todo="It is tried again; check the network and the endpoint.")
    if isinstance(error, exceptions.HTTPClientError | exceptions.ConnectionError):
        return Unreachable(**about, todo="It is tried again; check the network, the region and the VPC endpoint.")
    logins = (exceptions.NoCredentialsError, exceptions.PartialCredentialsError, exceptions.CredentialRetrievalError)
    if isinstance(error, logins):
        return Fatal(**about, todo="Give the job AWS credentials: a role, a profile, or AWS_ACCESS_KEY_ID.")
    if isinstance(error, exceptions.ParamValidationError):
        return ConfigError(**about, todo="Correct the stream's settings.")
    return Retryable(**about, todo="It is tried again.")


_TODO = {
    "AccessDeniedException": (
        "Allow kinesis:DescribeStreamSummary, ListShards, GetShardIterator and GetRecords (to write: PutRecords) on "
        "the stream in the role's policy."
    ),
    "AccessDenied": "Allow sts:AssumeRole on the role, and let its trust policy name this job (and the external id).",
    "KMSAccessDeniedException": "Allow kms:Decrypt (to write: kms:GenerateDataKey) on the stream's key.",
}


def _of_response(response: Mapping[str, Any], where: str) -> HeadraceError:
    code, said = str(response["Error"].get("Code", "")), str(response["Error"].get("Message") or "")
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
    about = {"where": where, "expected": "an answer from Kinesis", "found": f"{code}: {said}" if said else code}
    if code == "ExpiredIteratorException":
        return IteratorExpired(**about, todo="A new one is asked for.")
    if code in _LATER or status >= 500:
        todo = "It was tried again for a while. Add shards, or read with fewer jobs: a shard gives all 2 MB a second."
        return Later(**about, todo=todo)
    if code in ("InvalidArgumentException", "ValidationException", "SerializationException"):
        return OutOfReach(**about, todo="Check the stream's settings and, for a position, that the stream is the same.")
    if code == "ResourceNotFoundException":
        return Gone(**about, todo="Check the stream's name, the region and the account.")
    return Fatal(**about, todo=_TODO.get(code, "Check the stream's settings and the role's policy."))
