"""Settings of enrichment: a REST API asked once for each key of a table."""

import re
import string
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator

from headrace.config_base import (
    Contradiction,
    Duration,
    Name,
    OptionText,
    Positive,
    Settings,
    Timeout,
    shared,
    unknown_name,
)

if TYPE_CHECKING:
    from headrace.config import Config

ASKED_AT, BODY, CHANGE = "asked_at", "body", "change"
"""Columns of an answer beside its key; `change` is only in deletes."""
_EXAMPLE = "url: https://api.example/v1/weather?city={city}"


class Api(Settings):
    """What is asked, of whom, how often.

    Attributes:
        keys_from: the table whose rows say which keys are asked for, by the key columns of the table that this feeds.
        url: with `{column}` for each of these columns; values are URL-encoded.
        headers: sent with every call; values may be secrets.
        fresh_for: how long an answer is good; then it is asked for again, as long as the key is there.
        requests_per_minute: limit of the service.
        parallel: calls at a time.
        timeout: of one call.
        retry_after: pause before a call that failed is made again; it doubles each time, up to an hour.
        calls_per_day: most calls of a day (UTC).
        max_bytes: a larger answer is a failure.
        ca_file: file (PEM) of the certificates to trust, for a server whose own no public authority signed.
    """

    keys_from: Name
    url: str
    headers: dict[str, OptionText | SecretStr] = Field(default_factory=dict)
    fresh_for: Timeout = timedelta(days=1)
    requests_per_minute: Positive | None = None
    parallel: Annotated[int, Field(ge=1, le=64)] = 4
    timeout: Timeout = timedelta(seconds=10)
    retry_after: Duration = timedelta(seconds=30)
    calls_per_day: Positive | None = None
    max_bytes: Annotated[int, Field(gt=0, le=4 * 1024 * 1024)] = 256 * 1024
    ca_file: str | None = None

    @property
    def tokens_per_minute(self) -> None:
        """No such limit; as the limiter asks for it."""

    @model_validator(mode="after")
    def _plain_address(self) -> "Api":
        try:
            parts, columns = urlsplit(self.url), list(placeholders(self.url))
        except ValueError:
            raise Contradiction("url", "a URL with {column} in it", "one that cannot be read", _EXAMPLE) from None
        if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[\s{}@]", parts.netloc):
            expected = "an http or https URL whose host is written out, without a login"
            raise Contradiction("url", expected, "another one", _EXAMPLE)
        if "{" in parts.fragment or "#" in self.url:
            raise Contradiction("url", "a URL without #, which is never sent", "one with it", _EXAMPLE)
        if not columns:
            raise Contradiction("url", "a URL with {column} for each key column", "none in it", _EXAMPLE)
        for name, value in self.headers.items():
            text = value.get_secret_value() if isinstance(value, SecretStr) else value
            if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or re.search(r"[\r\n\0]", text):
                expected = "a header on one line"
                raise Contradiction("headers", expected, "a name or a value that is none", "headers: {Accept: text}")
        return self


def placeholders(url: str) -> Iterator[str]:
    """The columns in a URL. Raises ValueError for braces that hold no name of a column."""
    for _, column, form, conversion in string.Formatter().parse(url):
        if column is not None:
            if form or conversion or not re.fullmatch(r"\w[\w -]*", column):
                raise ValueError(column)
            yield column


def apis(config: "Config") -> dict[str, tuple[str, Api]]:
    """By the table that it feeds, each API's source and settings."""
    found: dict[str, tuple[str, Api]] = {}
    for name, source in config.sources.items():
        if isinstance(source, Api):
            found |= {table: (name, source) for table in config.tables_of(name)}
    return found


def misfits(config: "Config") -> Iterator[Contradiction]:
    """Every contradiction between APIs and the tables."""
    tables: Mapping[str, tuple[str, ...]] = config.keys()
    for name, source in config.sources.items():
        if not isinstance(source, Api):
            continue
        where, fed = f"sources.{name}", list(config.tables_of(name))
        if len(fed) > 1:
            yield Contradiction(
                f"tables.{fed[1]}.source", "one table for each API", f"{fed[0]} as well", "source: feed"
            )
        if source.keys_from not in tables or source.keys_from in fed:
            known = sorted(set(tables) - set(fed))
            yield unknown_name(f"{where}.keys_from", source.keys_from, "tables", known)
        for table in fed[:1]:
            yield from _columns(where, source, table, tables[table])


def _columns(where: str, source: Api, table: str, key: tuple[str, ...]) -> Iterator[Contradiction]:
    asked = set(placeholders(source.url))
    if asked != set(key):
        expected = f"{{column}} for each key column of {table} ({', '.join(key)}), and for no other"
        yield Contradiction(f"{where}.url", expected, ", ".join(sorted(asked)), _EXAMPLE)
    for column in shared(key, [ASKED_AT, BODY, CHANGE]):
        expected = f"key columns other than {ASKED_AT}, {BODY} and {CHANGE}, which an answer brings"
        yield Contradiction(f"tables.{table}.key", expected, column, "key: [city]")
