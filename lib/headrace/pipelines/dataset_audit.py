"""What another finder takes for personal in a dataset that was cleaned."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from headrace.config_comprehend import ComprehendPersonalData
from headrace.ports_texts import PersonalDataFinder
from headrace.stores.comprehend import ComprehendPersonalDataFinder
from headrace.training.lines import lines
from headrace.training.privacy_audit import Seen, second_opinion, texts_of


@dataclass(frozen=True, slots=True)
class Opinion:
    """Of one line.

    Attributes:
        file: its path in the folder.
        line: its number from 1.
    """

    file: str
    line: int
    seen: list[Seen]


def finder() -> PersonalDataFinder:
    """Amazon Comprehend, in the region and with the credentials of this process."""
    return ComprehendPersonalDataFinder(ComprehendPersonalData())


def opinions(folder: Path, asked: PersonalDataFinder, language: str, most: int) -> Iterator[Opinion]:
    """What is seen in the first lines of `train`, which are a sample by chance: rows lie in the order of keyed hashes.

    Args:
        most: lines that are looked at; each of their texts is a call.

    Raises:
        Unacceptable: the finder does not know the language. Throttled, Retryable, Fatal: as it does.
    """
    files = sorted((folder / "train").glob("part-*"))
    every = ((file, line) for file in files for line in lines(file) if line.readable)
    for file, line in islice(every, most):
        seen = second_opinion(list(texts_of(line.value)), asked, language)
        yield Opinion(file.relative_to(folder).as_posix(), line.number, seen)
