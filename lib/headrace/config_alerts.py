"""Settings of alerts: rules over measures, and where they are told."""

from collections.abc import Iterator
from datetime import timedelta
from ipaddress import ip_address
from socket import inet_aton, inet_ntoa
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator

from headrace.config_base import (
    Contradiction,
    Contradictions,
    Duration,
    Name,
    Names,
    OptionText,
    Positive,
    Role,
    Settings,
    Text,
    Timeout,
    Url,
)

LOG = "log"
"""The output that is always there."""
MINUTE = timedelta(minutes=1)
Number = Annotated[float, Field(allow_inf_nan=False)]
Above0 = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, lt=1)]
Direction = Literal["up", "down", "either"]


class RuleBase(Settings):
    """What every rule has in common.

    Attributes:
        measure: one of those that Headrace brings, or of the user's own.
        slice: values of dimensions that it looks at alone, such as `{model: nova}`; all of them where not given.
        percentile: of a measure with percentiles, look at this one instead of the mean.
        window: how many minutes, up to the evaluated one, are taken together.
        at_least: the least denominator of a window; below, nothing is said.
        cooldown: after an alert the rule is silent for so long.
        send: names of outputs; the log where not given.
    """

    measure: Name
    slice: dict[Name, Text] = Field(default_factory=dict)
    percentile: Share | None = None
    window: Timeout = timedelta(minutes=15)
    at_least: Positive = 30
    cooldown: Duration = timedelta(hours=1)
    send: Names = (LOG,)

    @model_validator(mode="after")
    def _whole_minutes(self) -> "RuleBase":
        for key in ("window", "short", "before", "apart"):
            if (length := getattr(self, key, MINUTE)) % MINUTE:
                raise Contradiction(key, "whole minutes", f"{length.total_seconds():g}s", f"{key}: 15m")
        return self


class Threshold(RuleBase):
    """The window's value lies beyond a limit.

    Attributes:
        certain: of a share, not only the value but its whole interval of 95 % must lie beyond.
    """

    rule: Literal["threshold"]
    above: Number | None = None
    below: Number | None = None
    certain: bool = True

    @model_validator(mode="after")
    def _one_limit(self) -> "Threshold":
        if (self.above is None) == (self.below is None):
            found = "neither" if self.above is None else "both"
            raise Contradiction("", "either above or below", found, "{rule: threshold, measure: errors, above: 0.05}")
        return self


class Change(RuleBase):
    """The window's value differs from that of the same window a week ago.

    Attributes:
        by: the least difference, as a part of the earlier value: 0.5 is half of it.
        points: the least difference itself, which must be reached too.
        before: how long ago.
        certain: of a share, the two intervals of 95 % may not overlap.
    """

    rule: Literal["change"]
    by: Above0
    points: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    direction: Direction = "either"
    before: Timeout = timedelta(days=7)
    certain: bool = True


class Unusual(RuleBase):
    """The window's value is far from the median of the same windows in the past, counted in their spread (MAD).

    Attributes:
        z: the least distance.
        periods: how many windows of the past.
        apart: the time between them.
        least_periods: fewer with `at_least` tell nothing.
    """

    rule: Literal["unusual"]
    z: Above0 = 4.0
    direction: Direction = "either"
    periods: Annotated[int, Field(ge=3, le=366)] = 6
    apart: Timeout = timedelta(days=7)
    least_periods: Annotated[int, Field(ge=3)] = 4

    @model_validator(mode="after")
    def _enough_periods(self) -> "Unusual":
        if self.least_periods > self.periods:
            raise Contradiction("least_periods", f"at most periods, {self.periods}", f"{self.least_periods}",
                                "{periods: 6, least_periods: 4}")  # fmt: skip
        return self


class BurnRate(RuleBase):
    """A budget of failures is used up too fast, in a long window and, so that it is still going on, in a short one.

    Attributes:
        budget: the share of failures that is allowed.
        counts: whether the measure counts what is bad or what is good.
        factor: how many times faster than allowed.
        window: the long one.
        short: the short one.
    """

    rule: Literal["burn_rate"]
    budget: Share
    counts: Literal["bad", "good"] = "bad"
    factor: Above0 = 14.4
    window: Timeout = timedelta(hours=1)
    short: Timeout = timedelta(minutes=5)

    @model_validator(mode="after")
    def _shares(self) -> "BurnRate":
        if self.percentile is not None:
            raise Contradiction("percentile", "a share, which has none", f"{self.percentile}", "measure: errors")
        if self.short >= self.window:
            raise Contradiction("short", "less than window", "no less", "{window: 1h, short: 5m}")
        return self


Rule = Annotated[Threshold | Change | Unusual | BurnRate, Field(discriminator="rule")]


class LogOutput(Settings):
    """The job's log."""

    to: Literal["log"]


class SnsOutput(Settings):
    """A topic of Amazon SNS."""

    to: Literal["sns"]
    topic: Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?$")]
    role: Role | None = None

    @property
    def region(self) -> str:
        """The topic's own."""
        return self.topic.split(":")[3]


class WebhookOutput(Settings):
    """An address that takes a POST with JSON.

    Attributes:
        secret: signs the body.
        headers: of every call.
        ca_file: certificates (PEM) to trust, for a server whose own no public authority signed.
        timeout: of one call.
        attempts: calls for one alert.
    """

    to: Literal["webhook"]
    url: Url
    secret: Annotated[SecretStr, Field(min_length=16)] | None = None
    headers: dict[str, OptionText | SecretStr] = Field(default_factory=dict)
    ca_file: str | None = None
    timeout: Timeout = timedelta(seconds=10)
    attempts: Annotated[int, Field(ge=1, le=10)] = 3

    @model_validator(mode="after")
    def _not_the_machine_itself(self) -> "WebhookOutput":
        parts = urlsplit(self.url)
        if "@" in parts.netloc:
            raise Contradiction("url", "an address without user and password", "a URL with them, not shown",
                                "headers: {Authorization: {secret: env:HOOK}}")  # fmt: skip
        if never_called(parts.hostname or ""):
            expected = "an address that is not link-local: clouds keep the machine's credentials there"
            raise Contradiction("url", expected, parts.hostname or "", 'url: "https://hooks.example/headrace"')
        return self


Output = Annotated[LogOutput | SnsOutput | WebhookOutput, Field(discriminator="to")]


class Alerts(Settings):
    """Rules and outputs.

    Attributes:
        settle: a minute is looked at when it has been over for so long, as events come late.
    """

    rules: dict[Name, Rule] = Field(default_factory=dict)
    outputs: dict[Name, Output] = Field(default_factory=dict)
    settle: Duration = timedelta(minutes=2)

    @model_validator(mode="after")
    def _outputs_exist(self) -> "Alerts":
        if problems := list(self._unknown()):
            raise Contradictions(problems)
        return self

    def _unknown(self) -> Iterator[Contradiction]:
        known = sorted({LOG, *self.outputs})
        for name, rule in self.rules.items():
            for one in rule.send:
                if one not in known:
                    expected = f"one of the outputs ({', '.join(known)})"
                    yield Contradiction(f"rules.{name}.send", expected, one, "send: log")


def never_called(host: str) -> bool:
    """Whether it is an address where a cloud tells a machine's credentials (169.254.169.254 and its like)."""
    try:
        # As the system reads them: 2852039166, 0xa9fea9fe and 169.254.43518 are 169.254.169.254 too.
        host = inet_ntoa(inet_aton(host))
    except (OSError, UnicodeError):
        pass
    try:
        address = ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_link_local) or str(mapped) == "fd00:ec2::254"
