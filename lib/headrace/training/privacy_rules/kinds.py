"""The kinds of personal data in their rank, and what a rule finds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal[
    "PRIVATE_KEY", "JWT", "API_KEY", "URL_SECRET", "PASSWORD", "IBAN", "CARD", "SSN", "NATIONAL_ID", "PASSPORT",
    "EMAIL", "IP", "BIRTH_DATE", "PHONE", "NAME",
]  # fmt: skip
KINDS: tuple[Kind, ...] = Kind.__args__  # type: ignore[attr-defined]
"""The first counts where findings overlap: what does most harm, and what a check digit proves, comes first."""


class Match(NamedTuple):
    """Something personal, while it is being replaced. It holds the value: it is never kept.

    Attributes:
        value: what the same value has in common in all its spellings.
    """

    begin: int
    end: int
    kind: Kind
    value: str


@dataclass(frozen=True, slots=True)
class Known:
    """What rules know beside the text.

    Attributes:
        names: folded by `names.folded`.
        regions: where numbers without a country's prefix may be from, as ISO 3166 has them.
    """

    names: frozenset[str] = frozenset()
    regions: tuple[str, ...] = ("US", "GB", "DE", "FR", "ES")


Rule = Callable[[str, Known], Iterator[Match]]
