"""Names, settings and mapping of the indexes that hold passages.

| name | what |
|---|---|
| `<index>` | alias that readers search: the active generation |
| `<index>__<generation>` | index of one generation |
| `<index>__<generation>--write` | alias that writers use, so that a late write cannot bring a dropped index back |
| `<index>--control` | index with the owner's claim and each generation's model |
"""

from collections.abc import Mapping
from typing import Any

from headrace.config_indexes import OpenSearchIndex
from headrace.ports import Model
from headrace.stores.generations import is_generation

KEYWORDS = ("source", "document", "language", "tags", "audience", "tenant", "content_hash")
NOT_SEARCHED = ("url", "modality", "model", "fingerprint", "position")


def index_of(settings: OpenSearchIndex, generation: str) -> str:
    """The index of a generation."""
    return f"{settings.index}__{generation}"


def write_alias(settings: OpenSearchIndex, generation: str) -> str:
    """The alias writers use."""
    return f"{settings.index}__{generation}--write"


def control_of(settings: OpenSearchIndex) -> str:
    """The index with claims."""
    return f"{settings.index}--control"


def generation_of(settings: OpenSearchIndex, index: str) -> str | None:
    """The generation an index holds; None where it belongs to something else."""
    name = index.removeprefix(f"{settings.index}__")
    return name if name != index and is_generation(name) else None


def definition(settings: OpenSearchIndex, generation: str) -> dict[str, Any]:
    """The body that creates a generation's index. The vector comes when its dimension is known."""
    return {
        "settings": {"index": {"knn": True, **placement(settings)}, "analysis": _ANALYSIS},
        "mappings": mapping(),
        "aliases": {write_alias(settings, generation): {}},
    }


def control_definition(settings: OpenSearchIndex) -> dict[str, Any]:
    """The body that creates the index with claims."""
    small = {} if settings.serverless else {"number_of_shards": 1, "number_of_replicas": settings.replicas}
    return {"settings": {"index": small}, "mappings": {"dynamic": False}}


def placement(settings: OpenSearchIndex) -> dict[str, Any]:
    """Shards, replicas, refresh; a serverless collection decides on them itself."""
    if settings.serverless:
        return {}
    return {
        "number_of_shards": settings.shards,
        "number_of_replicas": settings.replicas,
        # Left out, a shard nobody searches stops to refresh, and the next search is late.
        "refresh_interval": f"{int(settings.refresh.total_seconds() * 1000)}ms",
    }


def mapping() -> dict[str, Any]:
    """Fields of a passage. Whatever is not named is stored and not indexed."""
    text = {"type": "text", "analyzer": "words"}
    return {
        "dynamic": False,
        # Vectors are most of a document; nobody reads them back, and the lake can make them again.
        "_source": {"excludes": ["vector"]},
        "properties": {
            "row": {
                "properties": {
                    "key": {"type": "keyword"},
                    "version": {"type": "long"},
                    "deleted": {"type": "boolean"},
                }
            },
            **{name: {"type": "keyword"} for name in KEYWORDS},
            **{name: {"type": "keyword", "index": False, "doc_values": False} for name in NOT_SEARCHED},
            **{name: text for name in ("title", "heading", "text")},
            "changed_at": {"type": "date"},
            "metadata": {"type": "object", "enabled": False},
        },
    }


def vector_mapping(settings: OpenSearchIndex, model: Model) -> dict[str, Any]:
    """What the first passage adds to the mapping: its model, and a field for its vectors."""
    return {
        "_meta": {
            "model": model.name,
            "dimension": model.dimension,
            "fingerprint": model.fingerprint,
            "engine": settings.engine,
        },
        "properties": {"vector": vector_field(settings.engine, model.dimension)},
    }


def vector_field(engine: str, dimension: int) -> dict[str, Any]:
    """The field of vectors. Faiss knows cosines since 2.19; for vectors of length 1 the inner product is one."""
    space = "cosinesimil" if engine == "lucene" else "innerproduct"
    return {
        "type": "knn_vector",
        "dimension": dimension,
        "method": {"name": "hnsw", "engine": engine, "space_type": space},
    }


def cosine(engine: str, score: float) -> float:
    """The cosine that a k-NN score of this engine stands for."""
    if engine == "lucene":
        return 2 * score - 1
    return score - 1 if score >= 1 else 1 - 1 / score


def model_in(meta: Mapping[str, Any]) -> Model | None:
    """The model that a mapping's `_meta` or a control document names."""
    if "fingerprint" not in meta:
        return None
    return Model(str(meta["model"]), int(meta["dimension"]), str(meta["fingerprint"]))


_ANALYSIS = {
    "analyzer": {"words": {"type": "custom", "tokenizer": "standard", "filter": ["lowercase", "asciifolding"]}}
}
