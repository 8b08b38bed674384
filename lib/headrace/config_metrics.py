"""Settings of live measures: where they are sent."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, model_validator

from headrace.config_base import Contradiction, Names, Role, Settings, Text, Timeout


class CloudWatch(Settings):
    """Amazon CloudWatch."""

    namespace: Annotated[str, Field(pattern=r"^[A-Za-z0-9_./#:-]{1,255}$")] = "Headrace"
    region: str | None = None
    role: Role | None = None

    @model_validator(mode="after")
    def _not_of_aws(self) -> "CloudWatch":
        if self.namespace.startswith("AWS/"):
            expected = "a namespace of your own"
            raise Contradiction("namespace", expected, "one of AWS itself", "namespace: Headrace")
        return self


class Prometheus(Settings):
    """A page that Prometheus reads.

    Attributes:
        host: only this machine may read it, unless it is 0.0.0.0.
    """

    host: Text = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 9464


class Metrics(Settings):
    """How a deployment is watched.

    Attributes:
        name: tells this deployment from others.
        every: time between two reports, and between two heartbeats.
        stuck_after: a batch that runs longer ends the heartbeat of its source.
        measures: of conversations, whose values `track_feedback` reports.
        window: how many of the newest minutes such a value is of.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:/#-]{1,100}$")] = "headrace"
    every: Timeout = timedelta(seconds=60)
    stuck_after: Timeout = timedelta(minutes=15)
    measures: Names = ()
    window: Timeout = timedelta(minutes=15)
    cloudwatch: CloudWatch | None = None
    prometheus: Prometheus | None = None

    @model_validator(mode="after")
    def _whole_minutes(self) -> "Metrics":
        if self.window % timedelta(minutes=1):
            raise Contradiction("window", "whole minutes", f"{self.window.total_seconds():g}s", "window: 15m")
        return self
