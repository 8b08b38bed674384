"""What a row of a person says as vertices and edges of the identity graph; see `neptune_graph`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from headrace.stores.gremlin_client import long
from headrace.stores.keyed_rows import Row, Unfit, body_of

if TYPE_CHECKING:
    from gremlin_python.process.graph_traversal import GraphTraversal

PERSON = "p:"
"""A person's key begins so."""
Link = tuple[str, str, str, str]
"""Record name, what tells the record from others, kind of identifier, its hash; no kind: a record that has none."""


def meaning(row: Row) -> tuple[list[Link], str | None]:
    """The links of a person, or the key of the person it is an alias of. Raises Unfit for anything else."""
    if row.text is None:
        return [], None
    body = body_of(row.text)
    if body.get("kind") == "alias" and isinstance(body.get("person"), str):
        return [], PERSON + body["person"]
    links = body.get("links")
    if body.get("kind") != "profile" or not isinstance(links, list) or not all(map(_is_link, links)):
        raise Unfit("expected a profile with links of four texts each, or an alias with a person; found something else")
    return [(link[0], link[1], link[2], link[3]) for link in links], None


def _is_link(link: object) -> bool:
    return isinstance(link, list) and len(link) == 4 and all(isinstance(part, str) for part in link)


def _ids(key: str, link: Link) -> tuple[str, str, str, str]:
    """The ids of a link's record and identifier, and of the two edges."""
    record, identifier = f"r:{link[0]}:{link[1]}", f"i:{link[2]}:{link[3]}"
    return record, identifier, f"{key}>{record}", f"{key}>{record}>{identifier}"


def edges(key: str, links: Sequence[Link], alias: str | None) -> list[str]:
    """The ids of all edges of a person."""
    found = [f"{key}>alias"] if alias else []
    for link in links:
        found += _ids(key, link)[2 : 4 if link[2] else 3]
    return sorted(set(found))


def linked(query: "GraphTraversal", key: str, links: Sequence[Link]) -> "GraphTraversal":
    """The query, with records, identifiers and edges added for these links."""
    from gremlin_python.process.graph_traversal import __
    from gremlin_python.process.traversal import Direction, T

    for link in links:
        record, identifier, has, shows = _ids(key, link)
        whole = __.merge_v({T.id: record, T.label: "record", "name": link[0]})
        if link[2]:
            whole = whole.merge_v({T.id: identifier, T.label: "identifier", "kind": link[2]})
        whole = whole.merge_e({T.id: has, T.label: "has", Direction.OUT: key, Direction.IN: record})
        if link[2]:
            ends = {Direction.OUT: record, Direction.IN: identifier}
            whole = whole.merge_e({T.id: shows, T.label: "shows", "person": key, **ends})
        query = query.side_effect(whole)
    return query


def aliased(query: "GraphTraversal", key: str, other: str) -> "GraphTraversal":
    """The query, with an edge to the person that this one is now."""
    from gremlin_python.process.graph_traversal import __
    from gremlin_python.process.traversal import Direction, Merge, T

    new = {T.id: other, T.label: "person"}
    edge = {T.id: f"{key}>alias", T.label: "alias", Direction.OUT: key}
    # An alias may change its mind, and an edge keeps its ends.
    moved = __.out_e("alias").not_(__.in_v().has_id(other)).drop()
    placed = __.merge_v(new).option(Merge.on_create, {**new, "v": long(-1)})
    return query.side_effect(moved).side_effect(placed.merge_e({**edge, Direction.IN: other}))


def finished(query: "GraphTraversal", key: str, version: int, edges: Sequence[str], deleted: bool) -> "GraphTraversal":
    """The query, with the other edges taken away and then the version said."""
    from gremlin_python.process.graph_traversal import __
    from gremlin_python.process.traversal import Cardinality, P

    shows, own = __.out("has").out_e("shows").has("person", key), __.out_e("has", "alias")
    if edges:
        shows, own = shows.has_id(P.without(list(edges))), own.has_id(P.without(list(edges)))
    # First what is reached over the others.
    query = query.side_effect(shows.drop()).side_effect(own.drop())
    if deleted:
        query = query.property(Cardinality.single, "deleted", True)
    else:
        query = query.side_effect(__.properties("deleted").drop())
    return query.property(Cardinality.single, "v", long(version))
