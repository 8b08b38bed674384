"""Settings of `track_feedback`: which events it reads, and what it measures."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from headrace.config_base import (
    Contradiction,
    Contradictions,
    Duration,
    Name,
    Names,
    Settings,
    Timeout,
    doubled,
    unknown_name,
)
from headrace.config_comprehend import ComprehendComments
from headrace.config_measures import OwnMeasures, shadowed
from headrace.config_publish import MeasureStoreSettings

Local = Literal["vader", "blend", "none"]
Sentiment = Local | Literal["comprehend"]


class Feedback(Settings):
    """Turns and ratings, and measures of them.

    Attributes:
        sources: whose messages are events as docs/conversation-events.md describes them.
        sentiment: the model that tells how comments feel; `none` leaves it out.
        comprehend: how the service is asked, with `sentiment: comprehend`.
        measures: a user's own, beside those that Headrace brings.
        dimensions: what those that Headrace brings are sliced by besides; each multiplies their rows.
        publish: stores by name that get the rows of `measures` after each batch.
        trigger: time between micro-batches.
        purge_tombstones_after: how long withdrawals are remembered.
        hash_key: a secret; who was erased is remembered as keyed hashes only. `profiles.hash_key`, else `datasets.key`,
            stands for it where it is set.
        keep: conversations without a turn or rating for so long leave `turns` and `ratings`; their measures stay. None
            keeps all for good.
    """

    sources: Annotated[Names, Field(min_length=1)]
    sentiment: Sentiment = "vader"
    comprehend: ComprehendComments | None = None
    measures: OwnMeasures = Field(default_factory=dict)
    dimensions: tuple[Literal["tenant", "provider"], ...] = ()
    publish: dict[Name, MeasureStoreSettings] = Field(default_factory=dict)
    trigger: Duration = timedelta(seconds=5)
    purge_tombstones_after: Timeout = timedelta(days=90)
    hash_key: Annotated[SecretStr, Field(min_length=16)] | None = None
    keep: Annotated[Duration, Field(ge=timedelta(days=2))] | None = None  # `resolution` waits for a day

    @model_validator(mode="after")
    def _comprehend_is_asked(self) -> "Feedback":
        if self.comprehend is not None and self.sentiment != "comprehend":
            expected = "sentiment: comprehend where it is described how that is asked"
            raise Contradiction("sentiment", expected, self.sentiment, "sentiment: comprehend")
        return self

    @model_validator(mode="after")
    def _names_are_free(self) -> "Feedback":
        if problems := list(shadowed(self.measures)):
            raise Contradictions(problems)
        return self

    def misfits(self, formats: Mapping[str, str]) -> list[Contradiction]:
        """What does not fit the sources: their formats by name, without those that ask an API."""
        problems = [
            Contradiction("feedback.sources", "each source once", f"{first} twice", f"sources: [{first}]")
            for first, _ in doubled(self.sources)
        ]
        fit = sorted(name for name, format in formats.items() if format == "json")
        return problems + [
            unknown_name("feedback.sources", name, "sources of format: json", fit)
            for name in self.sources
            if name not in fit
        ]
