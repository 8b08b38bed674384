"""For `02_search_and_the_embedding_bill`: the demo's documents indexed, what that embedded, what search finds."""

from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any

from headrace.config import Config
from headrace.context.retrieve import Found, Mode, Part, retrieve
from headrace.notebooks.place import Place, run_once
from headrace.pipelines import index_knowledge
from headrace.pipelines.demo_documents import FOLDER, INDEX
from headrace.pipelines.tables_view import LakeView
from headrace.ports import Filters
from headrace.stores.delta_reader import ROWS
from headrace.stores.embedders import kept_embedder
from headrace.stores.indexes import reader
from headrace.tables import CHUNKS, DOCUMENTS, VECTORS
from headrace.travel.policies import write_policies

SETTINGS = """\
lake: ./lake
knowledge:
  documents: {policies: {from: folder, path: ./policies, tags: [policy]}}
  embed: {provider: static}
  indexes: {search: {store: sqlite, path: ./search.db}}
"""


@dataclass(frozen=True, slots=True)
class Bill:
    """What one round of indexing embedded.

    Attributes:
        documents, passages: living in the lake after it. tokens: of all these passages.
        embedded, embedded_tokens: what had no vector yet and got one.
    """

    what: str
    documents: int
    passages: int
    tokens: int
    embedded: int
    embedded_tokens: int


def prepare(place: Place) -> Config:
    """Put the company's documents into `policies`, and write settings for them; nothing is indexed yet."""
    write_policies(place.local / FOLDER)
    return place.settings(SETTINGS)


def index(what: str, place: Place, config: Config) -> Bill:
    """Run the real job until the index is in step with the documents, and count what it embedded.

    Args:
        what: happened before, in a few words.
    """
    place.share(FOLDER)
    before = _embedded(config)
    run_once(index_knowledge.run, config)
    view, known = LakeView(config), _embedded(config)
    documents = view.query(DOCUMENTS.path, f"SELECT count(*) AS n FROM {ROWS} WHERE NOT deleted")[0]["n"]
    passages = [row["content_hash"] for row in view.query(CHUNKS.path, f"SELECT content_hash FROM {ROWS}")]
    new = [tokens for content, tokens in known.items() if content not in before]
    return Bill(what, documents, len(passages), sum(map(known.__getitem__, passages)), len(new), sum(new))


def bill_rows(bills: list[Bill], price: float) -> list[dict[str, Any]]:
    """Bills as rows, with what they cost, and would cost if every passage were embedded again.

    Args:
        price: of a million tokens, in dollars.
    """
    return [
        {**asdict(one), "cost": _money(one.embedded_tokens, price), "cost of all": _money(one.tokens, price)}
        for one in bills
    ]


def ask(config: Config, question: str, mode: Mode = "hybrid", limit: int = 4) -> list[dict[str, Any]]:
    """The best passages for a question, with their scores by words and by vector."""
    if config.knowledge is None:
        raise ValueError("expected knowledge in the settings")
    with closing(reader(config.knowledge.indexes[INDEX])) as passages:
        found = retrieve(passages, kept_embedder(config.knowledge.embed), question, Filters(), limit, mode)
    return [_row(place, one) for place, one in enumerate(found, 1)]


def _row(place: int, found: Found) -> dict[str, Any]:
    return {
        "place": place,
        "score": round(found.score, 2),
        "words": _score(found.words),
        "vector": _score(found.vector),
        "document": found.document,
        "passage": " > ".join(found.heading),
        "text": " ".join(found.text.split())[:90],
    }


def _money(tokens: int, price: float) -> str:
    return f"${tokens * price / 1e6:.6f}"


def _score(part: Part | None) -> float:
    return round(part.score, 2) if part else 0.0


def _embedded(config: Config) -> dict[str, int]:
    """Every content that has a vector, and its tokens; by a view of its own, as a view keeps what it saw first."""
    rows = LakeView(config).query(VECTORS.path, f"SELECT content_hash, tokens FROM {ROWS}")
    return {row["content_hash"]: int(row["tokens"]) for row in rows}
