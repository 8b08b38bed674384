"""LangChain embeddings, with a class of that shape; LangChain itself is not installed here."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import SecretStr

from headrace.config_knowledge import LangChainEmbed
from headrace.errors import ConfigError, Fatal, MissingDependency, Retryable, Unreachable
from headrace.ports import Throttled, Unacceptable
from headrace.stores.langchain_models import LangChainEmbedder
from unit.embedders.model_server import DIMENSION

FAKE = "unit.embedders.fake_langchain:FakeEmbeddings"


def made(path: str = FAKE, **arguments: object) -> LangChainEmbedder:
    values = {"path": path, "arguments": {"model": "m", **arguments}, "model": "m", "dimension": DIMENSION}
    return LangChainEmbedder(LangChainEmbed.model_validate({"provider": "langchain", **values}))


def error(name: str, text: str = "it said so", **attributes: Any) -> Exception:
    made = type(name, (Exception,), {})(text)
    vars(made).update(attributes)
    return made


def test_the_class_gets_its_arguments_and_secrets_as_plain_text():
    assert made(api_key=SecretStr("hidden"))._inner.key == "hidden"


def test_prefixes_go_before_the_text_and_change_the_fingerprint():
    plain = made()
    values = {"provider": "langchain", "path": FAKE, "arguments": {"model": "m"}, "model": "m", "dimension": DIMENSION}
    one = LangChainEmbedder(LangChainEmbed.model_validate({**values, "document_prefix": "passage: "}))
    assert (one.embed(["a"]) == plain.embed(["passage: a"])).all()
    assert (one.embed(["a"], "query") == plain.embed(["a"], "query")).all()
    assert one.fingerprint != plain.fingerprint


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("langchain_openai:OpenAIEmbeddings", "Run `pip install langchain-openai` where the workers run"),
        ("unit.embedders.nothing:X", "Run `pip install unit`"),
        ("unit.embedders.fake_langchain:NeedsMore", "Run `pip install voyageai`"),
    ],
)
def test_a_package_that_is_missing_is_named_with_the_command_that_brings_it(path, says):
    with pytest.raises(MissingDependency, match=says):
        made(path)


def test_a_class_there_is_none_of_is_a_wrong_setting():
    with pytest.raises(ConfigError, match=r"embed\.path: expected Nothing in module unit"):
        made("unit.embedders.fake_langchain:Nothing")


@pytest.mark.parametrize("arguments", [{"fail": "broken"}, {"surplus": "x"}])
def test_arguments_it_does_not_take_are_a_wrong_setting_and_secrets_stay_hidden(arguments):
    with pytest.raises(ConfigError, match=r"embed\.arguments: expected arguments that unit") as caught:
        made(api_key=SecretStr("hidden"), **arguments)
    assert "hidden" not in str(caught.value)
    assert "hidden" not in str(caught.value.__cause__)


@pytest.mark.parametrize(
    ("raised", "kind", "pause"),
    [
        (error("RateLimitError"), Throttled, None),
        (error("ThrottlingException", retry_after=4), Throttled, 4.0),
        (
            error("APIStatusError", status_code=429, response=SimpleNamespace(headers={"Retry-After": "9"})),
            Throttled,
            9.0,
        ),
        (error("HttpError", http_status=503, retry_after=2), Throttled, 2.0),
        (error("HTTPError", response=SimpleNamespace(status_code=429, headers=None)), Throttled, None),
        (error("ApiError", code=500), Unreachable, None),
        (error("APITimeoutError"), Unreachable, None),
        (TimeoutError("slow"), Unreachable, None),
        (ConnectionResetError("gone"), Unreachable, None),
        (error("BadRequestError", status_code=400), Unacceptable, None),
        (error("AuthenticationError", status_code=401), Fatal, None),
        (error("ApiError", code="odd"), Retryable, None),
        (ValueError("?"), Retryable, None),
        (error("ClientError", response={"Error": {"Code": "ThrottlingException"}}), Throttled, None),
        (error("ClientError", response={"Error": {"Code": "AccessDeniedException"}}), Fatal, None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_errors_of_unknown_clients_are_understood_by_status_or_name(raised, kind, pause):
    one = made()
    one._inner.raises = raised
    with pytest.raises(kind) as caught:
        one.embed(["a"])
    assert getattr(caught.value, "retry_after", None) == pause
    assert kind is not Retryable or type(caught.value) is Retryable


def test_an_error_of_ours_from_inside_passes_as_it_is():
    one = made()
    one._inner.raises = Unacceptable(expected="a", found="b", todo="c")
    with pytest.raises(Unacceptable, match=re.escape("expected a; found b. c")):
        one.embed(["a"])


def test_a_secret_in_an_error_is_not_shown():
    one = made(api_key=SecretStr("hidden"))
    one._inner.raises = error("ApiError", "Bearer hidden refused", status_code=401)
    with pytest.raises(Fatal, match=re.escape("Bearer *** refused")) as caught:
        one.embed(["a"])
    assert caught.value.__cause__ is None


def test_the_fingerprint_follows_arguments_and_leaves_secrets_out():
    base = made().fingerprint
    assert made(api_key=SecretStr("a")).fingerprint == base
    assert made(fail="").fingerprint != base
