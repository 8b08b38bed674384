"""The sample that a person looks at, and Comprehend as a second opinion behind botocore's stub."""

from dataclasses import replace
from datetime import UTC, datetime
from random import Random

import botocore.session
import pytest
from botocore.stub import Stubber

from headrace.config_comprehend import ComprehendPersonalData
from headrace.ports import Unacceptable
from headrace.stores.comprehend import ComprehendPersonalDataFinder
from headrace.training.example import Example, Message
from headrace.training.formats import FORMATS
from headrace.training.privacy import PLACEHOLDER, Privacy, cleaned
from headrace.training.privacy_audit import Asking, Sampled, Seen, merged, sample, second_opinion, texts_of

PRIVACY = Privacy(b"sixteen bytes or")
KEY = b"audit"


def example(number: int, question: str, answer: str = "Yes, that is so.") -> Example:
    at = datetime(2026, 11, 27, tzinfo=UTC)
    return Example(f"{number:032x}", "sft", "c", 1, at, "thumbs", (Message("user", question),), answer)


MADE = [
    cleaned(example(at, f"Mail me at guest{at}@mail.example or call +49 171 23456{at:02}."), PRIVACY)
    for at in range(40)
]


def test_a_sample_has_each_kind_and_texts_without_a_finding():
    rows = sample(MADE, KEY, size=5)
    assert {kind: sum(row.kind == kind for row in rows) for kind in ("EMAIL", "NONE", "PHONE")} == {
        "EMAIL": 5, "NONE": 5, "PHONE": 5,
    }  # fmt: skip
    assert len(rows) == 15
    assert all(PLACEHOLDER.search(row.text) for row in rows if row.kind != "NONE")
    assert not any("guest" in row.text or "171" in row.text for row in rows)
    assert rows[5] in [Sampled("NONE", one.id, 1, "Yes, that is so.") for one, _ in MADE]


def test_a_sample_does_not_depend_on_order_or_partitions():
    whole = sample(MADE, KEY, size=5)
    shuffled = list(MADE)
    Random(1).shuffle(shuffled)
    assert sample(shuffled, KEY, size=5) == whole
    parts = [sample(shuffled[at::3], KEY, size=5) for at in range(3)]
    assert merged([row for part in parts for row in part], KEY, size=5) == whole
    assert sample(MADE, b"another", size=5) != whole


# --- A second opinion ---


@pytest.fixture
def stub():
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "eu-central-1"}
    with Stubber(botocore.session.get_session().create_client("comprehend", **keys)) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def answers(stub, text, *entities):
    told = [
        {"BeginOffset": begin, "EndOffset": end, "Type": kind, "Score": score} for begin, end, kind, score in entities
    ]
    stub.add_response("detect_pii_entities", {"Entities": told}, {"Text": text, "LanguageCode": "en"})


def test_comprehend_tells_what_the_rules_left(stub):
    made, _ = cleaned(example(1, "Ask John Doe, john@mail.example, at noon", "He lives at 1 Elm St."), PRIVACY)
    question, answer = made.texts()
    place = question.index("[EMAIL")
    name, user = (4, 12, "NAME", 0.99), (place, place + 14, "USERNAME", 0.95)
    answers(stub, question, name, user, (len(question) - 4, len(question), "DATE_TIME", 0.99))
    answers(stub, answer, (12, 20, "ADDRESS", 0.97), (0, 2, "NAME", 0.3))
    finder = ComprehendPersonalDataFinder(ComprehendPersonalData(), None, stub.client)
    assert second_opinion(made.texts(), finder, "en") == [
        Seen(0, "NAME", 4, 12, 0.99), Seen(1, "ADDRESS", 12, 20, 0.97),
    ]  # fmt: skip


def test_kinds_and_scores_that_count_are_a_setting(stub):
    made, _ = cleaned(example(1, "at noon", "ok then"), PRIVACY)
    answers(stub, "at noon", (3, 7, "DATE_TIME", 0.4))
    answers(stub, "ok then")
    finder = ComprehendPersonalDataFinder(ComprehendPersonalData(), None, stub.client)
    seen = second_opinion(made.texts(), finder, "en", Asking(least=0.3, ignored=frozenset()))
    assert seen == [Seen(0, "DATE_TIME", 3, 7, 0.4)]


def test_a_language_that_it_does_not_know_is_told(stub):
    finder = ComprehendPersonalDataFinder(ComprehendPersonalData(), None, stub.client)
    with pytest.raises(Unacceptable, match="expected one of en, es; found de"):
        second_opinion(["Hallo"], finder, "de")


@pytest.mark.parametrize("format", [one for one in FORMATS.values() if "sft" in one.kinds], ids=lambda one: one.name)
def test_the_texts_of_a_line_are_those_of_its_example_whatever_its_format(format):
    made = example(1, "Ask John Doe", "He lives at 1 Elm St.")
    found = list(texts_of(format.line(replace(made, kind="sft"))))
    assert [one for one in found if one] == ["Ask John Doe", "He lives at 1 Elm St."]
