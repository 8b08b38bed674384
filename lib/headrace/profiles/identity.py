"""What a batch of changed records does to people: who is one person now, under which id, and why.

Only the records that hang together with the changed ones are looked at. Whatever the order of changes and however they
are cut into batches, the same records are one person in the end.

Ids: a person has the lowest of the ids that its records have of their own or that it has had. So the oldest person's id
stays in a merge, and in a split it goes with the oldest record; the other part gets the id it had before, if any.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from headrace.identifiers.normalise import Value
from headrace.profiles.links import Node, Ref, Refused, Rules, people


class Person(NamedTuple):
    """A record as `people` keeps it. A deleted one has no values; it keeps the person it was last."""

    node: Node
    person: str
    deleted: bool = False


class Seen(NamedTuple):
    """A record as it is now.

    Attributes:
        own: the id it would found. own_again: the one it would found where a record of its key was there before and
            is gone: people may live on under its id.
        values: its identifiers; None where the record is gone.
        position: of its row.
    """

    ref: Ref
    own: str
    own_again: str
    values: tuple[Value, ...] | None
    position: str = ""


class Known(Protocol):
    """What is known of records before a batch."""

    def having(self, values: Collection[Value], most: int) -> Mapping[Value, Collection[Ref]]:
        """Records that may have each value: all that do, or `most` of them where more do."""

    def records(self, refs: Collection[Ref]) -> Mapping[Ref, Person]:
        """The records that are known."""

    def leading_to(self, persons: Collection[str]) -> Mapping[str, str | None]:
        """The aliases among these ids, and those that lead to one of them."""


EventKind = Literal["create", "merge", "split", "retire", "quarantine", "release", "refuse"]


class Event(NamedTuple):
    """Something that became of people. `cause`: the changed record; `values`: what it hung on."""

    kind: EventKind
    person: str
    others: tuple[str, ...]
    cause: Ref
    position: str
    values: tuple[Value, ...] = ()
    records: tuple[Ref, ...] = ()
    why: str = ""

    @property
    def id(self) -> str:
        """The same for the same event, so that a repeat is known."""
        told = repr((self.kind, self.person, self.others, self.cause, self.position, self.values, self.why))
        return hashlib.sha256(told.encode()).hexdigest()[:32]


@dataclass(slots=True)
class Outcome:
    """What to write.

    Attributes:
        people: records that are new or changed.
        stored: those of them that were known before.
        added, removed: entries of the index from values to records.
        aliases: ids and where they lead now: an id, None where nobody is left there, or "" for an alias no more.
        hubs: values that link nobody any more, with how many records have them at least; 0 for those that link again.
        persons: everybody whose records or whose id changed, ids that are gone too.
    """

    people: dict[Ref, Person] = field(default_factory=dict)
    stored: set[Ref] = field(default_factory=set)
    added: list[tuple[Value, Ref]] = field(default_factory=list)
    removed: list[tuple[Value, Ref]] = field(default_factory=list)
    aliases: dict[str, str | None] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    hubs: dict[Value, int] = field(default_factory=dict)
    persons: set[str] = field(default_factory=set)


def step(known: Known, seen: Iterable[Seen], rules: Rules, all_over: bool = False) -> Outcome:
    """What these records, as they are now, change. Records that are as they were change nothing.

    Args:
        all_over: these are all records there are, or were; whatever was found before was found by other rules.
    """
    now = {one.ref: one for one in seen}
    around = _Around(known, rules)
    around.change(now, all_over)
    if not around.changed:
        return Outcome()
    around.spread()
    return _Difference(around, known, rules).outcome()


class _Around:
    """The changed records and all that hang together with them, before the batch and after it."""

    def __init__(self, known: Known, rules: Rules) -> None:
        self._known, self._rules = known, rules
        self.before: dict[Ref, Person] = {}
        self.after: dict[Ref, Node] = {}
        self.changed: dict[Ref, Seen] = {}
        self.hubs_before: set[Value] = set()
        self.hubs_after: dict[Value, int] = {}
        self._now_with: dict[Value, set[Ref]] = {}

    def change(self, now: Mapping[Ref, Seen], all_over: bool) -> None:
        """Take the records that are not as they were, or all."""
        stored = self._known.records(list(now))
        for ref, one in now.items():
            before = stored.get(ref)
            lives = before is not None and not before.deleted
            if one.values is None:
                if not lives:
                    continue
            else:
                values = tuple(sorted(set(one.values)))
                if before is not None and lives and before.node.values == values and not all_over:
                    continue
                self.after[ref] = Node(ref, _own(one, before), values)
                for value in values:
                    self._now_with.setdefault(value, set()).add(ref)
            self.changed[ref] = one
            if before is not None:
                self.before[ref] = before

    def spread(self) -> None:
        """Follow the values from record to record, where they link or did."""
        looked: set[Value] = set()
        while waiting := self._values() - looked:
            # One more than the rule allows, and those that may have lost the value meanwhile.
            most = max(map(self._rules.most, waiting)) + 1 + len(self.changed)
            having = self._known.having(waiting, most)
            looked |= waiting
            # Of a value that surely links nobody the records are not wanted.
            hubs = {value for value, refs in having.items() if self._surely_hub(value, refs)}
            wanted = {ref for value, refs in having.items() if value not in hubs for ref in refs}
            wanted -= self.changed.keys() | self.before.keys()
            for ref, person in self._known.records(list(wanted)).items():
                if not person.deleted:
                    self.before[ref] = person
                    self.after[ref] = person.node
            for value in waiting:
                self._judge(value, having.get(value, ()), value in hubs)

    def _surely_hub(self, value: Value, refs: Collection[Ref]) -> bool:
        most = self._rules.most(value)
        return len(refs) > most and len(set(refs) - self.changed.keys()) > most

    def _judge(self, value: Value, refs: Collection[Ref], surely: bool) -> None:
        now = self._now_with.get(value, set())
        if surely:
            self.hubs_before.add(value)
            self.hubs_after[value] = len(now.union(refs))
            return
        before = sum(ref in self.before and value in self.before[ref].node.values for ref in refs)
        if before > self._rules.most(value):
            self.hubs_before.add(value)
        after = sum(ref in self.after and value in self.after[ref].values for ref in now.union(refs))
        if after > self._rules.most(value):
            self.hubs_after[value] = after

    def _values(self) -> set[Value]:
        nodes = [person.node for person in self.before.values()]
        return {value for node in (*nodes, *self.after.values()) for value in node.values if self._rules.links(value)}


def _own(one: Seen, before: Person | None) -> str:
    if before is None:
        return one.own
    return one.own_again if before.deleted else before.node.own


class _Difference:
    """People before and after, compared."""

    def __init__(self, around: _Around, known: Known, rules: Rules) -> None:
        self._around, self._known, self._rules = around, known, rules
        self._out = Outcome()

    def outcome(self) -> Outcome:
        around = self._around
        parts, refused = people(around.after.values(), self._rules, around.hubs_after)
        ids = _ids(parts, around.before)
        for part, person in zip(parts, ids, strict=True):
            for node in part:
                self._record(Person(node, person))
        for ref, one in around.changed.items():
            if one.values is None:
                self._record(Person(Node(ref, around.before[ref].node.own, ()), around.before[ref].person, True))
        self._index()
        self._aliases(parts, ids)
        self._tell(parts, ids, refused)
        self._out.hubs = {value: 0 for value in around.hubs_before - around.hubs_after.keys()}
        self._out.hubs |= {value: count for value, count in around.hubs_after.items() if self._newly(value)}
        return self._out

    def _newly(self, value: Value) -> bool:
        return value not in self._around.hubs_before

    def _record(self, person: Person) -> None:
        before = self._around.before.get(person.node.ref)
        if person == before:
            return
        self._out.people[person.node.ref] = person
        self._out.persons.add(person.person)
        if before is not None:
            self._out.stored.add(person.node.ref)
            if not before.deleted:
                self._out.persons.add(before.person)

    def _index(self) -> None:
        for ref in self._around.changed:
            before = self._around.before.get(ref)
            old = set(before.node.values) if before is not None else set()
            new = set(self._around.after[ref].values) if ref in self._around.after else set()
            self._out.added += [(value, ref) for value in sorted(new - old) if self._rules.links(value)]
            self._out.removed += [(value, ref) for value in sorted(old - new) if self._rules.links(value)]

    def _aliases(self, parts: Sequence[Sequence[Node]], ids: Sequence[str]) -> None:
        """Each id that is nobody's any more leads to where its oldest record is; chains are made short."""
        living = set(ids)
        leads: dict[str, str | None] = {}
        for person, old in _by_person(self._around.before).items():
            if person not in living:
                leads[person] = _where(old, parts, ids)
        held = self._known.leading_to(living | leads.keys())
        for alias, target in held.items():
            if alias in living:
                self._out.aliases[alias] = ""
            elif target in leads:
                leads.setdefault(alias, leads[target])
        self._out.aliases |= {alias: now for alias, now in leads.items() if held.get(alias, "") != now}
        self._out.persons |= self._out.aliases.keys()

    def _tell(self, parts: Sequence[Sequence[Node]], ids: Sequence[str], refused: Sequence[Refused]) -> None:
        told = _Telling(self._around, self._out)
        told.people(parts, ids)
        told.retired(ids)
        told.values()
        told.refused(refused, {node.ref: person for part, person in zip(parts, ids, strict=True) for node in part})


