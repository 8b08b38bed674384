"""Reads Delta tables without Spark and without Java, through delta-rs: answers in a second."""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from headrace.errors import ConfigError, Fatal, FormatTooNew, MissingDependency, Unreachable
from headrace.stores.delta_log import row_count
from headrace.stores.files import LakeFiles
from headrace.tables import FORMAT, FORMAT_PROPERTY

if TYPE_CHECKING:
    from deltalake import DeltaTable

ROWS = "rows"
"""The name of the table in every query."""


class NeedsSpark(Fatal):
    """The table uses a Delta feature that delta-rs does not read (widened types); Spark does."""

    def __init__(self, relative: str) -> None:
        todo = "Look at it with `headrace status` or `headrace table`, which may start Spark."
        super().__init__(where=relative, expected="a table that delta-rs reads", found="widened types", todo=todo)


class DeltaReader:
    """The tables of one lake, read only. Paths are relative to its root.

    Raises (every method): MissingDependency without `deltalake`; FormatTooNew for a table a newer Headrace wrote;
    Unreachable where the lake does not answer.
    """

    def __init__(self, root: str) -> None:
        self.root, self.files = root.rstrip("/"), LakeFiles(root)
        self._open: dict[str, DeltaTable | None] = {}

    def exists(self, relative: str) -> bool:
        """Whether the Delta table is there."""
        return self._table(relative) is not None

    def tables(self, folder: str) -> list[str]:
        """Names of the Delta tables directly below a folder."""
        return [name for name in self.files.folders(folder) if self.exists(f"{folder}/{name}")]

    def count(self, relative: str) -> int:
        """Rows of a table, from its log where it has statistics; 0 where there is no table."""
        if not self.exists(relative):
            return 0
        counted = row_count(self.files, relative)
        return (
            counted if counted is not None else int(self.query(relative, f"SELECT count(*) AS n FROM {ROWS}")[0]["n"])
        )

    def columns(self, relative: str) -> list[tuple[str, str]]:
        """Names and Delta types of a table's columns; empty where there is no table."""
        table = self._table(relative)
        return [(field.name, _type_text(field.type)) for field in table.schema().fields] if table else []

    def query(self, relative: str, sql: str) -> list[dict[str, Any]]:
        """Rows of a SELECT over the table, called `rows` in it; empty where there is no table.

        Names keep their case, and odd ones stand in backticks, as in Spark SQL.

        Raises:
            NeedsSpark: see there.
            ConfigError: the SQL is wrong.
        """
        import pyarrow as pa
        from deltalake import QueryBuilder

        table = self._table(relative)
        if table is None:
            return []
        try:
            builder = QueryBuilder().register(ROWS, table)
            builder.execute("SET datafusion.sql_parser.enable_ident_normalization = false")
            found: list[dict[str, Any]] = pa.table(builder.execute(sql).read_all()).to_pylist()
            return found
        # delta-rs raises a bare Exception for some errors of a query.
        except Exception as error:
            raise _query_error(error, relative, [name for name, _ in self.columns(relative)]) from error

    def version(self, relative: str) -> int:
        """The newest version of a table; -1 where there is none."""
        table = self._table(relative)
        return int(table.version()) if table is not None else -1

    def properties(self, relative: str) -> dict[str, str]:
        """A table's Delta properties; none where there is no table."""
        table = self._table(relative)
        return {} if table is None else {name: str(value) for name, value in table.metadata().configuration.items()}

    def appended(self, relative: str, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """These columns and `_commit_version` of every row appended, as far back as the table's log goes.

        The table has `delta.enableChangeDataFeed`. Nothing where files of its older commits are gone.
        """
        import pyarrow as pa

        table = self._table(relative)
        if table is None:
            return
        commits = [name for name in self.files.names(f"{relative}/_delta_log") if re.fullmatch(r"\d{20}\.json", name)]
        try:
            feed = table.load_cdf(int(commits[0][:20]), columns=[*columns, "_commit_version", "_change_type"])
            rows = pa.table(feed).to_pylist()
        # delta-rs raises a bare Exception where files are gone.
        except Exception:
            return
        yield from (row for row in rows if row.pop("_change_type") == "insert")

    def _table(self, relative: str) -> "DeltaTable | None":
        if relative not in self._open:
            self._open[relative] = self._load(relative)
        return self._open[relative]

    def _load(self, relative: str) -> "DeltaTable | None":
        try:
            from deltalake import DeltaTable
            from deltalake.exceptions import DeltaError, TableNotFoundError
        except ModuleNotFoundError as error:
            todo = "Run `pip install 'headrace[read]'`."
            raise MissingDependency(expected="deltalake", found=f"no module {error.name}", todo=todo) from error
        try:
            # delta-rs creates a local folder it is asked to look into.
            if not self.files.exists(f"{relative}/_delta_log"):
                return None
            table = DeltaTable(f"{self.root}/{relative}")
        except TableNotFoundError:
            return None
        except (DeltaError, OSError, ValueError) as error:
            todo = "Check that it may be read; run `headrace check`."
            raise Unreachable(where=relative, expected="a Delta table", found=_short(str(error)), todo=todo) from error
        written = table.metadata().configuration.get(FORMAT_PROPERTY) or str(FORMAT)
        if int(written) > FORMAT:
            todo = "Upgrade Headrace; this table was written by a newer one."
            raise FormatTooNew(where=relative, expected=f"{FORMAT_PROPERTY} up to {FORMAT}", found=written, todo=todo)
        return table


def quoted(name: str) -> str:
    """A column name for SQL, whatever characters it holds."""
    return "`" + name.replace("`", "``") + "`"


def literal(value: str) -> str:
    """Text as a SQL literal."""
    return "'" + value.replace("'", "''") + "'"


_SPARK_NAMES = {"long": "bigint", "integer": "int", "short": "smallint", "byte": "tinyint"}


def _type_text(kind: Any) -> str:
    """A Delta type as Spark SQL writes it."""
    from deltalake.schema import ArrayType, MapType, StructType

    if isinstance(kind, ArrayType):
        return f"array<{_type_text(kind.element_type)}>"
    if isinstance(kind, MapType):
        return f"map<{_type_text(kind.key_type)},{_type_text(kind.value_type)}>"
    if isinstance(kind, StructType):
        return f"struct<{','.join(f'{field.name}:{_type_text(field.type)}' for field in kind.fields)}>"
    return _SPARK_NAMES.get(kind.type, str(kind.type))


def _query_error(error: Exception, relative: str, columns: list[str]) -> Exception:
    text = str(error)
    if "Unsupported table features" in text:
        return NeedsSpark(relative)
    if isinstance(error, OSError) or "Object Store" in text or "Generic LocalFileSystem" in text:
        todo = "Check that it may be read; run `headrace check`."
        return Unreachable(where=relative, expected="a readable table", found=_short(text), todo=todo)
    todo = "Correct the SQL; odd names stand in backticks."
    if unknown := re.search(r"No field named (.+?)\.(?:\s|$)", text):
        expected = f"one of the columns {', '.join(columns)}"
        return ConfigError(where=relative, expected=expected, found=unknown[1].strip('"'), todo=todo)
    return ConfigError(where=relative, expected="SQL that fits the table", found=_short(text), todo=todo)


def _short(text: str) -> str:
    return " ".join(text.split())[:300]
