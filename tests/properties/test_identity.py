"""Identity: any order, cut and repeat of changes gives the same people; ids follow the rule."""

from collections import defaultdict
from collections.abc import Collection, Mapping

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.config_identifiers import Identifier
from headrace.identifiers.normalise import Value
from headrace.profiles.identity import Outcome, Person, Seen, step
from headrace.profiles.links import Ref, Rules

RULES = Rules(
    {
        "email": Identifier(priority=60),
        "phone": Identifier(priority=40, limit=2),
        "device": Identifier(priority=40, hub=2, unless=("born",)),
        "mail": Identifier(priority=50, agree=("name",)),
        "name": Identifier(links=False),
        "born": Identifier(links=False, unique=True),
    },
    hub=3,
    largest=4,
)
REFS = [Ref(record, str(number)) for record in ("shop", "calls") for number in range(4)]
OWN = {ref: f"{(7 * at) % 10}-{ref.record}{ref.key}" for at, ref in enumerate(REFS)}

values = st.frozensets(
    st.builds(Value, st.sampled_from(["email", "phone", "device", "mail", "name", "born"]), st.sampled_from("abc")),
    max_size=5,
).map(lambda some: tuple({value.kind: value for value in sorted(some)}.values()))
change = st.tuples(st.sampled_from(REFS), st.one_of(values, values, st.none()))
histories = st.lists(st.lists(change, min_size=1, max_size=6), min_size=1, max_size=6)


class Memory:
    """What `Known` promises, in dictionaries. It hands out what may be stale in the index, as the lake does."""

    def __init__(self) -> None:
        self.people: dict[Ref, Person] = {}
        self.index: dict[Value, set[Ref]] = defaultdict(set)
        self.aliases: dict[str, str | None] = {}
        self.quarantine: set[Value] = set()
        self.again = 0

    def having(self, values: Collection[Value], most: int) -> Mapping[Value, Collection[Ref]]:
        return {value: sorted(self.index[value])[:most] for value in values if value in self.index}

    def records(self, refs: Collection[Ref]) -> Mapping[Ref, Person]:
        return {ref: self.people[ref] for ref in refs if ref in self.people}

    def leading_to(self, persons: Collection[str]) -> Mapping[str, str | None]:
        return {one: now for one, now in self.aliases.items() if one in persons or now in persons}

    def seen(self, ref: Ref, some: tuple[Value, ...] | None) -> Seen:
        self.again += 1
        return Seen(ref, OWN[ref], f"{OWN[ref]}-{self.again}", some)

    def take(self, batch: Mapping[Ref, tuple[Value, ...] | None]) -> Outcome:
        outcome = step(self, [self.seen(ref, some) for ref, some in batch.items()], RULES)
        self.take_outcome(outcome)
        return outcome

    def take_outcome(self, outcome: Outcome) -> None:
        for value, ref in outcome.added:
            self.index[value].add(ref)
        for value, ref in outcome.removed:
            self.index[value].discard(ref)
        self.people |= outcome.people
        self.quarantine |= {value for value, count in outcome.hubs.items() if count}
        self.quarantine -= {value for value, count in outcome.hubs.items() if not count}
        for alias, now in outcome.aliases.items():
            if now == "":
                del self.aliases[alias]
            else:
                self.aliases[alias] = now

    def partition(self) -> set[frozenset[Ref]]:
        found: dict[str, set[Ref]] = defaultdict(set)
        for ref, person in self.people.items():
            if not person.deleted:
                found[person.person].add(ref)
        return {frozenset(refs) for refs in found.values()}

    def own(self) -> dict[Ref, str]:
        return {ref: person.node.own for ref, person in self.people.items() if not person.deleted}


def oracle(records: Mapping[Ref, tuple[Value, ...]], own: Mapping[Ref, str]) -> set[frozenset[Ref]]:
    """Slow and obvious: links in their order, each tried on the sets of records there are so far."""
    graph = nx.Graph()
    for ref, some in records.items():
        graph.add_node(ref)
        graph.add_edges_from((ref, value) for value in some if RULES.links(value))
    links = []
    for value in [node for node in graph if isinstance(node, Value)]:
        having = sorted(graph[value], key=lambda ref: (own[ref], ref))
        if len(having) > (2 if value.kind == "device" else 3):
            continue
        names = {dict(records[ref]).get("name") for ref in having} - {None}
        alike = [[ref for ref in having if dict(records[ref]).get("name") == name] for name in names]
        for some in alike if value.kind == "mail" else [having]:
            if len(some) > 1:
                links.append((-RULES.kinds[value.kind].priority, own[some[1]], value, some))
    joined = nx.Graph()
    joined.add_nodes_from(records)

    def allowed(refs: set[Ref]) -> bool:
        if len(refs) > RULES.largest:
            return False
        by_kind = defaultdict(set)
        for ref in refs:
            for value in records[ref]:
                by_kind[value.kind].add(value.hash)
        return len(by_kind["born"]) <= 1 and len(by_kind["phone"]) <= 2

    def differ(one: Ref, other: Ref) -> bool:
        born = {dict(records[ref]).get("born") for ref in (one, other)} - {None}
        return len(born) > 1

    for _, _, value, having in sorted(links):
        for place, ref in enumerate(having):
            for earlier in having[:place]:
                if value.kind == "device" and differ(ref, earlier):
                    continue
                mine = nx.node_connected_component(joined, ref)
                theirs = nx.node_connected_component(joined, earlier)
                if earlier in mine:
                    break
                # Two records of one person may together break a rule only where they are joined.
                if allowed(mine | theirs):
                    joined.add_edge(ref, earlier)
                    break
    return {frozenset(component) for component in nx.connected_components(joined)}


