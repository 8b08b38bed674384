"""Random turns and ratings as a stream tells them: late, doubled, changed, withdrawn; and what is true at last."""

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from headrace.conversations.events import Event, GivenItem, ModelCall, Rating, Turn
from headrace.conversations.sentiment import Comment, felt
from headrace.lake import local_rows
from headrace.pipelines.feeling import feeler
from headrace.tables import MESSAGES

BEGAN = datetime(2025, 11, 26, 23, 30, tzinfo=UTC)
COMMENTS = (
    "great", "awful!", "It never answered what I asked for, and I waited for a long time. Very disappointing.",
    "Das war leider gar keine Hilfe, ich habe am Ende selbst angerufen und lange gewartet.",
)  # fmt: skip


def history(dice: random.Random, conversations: int) -> list[Event]:
    """Every event that is sent, each once, in no order."""
    events: list[Event] = []
    for number in range(conversations):
        name = f"c{number}"
        begin = BEGAN + timedelta(minutes=dice.randrange(0, 60 * 60), seconds=dice.randrange(60))
        if dice.random() < 0.5:
            begin = BEGAN + timedelta(seconds=dice.randrange(200))
        person = dice.choice([None, "ada", "bob", "eve"])
        for turn in range(1, dice.randrange(2, 5)):
            at = begin + timedelta(seconds=90 * turn + dice.randrange(0, 120))
            events += _revisions(dice, _turn(dice, name, turn, at, dice.choice([person, person, None])))
        events += _ratings(dice, name, begin)
    return events


def told(dice: random.Random, events: Sequence[Event], batches: int) -> list[list[Event]]:
    """The same in any order, some of them twice, cut into batches."""
    sent = [*events, *dice.sample(list(events), len(events) // 4)]
    dice.shuffle(sent)
    cuts = sorted(dice.randrange(len(sent)) for _ in range(batches - 1))
    return [sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True)]


def truth(events: Sequence[Event], sentiment: str = "vader") -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Turns and ratings as the oracle takes them: the newest of each, with how comments feel."""
    newest: dict[str, Event] = {}
    for one in events:
        name = one.event_id if isinstance(one, Turn) else one.rating_id
        if name not in newest or (one.revision, one.at) > (newest[name].revision, newest[name].at):
            newest[name] = one
    turns = [_plain(one) for one in newest.values() if isinstance(one, Turn)]
    ratings = [_plain(one) for one in newest.values() if isinstance(one, Rating)]
    living = sorted((one for one in turns if one["operation"] == "upsert"), key=lambda one: one["turn"])
    made = feeler(sentiment)  # type: ignore[arg-type]
    assert made
    for one in ratings:
        one |= {"sentiment": None, "valence": None}
        if one["operation"] == "upsert" and one["kind"] in ("comment", "correction"):
            of = [turn for turn in living if turn["conversation"] == one["conversation"]]
            of = [turn for turn in of if one["turn"] in (None, turn["turn"])]
            (found,) = felt([Comment(one["text"], of[0]["language"] if of else None)], *made.made())
            one |= {"sentiment": found.label, "valence": found.valence}
    return turns, ratings


def messages(spark: SparkSession, events: Sequence[Event | bytes]) -> DataFrame:
    """As a stream hands them over."""
    arrived = BEGAN + timedelta(days=30)  # after all of them, whatever the time is
    rows = [
        (None, one if isinstance(one, bytes) else json.dumps(one.to_json()).encode(), None, "events", 0, place, arrived)
        for place, one in enumerate(events)
    ]
    return local_rows(spark, rows, MESSAGES)


def _plain(event: Event) -> dict[str, Any]:
    return event.to_json() | {"at": event.at}


def _turn(dice: random.Random, conversation: str, number: int, at: datetime, person: str | None) -> Turn:
    items = tuple(
        GivenItem(name, dice.choice(["passage", "row"]), "s", "k", 1, age=dice.choice([None, dice.random() * 9e4]),
                  stale=dice.random() < 0.3)
        for name in dice.sample(["p1", "p2", "r1"], dice.randrange(4))
    )  # fmt: skip
    tries = tuple(ModelCall("bedrock", "m", 0.5, dice.choice([None, "timeout"])) for _ in range(dice.randrange(3)))
    some = dice.random() < 0.8
    return Turn(
        conversation, number, at, person=person, question="q", answer="a", tenant=dice.choice([None, "t"]),
        channel=dice.choice(["web", "app"]), language=dice.choice([None, "en", "en-GB", "de"]),
        intent=dice.choice([None, "flight"]), provider="bedrock", model=dice.choice(["m1", "m2"]), prompt="v1",
        outcome=dice.choice(["answered", "answered", "refused", "failed", "empty"]), fallback=dice.random() < 0.2,
        regenerates=dice.choice([None, None, max(1, number - 1)]), items=items,
        citations=tuple(dice.sample(["p1", "p2", "x"], dice.randrange(3))), tries=tries,
        input_tokens=dice.randrange(3_000) if some else None, cached_tokens=dice.choice([None, 7]),
        output_tokens=dice.randrange(900) if some else None, cost=dice.random() if some else None,
        currency=dice.choice(["EUR", "USD"]), seconds=dice.lognormvariate(0, 2) if some else None,
        seconds_to_first=dice.choice([None, 0.0, dice.random()]),
    )  # fmt: skip


def _ratings(dice: random.Random, conversation: str, begin: datetime) -> list[Event]:
    events: list[Event] = []
    for kind in dice.sample(["thumbs", "stars", "comment", "correction", "abandon", "hand_off", "copy"], 3):
        at = begin + timedelta(seconds=dice.choice([100, 150, 9_000, 300_000]) + dice.randrange(60))
        # Turn 9 is never there.
        turn, by = dice.choice([None, 1, 2, 3, 9]), dice.choice(["person", "person", "agent", "model"])
        value = {"thumbs": dice.choice([-1, 1]), "stars": dice.randrange(1, 6)}.get(kind)
        text = dice.choice(COMMENTS) if kind in ("comment", "correction") else None
        rating = Rating(conversation, turn, at, by, kind, value, text, dice.choice([None, "r"]))  # type: ignore[arg-type]
        events += _revisions(dice, rating)
    return events


def _revisions(dice: random.Random, first: Event) -> list[Event]:
    """An event and what follows: other values, withdrawn, there again."""
    events, last = [first], first
    for _ in range(dice.choice([0, 0, 1, 2])):
        last = _next(dice, last, first)
        events.append(last)
    return events


def _next(dice: random.Random, last: Event, first: Event) -> Event:
    later = last.at + timedelta(seconds=dice.randrange(1, 200))
    if isinstance(last, Turn):
        assert isinstance(first, Turn)
        if dice.random() < 0.4:
            return last.withdrawn()
        changed = _turn(dice, first.conversation, first.turn, first.at, first.person)
        # A sender that moves the time of a turn is wrong, and must not leave anything behind.
        return replace(changed, revision=last.revision + 1, at=dice.choice([first.at, later]))
    assert isinstance(first, Rating)
    if dice.random() < 0.4:
        return last.taken_back(later)
    value = {"thumbs": dice.choice([-1, 1]), "stars": dice.randrange(1, 6)}.get(first.kind)
    text = dice.choice(COMMENTS) if first.text else None
    # Without a revision the later one counts.
    return replace(first, at=later, value=value, text=text, revision=last.revision + dice.randrange(2))
