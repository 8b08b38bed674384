"""What travellers ask about, and what the company's documents say: the words of the scripted conversations.

Each right answer is a fact of a file in documents/; each wrong one is what people believe, or what was true once.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """One fact.

    Attributes:
        intent: what it is about, as the company sorts questions.
        document: where it stands.
        questions: ways to ask.
        right, wrong: an answer, and one that is not.
    """

    intent: str
    document: str
    questions: tuple[str, ...]
    right: str
    wrong: str
    language: str = "en"


TOPICS = (
    Topic(
        "baggage", "baggage.md",
        ("How heavy may my cabin bag be?", "is 10 kg ok for hand luggage", "What size of cabin bag do you accept?"),
        "One cabin bag of at most 55 x 40 x 23 cm and 8 kg, and one small item that fits under the seat in front.",
        "A cabin bag may weigh up to 10 kg.",
    ),
    Topic(
        "baggage", "baggage.md",
        ("What does a second suitcase cost on a Standard fare?", "price for one more checked bag, standard ticket"),
        "With a Standard fare one more checked bag costs 35 euro for one direction, if added four hours ahead.",
        "One more checked bag costs 25 euro.",
    ),
    Topic(
        "baggage", "baggage.md",
        ("Can I take my bicycle along?", "how do I bring a bike on the plane?", "What is the fee for a bicycle?"),
        "Yes, for 60 euro, in a hard case or a box. Register it 24 hours ahead; an aircraft takes eight.",
        "Bicycles travel free of charge.",
    ),
    Topic(
        "baggage", "baggage.md",
        ("My bag did not arrive. What now?", "lost luggage, what do I get for the first day?"),
        "Report it before leaving the baggage hall. We pay up to 90 euro for the first day; keep the receipts.",
        "Wait 21 days, then write to us.",
    ),
    Topic(
        "check-in", "check-in.md",
        ("When does the gate close?", "how late can I be at the gate for a flight to Lisbon"),
        "Within Europe the gate closes 20 minutes before departure, on longer flights 30 minutes.",
        "The gate closes 10 minutes before departure.",
    ),
    Topic(
        "check-in", "check-in.md",
        ("What does it cost to choose a seat?", "can I pick an exit row seat and for how much?"),
        "9 euro in the middle of the cabin, 16 euro in front of row 10 and 28 euro in an exit row.",
        "Seats can be chosen free of charge at any time.",
    ),
    Topic(
        "check-in", "check-in.md",
        ("Do I have to print my boarding pass?", "boarding pass on my phone ok?"),
        "No, a telephone will do. Printing at the airport costs 15 euro with a Light fare and nothing with others.",
        "Yes, every pass has to be printed at home.",
    ),
    Topic(
        "disruption", "refunds-and-disruption.md",
        ("You cancelled my flight. What can I choose?", "flight cancelled by airline - refund or another flight?"),
        "A seat on our next flight with room, a seat on another day within 30 days, or the whole fare back.",
        "You get a voucher.",
    ),
    Topic(
        "disruption", "refunds-and-disruption.md",
        ("My flight is four hours late. Do I get a meal?", "delayed 4 hours, what am I owed"),
        "A hot meal or a voucher of 25 euro, and two phone calls.",
        "There is nothing for delays below five hours.",
    ),
    Topic(
        "refund", "refunds-and-disruption.md",
        ("I cannot travel. What do I get back for a Light fare?", "light fare cancellation, any refund?"),
        "The airport taxes, less a fee of 25 euro for each ticket.",
        "The whole fare, less 70 euro.",
    ),
    Topic(
        "refund", "refunds-and-disruption.md",
        ("How long is a voucher valid?", "when does my voucher run out"),
        "A voucher is valid for 18 months and may be used in parts.",
        "A voucher is valid for 12 months.",
    ),
    Topic(
        "pets", "pets.md",
        ("What does my dog cost in the cabin?", "taking a cat on board, how much?"),
        "An animal in the cabin costs 55 euro for each flight.",
        "An animal in the cabin costs 40 euro for the whole trip.",
    ),
    Topic(
        "payment", "payment.html",
        ("Can I pay a trip for 900 euro in instalments?", "pay in three months, is there interest?"),
        "Yes, from 300 euro on over three, six or twelve months. Three months are free of interest.",
        "Instalments are not offered.",
    ),
    Topic(
        "payment", "payment.html",
        ("How long is a gift card good for?", "gift card from 2025, still ok?"),
        "Three years, to the end of the calendar year. What is left over stays on the card.",
        "One year from the day it was bought.",
    ),
    Topic(
        "circle", "lounges.html",
        ("May a Heron member use the lounge?", "lounge with heron status, can I bring a friend"),
        "Yes, our own lounges, but without a guest. Partner lounges are not included.",
        "Yes, with one guest, in every lounge.",
    ),
    Topic(
        "circle", "halvorra-circle.html",
        ("When do my points expire?", "are my points lost if I do not fly for two years?"),
        "Points are lost 36 months after the last flight or the last purchase at a partner.",
        "Points never expire.",
    ),
    Topic(
        "assistance", "special-assistance.md",
        ("How do I order a wheelchair?", "my mother cannot walk far, who helps us at the airport?"),
        "Ask for help 48 hours ahead, by telephone or in the booking. It is free at every airport.",
        "Ask at the gate; it costs 20 euro.",
    ),
    Topic(
        "visa", "visas-and-entry.md",
        ("Do I need a visa for Kaldria?", "kaldria visa how long before the trip"),
        "Yes, an electronic one for 52 euro: apply between 30 and five days before you fly, and print the approval.",
        "No, a passport is enough for 90 days.",
    ),
    Topic(
        "baggage", "baggage.md",
        ("Wie schwer darf mein Handgepäck sein?", "Wie groß darf die Tasche für die Kabine sein?"),
        "Höchstens 55 x 40 x 23 cm und 8 kg, dazu ein kleines Stück, das unter den Vordersitz passt.",
        "Das Handgepäck darf 10 kg wiegen.",
        "de",
    ),
    Topic(
        "refund", "refunds-and-disruption.md",
        ("Wie lange gilt mein Gutschein?", "Bis wann muss ich den Gutschein einlösen?"),
        "Ein Gutschein gilt 18 Monate und darf in Teilen eingelöst werden.",
        "Ein Gutschein gilt 12 Monate.",
        "de",
    ),
)  # fmt: skip

REFUSAL = {
    "en": "I cannot answer that from what I was given.",
    "de": "Das kann ich aus dem, was mir gegeben wurde, nicht beantworten.",
}
PRAISE = {
    "en": (
        "Thank you, that was quick and clear.",
        "Great, exactly what I wanted to know!",
        "Very helpful, now I can pack without worrying.",
        "Perfect answer, and it even says where it is written.",
    ),
    "de": ("Danke, das war schnell und klar.", "Genau das wollte ich wissen, vielen Dank für die gute Auskunft."),
}
COMPLAINTS = {
    "en": (
        "This is wrong, the people at the counter told me something else.",
        "Terrible, I nearly missed my flight because of this answer.",
        "That is not what your own website says. Very annoying.",
        "Bad answer, I asked about something different.",
    ),
    "de": ("Das stimmt nicht, am Schalter hat man mir etwas anderes gesagt.", "Schlecht, das hat mir nicht geholfen."),
}
