"""Believable chats of travellers: examples with near duplicates as people and assistants make them.

Each conversation is about one thing and has a person; its answers are drawn from the sentences an assistant has for
that, with places, dates, numbers and sums filled in, some words changed for others, and sometimes a line that nobody
else has. Of every ten examples about one to three say nearly what an earlier one says: with typing mistakes, with a
greeting or thanks around it, the same with another number or date, in another case and spacing, or with one sentence
more. As many are paraphrases: the same sentences in another order and other words, which no letter 5-gram sees.
"""

import random
from datetime import UTC, datetime, timedelta

from headrace.training.example import Example, Kind, Message, example_id

BEGAN = datetime(2026, 9, 1, tzinfo=UTC)
ORIGINS = ("correction", "rating", "thumbs", "kept")
PLACES = (
    "Faro", "Lisboa", "Porto", "Sevilla", "Madrid", "Bilbao", "Paris", "Lyon", "Roma", "Milano", "Napoli", "Wien",
    "Graz", "Praha", "Berlin", "Hamburg", "Oslo", "Bergen", "Kraków", "Gdańsk", "Athens", "Izmir", "Dublin", "Cork",
)  # fmt: skip
WORDS = {
    "flight": ("flight", "plane", "connection"), "change": ("change", "move", "rebook"), "please": ("please", "kindly"),
    "show": ("show", "bring", "present"), "allowed": ("allowed", "permitted"), "about": ("about", "around", "roughly"),
    "hotel": ("hotel", "house", "place"), "quickly": ("quickly", "fast", "at once"), "help": ("help", "assist"),
    "send": ("send", "mail", "forward"), "luggage": ("luggage", "baggage", "bags"), "money": ("money", "amount"),
}  # fmt: skip
_TOPICS = """
Can I {change} my {flight} {number} to {place} to {date}?
How do I {change} the booking {number} for {date}?
I have to be in {place} one day later, on {date}. What does it cost to {change} my ticket?
--
You can {change} {flight} {number} online until two hours before it leaves.
The fee is {sum} for each person and way.
Open your booking, choose the new day and confirm it.
On {date} there are still {small} seats to {place}.
Where the new fare is lower, the difference is kept as a voucher.
If you booked with an agency, {please} ask there.

How much {luggage} may I take to {place}?
Is a bag of {small} kg {allowed} as hand {luggage} on {number}?
What do I pay for a second suitcase on the {flight} to {place}?
--
One bag of up to {small} kg and a small one are {allowed} in the cabin.
A suitcase of 23 kg costs {sum} each way.
Booked at the airport it is {sum} more.
Skis, bicycles and prams have rules of their own.
{Please} measure the bag with its wheels and handles.
Your fare to {place} includes {small} pieces of {luggage}.

My {flight} {number} to {place} was late by {small} hours. Do I get {money} back?
{number} was cancelled on {date}, what can I claim?
When do I get the refund of {sum} for {number}?
--
For a delay of more than three hours you can claim {sum}.
We {send} the {money} within {small} working days.
{Please} {send} us the boarding pass and your bank details.
Storms and strikes of others are excluded.
The claim for {number} of {date} has arrived and is being looked at.
Meals and a {hotel} are paid for while you wait.

Which {hotel} near the station of {place} has a room for {small} on {date}?
Is breakfast included in booking {number}?
Can I cancel the room in {place} for {date} without paying?
--
There are {small} houses near the station with free rooms on {date}.
A double room costs {about} {sum} a night.
Breakfast is served from seven to ten and costs {sum}.
You may cancel free of charge until the evening before.
The {hotel} has a lift and a room for wheelchairs.
Pets are {allowed} for {sum} a night.

Do I need a visa for {place}?
Is an identity card enough to travel to {place} on {date}?
What must my daughter of {small} years {show} at the border?
--
Citizens of the Union need an identity card that is valid on the day of travel.
{Please} {show} it at the gate.
Children need a document of their own.
A visa takes {about} {small} weeks and costs {sum}.
Ask the embassy where you have two citizenships.
Copies and photos on a phone do not count.

When does the last train leave {place} for the airport?
How do I get from {place} to the airport at night?
Is there a bus to {place} on {date}?
--
The last train leaves at {clock} from platform {small}.
Buses run all night, every {small} minutes.
A taxi costs {about} {sum}.
Tickets are sold in the app and at the machine, not on board.
On {date} there are works on the line; {please} leave half an hour earlier.
The ride takes {about} {small} minutes.
"""
TOPICS = [[part.strip().splitlines() for part in topic.split("--")] for topic in _TOPICS.split("\n\n")]
"""Of each topic, questions and answers."""
OWN = (
    "My neighbour {name} {did} a {thing} near {name}", "We {did} the {thing} of {name} last {season}",
    "It is for {name}, who {did} her {thing} in {name}", "I once {did} a {thing} with {name} in the {season}",
)  # fmt: skip
_SYLLABLES = ("ka", "lo", "mi", "ren", "ta", "su", "vel", "no", "bri")
_FILL: dict[str, tuple[str, ...]] = {
    "did": ("lost", "painted", "bought", "repaired", "forgot", "sold", "found", "carried", "insured"),
    "thing": ("violin", "tent", "wheelchair", "kayak", "camera", "parrot", "telescope", "wedding dress"),
    "season": ("spring", "summer", "autumn", "winter", "August", "May"),
}  # fmt: skip


