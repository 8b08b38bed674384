"""The travel company's documents in a real embedded index, without Spark, and how well questions find their answers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from math import sqrt
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import yaml

from headrace.config_indexes import SqliteIndex
from headrace.config_knowledge import Chunk, Parse
from headrace.context.retrieve import Found, Mode, retrieve
from headrace.knowledge.chunk import chunks
from headrace.knowledge.parse import Parsed, parse
from headrace.passages import packed
from headrace.ports import Embedder, Filters, Model, PassageReader, Projected
from headrace.stores.sqlite_index import SqliteVectorIndex
from headrace.stores.sqlite_search import SqlitePassageReader
from headrace.travel.agency import Agency

QUESTIONS = Path(__file__).parent / "data" / "travel_questions.yaml"
DOCUMENTS = files("headrace.travel").joinpath("documents")
DEPTH = 10


@dataclass(frozen=True)
class Question:
    """What is asked, and the passage that answers: its document, a heading above it, words in it."""

    kind: str
    ask: str
    document: str
    says: str
    heading: str | None = None

    def answered_by(self, body: Mapping[str, Any]) -> bool:
        """Whether a passage with this body answers. Hotels are called by their names, which are their titles."""
        name = body["title"] if body["source"] == "hotels" else body["document"]
        under = self.heading is None or self.heading in body["heading"]
        return name == self.document and under and self.says in " ".join(body["text"].split())


def questions() -> list[Question]:
    found = yaml.safe_load(QUESTIONS.read_text("utf-8"))
    return [Question(kind, **one) for kind, several in found.items() for one in several]


def documents() -> Iterator[tuple[str, str, str | None, Parsed]]:
    """Feed, id, title and text of every document, as the demo's settings have them."""
    for file in sorted(DOCUMENTS.iterdir(), key=lambda one: one.name):
        parsed = parse(file.read_bytes(), file.name, None, Parse())
        yield "policies", file.name, parsed.title, parsed
    for (number,), row in Agency(steps=0).database.rows["hotels"].items():
        parsed = parse(str(row["description"]).encode(), str(number), "text/markdown", Parse())
        yield "hotels", str(number), str(row["name"]), parsed


def passages() -> list[dict[str, Any]]:
    """The body of every passage without its vector, and what is embedded, under `embedded`."""
    return [
        {"key": piece.id, "source": feed, "document": document, "title": title, "modality": "text"}
        | {"language": parsed.language, "tags": [], "audience": [], "metadata": parsed.metadata}
        | {name: value for name, value in asdict(piece).items() if name not in ("id", "tokens")}
        for feed, document, title, parsed in documents()
        for piece in chunks(f"{feed}\0{document}", parsed.text, title, Chunk())
    ]


def index(folder: Path, embedder: Embedder) -> SqlitePassageReader:
    """All passages in a new index; its reader."""
    settings = SqliteIndex(path=str(folder / f"{embedder.fingerprint}.db"))
    model = Model(embedder.model, embedder.dimension, embedder.fingerprint)
    rows = []
    for one in passages():
        (vector,) = embedder.embed([str(one.pop("embedded"))], "document")
        about = {"model": model.name, "dimension": model.dimension, "fingerprint": model.fingerprint}
        rows.append(Projected(str(one.pop("key")), 1, False, one | about | {"vector": packed(vector)}))
    store = SqliteVectorIndex(settings, "g1", model)
    store.open("retrieval")
    written = store.write(rows)
    store.activate("g1")
    store.close()
    assert (written.applied, written.failed) == (len(rows), ())
    return SqlitePassageReader(settings)


def ranks(reader: PassageReader, embedder: Embedder, asked: Sequence[Question], mode: Mode) -> list[int | None]:
    """For each question the rank of the first passage that answers it, from 1; None beyond `DEPTH`."""
    return [_rank(one, retrieve(reader, embedder, one.ask, Filters(), DEPTH, mode)) for one in asked]


def _rank(question: Question, found: Sequence[Found]) -> int | None:
    right = (rank for rank, one in enumerate(found, 1) if question.answered_by(asdict(one)))
    return next(right, None)


def recalls(found: Sequence[int | None], depth: int = 5) -> list[float]:
    """For each question 1 where a right passage is among the first `depth`, else 0."""
    return [float(rank is not None and rank <= depth) for rank in found]


def reciprocals(found: Sequence[int | None]) -> list[float]:
    """For each question 1 / rank, 0 beyond `DEPTH`; their mean is MRR@10."""
    return [1 / rank if rank else 0.0 for rank in found]


def difference(one: Sequence[float], other: Sequence[float]) -> tuple[float, float]:
    """Mean and standard error of the differences, question by question."""
    gaps = [a - b for a, b in zip(one, other, strict=True)]
    return mean(gaps), stdev(gaps) / sqrt(len(gaps))
