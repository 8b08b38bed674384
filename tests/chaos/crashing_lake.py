"""A lake whose driver dies at a chosen write: just before the commit, or just after it."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StructType

from headrace.lake import Lake, Transaction

COMMITS = frozenset({"execute", "delete", "update"})
"""Methods of a DeltaTable and its builders that commit."""


class Crash(BaseException):
    """The driver is dead. Not an `Exception`: nothing may catch it and carry on."""


class Plan:
    """When to die: at the `at`-th write (from 0) of the driver's life, or the first that starts with `at`.

    None lives on. Once dead, every further write of any thread is refused, as after `kill -9`.
    """

    def __init__(self, at: int | str | None = None, *, after_commit: bool = False) -> None:
        self.at, self.after_commit = at, after_commit
        self.writes: list[str] = []
        self.dead = False
        self._lock = threading.Lock()

    def write(self, what: str, commit: Any) -> Any:
        """Run one commit, unless the driver dies here."""
        with self._lock:
            number = len(self.writes)
            self.writes.append(what)
            hit = number == self.at or (isinstance(self.at, str) and what.startswith(self.at))
            if self.dead or (hit and not self.after_commit):
                self.dead = True
                raise Crash(f"before write {number}: {what}")
        done = commit()
        if hit:
            self.dead = True
            raise Crash(f"after write {number}: {what}")
        return done


class CrashingLake(Lake):
    """The same lake, every commit going through a `Plan`."""

    def __init__(self, spark: SparkSession, root: str, plan: Plan, known: set[str] | None = None) -> None:
        super().__init__(spark, root, known)
        self.plan = plan

    def on(self, spark: SparkSession) -> "CrashingLake":
        return CrashingLake(spark, self.root, self.plan, self._known)

    def table(self, relative: str) -> Any:
        return _Watched(super().table(relative), self.plan, relative)

    def create(
        self,
        relative: str,
        schema: StructType | str,
        properties: Mapping[str, str] | None = None,
        partition: Sequence[str] = (),
    ) -> None:
        if not self.exists(relative):
            self.plan.write(
                f"create {relative}", lambda: super(CrashingLake, self).create(relative, schema, properties, partition)
            )

    def append(self, rows: DataFrame, relative: str, transaction: Transaction | None = None) -> None:
        self.plan.write(f"append {relative}", lambda: super(CrashingLake, self).append(rows, relative, transaction))

    def replace(self, rows: DataFrame, relative: str, condition: str) -> None:
        self.plan.write(f"replace {relative}", lambda: super(CrashingLake, self).replace(rows, relative, condition))

    def execute(self, statement: str) -> None:
        self.plan.write(statement, lambda: super(CrashingLake, self).execute(statement))


class _Watched:
    """A DeltaTable, or a builder made from one, whose commits go through the plan."""

    def __init__(self, real: Any, plan: Plan, name: str) -> None:
        self._real, self._plan, self._name = real, plan, name

    def __getattr__(self, method: str) -> Any:
        found = getattr(self._real, method)

        def call(*args: Any, **named: Any) -> Any:
            if method in COMMITS:
                return self._plan.write(f"{method} {self._name}", lambda: found(*args, **named))
            made = found(*args, **named)
            builds = type(made).__module__.startswith("delta.")
            return _Watched(made, self._plan, self._name) if builds else made

        return call
