"""The demo's second act: the travel company's documents become a search index, which follows them."""

import re
import threading
from contextlib import closing
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from headrace.config import Config
from headrace.config_knowledge import Knowledge
from headrace.context.coverage import covered
from headrace.context.retrieve import Found, retrieve
from headrace.errors import Fatal
from headrace.pipelines import index_knowledge
from headrace.pipelines.demo_clock import Clock
from headrace.pipelines.tables_view import LakeView
from headrace.ports import Filters
from headrace.stores.delta_reader import ROWS
from headrace.stores.embedders import kept_embedder
from headrace.stores.indexes import reader
from headrace.tables import CHUNKS, DOCUMENTS, PASSAGES, VECTORS
from headrace.travel.policies import EDITS, REMOVED, edit_policies, write_policies

FOLDER, INDEX = "policies", "search"
QUESTIONS = (
    "When does online check-in open?",
    "What interest do six and twelve months cost a year?",
    "What does a pet in the cabin cost for each flight?",
)
_PACKAGES = ("mammoth", "py3langid", "pypdfium2", "safetensors", "selectolax", "tokenizers", "wordllama")
_MOST_SHOWN = 100
_EVERYTHING = 1_000_000


@dataclass(frozen=True, slots=True)
class _State:
    """What the lake holds, counted in its tables."""

    documents: int
    passages: int
    vectors: int


def missing_package() -> str | None:
    """A package that reading and embedding documents needs and that is not installed."""
    return next((name for name in _PACKAGES if find_spec(name) is None), None)


def play(say: Clock, config: Config, folder: Path) -> bool:
    """Index the documents, change some, index again, and print what search finds before and after.

    Returns:
        Whether the index held what it should both times; see `_in_step`.

    Raises:
        Fatal: the job ended with another code than 0.
    """
    settings = config.knowledge
    if settings is None:
        raise ValueError("expected knowledge in the demo's settings")
    count = write_policies(folder / FOLDER)
    say(f"Documents: {count} files (Markdown, HTML, PDF, DOCX), and each row of hotels is one too.")
    first = _indexed(config)
    say(f"Indexed: {first.documents} documents, {first.passages} passages, {first.vectors} embeddings made.")
    with closing(_Search(settings)) as search:
        before, equal = [search.best(question) for question in QUESTIONS], _in_step(config, search)
    edit_policies(folder / FOLDER)
    say(f"A line of {' and of '.join(EDITS)} is edited, {REMOVED} is deleted.")
    second = _indexed(config)
    made = second.vectors - first.vectors
    say(f"Indexed again: {second.documents} documents, {second.passages} passages, {made} embeddings made.")
    with closing(_Search(settings)) as search:
        _tell(say, before, [search.best(question) for question in QUESTIONS])
        equal = _in_step(config, search) and _followed(say, search) and equal
    say.tell(f"Search is in step with the documents: {'yes' if equal else 'NO'}", "")
    return equal


class _Search:
    """Asks the index. Open until `close`."""

    def __init__(self, settings: Knowledge) -> None:
        self._reader, self._model = reader(settings.indexes[INDEX]), kept_embedder(settings.embed)

    def best(self, question: str) -> Found:
        """The first passage found."""
        return retrieve(self._reader, self._model, question, Filters(), 1)[0]

    def everything(self) -> list[tuple[str, str, str]]:
        """Feed, document and text of every passage there is: a search by vectors that leaves none out."""
        asked = self._model.embed(["anything"], "query")[0].tolist()
        found = self._reader.by_vector(asked, Filters(), _EVERYTHING)
        return sorted((hit.body["source"], hit.body["document"], hit.body["text"]) for hit in found)

    def close(self) -> None:
        """Close the index."""
        self._reader.close()


def _indexed(config: Config) -> _State:
    """Run the real job until every index is in step; what the lake holds then."""
    code = index_knowledge.run(config, once=True, stop=threading.Event())
    if code:
        raise Fatal(expected="the job to end with 0", found=str(code), todo="Look at its messages above.")
    view = LakeView(config)

    def count(table: str, where: str) -> int:
        return int(view.query(table, f"SELECT count(*) AS n FROM {ROWS} WHERE {where}")[0]["n"])

    living = "NOT deleted"
    return _State(count(DOCUMENTS.path, living), count(PASSAGES.path, living), count(VECTORS.path, "true"))


def _in_step(config: Config, search: _Search) -> bool:
    """Whether the index holds the pieces of the living documents and nothing else, each with its text as it is now."""
    rows = LakeView(config).query(CHUNKS.path, f"SELECT feed, document, text FROM {ROWS}")
    return search.everything() == sorted((row["feed"], row["document"], row["text"]) for row in rows)


def _followed(say: Clock, search: _Search) -> bool:
    """Whether the new words of every edit are in the index and the old ones not, and nothing of what was removed."""
    pieces = [(document, text) for source, document, text in search.everything() if source == FOLDER]
    left = sum(document == REMOVED for document, _ in pieces)
    say.tell(f"  passages of {REMOVED} left in the index: {left}", "")
    texts = {name: " ".join(text for document, text in pieces if document == name) for name in EDITS}
    return not left and all(new in texts[name] and old not in texts[name] for name, (old, new) in EDITS.items())


def _tell(say: Clock, before: list[Found], after: list[Found]) -> None:
    say.tell("", "Three questions, asked before and after")
    for question, old, new in zip(QUESTIONS, before, after, strict=True):
        say.tell(f"  {question}")
        for when, found in (("before", old), ("after", new)):
            say.tell(f"    {when:<7} {_place(found)}: {_line(question, found)}")
    say.tell("")


def _place(found: Found) -> str:
    return found.document if found.source == FOLDER else f"{found.source}, {found.title}"


def _line(question: str, found: Found) -> str:
    """The line or sentence of a passage that shares most with the question."""
    parts = [part.strip() for part in re.split(r"\n|(?<=[.!?]) ", found.text) if part.strip()]
    best = " ".join(max(parts, key=lambda part: covered(question, part)).split())
    return best if len(best) <= _MOST_SHOWN else f"{best[: _MOST_SHOWN - 3]}..."
