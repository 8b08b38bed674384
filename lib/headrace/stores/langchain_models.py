"""Any LangChain `Embeddings`. Only its two methods are used; LangChain itself is not imported here."""

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import SecretStr, ValidationError

from headrace.config_knowledge import LangChainEmbed
from headrace.errors import ConfigError, HeadraceError, MissingDependency, Retryable, Unreachable
from headrace.ports import Purpose, Throttled, Vectors
from headrace.stores.aws_clients import translated
from headrace.stores.http_models import meaning
from headrace.stores.vectors import brief, checked, fingerprint, prefixes, seconds_of, usable

_TEXTS = 32
_THROTTLED = ("ratelimit", "throttl", "toomanyrequests", "resourceexhausted", "quotaexceeded")
_AWAY = ("timeout", "connection", "connecterror", "unavailable", "networkerror")


class LangChainEmbedder:
    """Embeds through `embed_documents` and `embed_query` of an object made here from its import path.

    The fingerprint holds the arguments too, except secrets: any may change the vectors.

    Raises:
        MissingDependency: the module, or one it needs, is not installed.
        ConfigError: there is no such class, or it does not take the arguments.
    """

    def __init__(self, settings: LangChainEmbed) -> None:
        self.model, self.dimension, self.parallel = settings.model, settings.dimension, settings.parallel
        self.batch = settings.batch or _TEXTS
        given = settings.arguments.items()
        secret = {name: value.get_secret_value() for name, value in given if isinstance(value, SecretStr)}
        plain = {name: value for name, value in given if not isinstance(value, SecretStr)}
        self._prefixes = prefixes(settings)
        more = {"prefixes": self._prefixes} if any(self._prefixes.values()) else {}
        self.fingerprint = fingerprint(
            provider="langchain", path=settings.path, model=self.model, dimension=self.dimension, arguments=plain,
            unit=True, **more,
        )  # fmt: skip
        self._secrets = [value for value in secret.values() if value]
        self._inner = self._made(settings, secret | plain)

    def embed(self, texts: Sequence[str], purpose: Purpose = "document") -> Vectors:
        """As in `Embedder`. Queries go one by one, as LangChain takes them."""
        texts = [self._prefixes[purpose] + text for text in usable(texts)]
        try:
            if purpose == "query":
                raw: Any = [self._inner.embed_query(text) for text in texts]
            else:
                raw = self._inner.embed_documents(texts) if texts else []
        except HeadraceError:
            raise
        except Exception as error:
            raise _meant(error, self.model, self._said(error)) from self._cause(error)
        return checked(raw, len(texts), self.dimension, self.model)

    def _made(self, settings: LangChainEmbed, arguments: Mapping[str, str]) -> Any:
        kind = _imported(settings.path)
        try:
            return kind(**arguments)
        except ImportError as error:  # many of these classes look for their client only now
            raise _missing(settings.path, error) from error
        except Exception as error:
            todo = "Correct embed.arguments; they are given as text, by name."
            expected = f"arguments that {settings.path} takes"
            cause = self._cause(error)
            raise ConfigError(where="embed.arguments", expected=expected, found=self._said(error), todo=todo) from cause

    def _cause(self, error: Exception) -> Exception | None:
        # A traceback shows the cause's own words, pydantic's with the whole input in pieces.
        shows = isinstance(error, ValidationError) or any(secret in str(error) for secret in self._secrets)
        return None if shows and self._secrets else error

    def _said(self, error: Exception) -> str:
        text = str(error)
        if isinstance(error, ValidationError):
            text = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return f"{type(error).__name__}: {brief(text)}"

    def close(self) -> None:
        """As in `Embedder`."""


def _imported(path: str) -> Any:
    module, _, name = path.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except ImportError as error:
        raise _missing(path, error) from error
    except AttributeError as error:
        todo = "For example `path: langchain_openai:OpenAIEmbeddings`."
        raise ConfigError(where="embed.path", expected=f"{name} in module {module}", found="none", todo=todo) from error
    return found


def _missing(path: str, error: ImportError) -> MissingDependency:
    package = (error.name or path.partition(":")[0]).partition(".")[0].replace("_", "-")
    todo = f"Run `pip install {package}` where the workers run; see the class's documentation for its package's name."
    return MissingDependency(where="embed.path", expected=f"what {path} needs", found=brief(str(error)), todo=todo)


def _meant(error: Exception, where: str, said: str) -> HeadraceError:
    """What an exception of an unknown client means, from its status, else from its name."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):  # botocore's
        return translated(error, where)
    headers = _headers(error)
    if isinstance(status := _status(error), int) and status >= 400:
        return meaning(status, headers, said.encode(), where)
    name = type(error).__name__.lower()
    about = {"where": where, "expected": "vectors", "found": said}
    if any(word in name for word in _THROTTLED):
        pause = seconds_of(str(getattr(error, "retry_after", "")))
        return Throttled(**about, todo="It is tried again after a pause.", retry_after=pause)
    if isinstance(error, TimeoutError | OSError) or any(word in name for word in _AWAY):
        return Unreachable(**about, todo="It is tried again; check the network and the service.")
    return Retryable(**about, todo="It is tried again; where it goes on, look at the model's own log.")


def _status(error: Exception) -> Any:
    for owner in (error, getattr(error, "response", None)):
        for name in ("status_code", "http_status", "status", "code"):
            if isinstance(value := getattr(owner, name, None), int) and not isinstance(value, bool):
                return value
    return None


def _headers(error: Exception) -> Mapping[str, str]:
    found = getattr(getattr(error, "response", None), "headers", None) or getattr(error, "headers", None) or {}
    headers = {str(name): str(value) for name, value in dict(found).items()}
    if (pause := getattr(error, "retry_after", None)) is not None:
        headers.setdefault("retry-after", str(pause))
    return headers
