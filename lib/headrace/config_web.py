"""Settings of `headrace serve`: who may see what, and which feeds are taken over HTTP."""

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from headrace.config_base import Contradiction, Name, Names, Positive, Settings, Text, Timeout
from headrace.config_sources import FilesSource

if TYPE_CHECKING:
    from headrace.config import Config

PageName = Literal["assistant", "freshness", "measures", "person"]
EVERY_PAGE: tuple[PageName, ...] = ("assistant", "freshness", "measures", "person")
LEAST_TOKEN = 16
_HOST = re.compile(r"[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]")


class Sight(Settings):
    """What somebody may see. All of it is decided here; nothing in a request widens it.

    Attributes:
        pages: `freshness` shows the whole deployment, whoever's data it is.
        tenant, audience: passages, people and measures of this tenant; groups that they are in.
        person: who they are: whose profile their answers use. With the page `person` they may name another.
        webhooks: sources that they may send to.
    """

    pages: tuple[PageName, ...] = ("assistant",)
    tenant: Text | None = None
    audience: Names = ()
    person: Text | None = None
    webhooks: Names = ()


class Reader(Sight):
    """Somebody with a token: a person's, or an application's."""

    token: SecretStr

    @model_validator(mode="after")
    def _hard_to_guess(self) -> "Reader":
        if len(self.token.get_secret_value()) < LEAST_TOKEN:
            expected, example = f"at least {LEAST_TOKEN} characters", "token: {secret: env:ADA_TOKEN}"
            raise Contradiction("token", expected, "fewer, not shown", example)
        return self


class Web(Settings):
    """`headrace serve`.

    Attributes:
        readers: by name. Without any, whoever reaches the address sees what `local` says, and only a loopback address
            is bound.
        hosts: names besides the bound address under which browsers reach it; others are refused.
        webhooks: sources `from: files` whose folder takes what is posted.
        tenant_field: the field of a profile that says whose tenant a person is.
        stale_after: a source or a job that is behind and silent for so long is shown as stale.
        most_bytes: of a request.
        answers_at_once: more are refused for a moment.
        per_minute: requests of one reader, or of one address before it has shown a token.
        audit: a file that gets a line for each personal record read; the log gets it where there is none.
        https: it is reached through a proxy with TLS, so that cookies never travel without.
    """

    readers: dict[Name, Reader] = Field(default_factory=dict)
    local: Sight = Sight(pages=EVERY_PAGE)
    hosts: Names = ()
    webhooks: Names = ()
    tenant_field: Name | None = None
    stale_after: Timeout = timedelta(minutes=5)
    most_bytes: Annotated[int, Field(ge=1_024, le=64 * 1024 * 1024)] = 1024 * 1024
    answers_at_once: Annotated[int, Field(ge=1, le=256)] = 16
    per_minute: Positive = 1_200
    audit: Text | None = None
    https: bool = False

    @model_validator(mode="after")
    def _fits(self) -> "Web":
        for host in self.hosts:
            if not _HOST.fullmatch(host):
                raise Contradiction("hosts", "names without scheme and port", host, "hosts: [assistant.example.com]")
        for one, other in combinations(self.readers, 2):
            if self.readers[one].token == self.readers[other].token:
                found = f"that of {one}, not shown"
                example = "token: {secret: env:ADA_TOKEN}"
                raise Contradiction(f"readers.{other}.token", "a token of its own", found, example)
        for where, sight in self.sights():
            if sight.tenant and "person" in sight.pages and self.tenant_field is None:
                expected = "tenant_field, which tells whose tenant a person is"
                raise Contradiction(f"{where}.tenant", expected, "none", "tenant_field: tenant")
        return self

    def sights(self) -> Iterator[tuple[str, Sight]]:
        """Everybody, with the place of their settings."""
        yield "local", self.local
        yield from ((f"readers.{name}", one) for name, one in self.readers.items())


def misfits(config: "Config") -> Iterator[Contradiction]:
    """What of `web` does not fit the other settings."""
    web = config.web
    for name in web.webhooks:
        source = config.sources.get(name)
        if not isinstance(source, FilesSource) or "://" in source.path or source.encoding not in ("auto", "json"):
            expected = "a source from: files in a folder of this machine, of JSON lines"
            yield Contradiction("web.webhooks", expected, name, "webhooks: [feed]")
    for where, sight in web.sights():
        for name in sight.webhooks:
            if name not in web.webhooks:
                known = ", ".join(web.webhooks) or "there are none"
                yield Contradiction(f"web.{where}.webhooks", f"some of web.webhooks ({known})", name, "webhooks: []")