def chats(count: int, seed: int = 1) -> list[Example]:
    """So many examples, the oldest first; each seed gives others."""
    dice = random.Random(seed)
    found: list[Example] = []
    told: list[tuple[str, str]] = []
    conversation, person, left = 0, "", 0
    while len(found) < count:
        if not left:
            conversation, left = conversation + 1, dice.choice((1, 1, 2, 3, 5))
            person = f"{dice.randrange(count // 2 + 1):08x}"
        left -= 1
        pair = _again(dice, *dice.choice(told)) if told and dice.random() < 0.4 else _new(dice)
        told.append(pair)
        found.append(_example(dice, len(found), f"c{conversation}", person, pair))
    return found


def _example(dice: random.Random, number: int, conversation: str, person: str, pair: tuple[str, str]) -> Example:
    kind: Kind = dice.choice(("sft", "sft", "sft", "kto"))
    return Example(
        id=example_id(kind, conversation, number),
        kind=kind,
        conversation=conversation,
        turn=number,
        at=BEGAN + timedelta(minutes=number),
        origin=dice.choice(ORIGINS),
        messages=(Message("user", pair[0]),),
        completion=pair[1],
        label=dice.random() < 0.8 if kind == "kto" else None,
        person=person if dice.random() < 0.7 else None,
        language="en",
        intent=dice.choice(("change", "luggage", "refund", "hotel", None)),
    )


def _new(dice: random.Random) -> tuple[str, str]:
    questions, answers = dice.choice(TOPICS)
    asked, said = dice.choice(questions), dice.sample(answers, dice.randrange(2, 5))
    parts = [filled(dice, asked), " ".join(filled(dice, one) for one in said)]
    for at in (0, 1):
        if dice.random() < 0.6:
            parts[at] += f" {filled(dice, dice.choice(OWN))}."
    return parts[0], parts[1]


def filled(dice: random.Random, sentence: str) -> str:
    """The sentence with something in each of its gaps."""
    values = {
        "place": dice.choice(PLACES),
        "number": f"{dice.choice(('TP', 'IB', 'LH', 'BK'))}{dice.randrange(100, 99999)}",
        "date": f"{dice.randrange(1, 29)} {dice.choice(('May', 'June', 'July', 'October'))}",
        "sum": f"{dice.randrange(5, 400)} euros",
        "small": str(dice.randrange(2, 30)),
        "clock": f"{dice.randrange(24)}:{dice.randrange(60):02}",
        "name": "".join(
            dice.choice(("ka", "lo", "mi", "ren", "ta", "su", "vel", "no", "bri")) for _ in range(3)
        ).title(),
        **{gap: dice.choice(some) for gap, some in _FILL.items()},
        **{gap: dice.choice(some) for gap, some in WORDS.items()},
    }
    return sentence.replace("{Please}", values["please"].capitalize()).format(**values)


def _again(dice: random.Random, asked: str, said: str) -> tuple[str, str]:
    """What says nearly the same, or the same in other words."""
    change = dice.choice((_mistyped, _mistyped, _polite, _other_number, _shouted, _longer, _paraphrased, _paraphrased))
    return change(dice, asked, said)


def _mistyped(dice: random.Random, asked: str, said: str) -> tuple[str, str]:
    for _ in range(dice.randrange(1, 5)):
        at = dice.randrange(len(asked))
        asked = asked[:at] + dice.choice(("", asked[at] * 2, dice.choice("aeinrst"))) + asked[at + 1 :]
    return asked, said


def _polite(dice: random.Random, asked: str, said: str) -> tuple[str, str]:
    return dice.choice(("Hi! ", "Good morning, ", "")) + asked + dice.choice((" Thanks!", " Thank you.", "")), said


def _other_number(dice: random.Random, asked: str, said: str) -> tuple[str, str]:
    def other(text: str) -> str:
        return "".join(str(dice.randrange(10)) if one.isdigit() else one for one in text)

    return other(asked), other(said)


def _shouted(dice: random.Random, asked: str, said: str) -> tuple[str, str]:
    return asked.upper().replace(" ", "  "), said


def _longer(dice: random.Random, asked: str, said: str) -> tuple[str, str]:
    return asked, f"{said} {dice.choice(('Is there anything else?', 'Have a good trip!', 'Anything more I can do?'))}"


def _paraphrased(dice: random.Random, asked: str, said: str) -> tuple[str, str]:
    def other(text: str) -> str:
        for some in WORDS.values():
            for word in some:
                if word in text:
                    text = text.replace(word, dice.choice(some))
                    break
        sentences = [one for one in text.split(". ") if one]
        dice.shuffle(sentences)
        return ". ".join(sentences)

    return f"Could you tell me: {other(asked)}", other(said)


def pair(asked: str, said: str, id: str = "", **values: object) -> Example:
    """An example in short: `sft`, and in a conversation of its own, where nothing else is said."""
    first = {"kind": "sft", "conversation": f"c-{id or asked}", "turn": 1, "at": BEGAN, "origin": "rating"}
    given = {"id": id or example_id("sft", asked, said), "messages": (Message("user", asked),), "completion": said}
    return Example(**{**first, **given, **values})  # type: ignore[arg-type]
