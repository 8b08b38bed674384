"""Settings of the schema registries that hold what Avro messages were written with."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator

from headrace.config_base import Contradiction, Settings, Text


class ConfluentRegistry(Settings):
    """A registry with Confluent's REST API: Confluent's own, Apicurio (`/apis/ccompat/v7`), Karapace, Redpanda.

    Attributes:
        url: of the API; without a user and a password, which have keys of their own.
        username, password: of a login, or key and secret of Confluent Cloud.
        token: sent as a bearer instead.
        ca_file: certificates (PEM) to trust, for a server whose own no public authority signed.
    """

    kind: Literal["confluent"]
    url: Text
    username: Text | None = None
    password: SecretStr | None = None
    token: SecretStr | None = None
    ca_file: str | None = None

    @model_validator(mode="after")
    def _reaches(self) -> "ConfluentRegistry":
        expected, example = "an http or https URL", 'url: "https://registry:8081"'
        try:
            parts = urlsplit(self.url)
        except ValueError:
            raise Contradiction("url", expected, "one that cannot be read", example) from None
        if "@" in self.url:
            found = "one with a login in it, not shown"
            login = "username: headrace, password: {secret: env:REGISTRY_PASSWORD}"
            raise Contradiction("url", "a URL without user and password", found, f"{example}, {login}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            found = f"the scheme {parts.scheme}" if parts.scheme else "no scheme"
            raise Contradiction("url", expected, found, example)
        return self

    @model_validator(mode="after")
    def _one_login(self) -> "ConfluentRegistry":
        if (self.username is None) != (self.password is None):
            key = "password" if self.password is None else "username"
            example = "password: {secret: env:REGISTRY_PASSWORD}" if key == "password" else "username: headrace"
            raise Contradiction(key, "username and password together", f"no {key}", example)
        if self.token is not None and self.username is not None:
            example = "token: {secret: env:REGISTRY_TOKEN}"
            raise Contradiction("token", "either a token or username and password", "both", example)
        return self


class GlueRegistry(Settings):
    """AWS Glue Schema Registry. A message names its schema version itself, so no registry is named here.

    Attributes:
        region: AWS region; the job's own where not given.
        endpoint: URL of a VPC endpoint or an emulator.
        role_arn, external_id: the role to take on, of another account for instance.
    """

    kind: Literal["glue"]
    region: str | None = None
    endpoint: str | None = None
    role_arn: str | None = None
    external_id: str | None = None

    @model_validator(mode="after")
    def _fits(self) -> "GlueRegistry":
        if self.external_id and not self.role_arn:
            example = "role_arn: arn:aws:iam::123456789012:role/reader"
            raise Contradiction("external_id", "role_arn beside it", "none", example)
        return self


Registry = Annotated[ConfluentRegistry | GlueRegistry, Field(discriminator="kind")]
