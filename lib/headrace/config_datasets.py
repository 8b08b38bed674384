"""Settings of `curate_dataset`: which datasets are made of rated conversations and of documents, and how."""

import re
from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from headrace.config_base import Contradiction, Duration, Name, Names, Positive, Settings, Text, Timeout
from headrace.config_chat import BedrockChat, OpenAiChat, SageMakerChat
from headrace.config_launch import Launch

Share = Annotated[float, Field(ge=0, le=1)]
Asked = Annotated[BedrockChat | SageMakerChat | OpenAiChat, Field(discriminator="provider")]
Raters = Annotated[tuple[Literal["person", "agent", "model"], ...], Field(min_length=1)]


class Stars(Settings):
    """What stars say of an answer; between the two they say nothing."""

    bad: Annotated[int, Field(ge=1, le=5)] = 2
    good: Annotated[int, Field(ge=1, le=5)] = 4

    @model_validator(mode="after")
    def _apart(self) -> "Stars":
        if self.bad >= self.good:
            raise Contradiction("bad", f"fewer stars than good, {self.good}", str(self.bad), "stars: {bad: 2, good: 4}")
        return self


class Splits(Settings):
    """Shares of the examples. Trainers that get no validation split one off at random: it is never left out."""

    train: Annotated[float, Field(gt=0, lt=1)] = 0.9
    validation: Annotated[float, Field(gt=0, lt=1)] = 0.05
    test: Annotated[float, Field(ge=0, lt=1)] = 0.05

    @model_validator(mode="after")
    def _whole(self) -> "Splits":
        if abs(self.train + self.validation + self.test - 1) > 1e-9:
            found = f"{self.train + self.validation + self.test:g}"
            raise Contradiction(
                "", "shares that add up to 1", found, "splits: {train: 0.9, validation: 0.05, test: 0.05}"
            )
        return self


class Where(Settings):
    """Only turns that have one of the values; an empty list is no condition."""

    tenant: Names = ()
    channel: Names = ()
    language: Names = ()
    intent: Names = ()
    model: Names = ()


class Dataset(Settings):
    """One dataset.

    Attributes:
        kind: `sft`, good answers and corrections; `kto`, answers that were liked or not; `dpo`, a better and a worse
            answer to the same; `text`, documents.
        formats: a folder is written for each.
        purpose: what a person must have agreed to; null for nothing, and documents need nothing.
        raters: whose ratings count.
        where: which turns.
        since: turns asked from this day on, UTC.
        history: earlier questions of the conversation in a row, at most.
        system: what stands before each conversation.
        context: whether what was retrieved is part of the prompt. The events must hold it (`assistant.events.texts`).
        feeds: documents of these, for `text`; of all where not given.
        audience: readers whose documents may be used beside those that are for everybody.
        languages: those that are kept; all where not given.
        tokens: a longer row is refused, counted as one for three characters; where not given, one that is longer than
            the trainers of its formats take by default.
        replace: whether personal data is replaced by placeholders.
        regions: where phone numbers without a country's prefix may be from, as ISO 3166 has them.
        public: what is nobody's and stays: `support@airline.example`, `@airline.example` for every address there,
            `+49 30 901820`.
        names: fields of the profile whose words are a person's name.
        similar: from this share of common pieces on, two examples are near duplicates.
        evaluation: files with questions that a model will be tested with: JSON lines, or one in each line of a text.
        splits: shares.
        files: files of the train split, where the format allows several.
        licence: of the texts, for the card.
        use: what it may be used for, for the card.
        launch: the training jobs that can be started on a version, by name.
        evaluate: models that can be asked the test split, by name, such as `tuned` and `base`.
        every: how often it is made anew; the job makes one version in each such span.
    """

    kind: Literal["sft", "kto", "dpo", "text"]
    formats: Annotated[Names, Field(min_length=1)]
    purpose: Text | None = "training"
    raters: Raters = ("person", "agent")
    stars: Stars = Stars()
    where: Where = Where()
    since: date | None = None
    history: Annotated[int, Field(ge=0, le=100)] = 10
    system: Text | None = None
    context: bool = False
    feeds: Names = ()
    audience: Names = ()
    languages: Names = ()
    tokens: Positive | None = None
    replace: bool = True
    regions: Names = ("US", "GB", "DE", "FR", "ES")
    public: Names = ()
    names: Names = ("name",)
    similar: Annotated[float, Field(ge=0.5, le=1)] = 0.8
    evaluation: tuple[Text, ...] = ()
    splits: Splits = Splits()
    files: Positive = 1
    licence: Text = "not stated"
    use: Text = "not stated"
    launch: dict[Name, Launch] = Field(default_factory=dict)
    evaluate: dict[Name, Asked] = Field(default_factory=dict)
    every: Timeout = timedelta(days=1)


class Mlflow(Settings):
    """Where versions are told to MLflow.

    Attributes:
        uri: `sqlite:///mlflow.db`, a server's URL, the ARN of a managed one of SageMaker, or `databricks`.
    """

    uri: Text
    experiment: Text = "headrace"

    @model_validator(mode="after")
    def _no_password(self) -> "Mlflow":
        if re.match(r"[a-z]+://[^/]*@", self.uri):
            example = (
                "uri: https://mlflow.internal, and MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD beside it"
            )
            raise Contradiction("uri", "a URI without a password", "one with a user's name", example)
        return self


class Datasets(Settings):
    """All of them.

    Attributes:
        key: for the hashes of persons, for placeholders and for which side of a split something is on. With another
            key every person is another one, and splits are drawn anew.
        folder: where versions are written; below the lake where not given.
        keep: how long versions that are not the newest stay; for ever where not given.
    """

    key: Annotated[SecretStr, Field(min_length=16)]
    folder: Text | None = None
    mlflow: Mlflow | None = None
    keep: Duration | None = None
    sets: Annotated[dict[Name, Dataset], Field(min_length=1)]

    def misfits(self, feedback: bool, knowledge: bool) -> list[Contradiction]:
        """What does not fit the rest: datasets of what nobody writes."""
        problems = []
        for name, one in self.sets.items():
            needed, there = ("knowledge", knowledge) if one.kind == "text" else ("feedback", feedback)
            if not there:
                expected = f"settings of {needed}, whose tables it is made of"
                problems.append(Contradiction(f"datasets.sets.{name}.kind", expected, "none", "kind: sft"))
        return problems
