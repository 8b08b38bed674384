"""The embedder that the settings name."""

import os
import threading
from collections.abc import Sequence

from headrace.config_knowledge import (
    BedrockEmbed,
    EmbedBase,
    HttpEmbed,
    LangChainEmbed,
    MiniLmEmbed,
    SageMakerEmbed,
    StaticEmbed,
)
from headrace.errors import ConfigError
from headrace.ports import Embedder, Purpose, Unacceptable, Vectors
from headrace.stores.bedrock import BedrockEmbedder
from headrace.stores.http_models import HttpEmbedder
from headrace.stores.langchain_models import LangChainEmbedder
from headrace.stores.local_models import MiniLmEmbedder, StaticEmbedder
from headrace.stores.sagemaker import SageMakerEmbedder

_PROBE = "Headrace keeps a search index in step with its documents."


def embedder(settings: EmbedBase) -> Embedder:
    """A new one. It has an attribute `parallel`, calls at a time, where it gains from several.

    Raises MissingDependency or ConfigError where it cannot be made. No service is asked yet; see `check`.
    """
    match settings:
        case StaticEmbed():
            return StaticEmbedder(settings)
        case MiniLmEmbed():
            return MiniLmEmbedder(settings)
        case BedrockEmbed():
            return BedrockEmbedder(settings)
        case SageMakerEmbed():
            return SageMakerEmbedder(settings)
        case HttpEmbed():
            return HttpEmbedder(settings)
        case LangChainEmbed():
            return LangChainEmbedder(settings)
    raise TypeError(f"no embedder for {type(settings).__name__}")


def check(one: Embedder) -> None:
    """Embed a sentence, as a document and as a query, so that a wrong setting is found before any work is done.

    Without this, a model that refuses every text would send them all to `rejects`.

    Raises:
        Fatal: it can never work: credentials, model, dimension, parameters.
        Retryable: the service does not answer now.
    """
    purposes: tuple[Purpose, ...] = ("document", "query")
    for purpose in purposes:
        try:
            one.embed([_PROBE], purpose)
        except Unacceptable as error:
            todo = "Correct `embed`; no text will pass as it stands."
            raise ConfigError(
                where="embed", expected=f"{one.model} to embed a plain sentence", found=error.found, todo=todo
            ) from error


class _Kept:
    """An embedder that outlives its user: `close` does nothing."""

    def __init__(self, inner: Embedder) -> None:
        self.model, self.dimension, self.fingerprint = inner.model, inner.dimension, inner.fingerprint
        self.batch, self.parallel = inner.batch, int(getattr(inner, "parallel", 1))
        self._inner = inner

    def embed(self, texts: Sequence[str], purpose: Purpose = "document") -> Vectors:
        return self._inner.embed(texts, purpose)

    def close(self) -> None:
        pass


_kept: list[tuple[int, EmbedBase, Embedder]] = []
_making = threading.Lock()


def kept_embedder(settings: EmbedBase) -> Embedder:
    """The one of this process for these settings, made at the first call: a model takes half a second to load."""
    # The process number, because a forked worker starts with its parent's variables.
    here = os.getpid()
    with _making:
        for process, known, made in _kept:
            if process == here and known == settings:
                return made
        _kept.append((here, settings, _Kept(embedder(settings))))
        return _kept[-1][2]
