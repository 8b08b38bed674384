"""A service that fails for the time being is asked again, for so long; what has no answer then says why."""

import pytest

from headrace.config_comprehend import ComprehendSentiment
from headrace.errors import Fatal, Retryable
from headrace.ports import Unacceptable
from headrace.stores.comprehend import ComprehendSentimentModel
from headrace.stores.patient import PatientSentimentModel
from unit.stores.test_comprehend import POSITIVE, answers, client, result, stub  # noqa: F401


class Time:
    """A clock that goes on only where somebody sleeps."""

    def __init__(self) -> None:
        self.now, self.slept = 100.0, list[float]()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def patient(stub, time, told, seconds=20.0) -> PatientSentimentModel:  # noqa: F811
    inner = ComprehendSentimentModel(ComprehendSentiment(), None, stub.client)
    return PatientSentimentModel(inner, seconds, told.append, time, time.sleep)


def test_a_throttled_call_and_a_text_that_failed_are_asked_again_alone(stub):  # noqa: F811
    time, told = Time(), list[int]()
    stub.add_client_error("batch_detect_sentiment", "ThrottlingException", "slow down", 400)
    failed = {"Index": 1, "ErrorCode": "InternalServerException", "ErrorMessage": "later"}
    refused = {"Index": 2, "ErrorCode": "InvalidRequestException", "ErrorMessage": "never"}
    answers(stub, ["a", "b", "c"], [result(0)], [failed, refused])
    answers(stub, ["b"], [result(0)])
    first, second, third = patient(stub, time, told).sentiments(["a", "b", "c"], "en")
    assert (first, second) == (POSITIVE, POSITIVE) and isinstance(third, Unacceptable)
    assert told == [0, 2, 1] and time.slept == [0.5, 1.0]


def test_answers_of_earlier_calls_stay_and_no_call_is_begun_after_the_time(stub):  # noqa: F811
    time, told = Time(), list[int]()
    texts = [f"text {at}" for at in range(60)]
    answers(stub, texts[:25], [result(at) for at in range(25)])
    for _ in range(3):  # pauses of 0.5, 1 and what is left of 2 seconds
        stub.add_client_error("batch_detect_sentiment", "ThrottlingException", "slow down", 400)
    found = patient(stub, time, told, seconds=2.0).sentiments(texts, "en")
    assert found[:25] == [POSITIVE] * 25 and all(isinstance(one, Retryable) for one in found[25:])
    assert "slow down" in str(found[25]) and "none yet" in str(found[50])
    assert sum(told) == 25 and sum(time.slept) == pytest.approx(2.0)


def test_where_nothing_can_work_nothing_more_is_asked(stub):  # noqa: F811
    time, told = Time(), list[int]()
    stub.add_client_error("batch_detect_sentiment", "AccessDeniedException", "no", 403)
    model = patient(stub, time, told)
    found = model.sentiments([f"text {at}" for at in range(60)], "en") + model.sentiments(["ein Text"], "de")
    assert len(found) == 61 and all(isinstance(one, Fatal) for one in found)
    with pytest.raises(Unacceptable):
        PatientSentimentModel(model._inner, 20.0, told.append, time, time.sleep).sentiments(["goed"], "nl")
