"""What Spark's own parser and analyser say of a derived table's SQL.

Spark has no Python view of its plans, so its Java objects are walked.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql.types import StructType

from headrace.config_derive import CHANGED

_BY_ORDER = frozenset(["First", "Last", "CollectList", "CollectSet", "AnyValue", "ApproximatePercentile", "Mode"])
"""Spark calls these non-deterministic because they depend on the order of rows, not on time or chance."""
_BY_TIME = frozenset(
    ["Now", "CurrentTimestamp", "CurrentDate", "CurDateExpressionBuilder", "CurrentTime", "LocalTimestamp",
     "CurrentBatchTimestamp", "CurrentUser"]
)  # fmt: skip
_OF_ALL_ROWS = {
    "GlobalLimit": "LIMIT", "LocalLimit": "LIMIT", "Offset": "OFFSET", "Tail": "a limit", "Sample": "TABLESAMPLE",
}  # fmt: skip
"""Nodes for which one row's place depends on rows that no changed key leads to."""


@dataclass(frozen=True, slots=True)
class Analysed:
    """A query as Spark understands it.

    Attributes:
        schema: of its result.
        free: what in it changes by time or chance, or takes a part of all rows, in words; empty for nothing.
        tied: tables all of whose key columns given for them can only be the result's own key, wherever they stand.
        used: by table, the columns it needs.
        by_change: tables that are joined, wherever they stand, to the keys in `changed`.
    """

    schema: StructType
    free: str
    tied: frozenset[str]
    used: Mapping[str, list[str]]
    by_change: frozenset[str]


def tables_of(spark: SparkSession, sql: str) -> list[str]:
    """The tables a query names, as it writes them, each once. Raises what Spark's parser says."""
    plan = spark._jsparkSession.sessionState().sqlParser().parsePlan(sql)
    named: dict[str, None] = {}
    own: set[str] = set()
    for node in _nodes(plan):
        kind = node.getClass().getSimpleName()
        if kind == "UnresolvedRelation":
            named[".".join(_each(node.multipartIdentifier()))] = None
        elif kind == "UnresolvedWith":
            own |= {str(relation._1()).casefold() for relation in _each(node.cteRelations())}
    return [name for name in named if name.casefold() not in own]


def is_query(spark: SparkSession, sql: str) -> bool:
    """Whether it reads and nothing else, such as INSERT or DROP. Raises what Spark's parser says."""
    parser = spark._jsparkSession.sessionState().sqlParser()
    try:
        parser.parseQuery(sql)
    except Exception:
        parser.parsePlan(sql)
        return False
    return True


def analyse(
    spark: SparkSession,
    sql: str,
    schemas: Mapping[str, StructType],
    key: Sequence[str],
    of: Mapping[str, Sequence[str]],
) -> Analysed:
    """Have Spark analyse a query over empty tables. Raises AnalysisException.

    Args:
        schemas: of all the tables it names.
        key: columns of the result.
        of: by table, the columns that must be tied to them, in the same order.
    """
    apart = spark.newSession()  # so that no view of the user's is hidden by one of ours
    for name, schema in schemas.items():
        apart.createDataFrame([], schema).createOrReplaceTempView(name)
    frame = apart.sql(sql)
    execution = frame._jdf.queryExecution()
    plan = _Plan(execution.analyzed(), {name.casefold(): name for name in schemas})
    names = [name.casefold() for name in frame.columns]
    ids = [plan.result[names.index(column.casefold())] for column in key if column.casefold() in names]
    tied = {table for table, columns in of.items() if len(ids) == len(key) and plan.ties(table, columns, ids)}
    if not plan.windows_keep(ids):
        tied = set()
    used = plan.used(execution.optimizedPlan())
    return Analysed(frame.schema, plan.free, frozenset(tied), used, plan.joined_to(CHANGED, schemas))


