"""How much of a question a passage holds, in words."""

from headrace.words import words


def covered(question: str, *texts: str) -> float:
    """The share, 0 to 1, of the question's different words that stand in the texts, each counted by its length.

    Length stands in for rarity, which an index does not tell: in most languages the words that say little are short.
    """
    asked = set(words(question))
    total = sum(map(len, asked))
    return sum(map(len, asked.intersection(words(" ".join(texts))))) / total if total else 0.0
