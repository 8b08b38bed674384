"""Settings of Amazon Comprehend; no job uses it, `headrace dataset check` may."""

from datetime import timedelta
from typing import Literal

from headrace.config_base import Positive, Role, Settings, Timeout


class ComprehendBase(Settings):
    """What its operations have in common.

    Attributes:
        region, role: the process's own where not given.
        requests_per_minute: the quota of this operation, shared by all worker processes.
        tokens_per_minute: Comprehend has no such quota.
        timeout: of one call, the wait for its turn included.
    """

    provider: Literal["comprehend"] = "comprehend"
    region: str | None = None
    role: Role | None = None
    requests_per_minute: Positive | None = None
    tokens_per_minute: None = None
    timeout: Timeout = timedelta(seconds=30)


class ComprehendSentiment(ComprehendBase):
    """Sentiment of texts, up to 25 a call."""

    model: Literal["sentiment"] = "sentiment"


class ComprehendPersonalData(ComprehendBase):
    """Personal data in a text, English or Spanish."""

    model: Literal["personal-data"] = "personal-data"
