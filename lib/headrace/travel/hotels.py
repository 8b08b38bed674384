"""What hotels say about themselves: some paragraphs of facts that differ from house to house."""

import random
from functools import cache
from importlib.resources import files

_OF_THE_HOUSE: dict[str, tuple[int, ...]] = {
    "year": (1887, 1904, 1923, 1931, 1958, 1966, 1989, 2004, 2019),
    "floor": (3, 4, 5, 6, 7),
    "rooms": (24, 38, 46, 61, 85, 112),
}
_OF_A_PARAGRAPH: dict[str, tuple[int | str, ...]] = {
    "fee": (8, 12, 15, 18, 22, 25, 30),
    "place": (9, 14, 19, 26, 34),
    "deposit": (50, 80, 100, 150),
    "minutes": (4, 6, 9, 11, 14, 17),
    "metres": (80, 150, 220, 350, 500),
    "age": (4, 6, 8, 10, 12),
    "days": (2, 3, 5, 7),
    "hour": (14, 15, 16),
    "noon": (10, 11, 12),
    "hours": ("seven", "half past seven", "eight"),
}


def describe(rng: random.Random, name: str, city: str) -> str:
    """Twelve paragraphs, 2 to 3 kB: what PostgreSQL keeps out of the row, and out of the log of an update.

    Args:
        rng: decides the words and the facts.
    """
    house = {"name": name, "city": city} | _drawn(rng, _OF_THE_HOUSE)
    paragraphs = (rng.choice(variants) for variants in _variants())
    return "\n\n".join(text.format_map(house | _drawn(rng, _OF_A_PARAGRAPH)) for text in paragraphs)


def _drawn(rng: random.Random, facts: dict[str, tuple[int, ...]] | dict[str, tuple[int | str, ...]]) -> dict[str, str]:
    return {fact: str(rng.choice(values)) for fact, values in facts.items()}


@cache
def _variants() -> tuple[tuple[str, ...], ...]:
    """For each subject of `hotels.txt` the ways to put it, each on one line."""
    text = files("headrace.travel").joinpath("hotels.txt").read_text("utf-8")
    subjects = [subject.strip().split("\n\n")[1:] for subject in text.split("# ")[1:]]
    return tuple(tuple(" ".join(paragraph.split()) for paragraph in subject) for subject in subjects)
