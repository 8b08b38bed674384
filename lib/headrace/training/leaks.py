"""What is on two sides of a split. It looks at the examples alone, and knows nothing of components or MinHash."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from headrace.training.example import Example
from headrace.training.minhash import FEWEST, gram_count, jaccard, shingles
from headrace.training.splits import Side, told


@dataclass(frozen=True, slots=True)
class Leaks:
    """Counts of what is on two sides. `near_duplicates` are pairs of different texts, `texts` are equal ones."""

    persons: int = 0
    conversations: int = 0
    groups: int = 0
    texts: int = 0
    near_duplicates: int = 0

    def none(self) -> bool:
        """Whether the split is free of leaks."""
        return self == Leaks()


def leaks(examples: Iterable[Example], side: Mapping[str, Side], threshold: float = 0.8) -> Leaks:
    """Leaks of a small set: the work grows with the square of the number of texts.

    Args:
        side: by the id of an example.
        threshold: true Jaccard similarity from which on texts are near duplicates.
    """
    sides: dict[tuple[str, str], set[Side]] = defaultdict(set)
    for one in examples:
        for value in values(one):
            sides[value].add(side[one.id])
    double = Counter(kind for (kind, _), some in sides.items() if len(some) > 1)
    texts = {text: some for (kind, text), some in sides.items() if kind == "text" and gram_count(text) >= FEWEST}
    return Leaks(double["person"], double["conversation"], double["group"], double["text"], _near(texts, threshold))


def values(example: Example) -> list[tuple[str, str]]:
    """All that may be on one side only, with what it is."""
    found = [("person", example.person), ("conversation", example.conversation), ("group", example.group)]
    for conversation, person in example.beside:
        found += [("conversation", conversation), ("person", person)]
    found += [("text", text) for text in told(example)]
    return [(kind, value) for kind, value in found if value]


def _near(texts: Mapping[str, set[Side]], threshold: float) -> int:
    """Pairs of texts with not all their sides in common that are near duplicates."""
    grams = [(shingles(text), some) for text, some in texts.items()]
    return sum(
        len(some | others) > 1 and jaccard(one, other) >= threshold
        for at, (one, some) in enumerate(grams)
        for other, others in grams[:at]
    )