class _Telling:
    """The events of a batch."""

    def __init__(self, around: _Around, out: Outcome) -> None:
        self._around, self._out = around, out
        self._told = {ref: (self._old(ref), self._new(ref)) for ref in sorted(around.changed)}
        self._by_value: dict[Value, Ref] = {}
        for ref, (old, new) in self._told.items():
            for value in sorted(old | new):
                self._by_value.setdefault(value, ref)

    def people(self, parts: Sequence[Sequence[Node]], ids: Sequence[str]) -> None:
        """Created, merged and split people."""
        before, living = self._around.before, set(ids)
        left: dict[str, dict[str, list[Node]]] = {}
        for part, person in zip(parts, ids, strict=True):
            had: dict[str, list[Node]] = {}
            for node in part:
                one = before.get(node.ref)
                if one is not None and not one.deleted:
                    had.setdefault(one.person, []).append(node)
            if not had:
                self._add("create", person, (), part)
            elif others := sorted(had.keys() - living):
                self._add("merge", person, tuple(others), part)
            for one_person, nodes in had.items():
                left.setdefault(one_person, {})[person] = nodes
        for person, now in sorted(left.items()):
            if len(now) > 1:
                kept = person if person in now else min(now)
                moved = [node for other, nodes in now.items() if other != kept for node in nodes]
                self._add("split", kept, tuple(sorted(now.keys() - {kept})), moved)

    def retired(self, ids: Sequence[str]) -> None:
        """People of whom no record is left."""
        living = set(ids)
        for person, old in sorted(_by_person(self._around.before).items()):
            if person not in living and all(ref not in self._around.after for ref in old):
                self._add("retire", person, (), [self._around.before[ref].node for ref in old])

    def values(self) -> None:
        """Values that link nobody any more, and those that link again."""
        before, after = self._around.hubs_before, self._around.hubs_after.keys()
        for kind, some in (("quarantine", after - before), ("release", before - after)):
            for value in sorted(some):
                cause = self._by_value[value]
                position = self._around.changed[cause].position
                self._out.events.append(Event(kind, "", (), cause, position, (value,), (cause,)))  # type: ignore[arg-type]

    def refused(self, links: Sequence[Refused], persons: Mapping[Ref, str]) -> None:
        """Links of changed records that do not hold."""
        for ref, value, why in links:
            if ref in self._around.changed:
                position = self._around.changed[ref].position
                self._out.events.append(Event("refuse", persons[ref], (), ref, position, (value,), (ref,), why))

    def _add(self, kind: EventKind, person: str, others: tuple[str, ...], nodes: Sequence[Node]) -> None:
        refs = tuple(sorted(node.ref for node in nodes))
        cause = next((ref for ref in refs if ref in self._told), None) or self._cause(nodes)
        position = self._around.changed[cause].position
        self._out.events.append(Event(kind, person, others, cause, position, self._hung_on(cause, nodes), refs))

    def _cause(self, nodes: Sequence[Node]) -> Ref:
        """A changed record that shares or shared a value with these, or any."""
        values = sorted(value for node in nodes for value in node.values)
        return next((self._by_value[value] for value in values if value in self._by_value), next(iter(self._told)))

    def _hung_on(self, cause: Ref, nodes: Sequence[Node]) -> tuple[Value, ...]:
        """What the change added or took away, of what these records have."""
        old, new = self._told[cause]
        others = {value for node in nodes if node.ref != cause for value in node.values}
        return tuple(sorted((old ^ new) & others or old ^ new))

    def _old(self, ref: Ref) -> set[Value]:
        before = self._around.before.get(ref)
        return set(before.node.values) if before is not None else set()

    def _new(self, ref: Ref) -> set[Value]:
        return set(self._around.after[ref].values) if ref in self._around.after else set()


def _ids(parts: Sequence[Sequence[Node]], before: Mapping[Ref, Person]) -> list[str]:
    """The id of each part: the lowest of its records' own and of those it may keep."""
    oldest: dict[str, tuple[str, Ref, int]] = {}
    for number, part in enumerate(parts):
        for node in part:
            person = before.get(node.ref)
            if person is not None and not person.deleted:
                claim = (node.own, node.ref, number)
                oldest[person.person] = min(oldest.get(person.person, claim), claim)
    found = [min(node.own for node in part) for part in parts]
    for kept, (_, _, number) in oldest.items():
        found[number] = min(found[number], kept)
    return found


def _by_person(before: Mapping[Ref, Person]) -> dict[str, list[Ref]]:
    found: dict[str, list[Ref]] = {}
    for ref, person in before.items():
        if not person.deleted:
            found.setdefault(person.person, []).append(ref)
    return found


def _where(old: Iterable[Ref], parts: Sequence[Sequence[Node]], ids: Sequence[str]) -> str | None:
    wanted = set(old)
    here = [(node.own, person) for part, person in zip(parts, ids, strict=True) for node in part if node.ref in wanted]
    return min(here)[1] if here else None
