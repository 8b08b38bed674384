"""Comprehend behind botocore's stub, which knows the documented shapes of requests and answers."""

import time

import botocore.session
import pytest
from botocore.stub import ANY, Stubber
from hypothesis import given
from hypothesis import strategies as st

from headrace.config_comprehend import ComprehendPersonalData, ComprehendSentiment
from headrace.errors import Fatal, HeadraceError, Retryable, Unreachable
from headrace.ports import Throttled, Unacceptable
from headrace.ports_texts import PersonalData, PersonalDataFinder, Sentiment, SentimentModel
from headrace.stores import comprehend
from headrace.stores.comprehend import ComprehendPersonalDataFinder, ComprehendSentimentModel, pieces
from headrace.stores.limiter import PacedLimiter, in_process, limiter
from headrace.stores.pace import Rates

SCORES = {"Positive": 0.9, "Negative": 0.05, "Neutral": 0.03, "Mixed": 0.02}
POSITIVE = Sentiment("positive", {"positive": 0.9, "negative": 0.05, "neutral": 0.03, "mixed": 0.02})


@pytest.fixture(scope="module")
def client():
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "eu-central-1"}
    return botocore.session.get_session().create_client("comprehend", **keys)


@pytest.fixture
def stub(client):
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def model(stub, turns=None, **more) -> SentimentModel:
    return ComprehendSentimentModel(ComprehendSentiment(**more), turns, stub.client)


def finder(stub, turns=None) -> PersonalDataFinder:
    return ComprehendPersonalDataFinder(ComprehendPersonalData(), turns, stub.client)


def result(index):
    return {"Index": index, "Sentiment": "POSITIVE", "SentimentScore": SCORES}


def answers(stub, texts, results, errors=(), language="en"):
    asked = {"TextList": texts, "LanguageCode": language}
    stub.add_response("batch_detect_sentiment", {"ResultList": results, "ErrorList": list(errors)}, asked)


# --- Sentiment ---


def test_results_come_back_in_the_order_of_the_texts(stub):
    answers(stub, ["good", "fine"], [{**result(1), "Sentiment": "MIXED"}, result(0)], language="de")
    found = model(stub).sentiments(["good", "fine"], "de")
    assert found == [POSITIVE, Sentiment("mixed", POSITIVE.scores)]


def test_at_most_25_texts_go_in_a_call(stub):
    texts = [f"text {at}" for at in range(60)]
    for start, count in ((0, 25), (25, 25), (50, 10)):
        answers(stub, texts[start : start + count], [result(at) for at in range(count)])
    assert model(stub).sentiments(texts, "en") == [POSITIVE] * 60


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("a" * 6000, "a" * 5000),
        ("ä" * 3000, "ä" * 2500),
        ("a" + "ä" * 2500, "a" + "ä" * 2499),
        ("x" + "🏨" * 1250, "x" + "🏨" * 1249),
        ("a\ud800b", "a?b"),
    ],
)
def test_a_text_is_cut_between_two_characters(stub, text, sent):
    answers(stub, [sent], [result(0)])
    assert model(stub).sentiments([text], "en") == [POSITIVE]
    assert len(sent.encode()) <= 5000


def test_a_text_that_fails_does_not_take_the_others_with_it(stub):
    errors = [
        {"Index": 1, "ErrorCode": "InternalServerException", "ErrorMessage": "later"},
        {"Index": 2, "ErrorCode": "TextSizeLimitExceededException", "ErrorMessage": "too long"},
    ]
    answers(stub, ["a", "b", "c", "d"], [result(0)], errors)
    found = model(stub).sentiments(["a", " ", "b", "c", "d"], "en")
    assert found[0] == POSITIVE
    assert [type(one) for one in found[1:]] == [Unacceptable, Retryable, Unacceptable, Retryable]
    assert "an empty one" in str(found[1]) and "later" in str(found[2]) and "none for this one" in str(found[4])


def test_a_batch_refused_whole_is_halved_until_the_text_at_fault_stands_alone(stub):
    for _ in ("a, b and c", "a"):
        stub.add_client_error("batch_detect_sentiment", "InvalidRequestException", "no", 400)
    answers(stub, ["b", "c"], [result(0), result(1)])
    first, *rest = model(stub).sentiments(["a", "b", "c"], "en")
    assert isinstance(first, Unacceptable) and rest == [POSITIVE, POSITIVE]


def test_nothing_is_asked_for_no_texts_or_another_language(stub):
    assert model(stub).sentiments([], "en") == []
    with pytest.raises(Unacceptable, match="found nl"):
        model(stub).sentiments(["goed"], "nl")
    with pytest.raises(Unacceptable, match="expected one of en, es; found de"):
        finder(stub).personal_data("Anna", "de")


def test_the_languages_are_those_of_the_service(stub):
    known = stub.client.meta.service_model.shape_for("LanguageCode").enum
    assert list(comprehend.SENTIMENT_LANGUAGES) == known


# --- Personal data ---


def entity(begin, end, kind="NAME", score=0.99):
    return {"BeginOffset": begin, "EndOffset": end, "Type": kind, "Score": score}


def test_places_are_counted_in_characters(stub):
    text = "Grüße 🏨 from Anna, anna@example.com"
    stub.add_response("detect_pii_entities", {"Entities": [entity(13, 17), entity(19, 35, "EMAIL", 0.5)]},
                      {"Text": text, "LanguageCode": "en"})  # fmt: skip
    found = finder(stub).personal_data(text, "en")
    assert found == [PersonalData(13, 17, "NAME", 0.99), PersonalData(19, 35, "EMAIL", 0.5)]
    assert [text[one.begin : one.end] for one in found] == ["Anna", "anna@example.com"]


