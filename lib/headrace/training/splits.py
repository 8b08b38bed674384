"""Train, validation and test without leaks: what belongs together is on one side.

Together are examples of one person, of one conversation, of one group, with nearly the same question and answer, and
whatever these join in turn: a connected component. Its name is the id of its oldest example; a keyed hash of the name
decides the side. Where an earlier version decided for any part of a component, that stands, so growth moves nothing.
Where components of different sides have become one, the side is test if any part was in test, else validation: what a
model was once measured with is never learned from. `Splits.moved` counts the examples that this takes to another side.
"""

import hmac
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Literal

from headrace.graph import UnionFind
from headrace.training.duplicates import compared, question, text_digest
from headrace.training.example import Example
from headrace.training.minhash import PART
from headrace.training.similar import Likeness, Text, similar

Side = Literal["train", "validation", "test"]
SIDES: tuple[Side, ...] = ("train", "validation", "test")
"""The later one wins where components join."""


@dataclass(frozen=True, slots=True)
class SplitRules:
    """How examples are split.

    Attributes:
        key: another one gives another split.
        test, validation: their shares of the components; train has the rest.
        likeness: what must not be on two sides. Its seed differs from the one that duplicates are looked for with, so
            that what one search misses the other finds.
    """

    key: bytes = field(repr=False)
    test: float = 0.1
    validation: float = 0.1
    likeness: Likeness = field(default_factory=lambda: Likeness(seed=2))

    def __post_init__(self) -> None:
        if not (self.test >= 0 and self.validation >= 0 and self.test + self.validation < 1):
            found = f"test {self.test}, validation {self.validation}"
            raise ValueError(f"expected shares from 0 that leave something to train; found {found}. 0.1 each is usual.")

    def bounds(self) -> tuple[str, str]:
        """Hashes below the first are in test, others below the second in validation."""
        return f"{round(self.test * 16**16):016x}", f"{round((self.test + self.validation) * 16**16):016x}"

    def side(self, name: str) -> Side:
        """Where a new component of this name belongs."""
        told = component_hash(self.key, name)
        test, validation = self.bounds()
        return "test" if told < test else "validation" if told < validation else "train"


@dataclass(frozen=True, slots=True)
class Splits:
    """Which side each example is on.

    Attributes:
        side: by the id of an example.
        component: its component's name, by the id of an example.
        nodes: side of every example, person, conversation and group, to be given to the next version.
        moved: examples by the side they were on and the one they are on now, where these differ.
    """

    side: Mapping[str, Side]
    component: Mapping[str, str]
    nodes: Mapping[str, Side]
    moved: Mapping[tuple[Side, Side], int] = field(default_factory=dict)


def component_hash(key: bytes, name: str) -> str:
    """64 hexadecimal digits."""
    return hmac.new(key, b"split\0" + name.encode(), sha256).hexdigest()


def split(examples: Iterable[Example], rules: SplitRules, before: Mapping[str, Side] | None = None) -> Splits:
    """A side for every example.

    Args:
        examples: without duplicates; of the same example twice the last counts.
        before: `nodes` of the version before. It is carried on, so that who comes back finds the old side; leave out
            the nodes of a person who was erased.
    """
    before = before or {}
    some = {one.id: one for one in examples}
    found: UnionFind[str] = UnionFind()
    for one in some.values():
        for node in (own := example_node(one.id), *nodes(one), *map(text_node, told(one))):
            found.add(node)
            found.union(own, node)
    texts = {text_node(text): text for one in some.values() for text in told(one)}
    for pair in similar([Text(name, "", text) for name, text in sorted(texts.items())], rules.likeness):
        found.union(*pair)
    oldest = _oldest(some.values(), found)
    decided = _decided(found, before)
    sides = {root: decided.get(root) or rules.side(name) for root, name in oldest.items()}
    side = {id: sides[found.find(example_node(id))] for id in some}
    return Splits(
        side=side,
        component={id: oldest[found.find(example_node(id))] for id in some},
        nodes={**before, **{node: sides[found.find(node)] for set_ in found.sets() for node in set_ if is_kept(node)}},
        moved=Counter((was, side[id]) for id in some if (was := before.get(example_node(id), side[id])) != side[id]),
    )


def _oldest(examples: Iterable[Example], found: UnionFind[str]) -> dict[str, str]:
    """The name of each component, by what stands for it in the union-find."""
    first: dict[str, tuple[datetime, str]] = {}
    for one in examples:
        root = found.find(example_node(one.id))
        first[root] = min(first.get(root, (one.at, one.id)), (one.at, one.id))
    return {root: id for root, (_, id) in first.items()}


def _decided(found: UnionFind[str], before: Mapping[str, Side]) -> dict[str, Side]:
    """The side of each component with parts that had one, by what stands for it."""
    sides: dict[str, Side] = {}
    for set_ in found.sets():
        had = [before[node] for node in set_ if node in before]
        if had:
            sides[found.find(set_[0])] = max(had, key=SIDES.index)
    return sides


def nodes(example: Example) -> list[str]:
    """What joins an example to others beside its texts."""
    told = [("person", example.person), ("conversation", example.conversation), ("group", example.group)]
    for conversation, person in example.beside:
        told += [("conversation", conversation), ("person", person)]
    return [f"{kind}:{value}" for kind, value in told if value]


def example_node(id: str) -> str:
    return f"example:{id}"


def text_node(text: str) -> str:
    return f"text:{text_digest(text)}"


def is_kept(node: str) -> bool:
    """Whether the next version is told the side of a node: not of a text's, whose hash would outlive its person."""
    return not node.startswith("text:")


def told(example: Example) -> list[str]:
    """The texts of an example that must not be on two sides."""
    return texts_of(question(example), example.completion, example.chosen, example.rejected)


def texts_of(question: str | None, *answers: str | None) -> list[str]:
    """The question with each answer, whatever the example is for; none that say nothing."""
    texts = [compared(question, answer) for answer in answers if answer is not None]
    return [text for text in texts if text != PART * text.count(PART)]
