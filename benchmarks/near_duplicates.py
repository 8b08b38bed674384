"""Near duplicates: ours against datasketch and rensa on the same texts, against every pair; and leaks of splits.

    python benchmarks/near_duplicates.py [--texts 10000] [--mould 4000] [--leaks 100000] [--with FOLDER]

Texts are questions and answers of `tests/chat_world.py`; what is truly near is found by counting the common 5-grams of
every pair. All three use 20 bands of 5 hashes and one process, and get the same normalised text. datasketch and rensa
name pairs that share a band; with *estimate* those whose MinHashes agree in 8 of 10 are kept. Ours verifies. Seconds
are of the processor, over all threads, the better of two runs; each starts with the texts and ends with pairs. FOLDER
holds datasketch and rensa; pip fetches them to a temporary folder where none is given.

*mould* is a set in which nearly all texts share most of their words, so that nearly all are in large buckets, and each
has one partner that is truly near. *leaks* splits examples in three ways and counts what is on two sides, near
duplicates by all pairs of a test or validation text with any other.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import numpy as np

from chat_world import ORIGINS, chats, filled
from headrace.training.duplicates import DuplicateRules, compared, duplicates, question
from headrace.training.example import Example
from headrace.training.minhash import banding, gram_count, shingles
from headrace.training.similar import Likeness, Text, candidates, similar
from headrace.training.splits import Side, SplitRules, component_hash, split, told

PACKAGES = ("datasketch==2.0.0", "rensa==0.5.0", "scipy==1.17.1")
THRESHOLD = 0.8
ROUNDS = 2

Pairs = set[tuple[int, int]]
Finder = Callable[[Sequence[str]], Pairs]


class Grams:
    """Which texts have which gram: true similarities of one text with all others at once."""

    def __init__(self, texts: Sequence[str]) -> None:
        number: dict[tuple[int, str], int] = {}
        own = [
            np.array(
                [
                    number.setdefault((part, gram), len(number))
                    for part, some in enumerate(shingles(text))
                    for gram in some
                ],
                np.int64,
            )
            for text in texts
        ]
        self.own, self.sizes = own, np.array([len(one) for one in own])
        every = np.concatenate(own)
        order = np.argsort(every, kind="stable")
        self.holders = np.repeat(np.arange(len(texts), dtype=np.int32), self.sizes)[order]
        self.starts = np.append(0, np.cumsum(np.bincount(every, minlength=len(number))))

    def near(self, at: int) -> list[int]:
        """The places of the texts that are near the one at this place, by counting what each has in common with it."""
        holding = [self.holders[self.starts[gram] : self.starts[gram + 1]] for gram in self.own[at].tolist()]
        common = np.bincount(np.concatenate(holding), minlength=len(self.own))
        close = common >= THRESHOLD * (self.sizes[at] + self.sizes - common)
        return [int(one) for one in np.flatnonzero(close) if one != at]


def every_pair(texts: Sequence[str]) -> Pairs:
    """The truth."""
    grams = Grams(texts)
    return {(one, at) for at in range(len(texts)) for one in grams.near(at) if one < at}


def ours(texts: Sequence[str]) -> Pairs:
    return {(int(a), int(b)) for a, b in similar(_named(texts), Likeness(THRESHOLD))}


def ours_unverified(texts: Sequence[str]) -> Pairs:
    return {(int(a), int(b)) for a, b in candidates(_named(texts), Likeness(THRESHOLD))}


def _named(texts: Sequence[str]) -> list[Text]:
    return [Text(f"{at:08}", "", text) for at, text in enumerate(texts)]


def tokens(text: str) -> list[str]:
    """The grams, as other libraries take them."""
    return [f"{part}{gram}" for part, some in enumerate(shingles(text)) for gram in some]


def with_datasketch(estimate: bool) -> Finder:
    from datasketch import MinHash, MinHashLSH

    cut = banding(THRESHOLD)

    def find(texts: Sequence[str]) -> Pairs:
        told = ([gram.encode() for gram in tokens(text)] for text in texts)
        hashes = list(MinHash.generator(told, num_perm=cut.bands * cut.rows, seed=1))
        index = MinHashLSH(num_perm=cut.bands * cut.rows, params=(cut.bands, cut.rows))
        found: Pairs = set()
        for at, one in enumerate(hashes):
            found |= {
                (other, at) for other in index.query(one) if not estimate or hashes[other].jaccard(one) >= THRESHOLD
            }
            index.insert(at, one)
        return found

    return find


def with_rensa(estimate: bool) -> Finder:
    from rensa import RMinHash, RMinHashLSH

    cut = banding(THRESHOLD)

    def find(texts: Sequence[str]) -> Pairs:
        hashes = RMinHash.from_token_sets(map(tokens, texts), cut.bands * cut.rows, 1)
        index = RMinHashLSH(THRESHOLD, cut.bands * cut.rows, cut.bands)
        index.insert_many(hashes, 0)
        return {
            (other, at)
            for at, met in enumerate(index.query_all(hashes))
            for other in met
            if other < at and (not estimate or hashes[other].jaccard(hashes[at]) >= THRESHOLD)
        }

    return find


def moulded(count: int) -> list[str]:
    """Pairs of near texts from one mould."""
    dice = random.Random(4)
    found = []
    for _ in range(count // 2):
        own = filled(dice, "{number} {name} {date} {sum} {name} {clock} {place}")
        said = (
            f"The refund for your booking {own} is on its way. It will be there in a few working days, says your bank."
        )
        asked = "Good morning, I am still waiting for my money. Where is it, and when will it be on my account?"
        at = dice.randrange(len(said))
        found += [
            compared(asked, said),
            compared(asked, f"{said[:at]}{dice.choice('aeinrst')}{said[at:]} Anything else?"),
        ]
    return found


def compare(name: str, texts: Sequence[str], finders: Iterable[tuple[str, Finder]]) -> None:
    began = time.perf_counter()
    truth = every_pair(texts)
    length = np.mean([len(text) for text in texts])
    print(f"\n{name}: {len(texts):,} texts of {length:.0f} characters, {len(truth):,} near pairs", end=" ")
    print(f"(every pair looked at in {time.perf_counter() - began:.0f} s)\n")
    print("| | seconds | texts/s | x ours | pairs told | precision | recall |\n|---|---|---|---|---|---|---|")
    first = 0.0
    for label, find in finders:
        found, seconds = _timed(find, texts)
        first = first or seconds
        right = len(found & truth)
        print(
            f"| {label} | {seconds:.2f} | {len(texts) / seconds:,.0f} | {seconds / first:.2f} | {len(found):,} "
            f"| {right / max(len(found), 1):.4f} | {right / max(len(truth), 1):.4f} |",
            flush=True,
        )


def _timed(find: Finder, texts: Sequence[str]) -> tuple[Pairs, float]:
    best, found = float("inf"), set()
    for _ in range(ROUNDS):
        began = time.process_time()
        found = find(texts)
        best = min(best, time.process_time() - began)
    return found, best


def leaked(count: int) -> None:
    """Counts of what is on two sides, for three ways of splitting."""
    examples = chats(count, seed=2)
    began = time.process_time()
    gone = {one.id for one in duplicates(examples, DuplicateRules(origins=ORIGINS))}
    kept = [one for one in examples if one.id not in gone]
    middle = time.process_time()
    found = split(kept, SplitRules(b"key"))
    seconds = middle - began, time.process_time() - middle
    print(f"\n{count:,} examples, {len(gone):,} refused in {seconds[0]:.0f} s, the rest split in {seconds[1]:.0f} s")
    print("\n| split | examples | persons | conversations | equal texts | near pairs |\n|---|---|---|---|---|---|")
    by_row = {one.id: _drawn(one.id) for one in examples}
    by_conversation = {one.id: _drawn(one.conversation) for one in examples}
    for label, some, side in (
        ("by row, duplicates in", examples, by_row),
        ("by conversation, duplicates in", examples, by_conversation),
        ("by conversation, duplicates out", kept, by_conversation),
        ("by component, duplicates out", kept, found.side),
    ):
        print(
            f"| {label} | {len(some):,} | " + " | ".join(f"{one:,}" for one in _on_two(some, side)) + " |", flush=True
        )


def _drawn(name: str) -> Side:
    return SplitRules(b"key").side(component_hash(b"other", name))


def _on_two(examples: Sequence[Example], side: dict[str, Side]) -> Iterator[int]:
    for values in (
        [(one.person, one.id) for one in examples if one.person],
        [(one.conversation, one.id) for one in examples],
        pairs := [(text, one.id) for one in examples for text in told(one)],
    ):
        yield sum(len(sides) > 1 for sides in _sides(values, side).values())
    by_text = _sides([(text, id) for text, id in pairs if gram_count(text) >= 10], side)
    texts = sorted(by_text)
    held = [at for at, text in enumerate(texts) if by_text[text] != {"train"}]
    grams = Grams(texts)
    yield len(
        {
            tuple(sorted((at, one)))
            for at in held
            for one in grams.near(at)
            if len(by_text[texts[at]] | by_text[texts[one]]) > 1
        }
    )


def _sides(values: Iterable[tuple[Any, str]], side: dict[str, Side]) -> dict[Any, set[Side]]:
    found: dict[Any, set[Side]] = {}
    for value, id in values:
        found.setdefault(value, set()).add(side[id])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("--texts", 10_000), ("--mould", 4_000), ("--leaks", 100_000)):
        parser.add_argument(name, type=int, default=default)
    parser.add_argument("--with", dest="folder")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or temporary
        if not asked.folder:
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder, *PACKAGES]
            subprocess.run(pip, check=True)
        sys.path.append(folder)
        finders = [
            ("ours", ours), ("ours, not verified", ours_unverified),
            ("datasketch", with_datasketch(estimate=False)), ("datasketch, estimate", with_datasketch(estimate=True)),
            ("rensa", with_rensa(estimate=False)), ("rensa, estimate", with_rensa(estimate=True)),
        ]  # fmt: skip
        if asked.texts:
            some = {compared(question(one), one.completion) for one in chats(asked.texts)}
            compare("chat", sorted(text for text in some if gram_count(text) >= 10), finders)
        if asked.mould:
            compare("mould", moulded(asked.mould), finders)
        if asked.leaks:
            leaked(asked.leaks)


if __name__ == "__main__":
    main()
