"""Small sets of examples that are often alike, and what is true of them by looking at every pair."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import combinations

from hypothesis import strategies as st

from chat_world import BEGAN
from headrace.training.duplicates import canonical
from headrace.training.example import Example, Message
from headrace.training.minhash import band_keys, banding
from headrace.training.similar import Likeness

SENTENCES = (
    "where is the bus to the station of faro",
    "where is the train to the station of faro",
    "you can change the booking until two hours before it leaves",
    "open your booking and choose the new day",
    "again and again and again and again",
)
ENDS = ("", "", " ", "!", " please", " again", " x1", " x2", " and what does it cost me")

said = st.builds(
    lambda some, end, loud: (" ".join(some) + end).upper() if loud else " ".join(some) + end,
    st.lists(st.sampled_from(SENTENCES), min_size=0, max_size=2),
    st.sampled_from(ENDS),
    st.booleans(),
)


@st.composite
def examples(draw: st.DrawFn, most: int = 12) -> list[Example]:
    """Examples of every kind, each with an id of its own, in no order."""
    count = draw(st.integers(1, most))
    ids = draw(st.permutations([f"{at:032x}" for at in range(count)]))
    return [draw(_example(id)) for id in ids]


@st.composite
def _example(draw: st.DrawFn, id: str) -> Example:
    kind = draw(st.sampled_from(["sft", "sft", "sft", "kto", "dpo", "text"]))
    field = kind == "text"
    return Example(
        id=id,
        kind=kind,
        conversation="" if field else draw(st.sampled_from([f"own {id}", f"own {id}", "c1", "c2"])),
        turn=1,
        at=BEGAN + timedelta(hours=draw(st.integers(0, 3))),
        origin=draw(st.sampled_from(["correction", "rating", "thumbs"])),
        messages=() if field else (Message("user", draw(said)),),
        completion=None if kind == "dpo" else draw(said),
        label=draw(st.booleans()) if kind == "kto" else None,
        chosen=draw(said) if kind == "dpo" else None,
        rejected=draw(said) if kind == "dpo" else None,
        person=draw(st.sampled_from([None, None, None, "p1", "p2", "p3"])),
        beside=draw(st.sampled_from([(), (("c1", None),), (("c3", "p1"),)])) if kind == "dpo" else (),
        group=draw(st.sampled_from(["g1", "g2"])) if field else None,
    )


def parts(example: Example) -> tuple[str, ...]:
    """What is compared of an example."""
    asked = [one.content for one in example.messages[-1:]]
    answers = [one for one in (example.completion, example.chosen, example.rejected) if one is not None]
    return tuple(canonical(one) for one in [*asked, *answers])


def grams(some: Sequence[str]) -> set[tuple[int, str]]:
    """The grams of parts, as a reader of the rule would write them down."""
    found = set()
    for number, part in enumerate(some):
        found |= {(number, part[at : at + 5]) for at in range(len(part)) if at + 5 <= len(part)}
        if 0 < len(part) < 5:
            found.add((number, part))
    return found


def similarity(one: Sequence[str], other: Sequence[str]) -> float:
    """True Jaccard similarity; 0 for what is too short to be compared by it."""
    if min(sum(max(len(part) - 4, bool(part)) for part in some) for some in (one, other)) < 10:
        return 0.0
    a, b = grams(one), grams(other)
    return len(a & b) / len(a | b)


def met(texts: Sequence[Sequence[str]], likeness: Likeness) -> set[tuple[int, int]]:
    """The pairs of places that share a band. Only these can be found, and in sets of up to 16 all of them are."""
    keys, _ = band_keys(["\x1e".join(one) for one in texts], banding(likeness.threshold), likeness.seed)
    return {(a, b) for a, b in combinations(range(len(texts)), 2) if (keys[a] == keys[b]).any()}
