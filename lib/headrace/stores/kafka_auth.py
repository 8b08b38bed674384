"""Amazon MSK with IAM, as Spark's Kafka source and as librdkafka want it.

Java clients speak AWS_MSK_IAM with Amazon's login module. librdkafka sends OAUTHBEARER tokens that Amazon's signer
makes from the same credentials. Databricks brings the module under a name of its own:
https://docs.databricks.com/aws/en/connect/streaming/kafka/authentication
"""

from collections.abc import Callable
from typing import Any

from headrace.config_kafka import MskIam
from headrace.errors import Fatal, HeadraceError, MissingDependency
from headrace.stores.aws_clients import aws_session, translated

JAR = "software.amazon.msk:aws-msk-iam-auth:2.3.9"
"""What an open Spark needs for it, as a Maven coordinate. It brings a newer core of the AWS SDK, which S3's part then
uses too: Delta tables were written, compacted and changed so on an emulated S3."""
LOGIN_MODULE = "software.amazon.msk.auth.iam.IAMLoginModule"
CALLBACK_HANDLER = "software.amazon.msk.auth.iam.IAMClientCallbackHandler"
_DATABRICKS = "shadedmskiam."
_SESSION = "headrace"


def spark_options(auth: MskIam | None, runtime: str) -> dict[str, str]:
    """Options of Spark's Kafka source; none without `auth`."""
    if auth is None:
        return {}
    if runtime == "databricks" and auth.service_credential:
        return {"databricks.serviceCredential": auth.service_credential}
    prefix = _DATABRICKS if runtime == "databricks" else ""
    return {
        "kafka.security.protocol": "SASL_SSL",
        "kafka.sasl.mechanism": "AWS_MSK_IAM",
        "kafka.sasl.jaas.config": f"{prefix}{LOGIN_MODULE} required{_role(auth)};",
        "kafka.sasl.client.callback.handler.class": f"{prefix}{CALLBACK_HANDLER}",
    }


def lacks_module(said: str) -> bool:
    """Whether a failure of Spark's means that Amazon's module is not on its class path."""
    return "software.amazon.msk" in said and ("could not be found" in said or "unable to find LoginModule" in said)


def no_module(where: str) -> Fatal:
    """The error that says so."""
    todo = "On Glue, name aws-msk-iam-auth's jar in `package.jars` (docs/aws.md, signing in)."
    return Fatal(expected="Amazon's login module on Spark's class path", found="none", todo=todo, where=where)


def _role(auth: MskIam) -> str:
    if not auth.role_arn:
        return ""
    values = {
        "awsRoleArn": auth.role_arn,
        "awsRoleExternalId": auth.external_id,
        "awsRoleSessionName": auth.session_name or _SESSION,
        "awsStsRegion": auth.region,
    }
    return "".join(f' {name}="{value}"' for name, value in values.items() if value)


class Tokens:
    """Tokens for one client of librdkafka, as its `oauth_cb`.

    Attributes:
        failure: why the last token could not be made. librdkafka itself only says that it has none.
    """

    def __init__(self, auth: MskIam) -> None:
        self.failure: HeadraceError | None = None
        self._sign = signing(auth)

    def settings(self) -> dict[str, Any]:
        """Settings of librdkafka. Raises what `_made` does: the client would wait ten seconds for its first token."""
        self._made()
        return {"security.protocol": "SASL_SSL", "sasl.mechanism": "OAUTHBEARER", "oauth_cb": self._token}

    def _token(self, _: str) -> tuple[str, float]:
        """A token and when it ends, in seconds since 1970."""
        try:
            token, until = self._made()
        except HeadraceError as error:
            self.failure = error
            # An exception would stay set in the client's C code; a token without an end is refused by librdkafka.
            return "", 0.0
        self.failure = None
        return token, until / 1000

    def _made(self) -> tuple[str, int]:
        try:
            return self._sign()
        except HeadraceError:
            raise
        except Exception as error:
            raise translated(error, "auth", "a token for Kafka") from error


def signing(auth: MskIam) -> Callable[[], tuple[str, int]]:
    """What makes tokens: each with the time it ends, in milliseconds since 1970, at most 15 minutes from now.

    Raises MissingDependency without Amazon's signer.
    """
    from botocore.credentials import CredentialProvider
    from botocore.exceptions import NoCredentialsError

    provider = _signer()
    session = aws_session(
        region=auth.region,
        role=auth.role_arn,
        external_id=auth.external_id,
        session_name=auth.session_name or _SESSION,
    )

    class Own(CredentialProvider):  # type: ignore[misc]
        def load(self) -> Any:
            found = session.get_credentials()
            if found is None:
                raise NoCredentialsError
            return found.get_frozen_credentials()

    own = Own()
    return lambda: provider.generate_auth_token_from_credentials_provider(auth.region, own)


def _signer() -> Any:
    try:
        from aws_msk_iam_sasl_signer import MSKAuthTokenProvider
    except ModuleNotFoundError as error:
        todo = 'Run `pip install "headrace[kafka]"`.'
        found = f"no module {error.name}"
        raise MissingDependency(expected="aws-msk-iam-sasl-signer-python", found=found, todo=todo) from error
    return MSKAuthTokenProvider
