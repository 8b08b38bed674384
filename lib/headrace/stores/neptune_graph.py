"""The identity graph in Amazon Neptune, or any Gremlin server, as the write side of profiles.

| what | id | label |
|---|---|---|
| a person, with `v` (version) and `deleted` | the row's key, `p:<person>` | `person` |
| a record | `r:<record name>:<hash of its key>` | `record` |
| an identifier | `i:<kind>:<hash>` | `identifier` |
| person -> record | `<person>><record>` | `has` |
| record -> identifier, with `person` | `<person>><record>><identifier>` | `shows` |
| a person that is another one now | `<person>>alias` | `alias` |

Every edge bears the person's key, so a row takes away only what it wrote: a record may belong to its new person by
then. A person is one query, which Neptune takes whole or not at all; one of many links is several, and the version
comes with the last. A plain Gremlin server has no transactions: there one writer at a time is safe, and a crash is
mended by the repeat. What no edge leads to any more goes with `purge`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from headrace.config_keyed_stores import NeptuneGraph
from headrace.ports import Failed, Held, Projected, Written
from headrace.stores import gremlin_client as client
from headrace.stores import neptune_queries as queries
from headrace.stores.keyed_rows import (
    CLAIM,
    FORMAT,
    MOST_BODY_BYTES,
    Row,
    Unfit,
    check_claim,
    checked,
    not_open,
    not_there,
)

if TYPE_CHECKING:
    from gremlin_python.process.graph_traversal import GraphTraversal, GraphTraversalSource

_LINKS_PER_QUERY = 40
"""Three steps each; Neptune advises fewer than 1,500 in a query, and about 200 records."""


class NeptuneStore:
    """The write side; a `ports.Projection`. Rows that are no person count as applied."""

    def __init__(self, settings: NeptuneGraph) -> None:
        self._settings = settings
        self._where = client.where_of(settings)
        self._server: client.Server | None = None
        self._owner, self._purged = "", 0

    def open(self, owner: str) -> None:
        """Claim the graph for `owner`."""
        from gremlin_python.process.traversal import Merge, T

        self._connect(owner)
        about = {"owner": owner, "format": FORMAT, "newest": client.long(-1)}
        with self._opening():
            graph = self._graph()
            graph.merge_v({T.id: CLAIM, T.label: "headrace"}).option(Merge.on_create, about).iterate()
            self._check_claim()

    def attach(self, owner: str) -> None:
        """Use the graph there is."""
        self._connect(owner)
        with self._opening():
            self._check_claim()

    def _check_claim(self) -> Mapping[str, Any]:
        from gremlin_python.process.graph_traversal import __

        found = self._graph().V(CLAIM).project("owner", "format", "newest", "purged").by("owner").by("format")
        found = found.by("newest").by(__.coalesce(__.values("purged"), __.constant(client.long(0))))
        for claim in found.to_list():
            self._purged = int(claim["purged"])
            release = f"drop the vertex {CLAIM!r}"
            check_claim(self._owner, claim["owner"], claim["format"], self._where, release)
            return dict(claim)
        raise not_there(self._where)

    def _raise_newest(self, version: int) -> None:
        """Say that rows of this version may follow. Raises NotThere where the claim is gone, Fatal for another's."""
        from gremlin_python.process.traversal import Cardinality, P

        to = client.long(version)
        claim = self._graph().V(CLAIM).has("owner", self._owner).has("newest", P.lt(to))
        if not claim.property(Cardinality.single, "newest", to).count().next():
            self._check_claim()

    def write(self, rows: Sequence[Projected]) -> Written:
        """Take each person whose version is above the one held."""
        self._opened()
        taken, failed, replaced = checked(rows, MOST_BODY_BYTES)
        written = Written(stale=replaced, failed=tuple(failed))
        people = [row for row in taken if row.key.startswith(queries.PERSON)]
        written += Written(applied=len(taken) - len(people))
        if not people:
            return written
        with self._answering():
            self._raise_newest(max(row.version for row in people))
        for row in people:
            written += self._write(row)
        return written

    def _write(self, row: Row) -> Written:
        try:
            links, alias = queries.meaning(row)
        except Unfit as error:
            return Written(failed=(Failed(row.key, row.version, str(error), retry=False),))
        try:
            with self._answering():
                applied = self._replace(row.key, row.version, links, alias, deleted=row.text is None)
        except client.Conflict as error:
            return Written(failed=(Failed(row.key, row.version, str(error), retry=True),))
        return Written(applied=applied, stale=1 - applied)

    def _replace(
        self, key: str, version: int, links: Sequence[queries.Link], alias: str | None, *, deleted: bool
    ) -> int:
        """1 where the version was above the one held, else 0."""
        from gremlin_python.process.traversal import Merge, P, T

        def person() -> "GraphTraversal":
            if version < self._purged:
                # Whoever is not there may have been deleted by what was purged.
                return self._graph().V(key).has("v", P.between(client.long(0), client.long(version)))
            new = {T.id: key, T.label: "person"}
            found = self._graph().merge_v(new).option(Merge.on_create, {**new, "v": client.long(-1)})
            return found.has("v", P.lt(client.long(version)))

        last = max(len(links) - _LINKS_PER_QUERY, 0)
        for at in range(0, last, _LINKS_PER_QUERY):
            if not queries.linked(person(), key, links[at : min(at + _LINKS_PER_QUERY, last)]).count().next():
                return 0
        query = queries.linked(person(), key, links[last:])
        if alias:
            query = queries.aliased(query, key, alias)
        return int(queries.finished(query, key, version, queries.edges(key, links, alias), deleted).count().next())

    def sweep(self, before_version: int) -> int:
        """Delete every person whose version is lower. What is swept stays out for anything older."""
        from gremlin_python.process.traversal import P

        self._opened()
        before = client.long(before_version)
        with self._answering():
            self._raise_newest(before_version - 1)
            older = self._people().has("v", P.lt(before)).has_not("deleted").id_().to_list()
            done = 0
            for key in older:
                query = self._graph().V(key).has("v", P.lt(before)).has_not("deleted")
                done += int(queries.finished(query, key, before_version - 1, [], True).count().next())
            return done

    def purge(self, before_version: int) -> int:
        """Forget deletes whose version is lower, and records and identifiers that no edge leads to.

        Nobody who is not there is taken with such a version any more.
        """
        from gremlin_python.process.graph_traversal import __
        from gremlin_python.process.traversal import Cardinality, P

        self._opened()
        before = client.long(before_version)
        with self._answering():
            self._check_claim()
            if before_version > self._purged:
                self._graph().V(CLAIM).property(Cardinality.single, "purged", before).iterate()
                self._purged = before_version
            older = self._people().has("v", P.lt(before)).has("deleted", True).id_().to_list()
            done = 0
            for key in older:
                gone = self._graph().V(key).has("v", P.lt(before)).has("deleted", True)
                done += len(gone.side_effect(__.drop()).id_().to_list())
            self._graph().V().has_label("record", "identifier").not_(__.both_e()).drop().iterate()
            return done

    def held(self) -> Iterator[Held]:
        """Every person, deleted ones included."""
        from gremlin_python.process.graph_traversal import __
        from gremlin_python.process.traversal import T

        self._opened()
        with self._answering():
            about = self._people().project("key", "v", "deleted").by(T.id).by("v")
            found = about.by(__.coalesce(__.values("deleted"), __.constant(False))).to_list()
        for row in found:
            yield Held(row["key"], int(row["v"]), bool(row["deleted"]))

    def newest(self) -> int:
        """The highest version it ever took or began to take; -1 for none."""
        self._opened()
        with self._answering():
            return int(self._check_claim()["newest"])

    def close(self) -> None:
        """Close the connection."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def _people(self) -> "GraphTraversal":
        from gremlin_python.process.traversal import P

        # An alias may lead to a person whose own row did not come yet.
        return self._graph().V().has_label("person").has("v", P.gte(client.long(0)))

    def _connect(self, owner: str) -> None:
        self.close()
        self._owner = owner
        self._server = client.Server(self._settings)

    @contextmanager
    def _opening(self) -> Iterator[None]:
        try:
            with self._answering():
                yield
        except BaseException:
            self.close()
            raise

    def _opened(self) -> "client.Server":
        if self._server is None:
            raise not_open(self._where)
        return self._server

    def _answering(self) -> AbstractContextManager[None]:
        return self._opened().answering()

    def _graph(self) -> "GraphTraversalSource":
        return self._opened().graph
