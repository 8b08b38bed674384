"""Amazon Bedrock's text embeddings: Titan Text v2 and Cohere Embed v3 and v4.

Titan takes one text a call, so its speed comes from calls side by side (`parallel`).
"""

import json
import re
from collections.abc import Sequence
from typing import Any

from headrace.config_knowledge import BedrockEmbed
from headrace.errors import ConfigError, Retryable
from headrace.ports import Purpose, Vectors
from headrace.stores.aws_clients import aws_client, translated
from headrace.stores.vectors import checked, fingerprint, usable

_TITAN, _COHERE_3, _COHERE_4 = "titan-embed-text-v2", "cohere.embed-v3", "cohere.embed-v4"
_DIMENSIONS = {_TITAN: (256, 512, 1024), _COHERE_3: (1024,), _COHERE_4: (256, 512, 1024, 1536)}
_COHERE_TEXTS = 96
_COHERE_PURPOSE = {"document": "search_document", "query": "search_query"}


class BedrockEmbedder:
    """Embeds through `InvokeModel`. It may be used from several threads.

    Cohere cuts texts that are too long at their end; Titan refuses them.

    Args:
        client: of `bedrock-runtime`; made from the settings where not given.

    Raises ConfigError for a model of another family, or a dimension it does not have.
    """

    def __init__(self, settings: BedrockEmbed, client: Any = None) -> None:
        self.model, self.dimension, self.parallel = settings.model, settings.dimension, settings.parallel
        self._family = _family(settings)
        most = 1 if self._family == _TITAN else _COHERE_TEXTS
        self.batch = min(settings.batch or most, most)
        # The same model has other names per region; its vectors are the same.
        name = re.sub(r"^[a-z-]+\.(?=amazon\.|cohere\.)", "", settings.model.rsplit("/", 1)[-1])
        purposes = None if self._family == _TITAN else _COHERE_PURPOSE
        self.fingerprint = fingerprint(
            provider="bedrock", model=name, dimension=self.dimension, purposes=purposes, unit=True
        )
        seconds = settings.timeout.total_seconds()
        self._client = client or aws_client(
            "bedrock-runtime", region=settings.region, role=settings.role, seconds=seconds, calls=settings.parallel
        )

    def embed(self, texts: Sequence[str], purpose: Purpose = "document") -> Vectors:
        """As in `Embedder`."""
        texts = usable(texts)
        titan = self._family == _TITAN or not texts
        raw = [self._titan(text) for text in texts] if titan else self._cohere(texts, purpose)
        return checked(raw, len(texts), self.dimension, self.model)

    def _titan(self, text: str) -> Any:
        answer = self._call({"inputText": text, "dimensions": self.dimension, "normalize": True})
        return answer.get("embedding")

    def _cohere(self, texts: list[str], purpose: Purpose) -> Any:
        body: dict[str, Any] = {
            "texts": texts, "input_type": _COHERE_PURPOSE[purpose], "truncate": "END", "embedding_types": ["float"],
        }  # fmt: skip
        if self._family == _COHERE_4:
            body |= {"truncate": "RIGHT", "output_dimension": self.dimension}
        vectors = self._call(body).get("embeddings")
        return vectors.get("float") if isinstance(vectors, dict) else vectors

    def _call(self, body: dict[str, Any]) -> dict[str, Any]:
        try:
            response = self._client.invoke_model(
                modelId=self.model,
                contentType="application/json",
                accept="application/json",
                body=json.dumps(body, ensure_ascii=False).encode(),
            )
            content = response["body"].read()
        except Exception as error:
            raise translated(error, self.model) from error
        return _object(content, self.model)

    def close(self) -> None:
        """As in `Embedder`."""
        self._client.close()


def _object(content: bytes, where: str) -> dict[str, Any]:
    try:
        answer = json.loads(content)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        todo = "It is tried again."
        raise Retryable(where=where, expected="a JSON object", found=f"{len(content)} other bytes", todo=todo)
    return answer


def _family(settings: BedrockEmbed) -> str:
    if _TITAN in settings.model:
        family = _TITAN
    elif _COHERE_4 in settings.model:
        family = _COHERE_4
    elif re.search(r"cohere\.embed-(english|multilingual)-v3", settings.model):
        family = _COHERE_3
    else:
        todo = "Name one of these, with or without the prefix of an inference profile, such as `eu.`."
        expected = "amazon.titan-embed-text-v2:0, cohere.embed-english-v3, cohere.embed-multilingual-v3 or "
        raise ConfigError(where="embed.model", expected=expected + "cohere.embed-v4:0", found=settings.model, todo=todo)
    if settings.dimension not in _DIMENSIONS[family]:
        expected = " or ".join(map(str, _DIMENSIONS[family]))
        todo = f"Set `dimension: {_DIMENSIONS[family][-1]}`, or another of these."
        raise ConfigError(where="embed.dimension", expected=expected, found=str(settings.dimension), todo=todo)
    return family
