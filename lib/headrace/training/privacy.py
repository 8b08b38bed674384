"""Personal data in texts, found by rules and replaced by placeholders such as `[EMAIL_7F3A21]`.

Where findings overlap they become one, over all that they cover, of the kind that stands first in `KINDS`: nothing that
a rule found is ever left because of another. Placeholders are never found again, so what was replaced once stays.

The placeholder of a value is the same wherever it stands, under the same key: 24 bits of a keyed hash (HMAC-SHA-256) of
the kind and the value in its plain spelling. Without the key nobody can try values out against it.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from headrace.training.example import Example, Message
from headrace.training.privacy_rules import births, emails, money, names, network, papers, phones, secrets
from headrace.training.privacy_rules.kinds import KINDS, Kind, Known, Match, Rule
from headrace.training.privacy_rules.plain import plain

RULES: tuple[Rule, ...] = (
    secrets.keys, secrets.passwords, network.url_secrets, network.addresses, emails.emails, names.known_names,
    papers.machine_lines,
)  # fmt: skip
DIGIT_RULES: tuple[Rule, ...] = (
    money.ibans, money.cards, papers.social_security, papers.national_ids, papers.passports, births.birth_dates,
    phones.phones,
)  # fmt: skip
"""Those that find nothing in a text without a digit."""
_DIGIT = re.compile(r"\d")
PLACEHOLDER = re.compile(rf"\[(?:{'|'.join(KINDS)})_[0-9A-F]{{6}}\]")
_BEFORE = 120
"""Characters of the message before that tell what a bare number is: `And your passport?`"""


class Finding(NamedTuple):
    """Where in a text something personal stood; never what.

    Attributes:
        begin, end: characters of the text as it was.
        placeholder: what stands there now.
        place: which text of an example: its place in `Example.texts()`.
    """

    kind: Kind
    begin: int
    end: int
    placeholder: str
    place: int = 0


@dataclass(frozen=True, slots=True)
class Privacy:
    """How texts of a dataset are cleaned.

    Attributes:
        key: secret, of this dataset; `dataset_key` makes one.
        regions: where phone numbers without a country's prefix may be from, as ISO 3166 has them.
        keep: what is nobody's, such as the company's own: `support@airline.example`, `@airline.example` for every
            address there, `+49 30 901820`; compared in plain spelling.
    """

    key: bytes = field(repr=False)
    regions: tuple[str, ...] = ("US", "GB", "DE", "FR", "ES")
    keep: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if len(self.key) < 16:
            raise ValueError("expected a key of at least 16 bytes; found a shorter one: placeholders could be guessed")


def dataset_key(secret: bytes, dataset: str) -> bytes:
    """The key of a dataset's placeholders, so that those of two datasets cannot be joined."""
    return hmac.new(secret, b"headrace dataset\0" + dataset.encode(), hashlib.sha256).digest()


def cleaned(example: Example, privacy: Privacy, person: Iterable[str] = ()) -> tuple[Example, tuple[Finding, ...]]:
    """The example with placeholders in all its texts, and what was found, text by text.

    Args:
        person: names that the profile knows of who takes part.
    """
    known = Known(names.folded(person), privacy.regions)
    found: list[Finding] = []
    place = 0

    def clean(text: str | None, before: str = "") -> str | None:
        nonlocal place
        if text is None:
            return None
        now, some = _replaced(text, privacy, known, before)
        found.extend(one._replace(place=place) for one in some)
        place += 1
        return now

    system, context = clean(example.system), clean(example.context)
    messages: list[Message] = []
    for one in example.messages:
        before = messages[-1].content if messages else ""
        messages.append(Message(one.role, clean(one.content, before) or ""))
    last = messages[-1].content if messages else ""
    completion, chosen, rejected = (clean(one, last) for one in (example.completion, example.chosen, example.rejected))
    made = replace(
        example, system=system, context=context, messages=tuple(messages), completion=completion, chosen=chosen,
        rejected=rejected,
    )  # fmt: skip
    return made, tuple(found)


def replaced(text: str, privacy: Privacy, person: Iterable[str] = (), before: str = "") -> tuple[str, list[Finding]]:
    """The text with placeholders, and what was found, in order.

    Args:
        person: names that the profile knows of who takes part.
        before: a text just before this one, already clean, which may tell what a number in this one is.
    """
    return _replaced(text, privacy, Known(names.folded(person), privacy.regions), before)


def _replaced(text: str, privacy: Privacy, known: Known, before: str) -> tuple[str, list[Finding]]:
    """Again until nothing is found: with a placeholder for a long value, words and numbers come closer together."""
    kept: list[Finding] = []
    while True:
        now, begins = _with(text, kept)
        more = [_finding(one, privacy) for one in _matches(now, known, before) if not _own(one, privacy)]
        if not more:
            return now, kept
        found = [one._replace(begin=begins[one.begin], end=begins[one.end - 1] + 1) for one in more]
        kept = sorted([*kept, *found], key=lambda one: one.begin)


def _with(text: str, kept: list[Finding]) -> tuple[str, list[int]]:
    """The text with placeholders, and where each of its characters stood."""
    parts: list[str] = []
    begins: list[int] = []
    at = 0
    for one in kept:
        parts += [text[at : one.begin], one.placeholder]
        begins += [*range(at, one.begin), *[one.begin] * len(one.placeholder)]
        at = one.end
    return "".join([*parts, text[at:]]), [*begins, *range(at, len(text))]


def _matches(text: str, known: Known, before: str) -> list[Match]:
    """What the rules find in a text and outside of placeholders, in order, without overlaps."""
    told = before[-_BEFORE:] + "\n" if before else ""
    view = plain(told + text)
    taken = [one.span() for one in PLACEHOLDER.finditer(told + text)] if "[" in text or told else []
    found = []
    for rule in (*RULES, *DIGIT_RULES) if _DIGIT.search(view.text) else RULES:
        for one in rule(view.text, known):
            begin, end = view.original(one.begin, one.end)
            if begin >= len(told) and not any(begin < last and first < end for first, last in taken):
                found.append(one._replace(begin=begin - len(told), end=end - len(told)))
    return _merged(text, found)


def _merged(text: str, found: list[Match]) -> list[Match]:
    """Overlapping matches as one, over all that they cover, of the first kind in `KINDS`."""
    groups: list[list[Match]] = []
    end = 0
    for one in sorted(found):
        if one.begin < end:
            groups[-1].append(one)
        else:
            groups.append([one])
        end = max(end, one.end)
    return [_one(text, group) for group in groups]


def _one(text: str, group: list[Match]) -> Match:
    begin, end = group[0].begin, max(one.end for one in group)
    first = min(group, key=lambda one: (KINDS.index(one.kind), one.begin - one.end))
    whole = (first.begin, first.end) == (begin, end)
    return Match(begin, end, first.kind, first.value if whole else text[begin:end].casefold())


def _own(one: Match, privacy: Privacy) -> bool:
    domain = "@" + one.value.rpartition("@")[2] if one.kind == "EMAIL" else None
    return one.value in privacy.keep or domain in privacy.keep


def _finding(one: Match, privacy: Privacy) -> Finding:
    told = hmac.new(privacy.key, f"{one.kind}\0{one.value}".encode("utf-8", "surrogatepass"), hashlib.sha256)
    return Finding(one.kind, one.begin, one.end, f"[{one.kind}_{told.hexdigest()[:6].upper()}]")
