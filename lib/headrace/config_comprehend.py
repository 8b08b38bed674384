"""Settings of Amazon Comprehend: `track_feedback` and `headrace dataset check` may ask it."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

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


class ComprehendComments(ComprehendSentiment):
    """Sentiment of comments, asked by `track_feedback`.

    Attributes:
        texts_per_day: what a day (UTC) may cost; texts beyond wait for the next.
        seconds_per_batch: time of one micro-batch given to it; texts beyond wait for a later one.
    """

    texts_per_day: Positive | None = None
    seconds_per_batch: Annotated[float, Field(gt=0)] = 20


class ComprehendPersonalData(ComprehendBase):
    """Personal data in a text, English or Spanish."""

    model: Literal["personal-data"] = "personal-data"
