"""Which records are one person: the rules, applied to records that are all in memory.

The result is a function of the records alone. Records are joined by the values they share, the strongest links first;
a link that would break a rule does not hold.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from headrace.config_identifiers import Identifier
from headrace.config_profiles import Profiles
from headrace.graph import UnionFind
from headrace.identifiers.normalise import Value


class Ref(NamedTuple):
    """A record: its name in the settings, and the key of its row."""

    record: str
    key: str


class Node(NamedTuple):
    """A record with what it is known by. `own`: the id of the person it would be alone; older ones sort first."""

    ref: Ref
    own: str
    values: tuple[Value, ...]


class Refused(NamedTuple):
    """A link that does not hold: the record that stays apart, the value it shares, the rule in the way.

    Attributes:
        why: `unique KIND`, `limit KIND`, `unless KINDS` or `largest`.
    """

    ref: Ref
    value: Value
    why: str


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings say about links."""

    kinds: Mapping[str, Identifier]
    hub: int
    largest: int

    @classmethod
    def of(cls, settings: Profiles) -> "Rules":
        """Those of the settings."""
        return cls(settings.kinds(), settings.hub, settings.largest)

    def links(self, value: Value) -> bool:
        """Whether the value joins records at all."""
        kind = self.kinds.get(value.kind)
        return kind is not None and kind.links

    def kept(self, kind: str) -> bool:
        """Whether values of this kind are of any use beside being a part of others."""
        found = self.kinds[kind]
        compared = any(kind in (*one.agree, *one.unless) for one in self.kinds.values() if one.links)
        return found.links or found.unique or found.limit is not None or compared

    def most(self, value: Value) -> int:
        """Records that may share this value before it links nobody."""
        return self.kinds[value.kind].hub or self.hub


class _Person:
    """Records joined so far, and the values that the rules look at."""

    __slots__ = ("limited", "size")

    def __init__(self, limited: Mapping[str, frozenset[str]]) -> None:
        self.size, self.limited = 1, dict(limited)


def shared(nodes: Iterable[Node], rules: Rules) -> dict[Value, list[Node]]:
    """The records that have each linking value, oldest first."""
    found: dict[Value, list[Node]] = {}
    for node in nodes:
        for value in dict.fromkeys(node.values):
            if rules.links(value):
                found.setdefault(value, []).append(node)
    for some in found.values():
        some.sort(key=_age)
    return found


def people(
    nodes: Collection[Node], rules: Rules, hubs: Collection[Value] = ()
) -> tuple[list[list[Node]], list[Refused]]:
    """The records of each person, oldest first, and the links that do not hold.

    Args:
        nodes: with each record, all others that share a linking value with it.
        hubs: values that link nobody, beside those that more than `rules.hub` of these records share.
    """
    by_value = shared(nodes, rules)
    links = [
        (value, agreed)
        for value, some in by_value.items()
        if 1 < len(some) <= rules.most(value) and value not in hubs
        for agreed in _agreed(value, some, rules)
    ]
    links.sort(key=lambda link: _strength(link[0], link[1], rules))
    sets = UnionFind(node.ref for node in sorted(nodes, key=_age))
    persons = {node.ref: _Person(_limited(node, rules)) for node in nodes}
    refused: list[Refused] = []
    for value, some in links:
        unless = rules.kinds[value.kind].unless
        for place, node in enumerate(some[1:], start=1):
            earlier = [one.ref for one in some[:place] if not _differ(one, node, unless)]
            why = _join(sets, persons, node.ref, earlier, rules) if earlier else f"unless {', '.join(unless)}"
            if why:
                refused.append(Refused(node.ref, value, why))
    by_ref = {node.ref: node for node in nodes}
    return [[by_ref[ref] for ref in refs] for refs in sets.sets()], refused


def _agreed(value: Value, some: Sequence[Node], rules: Rules) -> Iterator[list[Node]]:
    """The records that agree in all that the kind asks for, where there are several; oldest first."""
    agree = rules.kinds[value.kind].agree
    if not agree:
        yield list(some)
        return
    alike: dict[tuple[str, ...], list[Node]] = {}
    for node in some:
        told = dict(node.values)
        if all(kind in told for kind in agree):
            alike.setdefault(tuple(told[kind] for kind in agree), []).append(node)
    yield from (nodes for nodes in alike.values() if len(nodes) > 1)


def _differ(one: Node, other: Node, kinds: Sequence[str]) -> bool:
    if not kinds:
        return False
    ours, theirs = dict(one.values), dict(other.values)
    return any(kind in ours and kind in theirs and ours[kind] != theirs[kind] for kind in kinds)


def _join(sets: UnionFind[Ref], persons: dict[Ref, _Person], ref: Ref, earlier: Sequence[Ref], rules: Rules) -> str:
    """Join a record with the first of the earlier ones it may be joined with; what was in the way of all, or empty."""
    mine, first_why = sets.find(ref), ""
    tried: set[Ref] = set()
    for one in earlier:
        other = sets.find(one)
        if other == mine:
            return ""
        if other in tried:
            continue
        tried.add(other)
        why = _against(persons[mine], persons[other], rules)
        if not why:
            size = persons[mine].size + persons[other].size
            limited = _both(persons[mine], persons[other])
            kept = sets.union(mine, other)
            persons[kept].size, persons[kept].limited = size, limited
            return ""
        first_why = first_why or why
    return first_why


def _against(one: _Person, other: _Person, rules: Rules) -> str:
    if one.size + other.size > rules.largest:
        return "largest"
    for kind in one.limited.keys() & other.limited.keys():
        count = len(one.limited[kind] | other.limited[kind])
        if rules.kinds[kind].unique and count > 1:
            return f"unique {kind}"
        limit = rules.kinds[kind].limit
        if limit is not None and count > limit:
            return f"limit {kind}"
    return ""


def _both(one: _Person, other: _Person) -> dict[str, frozenset[str]]:
    found = dict(one.limited)
    for kind, hashes in other.limited.items():
        found[kind] = found.get(kind, frozenset()) | hashes
    return found


def _limited(node: Node, rules: Rules) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for kind, hashed in node.values:
        rule = rules.kinds.get(kind)
        if rule is not None and (rule.unique or rule.limit is not None):
            found[kind] = found.get(kind, frozenset()) | {hashed}
    return found


def _age(node: Node) -> tuple[str, Ref]:
    return node.own, node.ref


def _strength(value: Value, some: Sequence[Node], rules: Rules) -> tuple[int, str, Value]:
    # A link is as old as the second of its records. Of two alike the hash decides: anything would, if always the same.
    return -rules.kinds[value.kind].priority, some[1].own, value