class _Plan:
    """An analysed plan: which of its columns are always equal, and where its tables stand."""

    def __init__(self, plan: Any, names: Mapping[str, str]) -> None:
        self.result = _ids(plan.output())
        self.free = ""
        self._same: dict[int, int] = {}
        self._places: list[tuple[str, dict[str, int]]] = []
        self._windows: list[list[int]] = []
        nodes = list(_nodes(plan))
        self._read_ctes(nodes)
        for node in nodes:
            self._visit(node, names)

    def ties(self, table: str, columns: Sequence[str], ids: Sequence[int]) -> bool:
        """Whether at each place of the table these columns equal the result's."""
        places = [place for name, place in self._places if name == table]
        return bool(places) and all(
            self._root(place[column.casefold()]) == self._root(one) if column.casefold() in place else False
            for place in places
            for column, one in zip(columns, ids, strict=True)
        )

    def joined_to(self, name: str, schemas: Mapping[str, StructType]) -> frozenset[str]:
        """The tables each of whose places has the columns of the table `name`, and equal to them."""
        first = next((place for table, place in self._places if table == name), {})
        columns, ids = list(first), list(first.values())
        return frozenset(table for table in schemas if columns and self.ties(table, columns, ids))

    def windows_keep(self, ids: Sequence[int]) -> bool:
        """Whether every window function stays among the rows of one key."""
        wanted = {self._root(one) for one in ids}
        return all(wanted <= {self._root(one) for one in window} for window in self._windows)

    def used(self, optimised: Any) -> dict[str, list[str]]:
        """By table, the columns the optimised plan asks for."""
        asked = set(_ids(optimised.output()))
        for node in _nodes(optimised):
            if node.children().size():
                asked.update(one.exprId().id() for root in _each(node.expressions()) for one in _attributes(root))
        found: dict[str, list[str]] = {}
        for table, place in self._places:
            columns = found.setdefault(table, [])
            columns += [name for name, number in place.items() if number in asked and name not in columns]
        return found

    def _root(self, number: int) -> int:
        while number in self._same:
            number = self._same[number]
        return number

    def _equal(self, one: int, other: int) -> None:
        one, other = self._root(one), self._root(other)
        if one != other:
            self._same[one] = other

    def _read_ctes(self, nodes: Sequence[Any]) -> None:
        """A named query used once is as good as one written in its place; of one used twice nothing is known."""
        made = {node.id(): _ids(node.child().output()) for node in nodes if _kind(node) == "CTERelationDef"}
        used = [node for node in nodes if _kind(node) == "CTERelationRef"]
        for node in used:
            if sum(other.cteId() == node.cteId() for other in used) == 1:
                for one, other in zip(_ids(node.output()), made.get(node.cteId(), []), strict=False):
                    self._equal(one, other)

    def _visit(self, node: Any, names: Mapping[str, str]) -> None:
        kind = _kind(node)
        self.free = self.free or _OF_ALL_ROWS.get(kind, "")
        if kind == "View":
            name = names.get(node.desc().identifier().table().casefold())
            if name:
                columns = {one.name().casefold(): one.exprId().id() for one in _each(node.output())}
                self._places.append((name, columns))
        elif kind == "Window":
            self._windows.append([one.exprId().id() for one in _each(node.partitionSpec()) if _is_attribute(one)])
        elif kind == "Union":
            for child in _each(node.children()):
                for one, other in zip(_ids(node.output()), _ids(child.output()), strict=True):
                    self._equal(one, other)
        for expression in _each(node.expressions()):
            self._read(expression, kind)

    def _read(self, expression: Any, kind: str) -> None:
        if _kind(expression) == "Alias" and _is_attribute(expression.child()):
            self._equal(expression.exprId().id(), expression.child().exprId().id())
        if kind in ("Join", "Filter"):
            for one, other in _equalities(expression):
                self._equal(one, other)
        for part in _parts(expression):
            name = _kind(part)
            chance = not part.deterministic() and all(child.deterministic() for child in _each(part.children()))
            if name in _BY_TIME or (chance and name not in _BY_ORDER and name != "AggregateExpression"):
                self.free = self.free or f"{part.prettyName()}()"


def _equalities(condition: Any) -> Iterator[tuple[int, int]]:
    if _kind(condition) == "And":
        for child in _each(condition.children()):
            yield from _equalities(child)
    elif _kind(condition) in ("EqualTo", "EqualNullSafe") and all(map(_is_attribute, _each(condition.children()))):
        left, right = _each(condition.children())
        yield left.exprId().id(), right.exprId().id()


def _nodes(plan: Any) -> Iterator[Any]:
    """A plan's nodes, those of its subqueries and named queries too."""
    yield plan
    for inner in [*_each(plan.children()), *_each(plan.innerChildren())]:
        yield from _nodes(inner)


def _parts(expression: Any) -> Iterator[Any]:
    yield expression
    for child in _each(expression.children()):
        yield from _parts(child)


def _attributes(expression: Any) -> Iterator[Any]:
    return (part for part in _parts(expression) if _is_attribute(part))


def _ids(attributes: Any) -> list[int]:
    return [one.exprId().id() for one in _each(attributes)]


def _is_attribute(expression: Any) -> bool:
    return _kind(expression) == "AttributeReference"


def _kind(thing: Any) -> str:
    return str(thing.getClass().getSimpleName())


def _each(sequence: Any) -> list[Any]:
    return [sequence.apply(index) for index in range(sequence.size())]
