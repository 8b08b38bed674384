"""Settings of the assistant's side: what goes into a prompt, who answers, and how long that may take."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, model_validator

from headrace.config_base import Contradiction, Duration, Settings, Timeout
from headrace.config_chat import Chat, ExtractiveChat
from headrace.config_context import Context
from headrace.config_conversations import Conversations, Events
from headrace.config_judge import Judge


class Answers(Settings):
    """Limits of one answer.

    Attributes:
        timeout: of the whole answer: every try, every pause and every piece.
        first_piece: the longest wait for a model's first words; a connection may not be silent for longer either.
        attempts: tries of one model. There is none after the first piece.
        retry_after: the first pause; it doubles each time. A service that names its own is heard.
        fallback: further models, asked in turn when the one before cannot answer.
    """

    timeout: Timeout = timedelta(seconds=60)
    first_piece: Timeout = timedelta(seconds=20)
    attempts: Annotated[int, Field(ge=1, le=10)] = 2
    retry_after: Duration = timedelta(seconds=0.5)
    fallback: tuple[Chat, ...] = ()

    @model_validator(mode="after")
    def _first_before_last(self) -> "Answers":
        if self.first_piece > self.timeout:
            found = f"{self.first_piece.total_seconds():g}s"
            expected = f"at most timeout, {self.timeout.total_seconds():g}s"
            raise Contradiction("first_piece", expected, found, "{timeout: 60s, first_piece: 20s}")
        return self


class Assistant(Settings):
    """What answers questions.

    Attributes:
        model: asked first.
        context: what goes into a prompt.
        conversations: what is remembered; None for nothing.
        events: where turns and ratings go; None for nowhere.
        judge: a model that says how satisfied people were with whole conversations; None for none.
    """

    model: Chat = ExtractiveChat()
    answers: Answers = Answers()
    context: Context = Context()
    conversations: Conversations | None = None
    events: Events | None = None
    judge: Judge | None = None

    def models(self) -> tuple[Chat, ...]:
        """All of them, in the order in which they are asked."""
        return (self.model, *self.answers.fallback)
