"""How Headrace signs in to a Kafka cluster of Amazon MSK."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field, model_validator

from headrace.config_base import Contradiction, Role, Settings, Text

_TAKEN = ("security.", "sasl.")
_BY_DATABRICKS = "databricks.serviceCredential"

# These stand inside a line of JAAS: nothing that could end a quoted value may pass.
Region = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")]
ExternalId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_+=,.@:/-]{2,1224}$")]
SessionName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_+=,.@-]{2,64}$")]


class MskIam(Settings):
    """Amazon MSK with IAM: the process's own AWS credentials sign in, or those of a role it takes on.

    Attributes:
        region: of the cluster.
        role_arn: the role to take on; `external_id` and `session_name` go with it.
        service_credential: on Databricks, the Unity Catalog service credential that Spark signs in with. Elsewhere, and
            for what does not run in Spark, the process's own credentials are used.
    """

    kind: Literal["msk-iam"]
    region: Region
    role_arn: Role | None = None
    external_id: ExternalId | None = None
    session_name: SessionName | None = None
    service_credential: Text | None = None

    @model_validator(mode="after")
    def _fits(self) -> "MskIam":
        examples = {"external_id": 'external_id: "7f3a"', "session_name": "session_name: headrace"}
        for key, example in examples.items():
            if getattr(self, key) and not self.role_arn:
                example += "\nrole_arn: arn:aws:iam::123456789012:role/reader"
                raise Contradiction(key, "role_arn beside it", "none", example)
        if self.service_credential and self.role_arn:
            expected = "nothing, as a service credential brings its own role"
            raise Contradiction("role_arn", expected, "a role beside service_credential", "service_credential: msk")
        return self


def check_options(auth: MskIam | None, options: Iterable[str]) -> None:
    """Raises Contradiction where options say a second time how to sign in."""
    if auth is None:
        return
    for name in sorted(options):
        if name.removeprefix("kafka.").startswith(_TAKEN) or name == _BY_DATABRICKS:
            expected = "no option of security beside auth, which sets them all"
            raise Contradiction("options", expected, name, "auth: {kind: msk-iam, region: eu-central-1}")
