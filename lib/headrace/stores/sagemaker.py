"""A SageMaker endpoint that runs Text Embeddings Inference, or takes and gives what it does."""

import json
from collections.abc import Sequence
from typing import Any

from headrace.config_knowledge import SageMakerEmbed
from headrace.errors import Fatal, HeadraceError, Retryable
from headrace.ports import Purpose, Throttled, Unacceptable, Vectors
from headrace.stores.aws_clients import aws_client, translated
from headrace.stores.vectors import brief, checked, fingerprint, prefixes, usable

_TEXTS = 32  # what the server takes unless it is told otherwise


class SageMakerEmbedder:
    """Embeds through `InvokeEndpoint`; texts that are too long are cut. It may be used from several threads.

    The fingerprint names the endpoint: behind it may be any model, so a new model needs a new endpoint.

    Args:
        client: of `sagemaker-runtime`; made from the settings where not given.
    """

    def __init__(self, settings: SageMakerEmbed, client: Any = None) -> None:
        self.model, self.dimension, self.parallel = settings.endpoint, settings.dimension, settings.parallel
        self.batch = settings.batch or _TEXTS
        self._prefixes = prefixes(settings)
        purposes = self._prefixes if any(self._prefixes.values()) else None
        self.fingerprint = fingerprint(
            provider="sagemaker", model=self.model, dimension=self.dimension, purposes=purposes, unit=True
        )
        seconds = settings.timeout.total_seconds()
        self._client = client or aws_client(
            "sagemaker-runtime", region=settings.region, role=settings.role, seconds=seconds, calls=settings.parallel
        )

    def embed(self, texts: Sequence[str], purpose: Purpose = "document") -> Vectors:
        """As in `Embedder`."""
        texts = [self._prefixes[purpose] + text for text in usable(texts)]
        raw = self._call(texts) if texts else []
        return checked(raw, len(texts), self.dimension, self.model)

    def _call(self, texts: list[str]) -> Any:
        body = {"inputs": texts, "truncate": True, "normalize": True}
        try:
            response = self._client.invoke_endpoint(
                EndpointName=self.model,
                ContentType="application/json",
                Accept="application/json",
                Body=json.dumps(body, ensure_ascii=False).encode(),
            )
            content = response["Body"].read()
        except Exception as error:
            raise _meant(error, self.model) from error
        try:
            return json.loads(content)
        except ValueError as error:
            found = f"{len(content)} other bytes"
            raise Retryable(where=self.model, expected="JSON", found=found, todo="It is tried again.") from error

    def close(self) -> None:
        """As in `Embedder`."""
        self._client.close()


def _meant(error: Exception, where: str) -> HeadraceError:
    response = getattr(error, "response", None)
    if not isinstance(response, dict) or response.get("Error", {}).get("Code") != "ModelError":
        return translated(error, where)
    # The model's own answer comes inside an error of the endpoint.
    status = int(response.get("OriginalStatusCode") or 0)
    said: dict[str, Any] = {
        "where": where,
        "expected": "vectors",
        "found": f"{status} from the model: {brief(str(response.get('OriginalMessage') or ''))}",
    }
    if status in (429, 503):
        todo = "It is tried again after a pause; lower parallel, or give the endpoint more instances."
        return Throttled(**said, todo=todo, retry_after=None)
    if status in (400, 413, 422):
        return Unacceptable(**said, todo="A smaller batch or a shorter text may pass; see `batch` and `chunk.tokens`.")
    if status in (401, 403, 404, 405):
        return Fatal(**said, todo="Check that the endpoint runs Text Embeddings Inference.")
    return Retryable(**said, todo="It is tried again; where it goes on, look at the endpoint's log.")
