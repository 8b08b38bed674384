"""Travellers who talk to the assistant and rate it: scripted, so that every count is known.

No model is asked: answers stand in `topics`, some of them wrong on purpose, and the model's name says `scripted`. In
the second half of the time another version of the prompt is in use, which is wrong less often.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from headrace.travel.channel import TWICE, write_whole
from headrace.travel.database import Database
from headrace.travel.opinions import Opinions
from headrace.travel.talk_events import Event, as_line, changed, identity, turn_event, withdrawn
from headrace.travel.topics import REFUSAL, TOPICS, Topic

CONVERSATIONS = 200
PARTS = 2
MODEL, SECOND, PROVIDER = "scripted", "scripted-second", "script"
PROMPTS = ("v1", "v2")
CHANNELS = {"web": 5, "app": 4, "phone": 1}
LATE = 0.1
_LASTS = timedelta(hours=2)
_STEP = timedelta(minutes=5)
_WRONG = {"v1": 0.35, "v2": 0.12}


@dataclass(frozen=True, slots=True)
class _Talk:
    """What all turns of a conversation share."""

    name: str
    person: str | None
    prompt: str
    channel: str
    consents: bool


class Travellers:
    """Conversations of the last two hours, and what was thought of them.

    Args:
        people: ids of those who may ask.
        until: when the last conversation has begun.

    Attributes:
        events: what was sent, in the order in which it came about.
        final: what counts in the end, by id: withdrawn events are in it, with `operation: delete`.
    """

    def __init__(
        self, people: Sequence[str], until: datetime, seed: int = 7, conversations: int = CONVERSATIONS
    ) -> None:
        self._rng = random.Random(f"travellers {seed}")
        self._opinions = Opinions(self._rng)
        self.events: list[Event] = []
        began = until - _LASTS
        for number in range(conversations):
            # Many begin together: measures have a row for each minute and slice.
            at = began + _LASTS * number / conversations // _STEP * _STEP
            late_half = number * 2 >= conversations
            talk = _Talk(
                f"talk-{number:04}",
                self._rng.choice(people) if self._rng.random() < 0.8 else None,
                PROMPTS[late_half],
                self._rng.choices(list(CHANNELS), list(CHANNELS.values()))[0],
                self._rng.random() < 0.6,
            )
            self._converse(talk, at)
        self._change_minds()
        self.final = _final(self.events)

    @classmethod
    def of(cls, database: Database, seed: int = 7) -> "Travellers":
        """The customers that a database holds, until the time it has now."""
        people = [f"customer-{key[0]}" for key in database.rows["customers"]]
        return cls(people, database.now, seed)

    def parts(self) -> list[list[Event]]:
        """The events as they arrive: shuffled, 15% twice, a tenth of them late, so ratings come before their turns."""
        rng = random.Random(f"arrivals {len(self.events)}")
        arrived: list[list[Event]] = [[] for _ in range(PARTS)]
        for event in self.events:
            part = 1 if event["revision"] or rng.random() < LATE else 0
            arrived[part].append(event)
            if rng.random() < TWICE:
                arrived[rng.randint(part, PARTS - 1)].append(event)
        for part_events in arrived:
            rng.shuffle(part_events)
        return arrived

    def write(self, folder: Path) -> list[int]:
        """Write each part as a file of JSON lines; how many events are in each."""
        parts = self.parts()
        for number, part in enumerate(parts):
            write_part(part, number, folder)
        return [len(part) for part in parts]

    def _converse(self, talk: _Talk, at: datetime) -> None:
        turn, left, topic = 0, self._rng.choice((1, 1, 2, 2, 3, 4)), self._topic()
        regenerates: int | None = None
        while left:
            turn += 1
            left -= 1
            made, right = self._turn(talk, turn, at, topic, regenerates)
            self.events.append(made)
            given, again, over = self._opinions.of(made, right, topic, talk.person)
            self.events += given
            if over:
                break
            regenerates = turn if again else None
            if again:
                left += 1
            else:
                topic = self._topic(topic.language)
            # Within the minute mostly, so that minutes hold several turns.
            at += timedelta(seconds=self._rng.randint(8, 40))
        self.events += self._opinions.of_all(talk.name, at, talk.person)

    def _turn(self, talk: _Talk, turn: int, at: datetime, topic: Topic, regenerates: int | None) -> tuple[Event, bool]:
        """A turn, and whether its answer is right."""
        rng = self._rng
        # Asked again after a bad answer, it is a good one.
        fate = "right" if regenerates else self._fate(talk.prompt)
        second = fate in ("right", "wrong") and rng.random() < 0.06
        items = _items(rng, topic)
        answered = fate in ("right", "wrong")
        cited = [items[0]["id"]] if answered and items and rng.random() < 0.9 else []
        tokens = rng.randint(700, 2400)
        seconds = round(rng.lognormvariate(0.3, 0.5), 3)
        values: dict[str, Any] = {
            "person": talk.person, "channel": talk.channel, "language": topic.language, "intent": topic.intent,
            "question": rng.choice(topic.questions), "answer": _answer(fate, topic, [str(one) for one in cited]),
            "outcome": "answered" if answered else fate,
            "ended": {"failed": None, "refused": "refused"}.get(fate, "done"),
            "regenerates": regenerates, "citations": cited, "items": items, "prompt": talk.prompt, "seconds": seconds,
            "tries": _tries(fate, seconds, second), "purposes": ["training"] if talk.consents else [],
        }  # fmt: skip
        if fate != "failed":
            output = rng.randint(20, 120)
            values |= {
                "provider": PROVIDER, "model": SECOND if second else MODEL, "fallback": second,
                "input_tokens": tokens, "output_tokens": output, "seconds_to_first": round(seconds * 0.4, 3),
                # In 1/1024 of a euro: such numbers add up to the same in any order.
                "cost": (tokens + 4 * output) // 100 / 1024, "currency": "EUR", "price_as_of": "2026-11-01",
            }  # fmt: skip
        return turn_event(talk.name, turn, at, values), fate == "right"

    def _fate(self, prompt: str) -> str:
        wrong = _WRONG[prompt]
        fates = {"wrong": wrong, "refused": 0.04, "failed": 0.02, "empty": 0.01, "right": 0.93 - wrong}
        return self._rng.choices(list(fates), list(fates.values()))[0]

    def _topic(self, language: str | None = None) -> Topic:
        return self._rng.choice([one for one in TOPICS if language in (None, one.language)])

    def _change_minds(self) -> None:
        """Some thumbs turn, some ratings are taken back, and a few turns are erased, whatever was said of them."""
        for event in list(self.events):
            chance = self._rng.random()
            if event["event"] == "turn":
                if chance < 0.02:
                    self.events.append(withdrawn(event))
            elif event["kind"] == "thumbs" and chance < 0.1:
                self.events.append(changed(event, value=-event["value"]))
            elif chance > 0.95:
                self.events.append(withdrawn(event))


def write_part(events: Sequence[Event], number: int, folder: Path) -> Path:
    """Write one part as a file of JSON lines that appears complete."""
    folder.mkdir(parents=True, exist_ok=True)
    return write_whole(folder / f"travellers-{number + 1}.jsonl", map(as_line, events))


def _final(events: Sequence[Event]) -> dict[str, Event]:
    newest: dict[str, Event] = {}
    for event in events:
        if event["revision"] >= newest.get(identity(event), event)["revision"]:
            newest[identity(event)] = event
    return newest


def _items(rng: random.Random, topic: Topic) -> list[Event]:
    """What was found: mostly the right document first, sometimes nothing."""
    if rng.random() < 0.05:
        return []
    documents = [topic.document, *(one.document for one in rng.sample(TOPICS, rng.randint(0, 2)))]
    return [
        {
            "id": f"p{number}", "kind": "passage", "source": "policies", "key": document, "version": 1,
            "age": float(rng.randint(60, 90_000)), "stale": rng.random() < 0.1,
        }
        for number, document in enumerate(documents, 1)
    ]  # fmt: skip


def _answer(fate: str, topic: Topic, cited: Sequence[str]) -> str:
    match fate:
        case "right":
            said = topic.right
        case "wrong":
            said = topic.wrong
        case "refused":
            said = REFUSAL[topic.language]
        case _:
            said = ""
    return said + "".join(f" [{one}]" for one in cited)


def _tries(fate: str, seconds: float, second: bool) -> list[Event]:
    """Calls of models: of a second one only where the first was throttled."""
    failure = "timeout" if fate == "failed" else "throttled" if second else None
    first = {"provider": PROVIDER, "model": MODEL, "seconds": round(seconds / 2, 3), "failure": failure}
    return [first, {**first, "model": SECOND, "failure": None}] if second else [first]