def final(history: list[list[tuple[Ref, tuple[Value, ...] | None]]]) -> dict[Ref, tuple[Value, ...]]:
    last = {ref: some for batch in history for ref, some in batch}
    return {ref: some for ref, some in last.items() if some is not None}


@settings(max_examples=600, deadline=None)
@given(histories)
def test_every_cut_gives_the_people_of_the_oracle(history: list[list[tuple[Ref, tuple[Value, ...] | None]]]) -> None:
    memory, records = Memory(), {}
    for batch in history:
        now = dict(batch)
        persons = {person.person for person in memory.people.values() if not person.deleted}
        had = {ref: person.person for ref, person in memory.people.items() if not person.deleted}
        memory.take(now)
        records |= now
        living = {ref: some for ref, some in records.items() if some is not None}
        own = memory.own()
        assert own.keys() == living.keys()
        assert memory.partition() == oracle(living, own)
        shared = [value for some in living.values() for value in some if RULES.links(value)]
        assert memory.quarantine == {value for value in shared if shared.count(value) > RULES.most(value)}
        ids = {ref: memory.people[ref].person for ref in living}
        # Every id there ever was leads to somebody, at once, or to nobody where nobody is left.
        now_ids = set(ids.values())
        for one in persons - now_ids:
            target = memory.aliases[one]
            assert target in now_ids or (target is None and not any(had[ref] == one for ref in living if ref in had))
        assert not now_ids & memory.aliases.keys()
        assert all(now in now_ids or now is None for now in memory.aliases.values())
        # Nobody's id is younger than the oldest record, and an id goes with the oldest record that had it.
        for refs in memory.partition():
            (person,) = {ids[ref] for ref in refs}
            assert person <= min(own[ref] for ref in refs)
        for one in persons:
            heirs = [ref for ref in living if had.get(ref) == one]
            if heirs:
                assert ids[min(heirs, key=lambda ref: (own[ref], ref))] <= one
                assert one in now_ids or any(ids[ref] < one for ref in heirs)
    assert {ref: memory.people[ref].node.values for ref in final(history)} == {
        ref: tuple(sorted(some)) for ref, some in final(history).items()
    }
    for value, refs in memory.index.items():
        assert refs == {ref for ref, some in final(history).items() if value in some}


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(REFS), st.lists(values, min_size=1, max_size=3), min_size=1), st.randoms())
def test_without_deletes_ids_too_are_the_same_for_every_order(told: dict, random: object) -> None:
    whole, cut = Memory(), Memory()
    whole.take({ref: some[-1] for ref, some in told.items()})
    waiting = [ref for ref, some in told.items() for _ in some]
    random.shuffle(waiting)  # type: ignore[attr-defined]
    at: dict[Ref, int] = defaultdict(int)
    for ref in waiting:
        cut.take({ref: told[ref][at[ref]]})
        at[ref] += 1
    assert {ref: person.person for ref, person in whole.people.items()} == {
        ref: person.person for ref, person in cut.people.items()
    }


def test_who_comes_back_does_not_take_the_id_that_others_live_on_under() -> None:
    memory = Memory()
    first, second = sorted(REFS[:2], key=lambda ref: OWN[ref])
    memory.take({first: (Value("email", "a"),), second: (Value("email", "a"),)})
    memory.take({first: None})
    memory.take({first: (Value("email", "b"),)})
    assert memory.people[second].person == OWN[first]
    assert memory.people[first].person not in OWN.values()


@settings(max_examples=200, deadline=None)
@given(histories)
def test_a_repeat_changes_nothing(history: list[list[tuple[Ref, tuple[Value, ...] | None]]]) -> None:
    memory = Memory()
    for batch in history:
        now = dict(batch)
        memory.take(now)
        again = memory.take(now)
        assert again == Outcome()
