"""For `05_measures_and_ratings`: an assistant's conversations as events, on time and late, and the job over them."""

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from headrace.config import Config
from headrace.conversations.events import Event, Kind, Rating, Turn
from headrace.notebooks.place import Place, run_once
from headrace.pipelines import track_feedback

SETTINGS = """\
lake: ./lake
sources:
  events: {from: files, path: ./in, format: json, position: [revision, at]}
feedback:
  sources: [events]
"""
BEGAN = datetime(2026, 11, 23, 8, tzinfo=UTC)
RUSH = BEGAN + timedelta(days=1, hours=4)
"""When a flight is cancelled and many ask at once."""
_MINUTE = timedelta(minutes=1)
NEW_PROMPT = BEGAN + timedelta(days=1, hours=12)
DAYS, CONVERSATIONS, RUSHING = 3, 420, 24
MODELS = {"lite": (1.3, 0.68), "pro": (2.9, 0.78)}
"""Median seconds of an answer, and how likely one is liked with the first prompt."""
INTENTS = {
    "change a booking": "Can I move my flight to Friday?", "baggage": "How many bags may I bring?",
    "refund": "When do I get my money back?", "check-in": "When can I check in?",
}  # fmt: skip
PRAISE = ("Quick and exactly right, thank you!", "Great, that helped me a lot.", "Very clear answer, I love it.")
BLAME = (
    "This is useless, it answered another question.", "Wrong again. I am very disappointed.",
    "Terrible, I had to call anyway.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """Everything that is said.

    Attributes:
        on_time: in the order of their times. late: what arrives after all of these, some of it a second time.
    """

    on_time: tuple[Event, ...]
    late: tuple[Event, ...]

    @property
    def truth(self) -> list[Event]:
        """The newest revision of each, without what was taken back."""
        newest: dict[str, Event] = {}
        for one in sorted((*self.on_time, *self.late), key=lambda one: (one.revision, one.at)):
            newest[_id(one)] = one
        return [one for one in newest.values() if not (isinstance(one, Rating) and one.withdrawn)]


def conversations(seed: int = 5) -> Told:
    """Three days of an assistant: the same for the same seed. One rating in four arrives late, one turn in twenty."""
    dice = random.Random(seed)
    said = [event for number in range(CONVERSATIONS) for event in _conversation(dice, number)]
    late = {_id(one) for one in said if dice.random() < (0.25 if isinstance(one, Rating) else 0.05)}
    # Nothing of the rush is late but two thumbs down, so that the change can be followed by eye.
    rushed = sorted(filter(_of_rush, said), key=lambda one: one.at)
    down = [one for one in rushed if isinstance(one, Rating) and one.value == -1 and one.at >= RUSH + _MINUTE]
    late = late.difference(map(_id, rushed)).union(map(_id, down[:2]))
    on_time = sorted((one for one in said if _id(one) not in late), key=lambda one: one.at)
    kept = [one for one in on_time if isinstance(one, Rating) and not _of_rush(one)]
    back = [_taken_back(one) for one in dice.sample(kept, 12)]
    arriving = [*(one for one in said if _id(one) in late), *back, *dice.sample(on_time, 60)]
    dice.shuffle(arriving)
    return Told(tuple(on_time), tuple(arriving))


def example(told: Told, kind: str) -> dict[str, Any]:
    """The first event of a kind, `turn` or `rating`, as it is sent."""
    return next(event for event in (one.to_json() for one in told.on_time) if event["event"] == kind)


def begin(place: Place, own: str = "") -> Config:
    """Settings for the job.

    Args:
        own: measures of one's own, as YAML below `feedback`.
    """
    return place.settings(SETTINGS + own)


def arrive(place: Place, config: Config, name: str, events: Sequence[Event]) -> None:
    """Write events into a file of the source's folder and run the real job once."""
    lines = "".join(json.dumps(one.to_json()) + "\n" for one in events)
    (place.local / "in" / f"{name}.json").write_text(lines, encoding="utf-8")
    place.share("in")
    run_once(track_feedback.run, config)


def count_again(config: Config) -> None:
    """Run the job with these settings; no event has come."""
    run_once(track_feedback.run, config)


def _conversation(dice: random.Random, number: int) -> Iterable[Event]:
    rush = number < RUSHING
    day = BEGAN + timedelta(days=dice.randrange(DAYS), minutes=dice.randrange(14 * 60), seconds=dice.randrange(60))
    at, name = (RUSH + timedelta(seconds=dice.randrange(200)), f"rush-{number}") if rush else (day, f"c-{number}")
    model, intent = dice.choice(list(MODELS)), "refund" if rush else dice.choice(list(INTENTS))
    person = f"p{dice.randrange(CONVERSATIONS // 2)}"
    for turn in range(1, 2 if rush else dice.choice((2, 2, 3, 4))):
        one = _turn(dice, Turn(name, turn, at, person=person, model=model, intent=intent, language="en", channel="app"))
        yield one
        yield from _ratings(dice, one)
        at += timedelta(seconds=dice.randrange(40, 150))


def _turn(dice: random.Random, one: Turn) -> Turn:
    median, _ = MODELS[one.model or "lite"]
    failed = dice.random() < 0.02
    return replace(
        one,
        question=INTENTS[one.intent or "refund"],
        answer="" if failed else "It says so on the page of your booking.",
        outcome="failed" if failed else "answered",
        prompt="v2" if one.at >= NEW_PROMPT else "v1",
        seconds=round(median * dice.lognormvariate(0, 0.45), 3),
    )


def _ratings(dice: random.Random, turn: Turn) -> Iterable[Rating]:
    rush, (_, liked) = turn.at >= RUSH and turn.conversation.startswith("rush"), MODELS[turn.model or "lite"]
    if turn.outcome == "failed" or dice.random() > (0.9 if rush else 0.4):
        return
    likes = dice.random() < (0.35 if rush else liked + (0.12 if turn.prompt == "v2" else 0))
    at = turn.at + timedelta(seconds=dice.randrange(8, 40))
    yield _rating(turn, at, "thumbs", value=1 if likes else -1)
    if dice.random() < 0.3:
        yield _rating(turn, at, "comment", text=dice.choice(PRAISE if likes else BLAME))


def _rating(turn: Turn, at: datetime, kind: Kind, value: float | None = None, text: str | None = None) -> Rating:
    return Rating(turn.conversation, turn.turn, at, "person", kind, value, text, rater=turn.person)


def _taken_back(one: Rating) -> Rating:
    return Rating(one.conversation, one.turn, one.at, one.by, one.kind, rater=one.rater, revision=1, withdrawn=True)


def _of_rush(one: Event) -> bool:
    return one.conversation.startswith("rush")


def _id(one: Event) -> str:
    return one.event_id if isinstance(one, Turn) else one.rating_id
