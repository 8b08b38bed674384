"""Examples that say again what another says. One is kept; every other one is refused with the id of a kept one.

What is compared: the last question and the answer of `sft` and `kto`; the last question, the better and the worse
answer of `dpo`; the text of `text`; each normalised by `canonical`. Only examples of one kind are compared, and of
`kto` only those with the same label: a good and a bad answer do not replace each other.

Which is kept: examples are taken in the order of `rank`. One is refused if an earlier one that is kept says the same
or nearly the same. So no order or partition of the input matters, each refused one is truly like the one that stands
for it, and in a chain, where A is like B and B like C but not A like C, only B goes.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Literal, NamedTuple

from headrace.training.example import Example
from headrace.training.minhash import PART
from headrace.training.refused import Refused
from headrace.training.similar import Likeness, Text, similar

STEP = "duplicates"
Reason = Literal["exact_duplicate_of", "near_duplicate_of"]


@dataclass(frozen=True, slots=True)
class DuplicateRules:
    """How duplicates are found, and which one is kept.

    Attributes:
        likeness: what a near duplicate is.
        origins: best first; those that are not named come after them.
    """

    likeness: Likeness = field(default_factory=Likeness)
    origins: tuple[str, ...] = ()


class Duplicate(NamedTuple):
    """An example that is not needed. `of` is the id of one that is kept, and as similar as `similarity` says."""

    id: str
    reason: Reason
    of: str
    similarity: float

    def refused(self) -> Refused:
        """As a row of the table of what was refused."""
        return Refused(self.id, STEP, self.reason, self.of)


def duplicates(examples: Iterable[Example], rules: DuplicateRules) -> list[Duplicate]:
    """The examples to leave out, by id. The same example twice is one."""
    told = {told_of(one, rules.origins) for one in examples}
    same: dict[tuple[str, str], list[str]] = defaultdict(list)
    for one in sorted(told):
        same[one.family, one.text].append(one.name)
    near = similar([Text(names[0], family, text) for (family, text), names in same.items()], rules.likeness)
    gone = superseded(near)
    found = []
    for first, *others in same.values():
        if first in gone:
            of = gone[first]
            found += [
                Duplicate(id_of(one), "near_duplicate_of", id_of(of), near[of, first]) for one in [first, *others]
            ]
        else:
            found += [Duplicate(id_of(one), "exact_duplicate_of", id_of(first), 1.0) for one in others]
    return sorted(found)


def told_of(example: Example, origins: Sequence[str]) -> Text:
    """What of an example is compared, under its rank as a name."""
    return Text(
        rank(example.origin, example.at, example.id, origins),
        family(example.kind, example.label),
        compared(question(example), example.completion, example.chosen, example.rejected),
    )


def superseded(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Names that go, each with the smallest name it is paired with that stays.

    Args:
        pairs: the smaller name first.
    """
    before: dict[str, list[str]] = defaultdict(list)
    for one, other in pairs:
        before[other].append(one)
    gone: dict[str, str] = {}
    for name in sorted(before):
        staying = [one for one in before[name] if one not in gone]
        if staying:
            gone[name] = min(staying)
    return gone


_EPOCH = datetime(1, 1, 1, tzinfo=UTC)


def rank(origin: str, at: datetime, id: str, origins: Sequence[str]) -> str:
    """A text that sorts before those of worse examples: the best origin, then the oldest, then the smallest id."""
    place = origins.index(origin) if origin in origins else len(origins)
    return f"{place:04} {(at - _EPOCH) // timedelta(microseconds=1):018} {id}"


def id_of(name: str) -> str:
    """The id in a `rank`."""
    return name.split(" ", 2)[2]


def family(kind: str, label: bool | None) -> str:
    """What only is compared with its like."""
    return kind if label is None else f"{kind} {'good' if label else 'bad'}"


def question(example: Example) -> str | None:
    """What the answer is to."""
    return example.messages[-1].content if example.messages else None


def compared(*parts: str | None) -> str:
    """The parts of an example that are there, normalised, as `minhash` takes them."""
    return PART.join(canonical(part) for part in parts if part is not None)


def canonical(text: str) -> str:
    """A text without differences that say nothing: Unicode's compatibility forms (NFKC), case, and white space.

    Its runs of white space are one blank each, none at the ends. Doing it twice changes nothing.
    """
    if text.isascii():
        return " ".join(text.lower().split())
    folded = unicodedata.normalize("NFKC", text).casefold()
    # Folding may undo the form, and the form may leave capitals: Unicode asks for a second turn.
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", folded).casefold()).split())


def text_digest(text: str) -> str:
    """32 hexadecimal digits of a text."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
