"""Connections over HTTP, by the proxy of the environment where one is set."""

import ssl
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from headrace.errors import ConfigError


def pool(url: str, *, seconds: float, calls: int, ca_file: str | None, where: str) -> Any:
    """A pool of urllib3 for one server. It follows no redirects and tries nothing again.

    Args:
        seconds: the longest wait for the next byte.
        calls: at a time.
        ca_file: file of the certificates to trust, instead of the public authorities.
        where: the key of the settings that holds `url` and `ca_file`.

    Raises ConfigError for a URL that is not http or https, and for a file `ca_file` without certificates.
    """
    import urllib3

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(
            where=f"{where}.url",
            expected="an http or https URL",
            found=f"scheme `{parts.scheme}`",
            todo="For example `url: http://localhost:8080/v1`.",
        )
    options: dict[str, Any] = {
        "timeout": urllib3.Timeout(connect=min(5.0, seconds), read=seconds),
        "maxsize": calls,
        "retries": False,
        "ssl_context": _trust(ca_file, where) if parts.scheme == "https" else None,
    }
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy and not urllib.request.proxy_bypass(parts.netloc):
        return urllib3.ProxyManager(proxy, **options)
    return urllib3.PoolManager(**options)


def headers(key: SecretStr | None, given: Mapping[str, str | SecretStr], accept: str) -> dict[str, str]:
    """The headers of a call that sends JSON: its key as a bearer's, then those of the settings."""
    found = {"Content-Type": "application/json", "Accept": accept}
    if key is not None:
        found["Authorization"] = f"Bearer {key.get_secret_value()}"
    return found | {name: plain(value) for name, value in given.items()}


def secrets(key: SecretStr | None, given: Mapping[str, str | SecretStr]) -> list[str]:
    """What of them must not be shown; some servers repeat the key they refuse."""
    return [text.get_secret_value() for text in (key, *given.values()) if isinstance(text, SecretStr) and text]


def plain(value: str | SecretStr) -> str:
    """The text of a header."""
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _trust(ca_file: str | None, where: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise ConfigError(
            where=f"{where}.ca_file",
            expected="a file with certificates (PEM)",
            found=f"{ca_file}: {error.strerror or error}",
            todo="Name a file of certificates, or leave `ca_file` out to trust the public authorities.",
        ) from None
