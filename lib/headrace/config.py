"""The settings: one YAML file becomes one frozen `Config`.

Models only. Reading the file, `${NAME}`, secrets and readable errors live in `config_file.py`.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from headrace.config_alerts import Alerts
from headrace.config_api import Api
from headrace.config_api import misfits as api_misfits
from headrace.config_assistant import Assistant
from headrace.config_base import (
    Contradiction,
    Contradictions,
    Duration,
    Name,
    Names,
    OptionText,
    Settings,
    Text,
    shared,
)
from headrace.config_datasets import Datasets
from headrace.config_derive import Derive
from headrace.config_derive import misfits as derive_misfits
from headrace.config_feedback import Feedback
from headrace.config_fit import left_out, misfits
from headrace.config_keyed_stores import taken_places
from headrace.config_knowledge import Knowledge
from headrace.config_maintenance import TableMaintenance
from headrace.config_metrics import Metrics
from headrace.config_names import misnamed
from headrace.config_profiles import Profiles
from headrace.config_serve import Serve, ServedTable
from headrace.config_serve import misfits as serve_misfits
from headrace.config_sources import Source
from headrace.config_web import Web
from headrace.config_web import misfits as web_misfits


class History(Settings):
    """SCD2. A new interval opens when a tracked column changes; other columns are updated in place.

    With neither list every column is tracked.
    """

    track: Names = ()
    ignore: Names = ()

    @model_validator(mode="after")
    def _one_list(self) -> "History":
        if self.track and self.ignore:
            raise Contradiction("", "either track or ignore", "both", "history: {track: [status, price]}")
        return self


class Expectation(Settings):
    """A data-quality rule on one column, or on the row where `check` is SQL.

    A row breaks the rule when its check is false; null passes every rule but `not_null`.
    """

    column: str | None = None
    not_null: bool = False
    min: float | str | None = None
    max: float | str | None = None
    values: tuple[str | int | float | bool, ...] = ()
    pattern: str | None = None
    check: str | None = None
    on_fail: Literal["warn", "reject", "stop"] = "reject"

    @model_validator(mode="after")
    def _says_something(self) -> "Expectation":
        rules = self.not_null or self.values or any(v is not None for v in (self.min, self.max, self.pattern))
        if bool(rules) == bool(self.check) or (rules and not self.column):
            found = "both a rule and check" if rules and self.check else "a rule without column" if rules else "no rule"
            expected = "a column with a rule (not_null, min, max, values, pattern), or check alone: a SQL condition"
            raise Contradiction("", expected, found, "{column: price, min: 0}")
        if self.min is None or self.max is None:
            return self
        if type(self.min) is not type(self.max):
            raise Contradiction("max", "two numbers or two texts", f"{self.min!r} and {self.max!r}", "{min: 0, max: 9}")
        if self.min > self.max:  # type: ignore[operator]
            raise Contradiction("max", f"at least min, {self.min}", f"{self.max}", "{column: price, min: 0, max: 9}")
        return self


class Table(Settings):
    """One ordered table.

    Attributes:
        source_table: its name at the source; the table's own name where not given.
        key: the columns, as the source names them, that identify a row.
        drop: columns not kept.
        types: declared types, e.g. {price: decimal(10,2), born: date}; undeclared columns are learned.
        columns: SQL over the source's columns, e.g. {email: "sha2(email, 256)"}: rename, cast, mask. A new name adds
            a column, an existing one replaces it.
        where: SQL condition; rows that break it are not in the table (a row that changes to break it leaves it).
        mask: columns whose values never reach `changes_log` and `rejects`; capitals and small letters are the same.
        max_row_bytes: a larger row is rejected.
        properties: Delta table properties, set when the table is created.
        serve: how its rows are looked up at prompt time; not at all where not given.
    """

    source: str
    source_table: Text | None = None
    key: Annotated[Names, Field(min_length=1)]
    drop: Names = ()
    types: dict[str, str] = Field(default_factory=dict)
    columns: dict[str, Text] = Field(default_factory=dict)
    where: Text | None = None
    expect: tuple[Expectation, ...] = ()
    history: History | None = None
    mask: Names = ()
    max_row_bytes: Annotated[int, Field(gt=0)] = 8 * 1024 * 1024
    properties: dict[str, OptionText] = Field(default_factory=dict)
    maintenance: TableMaintenance = TableMaintenance()
    serve: ServedTable | None = None

    @model_validator(mode="before")
    @classmethod
    def _history_true(cls, value: Any) -> Any:
        if isinstance(value, dict) and value.get("history") is True:
            return {**value, "history": {}}
        return value

    @model_validator(mode="after")
    def _names_fit(self) -> "Table":
        if problems := list(misnamed(self)):
            raise Contradictions(problems)
        return self


class Log(Settings):
    """`changes_log`: every message as it arrived, the source of `replay` and `trace`."""

    enabled: bool = True
    keep: Duration = timedelta(days=14)


class Rejects(Settings):
    """`rejects/<job>`: every row that could not be used, with its reason."""

    keep: Duration = timedelta(days=30)


class Apply(Settings):
    """How batches are applied.

    Attributes:
        trigger: time between micro-batches.
        parallel_tables: MERGEs that run side by side.
        unknown_tables: a table in the stream that no settings name: `reject` its rows, or `ignore` (and count) them.
        max_stale_share: stop when more than this share of a batch of at least `stale_check_rows` is stale and the
            newest position of the batch lies below the newest stored: the source's numbering went back.
        allow_stale: switch the check off, for a deliberate replay.
        replay_horizon: how far back the transport can bring events again (Kafka retention).
    """

    trigger: Duration = timedelta(seconds=2)
    parallel_tables: Annotated[int, Field(ge=1, le=16)] = 2
    unknown_tables: Literal["reject", "ignore"] = "reject"
    max_stale_share: Annotated[float, Field(gt=0, le=1)] = 0.9
    stale_check_rows: Annotated[int, Field(gt=0)] = 100
    allow_stale: bool = False
    replay_horizon: Duration = timedelta(days=7)


class Config(Settings):
    """Everything one deployment is told.

    Attributes:
        derive: tables computed from those of `tables`.
        runtime: `glue` and `databricks` bring their own Spark; `local` makes one on this machine.
    """

    lake: str
    runtime: Literal["local", "glue", "databricks"] = "local"
    sources: dict[Name, Source] = Field(default_factory=dict)
    tables: dict[Name, Table] = Field(default_factory=dict)
    derive: dict[Name, Derive] = Field(default_factory=dict)
    serve: Serve | None = None
    knowledge: Knowledge | None = None
    profiles: Profiles | None = None
    feedback: Feedback | None = None
    datasets: Datasets | None = None
    assistant: Assistant = Assistant()
    alerts: Alerts = Alerts()
    checkpoints: str | None = None
    log: Log = Log()
    rejects: Rejects = Rejects()
    apply: Apply = Apply()
    metrics: Metrics = Metrics()
    web: Web = Web()
    spark: dict[str, OptionText] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _tables_fit(self) -> "Config":
        told = ("sources", "tables", "knowledge", "feedback")
        problems = list(left_out({name: getattr(self, name) for name in told}))
        if not problems:
            problems = [*misfits(self), *derive_misfits(self.derive, self.tables), *api_misfits(self)]
            problems += web_misfits(self)
        problems += serve_misfits(self.serve, self._serve_by_place())
        problems += self._columns_dropped()
        if self.serve and self.profiles:
            problems += taken_places("serve.stores", self.serve.stores, "profiles.stores", self.profiles.stores)
        formats = {name: one.format for name, one in self.sources.items() if not isinstance(one, Api)}
        if self.feedback:
            problems += self.feedback.misfits(formats)
        if self.datasets:
            problems += self.datasets.misfits(self.feedback is not None, self.knowledge is not None)
        if self.knowledge:
            problems += self.knowledge.misfits(list(self.keys()), formats)
        if self.profiles:
            problems += self.profiles.misfits(self.keys())
        if problems:
            raise Contradictions(problems)
        return self

    def tables_of(self, source: str) -> dict[str, Table]:
        """The tables fed by one source, by name."""
        return {name: table for name, table in self.tables.items() if table.source == source}

    def served(self) -> dict[str, ServedTable]:
        """How each served table is looked up, by the table's name."""
        return {name: one.serve for name, one in (self.tables | self.derive).items() if one.serve is not None}

    def _serve_by_place(self) -> dict[str, ServedTable]:
        places: dict[str, Table | Derive] = {f"tables.{name}": one for name, one in self.tables.items()}
        places |= {f"derive.{name}": one for name, one in self.derive.items()}
        return {place: one.serve for place, one in places.items() if one.serve is not None}

    def _columns_dropped(self) -> Iterator[Contradiction]:
        for name, table in self.tables.items():
            for at, column in table.serve.named() if table.serve else ():
                if shared([column], table.drop) and not shared([column], table.columns):
                    yield Contradiction(
                        f"tables.{name}.serve.{at}", "a column of the table", "one in drop", "filters: [id]"
                    )

    def keys(self) -> dict[str, tuple[str, ...]]:
        """The key columns of every ordered and derived table, by the table's name."""
        derived = {name: one.key for name, one in self.derive.items()}
        return {name: table.key for name, table in self.tables.items()} | derived
