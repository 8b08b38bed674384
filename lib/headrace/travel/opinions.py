"""What travellers think of an answer, and do with it."""

import random
from datetime import datetime, timedelta
from typing import Any

from headrace.travel.talk_events import Event, moment, rating_event
from headrace.travel.topics import COMPLAINTS, PRAISE, Topic

_JUDGE = "scripted judge"


class Opinions:
    """Makes ratings. A right answer is mostly liked, a wrong one mostly not, and most people say nothing."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def of(self, turn: Event, right: bool, topic: Topic, person: str | None) -> tuple[list[Event], bool, bool]:
        """The ratings of a turn, whether the same is asked again, and whether the conversation ends here."""
        outcome, language = turn["outcome"], topic.language
        if outcome == "answered" and right:
            # Some like nothing.
            happy = self._chance(0.95)
            words = PRAISE if happy else COMPLAINTS
            given = [
                *self._maybe(0.35, "thumbs", value=1 if happy else -1),
                *self._maybe(0.15, "stars", value=self._rng.choice((4, 5)) if happy else 3),
                *self._maybe(0.12, "comment", text=self._rng.choice(words[language])),
                *self._maybe(0.15, "copy"),
            ]
            return self._made(given, turn, person), False, False
        if outcome == "answered":
            again = self._chance(0.3)
            given = [
                *self._maybe(0.45, "thumbs", value=-1),
                *self._maybe(0.2, "stars", value=self._rng.choice((1, 2))),
                *self._maybe(0.25, "comment", text=self._rng.choice(COMPLAINTS[language])),
                *self._maybe(0.3, "correction", text=topic.right),
                *self._maybe(float(again), "regenerate"),
            ]
            return self._made(given, turn, person), again, not again and self._chance(0.3)
        if outcome == "failed" and self._chance(0.6):
            return self._made(self._maybe(1, "regenerate"), turn, person), True, False
        leaves = "hand_off" if self._chance(0.5) else "abandon"
        return self._made(self._maybe(0.8, leaves), turn, person), False, True

    def of_all(self, conversation: str, at: datetime, person: str | None) -> list[Event]:
        """Ratings of a whole conversation, by who asked and by a judge."""
        later = at + timedelta(seconds=20)
        given = []
        if self._chance(0.15):
            given.append(rating_event(conversation, None, later, "stars", self._rng.choice((3, 4, 5)), rater=person))
        if self._chance(0.3):
            stars, why = self._rng.choice((2, 3, 4, 5)), "as the script has it"
            given.append(rating_event(conversation, None, later, "stars", stars, why, by="model", rater=_JUDGE))
        return given

    def _maybe(self, chance: float, kind: str, **values: Any) -> list[dict[str, Any]]:
        return [{"kind": kind, **values}] if self._chance(chance) else []

    def _made(self, given: list[dict[str, Any]], turn: Event, person: str | None) -> list[Event]:
        at = moment(turn)
        return [
            rating_event(
                turn["conversation"],
                turn["turn"],
                at + timedelta(seconds=self._rng.randint(2, 50)),
                rater=person,
                **one,
            )
            for one in given
        ]

    def _chance(self, share: float) -> bool:
        return self._rng.random() < share
