"""Amazon Comprehend as what tells how comments feel: so many texts a day, so many seconds a batch; the rest waits."""

import json
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime

from headrace.config_comprehend import ComprehendComments
from headrace.config_embed import Budget
from headrace.config_feedback import Feedback
from headrace.conversations.feelings import Feeler, Service
from headrace.conversations.sentiment import Comment, Detect, Felt, so_far
from headrace.errors import HeadraceError, Retryable
from headrace.knowledge.budget import Spent, allowed
from headrace.pipelines.feeling import detector, feeler
from headrace.ports_texts import Sentiment, SentimentModel
from headrace.stores.comprehend import ComprehendSentimentModel
from headrace.stores.files import LakeFiles
from headrace.stores.limiter import limiter
from headrace.stores.patient import PatientSentimentModel

PLACE = "checkpoints/track_feedback/comprehend-spent.json"
"""How many texts were answered on which day."""
AT_ONCE = 1_000
"""Texts that the driver holds."""
_PROBE = "The answer was right, thank you."
log = logging.getLogger("headrace")


def feeler_of(settings: Feedback, files: LakeFiles) -> Feeler | Service | None:
    """What finds how comments feel; None where the settings say none. No service is asked yet.

    Raises MissingDependency or ConfigError where it cannot be made.
    """
    if settings.sentiment != "comprehend":
        return feeler(settings.sentiment)
    asked = settings.comprehend or ComprehendComments()
    model = ComprehendSentimentModel(asked, limiter(asked, writers=1, one_host=False))
    return ComprehendFeeling(asked, files, model, detector())


class ComprehendFeeling:
    """A `feelings.Service`. Its driver asks alone, so that limits are exact."""

    name = "comprehend"

    def __init__(
        self,
        settings: ComprehendComments,
        files: LakeFiles,
        model: SentimentModel,
        detect: Detect,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings, self._files, self._model, self._detect, self._now = settings, files, model, detect, now
        self._budget = Budget(texts=settings.texts_per_day)
        self._spent = _read(files)

    def check(self) -> str:
        """Ask about a sentence; what it felt like. Raises Fatal where it can never work, Retryable where not now."""
        (found,) = self._model.sentiments([_PROBE], "en")
        if not isinstance(found, Sentiment):
            raise found
        return found.label

    def most(self) -> int:
        """As in `Service`."""
        return allowed(self._budget, self._spent, self._now(), [0] * AT_ONCE)

    def felt(self, comments: Sequence[Comment]) -> list[Felt | None]:
        """As in `Service`."""
        patient = PatientSentimentModel(self._model, self._settings.seconds_per_batch, self._answered)
        found = so_far(comments, patient, self._detect)
        failed = [one for one in found if isinstance(one, HeadraceError)]
        if failed:
            log.warning(
                "job=track_feedback sentiment=%s asked=%s waiting=%s because %s",
                self.name, len(comments), len(failed), failed[0],
            )  # fmt: skip
        return [one if isinstance(one, Felt) else None for one in found]

    def _answered(self, texts: int) -> None:
        if texts:
            self._spent = self._spent.plus(self._now(), texts, 0)
            told = {"day": self._spent.day.isoformat(), "texts": self._spent.texts}
            self._files.replace_text(PLACE, json.dumps(told) + "\n")


def checked(made: Feeler | Service | None) -> None:
    """Ask a service once, so that a wrong role is told at the start. One that is away just now is asked later.

    Raises Fatal where it can never work.
    """
    if isinstance(made, ComprehendFeeling):
        try:
            made.check()
        except Retryable as error:
            log.warning("job=track_feedback comments wait: %s", error)


def _read(files: LakeFiles) -> Spent:
    text = files.read_text(PLACE)
    if text is None:
        return Spent(date.min)
    told = json.loads(text)
    return Spent(date.fromisoformat(told["day"]), int(told["texts"]))
