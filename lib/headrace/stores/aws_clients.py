"""Clients of AWS services and what their errors mean to us.

The client's own retries are off: they would call again behind the limiter's back.
"""

from typing import Any

from headrace.errors import ConfigError, Fatal, HeadraceError, Retryable, Unreachable
from headrace.ports import Throttled, Unacceptable
from headrace.stores.aws_settings import THROTTLED
from headrace.stores.vectors import brief, seconds_of

_LOGIN = "Give the job valid AWS credentials (a role, a profile or AWS_ACCESS_KEY_ID)."
_FATAL = {
    "AccessDenied": "Allow it in the role's policy.",
    "AccessDeniedException": "Allow it in the role's policy; Bedrock models also need access granted in the console.",
    "ExpiredToken": _LOGIN,
    "ExpiredTokenException": _LOGIN,
    "IncompleteSignature": _LOGIN,
    "InvalidClientTokenId": _LOGIN,
    "InvalidSignatureException": "Check the secret key and the machine's clock.",
    "MissingAuthenticationToken": _LOGIN,
    "ResourceNotFoundException": "Check the name and the region; the model may not be offered there.",
    "UnrecognizedClientException": _LOGIN,
}
_SECONDS_FOR_A_ROLE = 10.0
# A validation error is the text's fault, unless it speaks of these.
_NOT_THE_TEXT = ("model identifier", "on-demand throughput", "inference profile", "endpoint ", "end of its life")


def aws_client(
    service: str,
    *,
    region: str | None,
    role: str | None,
    seconds: float,
    calls: int,
    endpoint: str | None = None,
    external_id: str | None = None,
    session_name: str = "headrace",
    attempts: int = 1,
) -> Any:
    """A client, made from the process's own credentials or, where `role` is given, that role's. Thread-safe.

    Args:
        seconds: the longest a call may take.
        calls: at a time.
        endpoint: URL to call instead of the region's own: a VPC endpoint, or an emulator.
        attempts: above 1, the client calls again itself and slows all its calls down while it is throttled.
        external_id, session_name: what the role is taken on with; another account's role may ask for the id.

    Raises ConfigError where no region is known.
    """
    from botocore.exceptions import BotoCoreError, NoRegionError

    config = _settings(seconds, calls, attempts)
    try:
        session = aws_session(region=region, role=role, external_id=external_id, session_name=session_name)
        return session.create_client(service, region_name=region, endpoint_url=endpoint, config=config)
    except NoRegionError as error:
        raise _no_region() from error
    except (BotoCoreError, ValueError) as error:
        raise translated(error, service) from error


def aws_session(
    *, region: str | None, role: str | None, external_id: str | None = None, session_name: str = "headrace"
) -> Any:
    """A botocore session with the process's own credentials or, where `role` is given, that role's, renewed in time.

    Raises ConfigError where a role is to be taken on and no region is known.
    """
    from botocore.exceptions import BotoCoreError, NoRegionError
    from botocore.session import get_session

    session = get_session()
    if role is None:
        return session
    asked = {"RoleArn": role, "RoleSessionName": session_name}
    asked |= {"ExternalId": external_id} if external_id else {}
    try:
        # Another session: one keeps the first credentials it found.
        sts = get_session().create_client("sts", region_name=region, config=_settings(_SECONDS_FOR_A_ROLE, 1))
    except NoRegionError as error:
        raise _no_region() from error
    except (BotoCoreError, ValueError) as error:
        raise translated(error, "sts") from error
    _assume(session, asked, sts)
    return session


def _settings(seconds: float, calls: int, attempts: int = 1) -> Any:
    from botocore.config import Config

    return Config(
        retries={"total_max_attempts": attempts, "mode": "adaptive" if attempts > 1 else "standard"},
        connect_timeout=min(5.0, seconds),
        read_timeout=seconds,
        max_pool_connections=max(10, calls),
    )


def _no_region() -> ConfigError:
    return ConfigError(
        where="region", expected="an AWS region", found="none", todo="Set `region`, or AWS_REGION for the job."
    )


def _assume(session: Any, asked: dict[str, str], sts: Any) -> None:
    from botocore.credentials import (
        CredentialProvider,
        DeferredRefreshableCredentials,
        create_assume_role_refresher,
    )

    refresh = create_assume_role_refresher(sts, asked)

    class Role(CredentialProvider):  # type: ignore[misc]
        METHOD = "headrace-role"

        def load(self) -> Any:
            # Asked for at the first call and again before they expire: a worker outlives them.
            return DeferredRefreshableCredentials(refresh_using=refresh, method=self.METHOD)

    session.get_component("credential_provider").providers.insert(0, Role())


def translated(error: Exception, where: str, expected: str = "vectors") -> HeadraceError:
    """The error of ours that says the same. For botocore's errors; anything else is a Retryable.

    Args:
        expected: what the service was asked for.
    """
    from botocore import exceptions

    response = getattr(error, "response", None)
    if isinstance(response, dict) and "Error" in response:
        return _of_response(response, where, expected)
    about = {"where": where, "expected": "an answer from AWS", "found": f"{type(error).__name__}: {brief(str(error))}"}
    if isinstance(error, exceptions.HTTPClientError | exceptions.ConnectionError | exceptions.IncompleteReadError):
        return Unreachable(**about, todo="It is tried again; check the network, the region and the VPC endpoint.")
    if isinstance(error, _login_errors()):
        return Fatal(**about, todo=_LOGIN)
    if isinstance(error, exceptions.ParamValidationError | exceptions.ProfileNotFound | exceptions.InvalidRegionError):
        return ConfigError(**about, todo="Correct the settings.")
    return Retryable(**about, todo="It is tried again.")


def _login_errors() -> tuple[type[Exception], ...]:
    from botocore import exceptions

    return (
        exceptions.NoCredentialsError, exceptions.PartialCredentialsError, exceptions.CredentialRetrievalError,
        exceptions.TokenRetrievalError, exceptions.SSOError,
    )  # fmt: skip


def _of_response(response: dict[str, Any], where: str, expected: str) -> HeadraceError:
    code = str(response["Error"].get("Code", ""))
    said = brief(str(response["Error"].get("Message", "")))
    found = f"{code}: {said}" if said else code
    if code in THROTTLED:
        headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        todo = "It is tried again after a pause; lower requests_per_minute, or ask AWS for a higher quota."
        pause = seconds_of(headers.get("retry-after"))
        return Throttled(where=where, expected=expected, found=found, todo=todo, retry_after=pause)
    if code in _FATAL:
        return Fatal(where=where, expected=expected, found=found, todo=_FATAL[code])
    if code in ("ValidationException", "ValidationError"):
        if any(word in said.lower() for word in _NOT_THE_TEXT):
            todo = "Correct the model or endpoint; some models need an inference profile such as `eu.<model>`."
            return Fatal(where=where, expected=expected, found=found, todo=todo)
        todo = "The passage goes to `rejects`; look at its text and length there."
        return Unacceptable(where=where, expected=expected, found=found, todo=todo)
    return Retryable(where=where, expected=expected, found=found, todo="It is tried again.")
