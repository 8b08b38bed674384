"""For `06_from_rating_to_dataset`: an airline's rated conversations as events, and versions made of them."""

import os
import random
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from headrace.config import Config
from headrace.conversations.events import Event, Rating, Turn
from headrace.notebooks.place import Place
from headrace.pipelines import erase_request
from headrace.pipelines.curate_dataset import curator_of
from headrace.pipelines.curating import Built

SETTINGS = """\
lake: ./lake
sources:
  events: {from: files, path: ./in, format: json, position: [revision, at]}
feedback: {sources: [events]}
datasets:
  key: {secret: env:DATASETS_KEY}
  mlflow: {uri: "sqlite:///mlflow.db"}
  sets:
    support:
      kind: sft
      formats: [trl_sft, converse]
      languages: [en]
      evaluation: [./evaluation.txt]
      public: ["@airline.example"]
      splits: {train: 0.7, validation: 0.15, test: 0.15}
      licence: invented
      use: to show what a dataset is
"""
NAME = "support"
BEGAN = datetime(2026, 11, 16, 8, tzinfo=UTC)
ORDINARY, PEOPLE = 150, 90
PLACES = "Berlin Madrid Oslo Porto Rome Vienna Zurich Athens Dublin Tallinn Riga Bern".split()
THINGS = (
    "a cello", "two cats", "skis and poles", "a wedding dress", "crutches", "a folding bicycle", "a pram", "a drone",
    "a surfboard",
)  # fmt: skip
TOPICS = (
    ("May I bring {thing} on the flight to {place}?",
     "Yes. On flights to {place} {thing} may come along, if you tell us {days} days before."),
    ("We missed our connection to {place} after a storm. Who pays for the hotel of {days} nights?",
     "The airline does: a storm on the way to {place} gives you {days} nights, and a new seat on the next plane."),
    ("What does it cost to move my trip to {place} by {days} days?",
     "Moving a trip to {place} costs {price} euros, and nothing where you move it by less than {days} days."),
    ("When does check-in close for {place}, and how long before must I be there with {thing}?",
     "It closes {price} minutes before the plane to {place} leaves; with {thing} please come half an hour earlier."),
    ("My suitcase with {thing} in it did not arrive in {place}. What now?",
     "Go to the desk in {place} and tell them the number of your tag. We send {thing} after you within {days} days."),
)  # fmt: skip
EVALUATION = (
    "Which gate does the early plane to Reykjavik leave from on Mondays in winter, and is there a bus to it?",
    "How many points does a seat in the front row of the plane to Lima cost a member of the club in summer?",
)
PERSONAL = (
    ("Please write to ada.lovelace@mail.example once a seat to Lima is free.",
     "We write to ada.lovelace@mail.example as soon as a seat is free; you need not call us again."),
    ("My phone is +49 30 901820, can you call me about the pram that got lost in Rome?",
     "A colleague calls +49 30 901820 before six today and has the file about your pram at hand."),
    ("You took money twice from my card 4111 1111 1111 1111 for the trip to Athens, why?",
     "The second booking on 4111 1111 1111 1111 was only held, and is given back within three days."),
    ("Can the refund for Dublin go to DE89 3704 0044 0532 0130 00 instead of the card?",
     "It can. The refund goes to DE89 3704 0044 0532 0130 00; ask help@airline.example if it takes over a week."),
)  # fmt: skip
GERMAN = (
    ("Darf ich mein Fahrrad auf den Flug nach Wien mitnehmen?", "Ja, wenn Sie es zwei Tage vorher bei uns anmelden."),
    ("Wann beginnt das Einsteigen für den Flug nach Riga?", "Das Einsteigen beginnt vierzig Minuten vor dem Abflug."),
)


def conversations(seed: int = 8) -> list[Event]:
    """The same for the same seed; every conversation one question and its answer, or the answer asked for again."""
    dice = random.Random(seed)
    asked = [_ordinary(dice, number) for number in range(ORDINARY)]
    return [*(event for one in asked for event in _rated(dice, one)), *_special(dice, asked)]


def begin(place: Place) -> Config:
    """Settings for both jobs, and the file of questions. MLflow keeps its files below the folder one works in."""
    os.chdir(place.local)
    os.environ.setdefault("DATASETS_KEY", "a key of this notebook only")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "WARNING")
    # MLflow's progress bars are plain text without ipywidgets, and say so at length.
    warnings.filterwarnings("ignore", message="IProgress not found")
    (place.local / "evaluation.txt").write_text("".join(f"{one}\n" for one in EVALUATION), encoding="utf-8")
    return place.settings(SETTINGS)


