"""No model: the best sentences of the items, word by word, each with its citation. The same for the same request.

A sentence is chosen by the question's words in it, each counted by its length and by how few sentences hold it: a word
in every sentence tells none from another. The next one is chosen by what it adds.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from headrace.citations import looks_cited
from headrace.config_chat import ExtractiveChat
from headrace.ports import Unacceptable
from headrace.ports_chat import ChatEnd, ChatRequest, Item
from headrace.words import sentences, telling, words

NOTHING = "Nothing I was given answers this question. I quote and do not write: no language model is configured."
QUOTED = "Quoted from what I was given, not written by a language model:"

_FITS = 0.4
"""The least share of the question that the first sentence must hold."""
_ADDS = 0.12
"""The least share that each further one must add."""
_TITLE = 0.5
"""What a word of the item's title counts, against one of the sentence."""
_LONGEST = 1200
"""Characters of a sentence: a longer one is none, but data without sentences."""


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence as it stands in the text of an item."""

    id: str
    text: str
    stale: bool = False


class ExtractiveModel:
    """As `ChatModel`. It asks nobody, never fails for a question, and cites only what it was given."""

    name = "extractive"

    def __init__(self, settings: ExtractiveChat) -> None:
        self._most = settings.sentences

    def stream(self, request: ChatRequest) -> Iterator[str | ChatEnd]:
        """As in `ChatModel`; a quote a piece."""
        if request.form is not None:
            todo = "Name a model that writes."
            raise Unacceptable(where=self.name, expected="a question", found="a form to fill in", todo=todo)
        found = quotes(_question(request), request.items, self._most)
        yield QUOTED if found else NOTHING
        for one in found:
            yield f"\n\n“{one.text}” [{one.id}]" + (" (may be out of date)" if one.stale else "")
        yield ChatEnd("done", 0, 0, 0)

    def close(self) -> None:
        """As in `ChatModel`."""


def quotes(question: str, items: Sequence[Item], most: int) -> list[Quote]:
    """At most so many sentences that fit the question, the best first; none where nothing fits.

    Items that look as if they spoke to a model are not quoted, nor sentences that hold a citation of their own.
    """
    asked = telling(question)
    sayings = [saying for item in items if not item.suspicious for saying in _sayings(item)]
    held = [_held(asked, saying) for _, saying in sayings]
    weights = _weights(asked, held)
    titled = [_held(asked, item.title or "") for item, _ in sayings]
    total = sum(weights.values())
    found: list[Quote] = []
    covered: set[str] = set()
    while sayings and total and len(found) < most:
        gains = [_gain(own, title, covered, weights) for own, title in zip(held, titled, strict=True)]
        # Of two that say as much, the one in the better item, and the earlier one.
        best = max(range(len(sayings)), key=lambda at: (gains[at], -at))
        if gains[best] < (_ADDS if found else _FITS) * total:
            break
        item, text = sayings[best]
        found.append(Quote(item.id, text, item.stale))
        covered |= held[best] | titled[best]
    return found


def _question(request: ChatRequest) -> str:
    return next((one.text for one in reversed(request.messages) if one.role == "user"), "")


def _sayings(item: Item) -> Iterator[tuple[Item, str]]:
    # A row, and each line of a profile, stays whole with its "as of"; a line of a passage may go on in the next.
    lines = sentences(item.text) if item.kind == "passage" else map(str.strip, item.text.splitlines())
    for text in filter(None, lines):
        # A heading says nothing yet.
        if len(text) <= _LONGEST and not text.startswith("#") and not looks_cited(text):
            yield item, text


def _held(asked: Iterable[str], text: str) -> set[str]:
    """The words of the question that a text holds, endings aside."""
    there = set(words(text))
    return {word for word in asked if word in there or any(_akin(word, other) for other in there)}


def _akin(one: str, other: str) -> bool:
    """`cost` and `costs`, `refund` and `refunded`, `gebuhr` and `gebuhren`: the beginning of the longer one."""
    short, long = sorted((one, other), key=len)
    if len(short) < 4:
        return len(short) == 3 and long == f"{short}s"
    return len(long) - len(short) <= 3 and long.startswith(short)


def _weights(asked: Iterable[str], held: Sequence[set[str]]) -> Mapping[str, float]:
    """A word that no sentence holds counts as one that all hold: it tells none from another."""
    count = len(held)
    often = {word: sum(word in one for one in held) or count for word in asked}
    return {word: len(word) * math.log(1 + count / often[word]) for word in often if count}


def _gain(own: set[str], title: set[str], covered: set[str], weights: Mapping[str, float]) -> float:
    if not own - covered:
        return 0.0
    new = sum(weights[word] for word in sorted(own - covered))
    return new + _TITLE * sum(weights[word] for word in sorted(title - own - covered))
