"""What is known of one person, as rows of plain Python. Every time has a zone, every key is text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from headrace.profiles.buckets import Bucket
from headrace.profiles.values import Json


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A record of the person. `record` and `key` together are unique.

    Attributes:
        record: its name in the settings.
        own: the id of the person it would be alone.
        changed_at: at the source; None where it does not say.
        fields: by the profile's field.
    """

    record: str
    key: str
    own: str
    position: str
    changed_at: datetime | None
    fields: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class RelatedRow:
    """A row that belongs to the person. `feed` and `key` together are unique.

    Attributes:
        feed: its name under `related` in the settings.
        values: by column, those it is sorted by among them.
    """

    feed: str
    table: str
    key: str
    position: str
    changed_at: datetime | None
    values: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Statement:
    """What the person once agreed to or refused. `table` and `key` together are unique.

    Attributes:
        granted: None counts as a refusal.
        at: None stands for the time of the change.
        until: the first moment at which it no longer holds; None for open.
    """

    table: str
    key: str
    position: str
    changed_at: datetime | None
    purpose: str | None
    granted: bool | None
    basis: str | None
    at: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that makes one profile. No order among the rows means anything.

    Attributes:
        buckets: by feed, its name under `behaviour`; several of one hour are added up.
    """

    person: str
    records: Sequence[RecordRow]
    related: Sequence[RelatedRow] = ()
    statements: Sequence[Statement] = ()
    buckets: Mapping[str, Sequence[Bucket]] = field(default_factory=dict)
