"""Settings of the judge: a model that says how satisfied people were with whole conversations, of a sample."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from headrace.config_base import Positive, Settings, Text, Timeout
from headrace.config_chat import BedrockChat, OpenAiChat, SageMakerChat


class Judge(Settings):
    """A model that judges.

    Attributes:
        model: one that fills in a form (JSON Schema); what it writes as text is not taken.
        sample: conversations to be judged at most in one run.
        timeout: of one verdict.
        attempts: tries for one verdict.
        purpose: what the person must have agreed to in every turn; None for conversations of all.
    """

    model: Annotated[BedrockChat | SageMakerChat | OpenAiChat, Field(discriminator="provider")]
    sample: Positive = 100
    timeout: Timeout = timedelta(seconds=60)
    attempts: Annotated[int, Field(ge=1, le=5)] = 2
    purpose: Text | None = None
