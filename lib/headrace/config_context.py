"""Settings of the context: what goes into a prompt, how much of it, and when it counts as stale."""

from datetime import timedelta
from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from headrace.config_base import Contradiction, Duration, Positive, Settings, Text, Timeout

PartName = Literal["rows", "profile", "conversation", "passages"]
PARTS: tuple[PartName, ...] = get_args(PartName)


class Part(Settings):
    """How much one part may take; the smaller of the two.

    Attributes:
        share: of the whole budget.
        most: tokens.
        timeout: how long its source may take.
    """

    share: Annotated[float, Field(ge=0, le=1)] = 1.0
    most: Positive | None = None
    timeout: Timeout = timedelta(seconds=2)

    def limit(self, total: int) -> int:
        """Tokens, of a budget of `total`."""
        share = int(total * self.share)
        return share if self.most is None else min(share, self.most)


class StaleAfter(Settings):
    """The age from which on a passage or a part of a profile is marked as stale. Served tables have their own.

    Attributes:
        sources: by feed of documents, `profile.fields`, or feed of profiles.
    """

    default: Duration = timedelta(days=30)
    sources: dict[str, Duration] = Field(default_factory=dict)

    def of(self, source: str) -> timedelta:
        """The limit of a source."""
        return self.sources.get(source, self.default)


class Context(Settings):
    """What goes into a prompt.

    Attributes:
        tokens: the whole prompt: template, items, turns and question.
        order: parts, the most important first; it is filled first.
        turns: of the conversation, the last so many messages.
        most_passages: how many are looked for.
        mode: how.
        drop_stale, drop_suspicious: leave such items out instead of marking them.
        question_characters: a longer question is refused.
        template: a file with the words around the items; docs/context.md says what may stand in it.
    """

    tokens: Annotated[int, Field(ge=1_000, le=1_000_000)] = 6_000
    order: tuple[PartName, ...] = PARTS
    rows: Part = Part(share=0.25)
    profile: Part = Part(share=0.2)
    conversation: Part = Part(share=0.25)
    passages: Part = Part(share=0.6)
    turns: Annotated[int, Field(ge=0, le=100)] = 10
    most_passages: Annotated[int, Field(ge=1, le=100)] = 8
    mode: Literal["hybrid", "words", "vector"] = "hybrid"
    stale_after: StaleAfter = StaleAfter()
    drop_stale: bool = False
    drop_suspicious: bool = False
    question_characters: Positive = 4_000
    template: Text | None = None

    @model_validator(mode="after")
    def _all_parts_once(self) -> "Context":
        if sorted(self.order) != sorted(PARTS):
            example = f"order: [{', '.join(PARTS)}]"
            raise Contradiction("order", "each part once", ", ".join(self.order) or "none", example)
        return self

    def part(self, name: PartName) -> Part:
        """The settings of a part."""
        parts: dict[PartName, Part] = {
            "rows": self.rows, "profile": self.profile, "conversation": self.conversation, "passages": self.passages,
        }  # fmt: skip
        return parts[name]
