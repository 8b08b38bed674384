"""Rows of an identity graph, and its edges as they are and as they should be."""

from random import Random

from headrace.ports import Projected
from headrace.stores.neptune_graph import NeptuneStore
from headrace.testing.keyed_store import gone
from headrace.testing.vector_index import oracle


def profile(person: str, version: int, *links: str) -> Projected:
    """A person of links such as `crm:1 email:a`."""
    parts = [[*record.split(":"), *identifier.split(":")] for record, identifier in (link.split() for link in links)]
    return Projected(f"p:{person}", version, False, {"kind": "profile", "person": person, "links": parts})


def alias(person: str, version: int, other: str) -> Projected:
    """A person that is another one now."""
    return Projected(f"p:{person}", version, False, {"kind": "alias", "person": other})


def edges(store: NeptuneStore) -> set[str]:
    """Every edge as `label from to`."""
    from gremlin_python.process.graph_traversal import __
    from gremlin_python.process.traversal import T

    found = store._graph().E().project("l", "a", "b").by(T.label).by(__.out_v().id_()).by(__.in_v().id_()).to_list()
    shown = [f"{one['l']} {one['a']} {one['b']}" for one in found]
    assert len(set(shown)) == len(shown)
    return set(shown)


def wanted(rows: list[Projected]) -> set[str]:
    """The edges that rows ask for, computed apart from the store."""
    found = set()
    best = oracle(rows)
    for row in rows:
        if row.body is None or row.version != best[row.key][0]:
            continue
        if row.body["kind"] == "alias":
            found.add(f"alias {row.key} p:{row.body['person']}")
            continue
        for name, record, kind, identifier in row.body["links"]:
            found |= {f"has {row.key} r:{name}:{record}", f"shows r:{name}:{record} i:{kind}:{identifier}"}
    return found


def some_rows(random: Random, count: int) -> list[Projected]:
    """Profiles, aliases and deletes of four people, each row newer than the one before."""
    rows = []
    for version in range(1, count + 1):
        person = random.choice("abcd")
        links = [f"crm:{person}{random.randrange(4)} email:{random.randrange(3)}" for _ in range(random.randrange(5))]
        made = [profile(person, version, *links), gone(f"p:{person}", version), alias(person, version, "z")]
        rows.append(random.choices(made, [6, 1, 1])[0])
    return rows
