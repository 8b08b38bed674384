"""What every embedder promises, asked of all that run here."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from headrace.config_knowledge import (
    BedrockEmbed,
    HttpEmbed,
    LangChainEmbed,
    MiniLmEmbed,
    SageMakerEmbed,
    StaticEmbed,
)
from headrace.ports import Embedder, Unacceptable
from headrace.stores.bedrock import BedrockEmbedder
from headrace.stores.embedders import check, embedder
from headrace.stores.sagemaker import SageMakerEmbedder
from unit.embedders.fake_aws import FakeBedrock, FakeSageMaker
from unit.embedders.model_server import DIMENSION, Reply, model_server, vectors

HTTP = {"provider": "http", "model": "m", "dimension": DIMENSION}
TEXTS = (
    "A room with a view of the sea.",
    "Zimmer mit Meerblick, 2 Gäste",
    "海の見える部屋",
    "x",
    "a much longer one " * 40,
)


def _http(**answer: bool) -> Iterator[Embedder]:
    with model_server() as server:
        server.answer = lambda call: vectors(call, **answer)
        yield embedder(HttpEmbed.model_validate({**HTTP, "url": server.url, "query_prefix": "query: "}))


def _bedrock(model: str, dimension: int) -> Iterator[Embedder]:
    settings = BedrockEmbed(provider="bedrock", model=model, dimension=dimension)
    yield BedrockEmbedder(settings, client=FakeBedrock())


def _sagemaker() -> Iterator[Embedder]:
    settings = SageMakerEmbed(provider="sagemaker", endpoint="e", dimension=DIMENSION)
    yield SageMakerEmbedder(settings, client=FakeSageMaker())


def _langchain() -> Iterator[Embedder]:
    values = {"path": "unit.embedders.fake_langchain:FakeEmbeddings", "arguments": {"model": "m"}, "model": "m"}
    yield embedder(LangChainEmbed.model_validate({"provider": "langchain", "dimension": DIMENSION, **values}))


# Name: how it is made, its dimension, whether it tells documents and queries apart.
EMBEDDERS: dict[str, tuple[Callable[[], Iterator[Embedder]], int, bool]] = {
    "static 256": (lambda: iter([embedder(StaticEmbed())]), 256, False),
    "static 128": (lambda: iter([embedder(StaticEmbed(dimension=128))]), 128, False),
    "static 64": (lambda: iter([embedder(StaticEmbed(dimension=64))]), 64, False),
    "minilm": (lambda: iter([embedder(MiniLmEmbed(provider="minilm"))]), 384, False),
    "http": (lambda: _http(), DIMENSION, True),
    "http base64": (lambda: _http(encoded=True), DIMENSION, True),
    "titan": (lambda: _bedrock("amazon.titan-embed-text-v2:0", 256), 256, False),
    "cohere v3": (lambda: _bedrock("cohere.embed-multilingual-v3", 1024), 1024, True),
    "cohere v4": (lambda: _bedrock("eu.cohere.embed-v4:0", 512), 512, True),
    "sagemaker": (_sagemaker, DIMENSION, False),
    "langchain": (_langchain, DIMENSION, True),
}


@pytest.fixture(scope="module", params=EMBEDDERS)
def case(request: pytest.FixtureRequest) -> Iterator[tuple[Embedder, int, bool]]:
    make, dimension, purposes = EMBEDDERS[request.param]
    source = make()
    one = next(source)
    yield one, dimension, purposes
    one.close()
    assert next(source, None) is None


def each(one: Embedder, texts: tuple[str, ...]) -> np.ndarray:
    """The texts in calls of the size it takes."""
    parts = [one.embed(texts[start : start + one.batch]) for start in range(0, len(texts), one.batch)]
    return np.concatenate(parts)


def test_vectors_are_float32_of_the_dimension_and_of_length_1(case):
    one, dimension, _ = case
    found = each(one, TEXTS)
    assert isinstance(one, Embedder)
    assert (found.shape, found.dtype, one.dimension) == ((len(TEXTS), dimension), np.float32, dimension)
    assert np.abs(np.linalg.norm(found, axis=1) - 1).max() < 1e-6


def test_the_same_text_gives_the_same_vector_whatever_its_neighbours_are(case):
    one, _, _ = case
    together, alone = each(one, TEXTS), np.concatenate([one.embed([text]) for text in TEXTS])
    assert np.abs(together - alone).max() < 1e-5
    assert np.abs(together[::-1] - each(one, TEXTS[::-1])).max() < 1e-5


def test_different_texts_have_different_vectors(case):
    one, _, _ = case
    found = each(one, TEXTS)
    assert (found @ found.T)[~np.eye(len(TEXTS), dtype=bool)].max() < 0.999


def test_documents_and_queries_differ_only_where_the_model_tells_them_apart(case):
    one, _, purposes = case
    same = np.allclose(one.embed(TEXTS[:1], "document"), one.embed(TEXTS[:1], "query"), atol=1e-5)
    assert same is not purposes


def test_no_texts_give_no_vectors(case):
    one, dimension, _ = case
    assert one.embed([]).shape == (0, dimension)


@pytest.mark.parametrize("empty", ["", " \n\t", "\u00a0"])
def test_an_empty_text_is_unacceptable_for_it_has_no_direction(case, empty):
    one, _, _ = case
    with pytest.raises(Unacceptable, match="found an empty text"):
        one.embed([empty])


def test_text_that_is_no_valid_unicode_or_holds_nul_does_no_harm(case):
    one, _, _ = case
    assert np.isfinite(one.embed(["half a pair \ud83d of surrogates"])).all()
    assert np.isfinite(one.embed(["nul \0 inside"])).all()


def test_its_own_check_passes(case):
    check(case[0])


def test_fingerprints_tell_all_of_them_apart():
    prints = []
    for make, _, _ in EMBEDDERS.values():
        source = make()
        prints.append(next(source).fingerprint)
        next(source, None)
    # Both of `http` are one model, asked in two ways.
    assert len(set(prints)) == len(EMBEDDERS) - 1
    assert all(len(one) == 32 for one in prints)
    assert Reply().status == 200
