"""Comments are asked of Amazon Comprehend: each text once, within a budget; what fails waits and is not counted."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.stub import Stubber
from pyspark.sql import SparkSession

from feedback_world import messages
from headrace.config_comprehend import ComprehendComments
from headrace.config_feedback import Feedback
from headrace.conversations.event_frames import events
from headrace.conversations.events import Event, Rating, Turn
from headrace.conversations.sentiment import Comment
from headrace.conversations.shipped import SHIPPED
from headrace.conversations.track import Tracker
from headrace.errors import ConfigError, Fatal
from headrace.knowledge.parse.language import detect
from headrace.lake import Lake
from headrace.pipelines.comprehend_feeling import AT_ONCE, ComprehendFeeling, checked, feeler_of
from headrace.stores.comprehend import ComprehendSentimentModel
from headrace.stores.files import LakeFiles
from headrace.tables import MEASURES, RATINGS

NOW = datetime(2025, 11, 26, 9, 30, tzinfo=UTC)
SCORES = {
    "POSITIVE": {"Positive": 0.9, "Negative": 0.1, "Neutral": 0.0, "Mixed": 0.0},
    "NEGATIVE": {"Positive": 0.0, "Negative": 0.75, "Neutral": 0.25, "Mixed": 0.0},
}


@pytest.fixture
def stub() -> Iterator[Stubber]:
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "eu-central-1"}
    with Stubber(botocore.session.get_session().create_client("comprehend", **keys)) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def answers(stub: Stubber, told: dict[str, str], language: str = "en") -> None:
    found = [{"Index": at, "Sentiment": one, "SentimentScore": SCORES[one]} for at, one in enumerate(told.values())]
    asked = {"TextList": list(told), "LanguageCode": language}
    stub.add_response("batch_detect_sentiment", {"ResultList": found, "ErrorList": []}, asked)


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


def service(stub: Stubber, folder: Path, clock: Clock | None = None, **more: Any) -> ComprehendFeeling:
    settings = ComprehendComments(**more)
    model = ComprehendSentimentModel(settings, None, stub.client)
    return ComprehendFeeling(settings, LakeFiles(str(folder)), model, detect, clock or Clock())


def test_a_days_budget_holds_over_starts_and_begins_anew_the_next_day(stub: Stubber, tmp_path: Path) -> None:
    clock = Clock()
    assert service(stub, tmp_path).most() == AT_ONCE
    one = service(stub, tmp_path, clock, texts_per_day=3)
    answers(stub, {"good": "POSITIVE", "bad": "NEGATIVE"})
    found = one.felt([Comment("good", "en"), Comment("goed", "nl"), Comment("?"), Comment("bad", "en-GB")])
    assert [each and (each.label, each.valence) for each in found] == [
        ("positive", 0.8), ("unknown", None), ("unknown", None), ("negative", -0.75)
    ]  # fmt: skip
    assert one.most() == 1  # what has no language that the service knows is not sent
    assert service(stub, tmp_path, clock, texts_per_day=3).most() == 1
    clock.now += timedelta(days=1)
    assert one.most() == 3


def test_a_service_that_refuses_ends_no_batch_but_a_start(stub: Stubber, tmp_path: Path) -> None:
    for _ in range(2):
        stub.add_client_error("batch_detect_sentiment", "AccessDeniedException", "no", 403)
    assert service(stub, tmp_path).felt([Comment("good", "en")]) == [None]
    with pytest.raises(Fatal, match="AccessDenied"):
        checked(service(stub, tmp_path))
    stub.add_client_error("batch_detect_sentiment", "ThrottlingException", "slow down", 400)
    checked(service(stub, tmp_path))
    answers(stub, {"The answer was right, thank you.": "POSITIVE"})
    assert service(stub, tmp_path).check() == "positive"


def test_the_settings_choose_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"sources": ["events"], "sentiment": "comprehend", "comprehend": {"region": "eu-central-1"}}
    assert isinstance(feeler_of(Feedback.model_validate(told), LakeFiles(str(tmp_path))), ComprehendFeeling)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(ConfigError, match="an AWS region"):
        feeler_of(Feedback.model_validate(told | {"comprehend": {}}), LakeFiles(str(tmp_path)))
    with pytest.raises(ValueError, match="sentiment: comprehend"):
        Feedback.model_validate(told | {"sentiment": "vader"})


def felt(lake: Lake) -> dict[str, tuple[str | None, float | None]]:
    rows = lake.read(RATINGS.path).where("kind = 'comment'").collect()
    return {row["conversation"]: (row["sentiment"], row["valence"]) for row in rows}


def counted(lake: Lake) -> tuple[float, int]:
    rows = lake.read(MEASURES.path).where("measure = 'sentiment'").collect()
    return sum(row["numerator"] for row in rows), sum(row["n"] for row in rows)


def said(**texts: str) -> list[Event]:
    turns = [Turn(one, 1, NOW, question="q", answer="a", outcome="answered", language="en") for one in texts]
    return [*turns, *(Rating(one, 1, NOW, "person", "comment", text=text) for one, text in texts.items())]


@pytest.mark.deep
def test_each_text_is_asked_once_and_what_waits_is_asked_and_counted_later(
    spark: SparkSession, tmp_path: Path, stub: Stubber
) -> None:
    lake, clock = Lake(spark, str(tmp_path / "lake")), Clock()
    measures = [one for one in SHIPPED if one.name == "sentiment"]

    def tracker(**more: Any) -> Tracker:
        return Tracker(lake, measures, service(stub, tmp_path / "lake", clock, **more))

    # No time is given: nothing is asked, nothing unknown, nothing counted, and the batch is done.
    first = tracker(seconds_per_batch=1e-9)
    first.take(events(messages(spark, said(a="great", b="great")), lines=False), "s", "s/0")
    assert first.waiting and felt(lake) == {"a": (None, None), "b": (None, None)}
    assert counted(lake) == (0, 0)
    # Another start: two comments are one text.
    second = tracker(texts_per_day=3)
    answers(stub, {"great": "POSITIVE"})
    second.ask_again()
    assert not second.waiting and felt(lake) == {"a": ("positive", 0.8), "b": ("positive", 0.8)}
    assert counted(lake) == (pytest.approx(1.6), 2)
    # The same text elsewhere is not asked about; one that changed is.
    changed = Rating("b", 1, NOW, "person", "comment", text="awful", revision=1)
    answers(stub, {"awful": "NEGATIVE"})
    second.take(events(messages(spark, [*said(c="great"), changed]), lines=False), "s", "s/1")
    now = {"a": ("positive", 0.8), "b": ("negative", -0.75), "c": ("positive", 0.8)}
    assert not second.waiting and felt(lake) == now
    # The day allows no more; what waits counts nowhere.
    third = tracker(texts_per_day=2)
    third.take(events(messages(spark, said(d="poor")), lines=False), "s", "s/2")
    third.ask_again()
    assert third.waiting and felt(lake) == now | {"d": (None, None)}
    assert counted(lake) == (pytest.approx(0.85), 3)
    clock.now += timedelta(days=1)
    answers(stub, {"poor": "NEGATIVE"})
    third.ask_again()
    assert not third.waiting and felt(lake) == now | {"d": ("negative", -0.75)}
    assert counted(lake) == (pytest.approx(0.1), 4)
    third.ask_again()
