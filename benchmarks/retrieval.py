"""Retrieval: how often search by words, by vectors and by both finds the passage that answers.

    python benchmarks/retrieval.py

100 labelled questions (tests/data/travel_questions.yaml) on the travel company's 15 files and 40 hotels, through the
real parsers, splitter, embedded models and SQLite index. MiniLM is left out where its packages are missing. Besides
the real hybrid two other ways to make one list of two are shown, which it was chosen against.
"""

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import mean, stdev

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from headrace.config_knowledge import MiniLmEmbed, StaticEmbed
from headrace.errors import MissingDependency
from headrace.ports import Embedder, Filters, Hit, PassageReader
from headrace.stores.embedders import embedder
from retrieval_world import DEPTH, Question, difference, index, questions, ranks, recalls, reciprocals

LISTED = 40
Ranks = list[int | None]
Scores = dict[str, float]


def spread(hits: Sequence[Hit]) -> Scores:
    """A list's scores over 0 to 1, as they are."""
    if not hits:
        return {}
    lowest, highest = min(hit.score for hit in hits), max(hit.score for hit in hits)
    return {hit.key: (hit.score - lowest) / (highest - lowest) if highest > lowest else 1.0 for hit in hits}


def reciprocal(hits: Sequence[Hit]) -> Scores:
    """1 / (60 + rank), the usual reciprocal rank fusion."""
    return {hit.key: 1 / (60 + rank) for rank, hit in enumerate(hits, 1)}


def other(reader: PassageReader, model: Embedder, asked: Sequence[Question], scored: Callable[..., Scores]) -> Ranks:
    """Ranks by the sum of what `scored` makes of each list."""
    found: Ranks = []
    for question in asked:
        words = reader.by_words(question.ask, Filters(), LISTED)
        vector = reader.by_vector(model.embed([question.ask], "query")[0].tolist(), Filters(), LISTED)
        by_words, by_vector = scored(words), scored(vector)
        bodies = {hit.key: hit.body for hit in (*words, *vector)}
        best = sorted(bodies, key=lambda key: (-by_words.get(key, 0) - by_vector.get(key, 0), key))[:DEPTH]
        found.append(next((rank for rank, key in enumerate(best, 1) if question.answered_by(bodies[key])), None))
    return found


def measured(folder: Path, model: Embedder, asked: Sequence[Question]) -> Iterator[tuple[str, Ranks]]:
    """Each search by its name, with the rank of the right passage for each question."""
    reader = index(folder, model)
    try:
        for mode in ("words", "vector", "hybrid"):
            yield mode, ranks(reader, model, asked, mode)
        yield "both, scores spread only", other(reader, model, asked, spread)
        yield "both, reciprocal ranks", other(reader, model, asked, reciprocal)
    finally:
        reader.close()


def row(asked: Sequence[Question], found: Ranks) -> str:
    """Recall@5 and MRR@10 with their standard errors, then both for each kind of question."""
    cells = []
    for scores in (recalls(found), reciprocals(found)):
        cells.append(f"{mean(scores):.2f} ± {stdev(scores) / len(scores) ** 0.5:.2f}")
    for kind in dict.fromkeys(one.kind for one in asked):
        of_kind = [rank for one, rank in zip(asked, found, strict=True) if one.kind == kind]
        cells.append(f"{mean(recalls(of_kind)):.2f}, {mean(reciprocals(of_kind)):.2f}")
    return " | ".join(cells)


def main() -> None:
    """Print one table, and how hybrid compares with the better of its two lists."""
    asked, notes = questions(), []
    kinds = list(dict.fromkeys(one.kind for one in asked))
    print(f"| model | search | recall@5 | MRR@10 | {' | '.join(kinds)} |\n|{'---|' * (4 + len(kinds))}")
    for settings in (StaticEmbed(provider="static"), MiniLmEmbed(provider="minilm")):
        try:
            model = embedder(settings)
        except MissingDependency as missing:
            notes.append(f"{settings.provider}: {missing}")
            continue
        began, by_name = time.monotonic(), {}
        with tempfile.TemporaryDirectory(prefix="retrieval-") as folder:
            for name, found in measured(Path(folder), model, asked):
                by_name[name] = found
                print(f"| {model.model} | {name} | {row(asked, found)} |", flush=True)
        for metric, scored in (("recall@5", recalls), ("MRR@10", reciprocals)):
            better = max(("words", "vector"), key=lambda name: mean(scored(by_name[name])))
            gap, error = difference(scored(by_name["hybrid"]), scored(by_name[better]))
            notes.append(f"{model.model}: hybrid - {better}, {metric}: {gap:+.3f}, standard error {error:.3f}")
        notes.append(f"{model.model}: {time.monotonic() - began:.1f} s")
    print("", *notes, sep="\n")


if __name__ == "__main__":
    main()