def build(config: Config, day: int) -> Built:
    """Make the version of a day, as the job does in each slot of its schedule."""
    return curator_of(config).build(NAME, BEGAN + timedelta(days=day))


def erase(config: Config, who: str) -> None:
    """Ask that a person be taken out of training, and let the job carry it out."""
    erase_request.request(config, erase_request.subject(config, who, as_id=True), "training")
    curator_of(config).erase()


def damaged(folder: str, copy: Path) -> Path:
    """A copy of a version's folder in which somebody edited four lines by hand."""
    for source in (one for one in Path(folder).rglob("*") if one.is_file()):
        target = copy / source.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    part = next((copy / "train").glob("part-*"))
    lines = part.read_text("utf-8").splitlines()
    lines[0] = lines[0].replace('"user"', '"human"', 1)
    lines[1] = lines[1][:-1]
    lines[2] = lines[3]
    part.write_text("\n".join(lines) + "\n\n", encoding="utf-8")
    return copy


def _ordinary(dice: random.Random, number: int) -> Turn:
    question, answer = TOPICS[number % len(TOPICS)]
    words = {
        "place": PLACES[number // len(TOPICS) % len(PLACES)], "thing": dice.choice(THINGS),
        "days": dice.randrange(2, 30), "price": dice.randrange(20, 99),
    }  # fmt: skip
    agreed = ("training",) if dice.random() < 0.93 else ()
    turn = _turn(f"c{number:03d}", number, question.format(**words), answer.format(**words), dice.randrange(PEOPLE))
    return replace(turn, purposes=agreed)


def _turn(name: str, number: int, question: str, answer: str, person: int) -> Turn:
    at = BEGAN - timedelta(days=7) + timedelta(minutes=61 * number)
    said = Turn(name, 1, at, question=question, answer=answer, outcome="answered", person=f"p{person}", model="lite")
    return replace(said, language="en", purposes=("training",))


def _rated(dice: random.Random, turn: Turn) -> Iterator[Event]:
    yield turn
    fate = dice.random()
    if fate < 0.6:
        yield _rating(turn, "thumbs", 1)
    elif fate < 0.75:
        yield _rating(turn, "stars", dice.choice((1, 3, 5)))
    elif fate < 0.85:
        yield _rating(turn, "thumbs", -1)
    elif fate < 0.92:
        yield _rating(turn, "thumbs", -1)
        yield _rating(turn, "correction", text=f"{turn.answer} I am sorry that was not clear at first.", by="agent")


def _rating(turn: Turn, kind: str, value: float | None = None, text: str | None = None, by: str = "person") -> Rating:
    rater = turn.person if by == "person" else "of the staff"
    at = turn.at + timedelta(minutes=2)
    return Rating(turn.conversation, turn.turn, at, by, kind, value, text, rater=rater)  # type: ignore[arg-type]


def _special(dice: random.Random, asked: list[Turn]) -> Iterator[Event]:
    """What a dataset must not take as it is."""
    number = len(asked)
    texts = [*PERSONAL, *GERMAN, *((one, "That is said on the board in the hall.") for one in EVALUATION)]
    for at, (question, answer) in enumerate(texts):
        yield from _liked(_turn(f"s{at:02d}", number + at, question, answer, dice.randrange(PEOPLE)))
    # Others ask the same, nearly or wholly.
    for one in asked[::12]:
        again = replace(one, question=f"Hello! {one.question}", answer=f"{one.answer} Have a good trip!")
        yield from _liked(replace(again, conversation=f"n{one.conversation}", person=f"p{dice.randrange(PEOPLE)}"))
    for one in asked[5::30]:
        same = replace(one, question=str(one.question).upper(), conversation=f"e{one.conversation}")
        yield from _liked(replace(same, person=f"p{dice.randrange(PEOPLE)}"))
    for at, one in enumerate(asked[7::20]):
        yield from _unfit(replace(one, conversation=f"u{one.conversation}", purposes=("training",)), at)


def _unfit(one: Turn, at: int) -> Iterable[Event]:
    """Liked for once, and still no good example; or asked for again."""
    if at % 3 == 0:
        return _liked(replace(one, ended="length", answer=str(one.answer)[:30]))
    if at % 3 == 1:
        return _liked(replace(one, answer=f"I am sorry, but I cannot help you with {one.conversation}."))
    better = replace(one, turn=2, regenerates=1, answer=f"{one.answer} Shall I book that for you?")
    return one, better, _rating(better, "thumbs", 1)


def _liked(turn: Turn) -> Iterable[Event]:
    return turn, _rating(turn, "thumbs", 1)
