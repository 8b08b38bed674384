"""Who was erased, as keyed hashes: what a request holds, and how a job tells a late event of an erased person.

Nothing here tells who it was without the key.
"""

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

from headrace.errors import ConfigError

Scope = Literal["all", "training"]
SCOPES: tuple[Scope, ...] = ("all", "training")
ERASED = "erased"
"""The reason of what is refused because of an erasure."""
_DIGITS = 32


@dataclass(frozen=True, slots=True)
class Hashing:
    """Keyed hashes: HMAC-SHA-256, cut to 128 bits, as 32 hexadecimal digits."""

    key: bytes = field(repr=False)

    def of(self, kind: str, *parts: object) -> str:
        """The hash of something of a kind, such as `person` and its id."""
        told = "\0".join(("erasure", kind, *map(str, parts)))
        return hmac.new(self.key, told.encode("utf-8", "surrogatepass"), sha256).hexdigest()[:_DIGITS]

    def check(self) -> str:
        """Equal for equal keys."""
        return self.of("key")


@dataclass(frozen=True, slots=True)
class Erasure:
    """A request, as it is kept.

    Attributes:
        hashes: of the person's ids, of what was asked for, and of the records.
        trained: what the person's ids are in tables of datasets.
        identifiers: kind and hash, as the tables of identity have them.
        jobs: those that have something to do.
        key: `Hashing.check` of the key of the hashes.
        name: the file's name; empty until it is written.
    """

    scope: Scope
    requested_at: str
    key: str
    hashes: tuple[str, ...]
    trained: tuple[str, ...] = ()
    identifiers: tuple[tuple[str, str], ...] = ()
    jobs: tuple[str, ...] = ()
    name: str = ""

    def to_json(self) -> dict[str, Any]:
        """As the file holds it."""
        return {
            "kind": "erasure", "scope": self.scope, "requested_at": self.requested_at, "key": self.key,
            "hashes": list(self.hashes), "trained": list(self.trained),
            "identifiers": [list(one) for one in self.identifiers], "jobs": list(self.jobs),
        }  # fmt: skip

    @classmethod
    def from_json(cls, name: str, body: Mapping[str, Any]) -> "Erasure":
        """The request of a file. Raises ValueError, KeyError or TypeError for what is none."""
        if body["kind"] != "erasure" or body["scope"] not in SCOPES:
            raise ValueError(f"kind {body['kind']!r}, scope {body['scope']!r}")
        return cls(
            body["scope"], str(body["requested_at"]), str(body["key"]), tuple(map(str, body["hashes"])),
            tuple(map(str, body["trained"])), tuple((str(kind), str(told)) for kind, told in body["identifiers"]),
            tuple(map(str, body["jobs"])), name,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Suppressed:
    """Whom and what to refuse. Falsy where nobody was erased."""

    hashing: Hashing
    hashes: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.hashes)

    def person(self, person: object) -> bool:
        """Whether this id was erased."""
        return bool(self.hashes) and isinstance(person, str) and self.hashing.of("person", person) in self.hashes

    def conversation(self, conversation: object, turn: object = None) -> bool:
        """Whether the whole conversation was erased, or this turn of it."""
        if not self.hashes or not isinstance(conversation, str):
            return False
        return self.hashing.of("conversation", conversation) in self.hashes or (
            turn is not None and self.hashing.of("turn", conversation, turn) in self.hashes
        )


def suppressed(hashing: Hashing, requests: Iterable[Erasure], *, training: bool) -> Suppressed:
    """What these requests suppress.

    Args:
        training: those that are about training only count too.

    Raises:
        ConfigError: a request was hashed with another key: nobody on it would be recognised.
    """
    found: set[str] = set()
    for one in requests:
        if one.key != hashing.check():
            keys = "profiles.hash_key (else datasets.key, else feedback.hash_key)"
            todo = f"Set {keys} to what it was when the person was erased."
            raise ConfigError(where=one.name, expected="the key its hashes were made with", found="another", todo=todo)
        if training or one.scope == "all":
            found.update(one.hashes)
    return Suppressed(hashing, frozenset(found))
