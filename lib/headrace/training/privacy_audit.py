"""What a person looks at to judge the rules: a sample of what was replaced, and what another finder sees beside it.

Every text here is as the dataset has it, with placeholders: a sample holds nothing that the dataset does not hold.
"""

import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from heapq import nsmallest
from typing import Any, NamedTuple

from headrace.ports_texts import PersonalDataFinder
from headrace.training.example import Example
from headrace.training.privacy import PLACEHOLDER, Finding

AROUND = 60
NOTHING = "NONE"
"""The kind of a row whose text had no finding: what the rules may have missed."""


_NO_TEXTS = ("role", "schemaVersion")
"""What stands on a line and nobody said."""


class Sampled(NamedTuple):
    """A row of the sample.

    Attributes:
        kind: of the finding, or `NONE`.
        place: which text of the example: its place in `Example.texts()`.
        text: what stands around the placeholder; of `NONE` the beginning of the text.
    """

    kind: str
    example: str
    place: int
    text: str


def sample(cleaned: Iterable[tuple[Example, Sequence[Finding]]], key: bytes, size: int = 20) -> list[Sampled]:
    """So many rows of each kind at most, and as many texts without a finding; the same for the same examples and key.

    Which ones is decided by a keyed hash of the example's id, so no order or partition of the input matters;
    `merged` makes one sample of those of several partitions.

    Args:
        cleaned: what `privacy.cleaned` gave.
    """
    rows = [row for example, findings in cleaned for row in _rows(example, findings)]
    return merged(rows, key, size)


def merged(rows: Iterable[Sampled], key: bytes, size: int = 20) -> list[Sampled]:
    """The sample of rows of several samples that were taken with the same key and size."""
    by_kind: dict[str, set[Sampled]] = {}
    for row in rows:
        by_kind.setdefault(row.kind, set()).add(row)
    return [row for kind in sorted(by_kind) for row in nsmallest(size, by_kind[kind], key=lambda row: _order(row, key))]


def _order(row: Sampled, key: bytes) -> tuple[bytes, Sampled]:
    return hmac.new(key, f"{row.example}\0{row.place}".encode(), sha256).digest(), row


def _rows(example: Example, findings: Sequence[Finding]) -> Iterable[Sampled]:
    texts = example.texts()
    with_findings = {one.place for one in findings}
    for place, text in enumerate(texts):
        if place not in with_findings:
            yield Sampled(NOTHING, example.id, place, text[: 2 * AROUND])
        for found in PLACEHOLDER.finditer(text):
            begin, end = max(0, found.start() - AROUND), found.end() + AROUND
            yield Sampled(found[0][1:].rpartition("_")[0], example.id, place, text[begin:end])


@dataclass(frozen=True, slots=True)
class Asking:
    """How another finder is asked.

    Attributes:
        least: score from which on it is believed.
        ignored: kinds of the finder that name no person; Comprehend calls every time of day a `DATE_TIME`.
    """

    least: float = 0.8
    ignored: frozenset[str] = frozenset({"DATE_TIME", "AGE", "URL"})


class Seen(NamedTuple):
    """What another finder sees in a cleaned text, outside of placeholders. It never holds the text.

    Attributes:
        place: which of the texts.
    """

    place: int
    kind: str
    begin: int
    end: int
    score: float


def second_opinion(
    texts: Sequence[str], finder: PersonalDataFinder, language: str, asking: Asking | None = None
) -> list[Seen]:
    """What the rules left that another finder takes for personal.

    Args:
        texts: with placeholders, as the dataset has them.
        language: as ISO 639-1 has it.

    Raises:
        Unacceptable, Throttled, Retryable, Fatal: as the finder does.
    """
    asking = asking or Asking()
    seen: list[Seen] = []
    for place, text in enumerate(texts):
        taken = [one.span() for one in PLACEHOLDER.finditer(text)]
        for one in finder.personal_data(text, language):
            outside = not any(one.begin < end and begin < one.end for begin, end in taken)
            if outside and one.score >= asking.least and one.kind not in asking.ignored:
                seen.append(Seen(place, one.kind, one.begin, one.end, one.score))
    return seen


def texts_of(line: Any) -> Iterator[str]:
    """Every text of a line of a dataset, whatever its format, in reading order."""
    if isinstance(line, str):
        yield line
    elif isinstance(line, Mapping):
        for name, value in line.items():
            if name not in _NO_TEXTS:
                yield from texts_of(value)
    elif isinstance(line, list):
        for value in line:
            yield from texts_of(value)
