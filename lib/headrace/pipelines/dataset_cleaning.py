"""What the settings of a dataset ask of each of its examples."""

import json
from collections.abc import Iterator
from pathlib import Path

from headrace.config_datasets import Dataset, Datasets
from headrace.errors import ConfigError
from headrace.knowledge.parse.language import detect
from headrace.stores.files import LakeFiles
from headrace.training.clean import Cleaning
from headrace.training.decontaminate import Evaluation, index_of
from headrace.training.formats import format_named
from headrace.training.limits import Limits, limits_of
from headrace.training.privacy import Privacy, dataset_key, replaced
from headrace.training.quality_rules.parts import Quality


def cleaning_of(name: str, one: Dataset, settings: Datasets) -> Cleaning:
    """The cleaning of a dataset.

    Raises:
        ConfigError: a format is unknown or holds no such examples, or a file with questions cannot be read.
    """
    formats = [(format_named(each, f"datasets.sets.{name}.formats"), limits_for(one, each)) for each in one.formats]
    for format, _ in formats:
        if one.kind not in format.kinds:
            todo = "docs/dataset-formats.md says which formats hold which kind."
            expected = f"a format for {one.kind}"
            raise ConfigError(where=f"datasets.sets.{name}.formats", expected=expected, found=format.name, todo=todo)
    privacy = None
    if one.replace:
        key = dataset_key(settings.key.get_secret_value().encode(), name)
        privacy = Privacy(key, one.regions, frozenset(one.public))
    quality = Quality(
        tokens=one.tokens or Quality().tokens,
        languages=frozenset(one.languages),
        detect=detect,
        reserved=tuple(sorted({word for _, limits in formats for word in limits.reserved})),
    )
    told = [each for file in one.evaluation for each in _evaluations(file)]
    if privacy is not None:
        told = [
            Evaluation(replaced(each.question, privacy)[0], each.answer and replaced(each.answer, privacy)[0])
            for each in told
        ]
    return Cleaning(quality, privacy, index_of(told) if told else None, formats)


def limits_for(one: Dataset, format: str) -> Limits:
    """The limits of a format, with what the settings say of tokens."""
    return limits_of(format, {"tokens": one.tokens} if one.tokens else None)


def _text(file: str) -> str:
    """A file of this machine or of S3. Raises ConfigError, and Unreachable where S3 does not answer."""
    found = "no such file"
    folder, _, name = file.rpartition("/")
    try:
        content = LakeFiles(folder).read_bytes(name) if "://" in file else Path(file).read_bytes()
        if content is not None:
            return content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        found = getattr(error, "strerror", None) or str(error)
    todo = "Correct datasets.sets.*.evaluation."
    raise ConfigError(where=file, expected="a text file with questions", found=found, todo=todo)


def _evaluations(file: str) -> Iterator[Evaluation]:
    """Questions of a file: JSON lines with `question` (or `prompt`) and `answer`, or a question in each line."""
    for number, line in enumerate(_text(file).splitlines(), 1):
        if not line.strip():
            continue
        if not file.endswith((".jsonl", ".json")):
            yield Evaluation(line.strip())
            continue
        try:
            row = json.loads(line)
            yield Evaluation(str(row.get("question") or row["prompt"]), row.get("answer"))
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            expected = "a JSON object with question or prompt, and perhaps answer"
            todo = "Correct the line."
            raise ConfigError(
                where=f"{file}, line {number}", expected=expected, found=type(error).__name__, todo=todo
            ) from error
