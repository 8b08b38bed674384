"""Write the weights of the sentiment model `blend` again, or check that they come out the same.

    python scripts/sentiment_weights.py [--check] [--sdist FOLDER]

Ridge regression of people's mean ratings on hashed words, pairs of words and VADER's scores, by conjugate gradients; no
random number is drawn. Learned from three of the sets of `sentiment_sets.py`, each with the same weight; the fourth is
kept for `benchmarks/sentiment.py`, which also shows how the penalty was chosen: by leaving one of the three out.
"""

import argparse
import io
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sentiment_sets import LEARNED, Rated, rated

from headrace.stores.sentiment_blend import BUCKETS, Weights, buckets, dense, share, shipped
from headrace.stores.sentiment_vader import polarity

FILE = Path(__file__).parent.parent / "lib/headrace/stores/sentiment_blend.npz"
PENALTY, PENALTY_VADER = 3.0, 0.001
OF_A_SET = 5_000
"""How many ratings a set counts for, however many it has."""
Floats = NDArray[np.float64]


def learned(sets: Sequence[Sequence[Rated]], penalty_words: float = PENALTY) -> Weights:
    """The weights, those of words as whole numbers from -127 to 127."""
    scores = polarity("blend")
    texts = [one.text for some in sets for one in some]
    ratings = np.array([one.rating for some in sets for one in some])
    counts = np.concatenate([np.full(len(some), OF_A_SET / len(some)) for some in sets])
    found = [buckets(text) for text in texts]
    row = np.repeat(np.arange(len(texts)), [len(one) for one in found])
    column = np.array([bucket for one in found for bucket in one])
    value = np.array([share(len(one)) for one in found])[row]
    vader = np.array([dense(scores(text)) for text in texts])

    def forward(weights: Floats) -> Floats:
        of_words = np.bincount(row, value * weights[:BUCKETS][column], minlength=len(texts))
        return np.asarray(of_words + vader @ weights[BUCKETS:])

    def back(residual: Floats) -> Floats:
        return np.concatenate([np.bincount(column, value * residual[row], minlength=BUCKETS), vader.T @ residual])

    penalty = np.concatenate([np.full(BUCKETS, penalty_words), np.full(vader.shape[1], PENALTY_VADER)])
    weights = solved(lambda at: back(counts * forward(at)) + penalty * at, back(counts * ratings))
    scale = float(np.abs(weights[:BUCKETS]).max()) / 127
    return Weights(np.rint(weights[:BUCKETS] / scale).astype(np.int8), scale, weights[BUCKETS:])


def solved(matrix: Callable[[Floats], Floats], wanted: Floats) -> Floats:
    """The x with `matrix(x) == wanted`, for a symmetric positive matrix, by conjugate gradients."""
    x = np.zeros_like(wanted)
    residual = wanted.copy()
    step = residual.copy()
    size = first = residual @ residual
    for _ in range(1_000):
        image = matrix(step)
        length = size / (step @ image)
        x += length * step
        residual -= length * image
        size, before = residual @ residual, size
        if size < 1e-24 * first:
            return x
        step = residual + size / before * step
    sys.exit("conjugate gradients: expected an end within 1,000 steps; found none. Look at the penalty.")


def written(weights: Weights) -> bytes:
    """The file; the 16th digit of a sum depends on the machine, so numbers are rounded."""
    file = io.BytesIO()
    scale, vader = np.float64(f"{weights.scale:.6e}"), np.round(weights.vader, 6)
    np.savez_compressed(file, words=weights.words, scale=scale, vader=vader)
    return file.getvalue()


def same(one: Weights, other: Weights) -> bool:
    """Whether they differ by rounding only."""
    apart = np.abs(one.words.astype(int) - other.words)
    close = np.allclose(one.vader, other.vader, atol=2e-6) and np.isclose(one.scale, other.scale, rtol=2e-6)
    return bool(apart.max() <= 1 and np.count_nonzero(apart) <= 20 and close)


def main() -> None:
    """Learn and write, or compare."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the file instead of writing it")
    parser.add_argument("--sdist", type=Path, help="the folder of the source distribution; else pip fetches it")
    arguments = parser.parse_args()
    weights = learned(list(rated(LEARNED, arguments.sdist).values()))
    if not arguments.check:
        FILE.write_bytes(written(weights))
        print(f"{FILE.name}: {FILE.stat().st_size:,} bytes, {np.count_nonzero(weights.words):,} weights of words")
    elif same(weights, shipped()):
        print(f"{FILE.name}: the same")
    else:
        sys.exit(f"{FILE.name}: expected what this script writes; found other weights. Run it without --check.")


if __name__ == "__main__":
    main()
