"""Where rows of `measures` are published to, and what is published. Stores implement `MeasureStore`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

AHEAD = timedelta(minutes=5)
"""How far ahead of now a minute may lie and still be of a window that ends now: clocks of senders are apart."""


@dataclass(frozen=True, slots=True)
class Document:
    """One row of `measures` as a store keeps it: absolute values, so that to write it again changes nothing.

    Attributes:
        id: of measure, minute and slice.
        body: JSON values by column; `minute` and `counted_at` as ISO 8601 in UTC.
    """

    id: str
    body: Mapping[str, Any]


class Span(NamedTuple):
    """Minutes from `first` up to `last`, both of them among it; UTC."""

    first: datetime
    last: datetime


class Progress(NamedTuple):
    """How far a store has come.

    Attributes:
        table: the id Delta gave the table.
        version: all commits up to it are in the store.
    """

    table: str
    version: int


def written(at: datetime) -> str:
    """A time as documents have it: ISO 8601 in UTC, whose texts are in the order of time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def day_sql(at: datetime) -> str:
    """The day of a time as SQL, for Spark and delta-rs. `strftime` writes the year 1 as `1`, which SQL refuses."""
    return f"DATE '{at.astimezone(UTC).date().isoformat()}'"


def time_sql(at: datetime) -> str:
    """A time as SQL, for Spark and delta-rs."""
    return f"TIMESTAMP '{written(at)}'"


class MeasureStore(Protocol):
    """A store of measures. Raises HeadraceError where it does not answer; what was asked may then be asked again."""

    def look(self) -> bool:
        """Whether it was made already. Makes nothing. Raises Fatal where something else has its place."""

    def open(self) -> None:
        """Make what is missing."""

    def progress(self) -> Progress | None:
        """What `keep` was last given; None in an empty store."""

    def put(self, documents: Sequence[Document]) -> None:
        """Write all, over what has the same id."""

    def held(self, span: Span) -> set[str]:
        """The ids of its documents in these minutes."""

    def remove(self, ids: Collection[str]) -> None:
        """Delete these; nothing happens where one is not there."""

    def keep(self, progress: Progress) -> None:
        """Remember how far it has come. All that was put and removed before is then durable."""

    def close(self) -> None:
        """Give back what it holds."""
