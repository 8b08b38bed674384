"""Training jobs of SageMaker and Bedrock. Tested against botocore's stub only."""

from collections.abc import Mapping
from typing import Any

from headrace.errors import ConfigError
from headrace.stores.aws_clients import aws_client, translated

_SECONDS = 60.0
_THERE = ("ResourceInUse", "ResourceInUseException", "ConflictException")


def start(
    service: str, operation: str, name: str, arguments: Mapping[str, Any], region: str | None, client: Any = None
) -> str:
    """Start a job, once: one of that name that is there already is left alone. Returns its ARN, or then its name.

    Args:
        operation: of the service's client, such as `create_training_job`.

    Raises:
        ConfigError: the request is none that the service knows.
        Fatal, Retryable: the service refuses it, or does not answer.
    """
    from botocore.exceptions import ParamValidationError

    client = client or aws_client(service, region=region, role=None, seconds=_SECONDS, calls=1)
    try:
        found = getattr(client, operation)(**arguments)
    except ParamValidationError as error:
        todo = "Mend the settings below `launch`, or install a newer boto3."
        wanted = "a request that the service knows"
        raise ConfigError(where="launch", expected=wanted, found=str(error)[:500], todo=todo) from error
    except Exception as error:
        if getattr(error, "response", {}).get("Error", {}).get("Code") in _THERE:
            return name
        raise translated(error, service, f"a job {name}") from error
    return str(found.get("TrainingJobArn") or found.get("jobArn"))
