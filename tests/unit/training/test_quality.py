"""Quality rules: what each refuses, and good chat that none refuses."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from headrace.knowledge.parse.language import detect
from headrace.training.example import Example, Message
from headrace.training.privacy import Privacy, cleaned
from headrace.training.quality import RULES, Reason, refused
from headrace.training.quality_rules.parts import Lengths, Quality
from headrace.training.quality_rules.phrases import phrases
from headrace.training.refused import Refused
from headrace.words import words

AT = datetime(2026, 11, 27, tzinfo=UTC)
QUALITY = Quality(detect=detect, languages=frozenset({"en", "de"}), reserved=("System:", "[EOS]"))


def sft(*said: str, answer: str | None = "Yes, until noon.", **more) -> Example:
    roles = ("user", "assistant")
    messages = tuple(Message(roles[at % 2], text) for at, text in enumerate(said))
    return Example("7" * 32, "sft", "c", 1, AT, "thumbs", messages, answer, **more)


def dpo(chosen: str, rejected: str) -> Example:
    return replace(sft("Is it open?"), kind="dpo", completion=None, chosen=chosen, rejected=rejected)


def reason(example: Example, quality: Quality = QUALITY) -> str | None:
    found = refused(example, quality)
    assert found is None or (found.example, found.step) == (example.id, "quality")
    return found and found.reason


def of_roles(*roles: str) -> Example:
    return replace(sft("x"), messages=tuple(Message(role, "Is it open?") for role in roles))


LONG_EN = "Could you please tell me when breakfast is served tomorrow morning and whether it costs anything?"
LONG_DE = "Das Frühstück gibt es morgen früh ab sieben Uhr, und es ist im Preis Ihres Zimmers enthalten."
OTHER = "Wait a little and load the page again; should it stay, write to us which page it was, and what you did before."
LONG_FR = "Le petit déjeuner est servi demain matin à partir de sept heures et il est compris dans le prix."
BAD: list[tuple[Reason, Example]] = [
    ("out_of_turn", of_roles("user", "assistant", "assistant", "user")),
    ("out_of_turn", of_roles("user", "user")),
    ("out_of_turn", of_roles("assistant", "user")),
    ("out_of_turn", of_roles("user", "assistant")),
    ("out_of_turn", of_roles()),
    ("empty", sft("Is it open?", answer="")),
    ("empty", sft("Is it open?", answer=" \n\u200b\u00a0")),
    ("empty", sft("Is it open?", answer=None)),
    ("empty", sft("Is it open?", " ", "And now?")),
    ("empty", dpo("It is.", "")),
    ("same_answers", dpo("It is.", " It  is.\n")),
    ("only_placeholders", cleaned(sft("anna@mail.example"), Privacy(b"sixteen bytes or"))[0]),
    ("only_placeholders", sft("[EMAIL_7F3A21], [PHONE_000000]!")),
    ("only_signs", sft("👍👍!!")),
    ("only_signs", sft("Is it open?", answer="... 🙂")),
    ("too_short", sft("a")),
    ("too_short", replace(sft(), kind="text", completion="A short text.", messages=())),
    ("too_long", sft("word " * 2_000)),
    ("too_many_tokens", sft("Is it open?", system="word " * 6_000)),
    ("reserved_word", sft("Say System: yes")),
    ("reserved_word", sft("Is it open?", answer="It is.[EOS]")),
    ("few_letters", sft("1234 5678 | 9012 3456 | 7890 1234 | 5678 9012 | 3456 7890 ab")),
    ("repeats", sft("Is it open?", answer="A" + "a" * 40)),
    ("repeats", sft("Is it open?", answer="It is open until noon.\n" * 7)),
    ("repeats", sft("Is it open?", answer="it is open until noon today and " * 10)),
    ("broken_off", sft("Show me", answer="Like this:\n```python\nprint(1)")),
    ("error", sft("Is it open?", answer="Ein Fehler ist aufgetreten.")),
    ("error", sft("Is it open?", answer="HTTP 500 Internal Server Error")),
    ("refusal", sft("Is it open?", answer="I'm sorry, but I can't help with that.")),
    ("refusal", sft("Is it open?", answer="Als KI-Sprachmodell habe ich keine Meinung.")),
    ("refusal", sft("Is it open?", answer="Désolé, mais je ne peux pas répondre.")),
    ("refusal", sft("Is it open?", answer="Lo siento, no puedo ayudarle con eso.")),
    ("other_language", sft(LONG_FR, answer=LONG_FR)),
    ("other_language", sft("Ouvert ?", answer="Oui.", language="fr-FR")),
    ("answered_in_another", sft(LONG_EN, answer=LONG_DE)),
    ("abusive", sft("Is it open?", answer="You are a bitch.")),
    ("abusive", sft("Ist offen, Arschlöcher?", language="de")),
    ("abusive", sft("Is it open?", answer="Kill yourself!")),
]


@pytest.mark.parametrize(("wanted", "example"), BAD)
def test_a_bad_example_is_refused_for_its_reason(wanted, example):
    assert reason(example) == wanted


def test_every_rule_has_a_bad_example_above():
    assert {wanted for wanted, _ in BAD} == set(RULES)
    assert set(Reason.__args__) == set(RULES)


GOOD = [
    sft("Is it open?"),
    sft("Is it open?", "Yes.", "And on Sunday?", answer="No."),
    sft("When?", answer="12:30"),
    sft("When do trains go?", answer="12:30, 13:30, 14:30"),
    sft("ok", answer="Good."),
    sft("Was kostet es?", answer="89,50 € pro Nacht, also 179,00 € für zwei Nächte.", language="de-AT"),
    sft(
        "Print it",
        answer="Like this:\n```python\nx = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]\n```\nDone.",
    ),
    sft("A table", answer="| a | b |\n|---|---|\n| one | two |\n\n----------------------------------------\nEnd"),
    sft("My address is [EMAIL_7F3A21]", answer="Thank you, I sent it to [EMAIL_7F3A21]."),
    sft(
        "It says internal server error",
        answer=f"An internal server error is a fault of the site. {LONG_EN} {OTHER}",
    ),
    sft(
        "Can I bring a dog?",
        answer="Dogs can travel. Small ones go into the cabin, larger ones into the hold, for which you pay at the "
        "desk on the day of your flight; I cannot help with the papers.",
    ),
    sft("Welche Farbe? Dick oder dünn, ein Slip?", answer="Ein dicker Pullover, con mucho gusto."),
    sft("How does one become an artist?", answer="Draw every day, and see other artists often: they help each other."),
    dpo("It is open until noon.", "I'm sorry, but I can't help with that."),
    replace(sft("Is it open?", answer="I'm sorry, but I can't help with that."), kind="kto", label=False),
    replace(
        sft(), kind="text", completion="The hotel is open from March to October, and closed in winter.", messages=()
    ),
]


@pytest.mark.parametrize("example", GOOD)
def test_good_chat_stays(example):
    assert refused(example, QUALITY) is None


def test_an_abusive_word_of_one_language_is_harmless_in_another():
    assert reason(sft("Is the hure open?", language="de")) == "abusive"
    assert reason(sft("una polla de agua", language="es"), quality=Quality()) == "abusive"
    assert reason(sft("na polla de agua", language="it"), quality=Quality()) is None
    assert reason(sft("a snollygoster"), quality=Quality(abuse=frozenset({"snollygoster"}))) == "abusive"


def test_details_hold_no_text_of_the_example():
    for _, example in BAD:
        found = refused(example, QUALITY)
        assert isinstance(found, Refused)
        long = [word for text in example.texts() for word in words(text) if len(word) > 3 and not word.isdigit()]
        told = set(words(found.detail.replace("[", " ").replace("_", " "))) - {
            "messages",
            "system",
            "eos",
            "lines",
            "words",
        }
        assert not told & set(long), found


def test_phrases_are_written_as_they_are_compared():
    known = phrases()
    every = [
        *known.refusals,
        *known.errors,
        *known.ambiguous,
        *known.abuse["de"],
        *known.abuse["fr"],
        *known.abuse["es"],
    ]
    assert all(one and " ".join(words(one)) == one for one in every)
    assert all(len(one.split()) <= 2 for some in known.abuse.values() for one in some)
    assert known.ambiguous <= frozenset().union(*known.abuse.values())


def test_lengths_are_by_role():
    strict = Quality(user=Lengths(2, 20), assistant=Lengths(2, 10))
    assert reason(sft("Is it open today?", answer="Yes"), quality=strict) is None
    found = refused(sft("Is it open today?", answer="Yes, it is."), strict)
    assert found == Refused("7" * 32, "quality", "too_long", "completion: 11 characters; at most 10")
