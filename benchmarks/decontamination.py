"""Decontamination: how many questions are found again, and how many others are taken for them, by threshold.

    python benchmarks/decontamination.py

Two sets: tests/data/evaluation_paraphrases.yaml (each question in the same words moved, in other words, and a question
near it), and all pairs of different questions of tests/data/travel_questions.yaml.
"""

from itertools import combinations
from pathlib import Path

import yaml

from headrace.training.decontaminate import LIKE, Evaluation, index_of, nearest

DATA = Path(__file__).parent.parent / "tests" / "data"


def main() -> None:
    """Prints both tables."""
    rows = yaml.safe_load((DATA / "evaluation_paraphrases.yaml").read_text("utf-8"))
    alike = {kind: [_similar(row["ask"], row[kind]) for row in rows] for kind in ("moved", "other", "near")}
    told = yaml.safe_load((DATA / "travel_questions.yaml").read_text("utf-8"))
    asked = {kind: sorted({row["ask"] for row in some}) for kind, some in told.items()}
    others = [one for kind, some in asked.items() if kind != "hotel" for one in some]
    strangers = [_similar(one, other) for one, other in combinations(others, 2)]
    hotels = [_similar(one, other) for one, other in combinations(asked["hotel"], 2)]
    print(f"{len(rows)} questions in 4 languages; {len(strangers):,} pairs of {len(others)} travel questions;")
    print(f"{len(hotels):,} pairs of {len(asked['hotel'])} questions that name a hotel. In use: {LIKE}\n")
    print(
        "| threshold | moved | other words | near (wrong) | travel pairs (wrong) | hotel pairs (wrong) |"
        "\n|---|---|---|---|---|---|"
    )
    for like in (0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8):
        cells = [f"{_share(alike[kind], like):.2f}" for kind in ("moved", "other", "near")]
        print(f"| {like} | {' | '.join(cells)} | {_share(strangers, like):.4f} | {_share(hotels, like):.4f} |")


def _similar(one: str, other: str) -> float:
    return nearest(other, index_of([Evaluation(one)]))


def _share(found: list[float], like: float) -> float:
    return sum(one >= like for one in found) / len(found)


if __name__ == "__main__":
    main()
