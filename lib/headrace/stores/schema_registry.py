"""Schema registries: Confluent's REST API here, AWS Glue's beside it. Each worker process opens its own client."""

import os
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID

import msgspec

from headrace.config_registry import ConfluentRegistry, GlueRegistry
from headrace.config_sources import KafkaSource, KinesisSource, Source
from headrace.errors import Fatal, FromWorker, HeadraceError, Retryable, Unreachable
from headrace.ports import SchemaLookup, WriterSchema
from headrace.stores.glue_registry import Glue
from headrace.stores.http_client import pool
from headrace.stores.kinesis.backoff import Backoff
from headrace.stores.vectors import brief

GIVE_UP_SECONDS = 60.0
"""How long a registry that does not answer is asked again before the batch fails."""
_CALL_SECONDS = 10.0
_LARGEST = 1 << 24
_ACCEPT = "application/vnd.schemaregistry.v1+json, application/json"
_NONE = frozenset({40401, 40402, 40403})
"""Confluent's codes: no such subject, version, schema. A plain 404 comes from something that is no registry."""
_MOST_IMPORTS = 500
_RAISED = re.compile(r"headrace\.(?:errors|ports)\.(\w+): (schema registry .+)")
_LATER = ("Retryable", "Unreachable", "Throttled")


def client_of(source: Source) -> Callable[[], SchemaLookup] | None:
    """What opens the client of a source's registry in a worker; None for a source without one."""
    if isinstance(source, KafkaSource | KinesisSource) and source.registry is not None:
        return partial(opened, source.registry)
    return None


_opened: dict[tuple[int, ConfluentRegistry | GlueRegistry], "Remembering"] = {}


def opened(settings: ConfluentRegistry | GlueRegistry) -> "Remembering":
    """The one client of this process for these settings."""
    # The process number, because a forked worker starts with its parent's variables.
    key = (os.getpid(), settings)
    if key not in _opened:
        _opened[key] = Remembering(asked(settings))
    return _opened[key]


def asked(settings: ConfluentRegistry | GlueRegistry, backoff: Backoff | None = None) -> "Confluent | Glue":
    """A client that asks for every schema again."""
    patience = backoff or Backoff(give_up=GIVE_UP_SECONDS)
    return Glue(settings, patience) if isinstance(settings, GlueRegistry) else Confluent(settings, patience)


class Remembering:
    """Schemas never change under their id, so each is asked for once. What is missing may come: it is asked again."""

    def __init__(self, client: SchemaLookup) -> None:
        self._client = client
        self._known: dict[int | UUID, WriterSchema] = {}

    def schema(self, id: int | UUID) -> WriterSchema | None:
        """As in `SchemaLookup`."""
        found = self._known.get(id) or self._client.schema(id)
        if found is not None:
            self._known[id] = found
        return found


class Confluent:
    """A registry with Confluent's REST API. Raises (every method): as `SchemaLookup`."""

    def __init__(self, settings: ConfluentRegistry, backoff: Backoff) -> None:
        self._url, self._backoff = settings.url.rstrip("/"), backoff
        self._where = f"schema registry {urlsplit(self._url).netloc}"
        self._headers = _headers(settings)
        self._pool = pool(self._url, seconds=_CALL_SECONDS, calls=1, ca_file=settings.ca_file, where="registry")

    def schema(self, id: int | UUID) -> WriterSchema | None:
        """As in `SchemaLookup`."""
        found = self._asked(f"schemas/guids/{id}" if isinstance(id, UUID) else f"schemas/ids/{id}")
        return None if found is None else self._whole(found)

    def tried(self) -> str:
        """What the registry says it holds, such as `AVRO, JSON`: it can be reached, and the login is right."""
        found = self._asked("schemas/types")
        if not isinstance(found, list):
            raise self._no_registry("another answer")
        return ", ".join(sorted(str(one) for one in found))

    def _whole(self, found: Any) -> WriterSchema:
        if not isinstance(found, dict) or not isinstance(found.get("schema"), str):
            raise self._no_registry("an answer without a schema")
        imported: dict[tuple[str, str], str] = {}
        self._import(found, imported)
        return WriterSchema(found["schema"], str(found.get("schemaType") or "AVRO"), tuple(imported.values()))

    def _import(self, schema: Mapping[str, Any], imported: dict[tuple[str, str], str]) -> None:
        for one in schema.get("references") or ():
            place = (str(one["subject"]), str(one["version"]))
            if place in imported or len(imported) >= _MOST_IMPORTS:
                continue
            # A subject of another context, or one with a slash, stays one part of the path.
            found = self._asked(f"subjects/{quote(place[0], safe='')}/versions/{quote(place[1], safe='')}")
            if isinstance(found, dict) and isinstance(found.get("schema"), str):
                self._import(found, imported)
                imported[place] = found["schema"]

    def _asked(self, path: str) -> Any:
        """The answer's JSON; None where the registry knows that there is no such thing."""
        return self._backoff.call(partial(self._once, path), (Retryable,))

    def _once(self, path: str) -> Any:
        import urllib3

        try:
            answer = self._pool.request("GET", f"{self._url}/{path}", headers=self._headers, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            todo = "Check registry.url, the server and the network."
            raise self._error(Unreachable, "an answer", brief(str(error)), todo) from error
        content = answer.data[:_LARGEST]
        try:
            found = msgspec.json.decode(content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            found = None
        code = found.get("error_code") if isinstance(found, dict) else None
        if answer.status == 404 and code in _NONE:
            return None
        if answer.status != 200:
            raise self._meaning(answer.status, found)
        if found is None:
            raise self._no_registry("200 with an answer that is no JSON")
        return found

    def _meaning(self, status: int, answer: Any) -> HeadraceError:
        said = brief(str(answer.get("message") or "")) if isinstance(answer, dict) else ""
        found = f"{status} {said}".strip()
        if status in (401, 403):
            todo = "Check registry.username and registry.password, or registry.token, and what this login may read."
            return self._error(Fatal, "a login it lets in", found, todo)
        if status in (408, 425, 429) or status >= 500:
            return self._error(Unreachable, "a schema", found, "Look at the registry's log, or at its limits.")
        return self._no_registry(found)

    def _no_registry(self, found: str) -> HeadraceError:
        todo = "Check registry.url: /schemas/ids/1 below it must answer. Apicurio's ends in /apis/ccompat/v7."
        return self._error(Fatal, "Confluent's REST API", found, todo)

    def _error(self, kind: type[HeadraceError], expected: str, found: str, todo: str) -> HeadraceError:
        return kind(where=self._where, expected=expected, found=found, todo=todo)


def explained(error: BaseException, where: str) -> BaseException:
    """What a registry's client raised in a process of Spark's, in its own words; any other error as it is."""
    found = _RAISED.findall(str(error))
    if not found:
        return error
    kind, said = found[-1]
    if kind not in _LATER:
        return FromWorker(said.strip())
    todo = "Start the job again: it goes on where it stopped."
    return Unreachable(where=where, expected="the schema registry to answer", found=said.strip(), todo=todo)


def _headers(settings: ConfluentRegistry) -> dict[str, str]:
    import urllib3

    if settings.token is not None:
        return {"Accept": _ACCEPT, "Authorization": f"Bearer {settings.token.get_secret_value()}"}
    if settings.username is None or settings.password is None:
        return {"Accept": _ACCEPT}
    login = urllib3.make_headers(basic_auth=f"{settings.username}:{settings.password.get_secret_value()}")
    return {"Accept": _ACCEPT, **login}
