"""Sentiment: VADER and the blend against people's ratings.

    python benchmarks/sentiment.py [FOLDER]

FOLDER holds vaderSentiment's source distribution; pip fetches it where none is given. A text is positive from a mean
rating of 0.05 on and negative from -0.05 on, on a scale from -1 to 1, and so is what a model says. The Amazon reviews
were never learned from, nor looked at for any choice.
"""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, median
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent / "scripts"))

import numpy as np
from sentiment_sets import LEARNED, UNTOUCHED, Rated, rated
from sentiment_weights import learned

from headrace.ports_texts import Sentiment, SentimentModel
from headrace.stores.sentiment_blend import BlendSentimentModel
from headrace.stores.sentiment_vader import VaderSentimentModel, sentiment

PENALTIES = (1.0, 3.0, 10.0, 30.0)
FOLDS = 5
LABELS = ("negative", "neutral", "positive")


class Score(NamedTuple):
    """How well labels fit people's."""

    macro_f1: float
    negative_recall: float
    negative_f1: float
    neutral_f1: float
    correlation: float


def labelled(model: SentimentModel, some: Sequence[Rated]) -> list[Sentiment]:
    """What the model says of each."""
    found = model.sentiments([one.text for one in some], "en")
    return [one for one in found if isinstance(one, Sentiment)]


def score(some: Sequence[Rated], found: Sequence[Sentiment]) -> Score:
    """Against the ratings; each text has one answer."""
    true = [sentiment(one.rating, 0.05).label for one in some]
    pairs = list(zip(true, (one.label for one in found), strict=True))
    f1s, recalls = [], []
    for label in LABELS:
        right = sum(one == other == label for one, other in pairs)
        in_truth, said = true.count(label), sum(other == label for _, other in pairs)
        f1s.append(2 * right / (in_truth + said) if in_truth + said else 0.0)
        recalls.append(right / in_truth if in_truth else 0.0)
    valences = [one.scores["positive"] - one.scores["negative"] for one in found]
    correlation = float(np.corrcoef([one.rating for one in some], valences)[0, 1])
    return Score(mean(f1s), recalls[0], f1s[0], f1s[1], correlation)


def across(sets: Sequence[Sequence[Rated]]) -> list[list[Sentiment]]:
    """What models say of texts that they have not seen: each fold by a model of the other folds of all sets."""
    found: list[list[Sentiment]] = [[Sentiment("", {})] * len(some) for some in sets]
    for fold in range(FOLDS):
        rest = [[one for place, one in enumerate(some) if place % FOLDS != fold] for some in sets]
        model = BlendSentimentModel(learned(rest))
        for some, answers in zip(sets, found, strict=True):
            answers[fold::FOLDS] = labelled(model, some[fold::FOLDS])
    return found


def row(name: str, some: Sequence[Rated], vader: Sequence[Sentiment], blend: Sequence[Sentiment]) -> str:
    """A line of the table."""
    before, after = score(some, vader), score(some, blend)
    cells = [f"{one:.3f} / {other:.3f}" for one, other in zip(before, after, strict=True)]
    return f"| {name} | {len(some):,} | {' | '.join(cells)} |"


def choose(sets: Sequence[Sequence[Rated]]) -> None:
    """Print what each penalty does to a set that was left out."""
    print("\nPenalty, each set by a model of the other two: macro-F1, negative recall; mean of all")
    for penalty in PENALTIES:
        scores = []
        for place, some in enumerate(sets):
            model = BlendSentimentModel(learned([*sets[:place], *sets[place + 1 :]], penalty))
            scores.append(score(some, labelled(model, some)))
        of_sets = [f"{one.macro_f1:.3f}, {one.negative_recall:.3f}" for one in scores]
        both = mean(value for one in scores for value in one[:2])
        print(f"| {penalty:g} | {' | '.join(of_sets)} | {both:.3f} |", flush=True)


def seconds(model: SentimentModel, some: Sequence[Rated]) -> float:
    """Of processor time, for all of them."""
    began = time.process_time()
    labelled(model, some)
    return time.process_time() - began


def main() -> None:
    """Print how the penalty was chosen, both models' scores, and how quick they are."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    sets = rated(LEARNED, folder)
    choose(list(sets.values()))
    vader, blend = VaderSentimentModel(), BlendSentimentModel()
    print("\nVADER / blend")
    print("| set | texts | macro-F1 | negative recall | negative F1 | neutral F1 | correlation |")
    for (name, some), found in zip(sets.items(), across(list(sets.values())), strict=True):
        print(row(f"{name} ({FOLDS} folds)", some, labelled(vader, some), found))
    untouched = rated((UNTOUCHED,), folder)[UNTOUCHED]
    print(row(f"{UNTOUCHED} (untouched)", untouched, labelled(vader, untouched), labelled(blend, untouched)))
    ratios = [seconds(vader, untouched) / seconds(blend, untouched) for _ in range(7)]
    quick = len(untouched) / seconds(vader, untouched)
    print(f"\nThroughput, blend to vader: {median(ratios):.2f} (vader about {quick:,.0f} texts/s on one core)")


if __name__ == "__main__":
    main()
