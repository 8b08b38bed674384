"""What the assistant remembers and tells of a question: the conversation store and the stream of events. No Spark."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from types import TracebackType
from uuid import uuid4

from headrace.config_assistant import Assistant
from headrace.context.answered import Answer
from headrace.context.context import Context
from headrace.conversations.events import Turn
from headrace.conversations.store import Conversations
from headrace.conversations.turn_event import turn_event, unremembered
from headrace.errors import ConfigError, HeadraceError
from headrace.ports_chat import ChatMessage
from headrace.ports_events import EventSink
from headrace.stores import keyed
from headrace.stores.event_sinks import sink


def conversations(settings: Assistant) -> Conversations | None:
    """The conversation store, opened; None where the settings name none."""
    chosen = settings.conversations
    if chosen is None:
        return None
    return Conversations(keyed.rows(chosen.store), keyed.reader(chosen.store), chosen.keep)


@dataclass(frozen=True, slots=True)
class Kept:
    """Where a turn is found again, for ratings of it."""

    conversation: str
    turn: int


class Conversing:
    """One conversation, or a single question; to be closed.

    Args:
        conversation: its id; None for a question that nothing comes before or after.

    Raises:
        ConfigError: an id is given, and the settings name no store of conversations.
    """

    def __init__(self, settings: Assistant, conversation: str | None) -> None:
        if conversation is not None and settings.conversations is None:
            todo = "Add `assistant: {conversations: {store: {store: sqlite, path: ./conversations.db}}}`."
            raise ConfigError(where="assistant.conversations", expected="a store", found="none", todo=todo)
        self.conversation = conversation or uuid4().hex
        self._settings = settings
        self._store = conversations(settings) if conversation is not None else None
        self._sink: EventSink | None = None

    def before(self) -> list[ChatMessage]:
        """What was said so far."""
        return self._store.messages(self.conversation) if self._store else []

    def metadata(self) -> dict[str, str]:
        """For the model's request: conversation and turn."""
        turn = self._store.next_turn(self.conversation) if self._store else 1
        return {"conversation": self.conversation, "turn": str(turn)}

    def keep(self, answer: Answer, context: Context, *, prompt: str, purposes: Collection[str] = ()) -> Kept | None:
        """Remember the turn and tell of it; None where the settings name neither store nor stream.

        A failed or empty answer is told, and remembered as a question without an answer. What the store does not take
        is told all the same. Raises HeadraceError then.
        """
        turn = 1
        try:
            if self._store:
                said = answer.text if answer.outcome in ("answered", "refused") else ""
                turn = self._store.add(
                    self.conversation, context.question, said, answer.started_at, person=context.person
                )
        except HeadraceError:
            self._tell(answer, context, turn, prompt, purposes, unremembered)
            raise
        self._tell(answer, context, turn, prompt, purposes, lambda event: event)
        return Kept(self.conversation, turn) if self._store or self._sink else None

    def _tell(
        self,
        answer: Answer,
        context: Context,
        turn: int,
        prompt: str,
        purposes: Collection[str],
        of: Callable[[Turn], Turn],
    ) -> None:
        if self._settings.events:
            self._sink = self._sink or sink(self._settings.events)
            event = turn_event(
                answer, context, self.conversation, turn, prompt=prompt, channel="terminal", purposes=purposes,
                texts=self._settings.events.texts,
            )  # fmt: skip
            self._sink.send(of(event).to_json())

    def __enter__(self) -> "Conversing":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._sink:
            self._sink.close()
        if self._store:
            self._store.close()
