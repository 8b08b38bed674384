"""What settings take from AWS: the file itself from S3, secrets from Secrets Manager."""

import json
import re
import time
from typing import Any

from headrace.errors import ConfigError, Unreachable

THROTTLED = frozenset(
    {
        "ModelNotReadyException", "ProvisionedThroughputExceededException", "RequestLimitExceeded",
        "ServiceQuotaExceededException", "ServiceUnavailable", "ServiceUnavailableException", "SlowDown",
        "ThrottledException", "Throttling", "ThrottlingException", "TooManyRequestsException",
    }
)  # fmt: skip

KEPT_SECONDS = 300.0
"""How long a secret is remembered: settings name the same one several times, and a rotated one must be seen."""
_kept: dict[str, tuple[float, str]] = {}


def settings_object(url: str) -> str:
    """The text of `s3://bucket/key`. Raises ConfigError where there is no such text, Unreachable without an answer."""
    found = re.fullmatch(r"s3://([^/]+)/(.+)", url)
    if not found:
        raise ConfigError(where=url, expected="s3://bucket/key", found="no key", todo="Name the object itself.")
    body = _call("s3", "get_object", url, Bucket=found[1], Key=found[2])["Body"]
    try:
        return str(body.read().decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        at = f"a byte that is not UTF-8 at {error.start}"
        raise ConfigError(where=url, expected="a UTF-8 file", found=at, todo="Save it as UTF-8.") from None


def secret_value(name: str) -> str:
    """The text of a secret; of `name#key` that key of the JSON object it holds.

    Raises:
        ConfigError: there is no such secret or key. Its message holds nothing of the secret.
        Unreachable: the service does not answer.
    """
    name, _, key = name.partition("#")
    until, text = _kept.get(name, (0.0, ""))
    if time.monotonic() >= until:
        answer = _call("secretsmanager", "get_secret_value", name, SecretId=name)
        if "SecretString" not in answer:
            raise ConfigError(
                where=name, expected="a secret of text", found="one of bytes", todo="Store it as text or as JSON."
            )
        text = str(answer["SecretString"])
        _kept[name] = (time.monotonic() + KEPT_SECONDS, text)
    return _of_key(name, key, text) if key else text


def _of_key(name: str, key: str, text: str) -> str:
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, dict):
        raise ConfigError(
            where=name, expected=f"a JSON object with {key}", found="other text", todo="Leave out # and the key."
        )
    if not isinstance(values.get(key), str | int) or isinstance(values.get(key), bool):
        found = f"the keys {', '.join(sorted(values))}"
        raise ConfigError(where=name, expected=f"the key {key}", found=found, todo="Name one of these.")
    return str(values[key])


def _call(service: str, operation: str, where: str, **arguments: str) -> Any:
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError, NoRegionError
    from botocore.session import get_session

    region = where.split(":")[3] if where.startswith("arn:") and where.count(":") >= 5 else None
    # Read once, at the start of a job: the client's own retries are what is wanted.
    config = Config(retries={"total_max_attempts": 3, "mode": "standard"}, connect_timeout=5, read_timeout=10)
    try:
        client = get_session().create_client(service, region_name=region, config=config)
        return getattr(client, operation)(**arguments)
    except NoRegionError as error:
        raise ConfigError(where=where, expected="an AWS region", found="none", todo="Set AWS_REGION.") from error
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in THROTTLED or error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
            todo = "Try again; where it goes on, ask AWS for a higher quota."
            expected = f"an answer from {service}"
            raise Unreachable(where=where, expected=expected, found=code or str(error), todo=todo) from error
        todo = "Check the name and the region, and that the job's role may read it."
        raise ConfigError(where=where, expected=f"{service} to give it", found=code or str(error), todo=todo) from error
    except BotoCoreError as error:
        todo = "Give the job AWS credentials, and a network that reaches the service."
        found = f"{type(error).__name__}: {error}"
        raise Unreachable(where=where, expected=f"an answer from {service}", found=found, todo=todo) from error