def test_a_long_text_goes_in_pieces_and_what_a_cut_parts_is_found_whole(stub):
    text = "x" * 99_990 + " Anna Maria Smith " + "y" * 50
    first, second = dict(pieces(text)).items()
    assert first[0] == 0 and len(first[1]) == 100_000 and second[0] == 99_800
    stub.add_response(
        "detect_pii_entities", {"Entities": [entity(99_991, 100_000)]}, {"Text": first[1], "LanguageCode": "es"}
    )
    at = text.index("Anna") - second[0]
    stub.add_response(
        "detect_pii_entities", {"Entities": [entity(at, at + 16)]}, {"Text": second[1], "LanguageCode": "es"}
    )
    (found,) = finder(stub).personal_data(text, "es")
    assert text[found.begin : found.end] == "Anna Maria Smith"


@given(st.text(max_size=60), st.integers(8, 40), st.integers(0, 3))
def test_pieces_cover_the_text_and_keep_to_their_size(text, most, shared):
    end = 0
    for begin, piece in pieces(text, most, shared):
        assert begin <= end and len(piece.encode()) <= most and text[begin : begin + len(piece)] == piece
        end = begin + len(piece)
    assert end == len(text)


def test_an_empty_text_holds_nothing_personal(stub):
    assert finder(stub).personal_data(" \n", "en") == []


# --- Errors and pace ---


@pytest.mark.parametrize("operation", ["batch_detect_sentiment", "detect_pii_entities"])
@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("ThrottlingException", 400, Throttled),
        ("TooManyRequestsException", 400, Throttled),
        ("ServiceUnavailable", 503, Throttled),
        ("InternalServerException", 500, Retryable),
        ("InvalidRequestException", 400, Unacceptable),
        ("TextSizeLimitExceededException", 400, Unacceptable),
        ("UnsupportedLanguageException", 400, Unacceptable),
        ("BatchSizeLimitExceededException", 400, Fatal),
        ("AccessDeniedException", 400, Fatal),
        ("ExpiredTokenException", 400, Fatal),
    ],
)
def test_every_error_of_the_service_means_one_thing_to_us(stub, operation, code, status, kind):
    stub.add_client_error(operation, code, "no", status)
    try:
        (error,) = (
            model(stub).sentiments(["a"], "en") if "sentiment" in operation else finder(stub).personal_data("a", "en")
        )
    except HeadraceError as raised:
        error = raised
    assert type(error) is kind and code in str(error)


def test_an_error_the_service_documents_is_none_we_do_not_know(stub):
    known = {"InvalidRequestException", "TextSizeLimitExceededException", "UnsupportedLanguageException",
             "BatchSizeLimitExceededException", "InternalServerException"}  # fmt: skip
    for operation in ("BatchDetectSentiment", "DetectPiiEntities"):
        shapes = stub.client.meta.service_model.operation_model(operation).error_shapes
        assert {shape.name for shape in shapes} <= known


def test_a_service_out_of_reach_may_be_there_later(monkeypatch):
    for name, value in (("ACCESS_KEY_ID", "a"), ("SECRET_ACCESS_KEY", "b"), ("ENDPOINT_URL", "http://127.0.0.1:1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    made = ComprehendPersonalDataFinder(ComprehendPersonalData(region="eu-central-1"))
    with pytest.raises(Unreachable, match="comprehend"):
        made.personal_data("Anna", "en")
    made.close()


def test_calls_wait_for_their_turn(stub):
    for _ in range(3):
        stub.add_response("detect_pii_entities", {"Entities": []}, {"Text": ANY, "LanguageCode": "en"})
    turns = PacedLimiter(Rates(requests=10.0), in_process())
    began = time.monotonic()
    turns.turn(1, began)  # what a quiet time allows at once is used up
    for _ in range(10):
        turns.turn(1, began + 10)
    for _ in range(3):
        finder(stub, turns).personal_data("Anna", "en")
    assert time.monotonic() - began >= 0.2


def test_a_throttled_call_slows_everybody_down(stub):
    turns = PacedLimiter(Rates(requests=1000.0), in_process())
    meta = {"HTTPHeaders": {"retry-after": "7"}}
    stub.add_client_error("batch_detect_sentiment", "ThrottlingException", "slow", 400, response_meta=meta)
    with pytest.raises(Throttled) as raised:
        model(stub, turns).sentiments(["a"], "en")
    assert raised.value.retry_after == 7
    assert turns.turn(1, time.monotonic() + 6) is None and turns.turn(1, time.monotonic() + 8) is not None


def test_a_turn_that_comes_too_late_is_not_waited_for(stub):
    turns = PacedLimiter(Rates(requests=1.0), in_process())
    for _ in range(5):
        turns.turn(1, time.monotonic() + 60)
    with pytest.raises(Throttled, match="none within 1 s"):
        model(stub, turns, timeout="1s").sentiments(["a"], "en")


def test_each_operation_has_a_quota_of_its_own(tmp_path):
    made = [limiter(kind(requests_per_minute=60), writers=1, one_host=True, folder=tmp_path)
            for kind in (ComprehendSentiment, ComprehendPersonalData, ComprehendSentiment)]  # fmt: skip
    assert made[0] is made[2] and made[0] is not made[1]
