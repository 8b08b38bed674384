"""What answering asks of a language model, and what it may use. Stores implement `ChatModel`, as with `ports`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from headrace.config_chat import Price

Kind = Literal["passage", "profile", "row"]
Ended = Literal["done", "length", "refused"]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that an answer may use and cite.

    Attributes:
        id: what an answer cites it by, such as `p1`; once in a context.
        kind: a passage of the index, what a profile says, or a row of a served table.
        text: as the model is shown it.
        source: the feed or table it comes from.
        key, version, position: which state of what; position where one is known.
        age: seconds since it changed at its source; None where nobody knows.
        stale: older than the settings allow its source to be.
        suspicious: holds words that look meant for the model.
    """

    id: str
    kind: Kind
    text: str
    source: str
    key: str
    version: int
    position: str | None = None
    age: float | None = None
    stale: bool = False
    suspicious: bool = False
    title: str | None = None
    url: str | None = None


class ChatMessage(NamedTuple):
    """One turn of a conversation."""

    role: Literal["user", "assistant"]
    text: str


class Form(NamedTuple):
    """What an answer must be, instead of text: one JSON object.

    Attributes:
        name: letters, digits, `_` and `-`.
        schema: JSON Schema of the object. Services check it themselves, some only in part: the answer must be checked.
    """

    name: str
    description: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What a model is asked.

    Attributes:
        system: instructions, and the items as text.
        messages: the last turns, oldest first; the last one is the question, of the user.
        items: the same items, for a model that quotes instead of writing.
        max_tokens: the longest answer.
        metadata: kept by the service beside its log of the call, such as `conversation` and `turn`. No secret.
        form: the answer is a JSON object of this form, as text; None for free text.
    """

    system: str
    messages: Sequence[ChatMessage]
    items: Sequence[Item] = ()
    max_tokens: int = 1024
    temperature: float | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    form: Form | None = None


@dataclass(frozen=True, slots=True)
class ChatEnd:
    """How an answer ended. Tokens are None where the service does not count them.

    Attributes:
        reason: `refused` where the model or a guard of its service did not answer.
        input_tokens: all of them, cached ones too.
        cached_tokens: those of the input that the service had kept from an earlier call.
    """

    reason: Ended
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None


class ChatModel(Protocol):
    """Answers. One per process, used from several threads.

    Attributes:
        name: the model's, e.g. `eu.amazon.nova-lite-v1:0`.
    """

    name: str

    def stream(self, request: ChatRequest) -> Iterator[str | ChatEnd]:
        """Pieces of the answer as they come, then one `ChatEnd`.

        Raises, before the first piece or between two:
            Throttled, Retryable: the same call may work later.
            Unacceptable: this request will never be answered, such as one that is too long.
            Fatal: no call will work (credentials, unknown model).
        """

    def close(self) -> None:
        """Give back what it holds."""


class Answerer(NamedTuple):
    """A model that may be asked, and what the settings say of it.

    Attributes:
        provider: as the settings name it.
        price: None where the settings have none.
    """

    provider: str
    model: ChatModel
    price: Price | None = None
