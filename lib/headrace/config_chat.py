"""Settings of the models that answer: provider, limits of one answer and prices."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr

from headrace.config_base import OptionText, Positive, Role, Settings, Text, Url

Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Price(Settings):
    """What a model costs, for a million tokens.

    Attributes:
        cached: of input that the service had kept from an earlier call; as other input where not given.
        as_of: the day of the price list; prices move.
    """

    input: Amount
    output: Amount
    cached: Amount | None = None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = "USD"
    as_of: date


class ExtractiveChat(Settings):
    """No model: the best sentences of what was found, each with its citation. Runs anywhere and says what it is.

    Attributes:
        sentences: the most it quotes.
    """

    provider: Literal["extractive"] = "extractive"
    sentences: Annotated[int, Field(ge=1, le=20)] = 3


class ModelChat(Settings):
    """What every model has in common.

    Attributes:
        max_tokens: the longest answer; a request may ask for a shorter one.
        temperature: the service's own where not given.
        parallel: answers at a time in this process.
    """

    max_tokens: Positive = 1024
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    parallel: Annotated[int, Field(ge=1, le=256)] = 16
    price: Price | None = None


class Guardrail(Settings):
    """A guardrail of Amazon Bedrock that looks at the question and at the answer."""

    id: Text
    version: Annotated[str, Field(pattern=r"^([1-9][0-9]{0,7}|DRAFT)$")]


class BedrockChat(ModelChat):
    """A model of Amazon Bedrock, through Converse."""

    provider: Literal["bedrock"]
    model: Text
    region: str | None = None
    role: Role | None = None
    guardrail: Guardrail | None = None


class SageMakerChat(ModelChat):
    """A SageMaker endpoint that takes OpenAI's messages and streams, as TGI, vLLM and LMI containers do.

    Attributes:
        model: what the container calls its model, where it asks for a name.
        count_tokens: ask for the number of tokens at the end of a stream; some containers refuse that.
    """

    provider: Literal["sagemaker"]
    endpoint: Text
    model: Text | None = None
    count_tokens: bool = True
    region: str | None = None
    role: Role | None = None


class OpenAiChat(ModelChat):
    """Any server with OpenAI's `POST /v1/chat/completions`: vLLM, TGI, Ollama, llama.cpp, OpenAI itself.

    Attributes:
        url: up to and with `/v1`.
        headers: of every request, beside those that the protocol needs.
        ca_file: certificates (PEM) to trust, for a server whose own no public authority signed.
        stream: off for a server that answers in one piece only.
        count_tokens: ask for the number of tokens at the end of a stream; some servers refuse that.
        length_field: what the server calls the limit of an answer; OpenAI's reasoning models want the longer name.
    """

    provider: Literal["openai"]
    url: Url
    model: Text
    key: SecretStr | None = None
    headers: dict[str, OptionText | SecretStr] = Field(default_factory=dict)
    ca_file: str | None = None
    stream: bool = True
    count_tokens: bool = True
    length_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"


_OTHERS = (BedrockChat, SageMakerChat, OpenAiChat)


def extractive_by_default(value: Any) -> Any:
    """Without `provider` it is the extractive one, unless a key that only another has shows that it was forgotten."""
    if isinstance(value, dict) and "provider" not in value:
        theirs = {key for other in _OTHERS for key in other.model_fields}
        return value if theirs & set(value) else {**value, "provider": "extractive"}
    return value


Chat = Annotated[
    ExtractiveChat | BedrockChat | SageMakerChat | OpenAiChat,
    Field(discriminator="provider"),
    BeforeValidator(extractive_by_default),
]
