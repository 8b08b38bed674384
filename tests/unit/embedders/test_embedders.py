"""The factory, the probe, and the embedder a worker keeps."""

import pytest

from headrace.config_knowledge import EmbedBase, HttpEmbed, StaticEmbed
from headrace.errors import ConfigError, Fatal, Unreachable
from headrace.stores.embedders import check, embedder, kept_embedder
from unit.embedders.model_server import DIMENSION, Reply, model_server, vectors

HTTP = {"provider": "http", "model": "m", "dimension": DIMENSION}


def test_a_check_asks_once_as_a_document_and_once_as_a_query():
    with model_server() as server:
        check(embedder(HttpEmbed.model_validate(HTTP | {"url": server.url, "query_prefix": "q: "})))
        assert [call.body["input"][0][:3] == "q: " for call in server.calls] == [False, True]


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (lambda call: vectors(call, dimension=8), ConfigError, "Set `dimension: 8`"),
        (lambda call: Reply(400, b"no such parameter"), ConfigError, "no such parameter.*no text will pass"),
        (lambda call: Reply(401), Fatal, "embed.key"),
        (lambda call: Reply(500), Unreachable, "500"),
    ],
)
def test_a_check_finds_what_is_wrong_before_any_work_is_done(answer, kind, says):
    with model_server() as server, pytest.raises(kind, match=says):
        server.answer = answer
        check(embedder(HttpEmbed.model_validate(HTTP | {"url": server.url})))


def test_a_worker_keeps_one_embedder_for_each_settings_and_closing_it_does_no_harm():
    one = kept_embedder(StaticEmbed(dimension=64))
    one.close()
    assert kept_embedder(StaticEmbed(dimension=64)) is one
    assert kept_embedder(StaticEmbed(dimension=128)) is not one
    assert one.embed(["still here"]).shape == (1, 64)
    assert (one.model, one.dimension, one.batch, one.parallel) == ("wordllama-l2-supercat-64", 64, 256, 1)


def test_a_kept_embedder_is_another_for_another_key():
    settings = [HttpEmbed.model_validate(HTTP | {"url": "http://127.0.0.1:9/v1", "key": key}) for key in "ab"]
    assert kept_embedder(settings[0]) is not kept_embedder(settings[1])
    assert kept_embedder(settings[0]).parallel == 8


def test_settings_of_another_kind_are_a_mistake_of_ours():
    with pytest.raises(TypeError, match="no embedder for EmbedBase"):
        embedder(EmbedBase())
