"""Rows of ordered tables as `build_profiles` takes them: what records say, and what belongs to somebody."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import cast

from pyspark.errors import AnalysisException, ParseException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.changes.columns import col, key_text
from headrace.config_profiles import Behaviour, Consent, Profiles, Related
from headrace.errors import ConfigError
from headrace.identifiers.normalise import Normaliser
from headrace.lake import Lake
from headrace.profiles.owners import owned
from headrace.profiles.some_rows import LITERALS, picked
from headrace.tables import CHANGED_AT, POSITION, TABLES

_ISO = {"timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX", "ignoreNullFields": "false"}
OWNED = "feed string, key string, place string, owner string, what string, name string, body string"
"""Rows of somebody. `place`: what `placed` says of a row of this feed and key that belongs here."""
HOUR_MARK = "\x1e"


class ProfileRows:
    """Reads the ordered tables of the settings.

    Args:
        keys: of every table, its key columns.
    """

    def __init__(
        self, lake: Lake, settings: Profiles, keys: Mapping[str, Sequence[str]], normaliser: Normaliser
    ) -> None:
        self._lake, self._settings, self._keys, self._normaliser = lake, settings, keys, normaliser
        self._versions: dict[str, int] | None = None

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """For a while each table stays as it is at its first reading, whatever others write."""
        self._versions = {}
        try:
            yield
        finally:
            self._versions = None

    def there(self, table: str) -> bool:
        """Whether the table has been made: a source may not have sent a row yet."""
        return self._lake.exists(TABLES.format(table=table))

    def records(self, name: str, keys: Collection[str] | None = None) -> DataFrame:
        """Rows of records, schema `records.ROWS`.

        Args:
            keys: only these; None for all.
        """
        record = self._settings.records[name]
        rows = self._of(record.table, keys)
        texts = [
            part for kind, text in record.identifiers.items() for part in (F.lit(kind), _sql(rows, text).cast("string"))
        ]
        since = col(record.since).cast("timestamp") if record.since else F.lit(None).cast("timestamp")
        return rows.select(
            F.col("_key").alias("key"), F.col(POSITION).alias("position"), F.col(CHANGED_AT).alias("changed_at"),
            since.alias("since"), F.create_map(*texts).alias("texts"),
        )  # fmt: skip

    def fields(self, name: str, keys: Collection[str] | None = None) -> DataFrame:
        """What records say, as `key, body`."""
        record = self._settings.records[name]
        rows = self._of(record.table, keys)
        values = [_sql(rows, text).alias(field) for field, text in record.fields.items()]
        return rows.select(F.col("_key").alias("key"), _body(values).alias("body"))

    def owners(self, group: str, name: str, keys: Collection[str] | None) -> DataFrame:
        """Whose rows with these keys are, as `key, owner`, of behaviour with the hour in it."""
        one, rows = self._belonging(group, name)
        rows = self._of(one.table, keys, rows)
        owner = F.col("_owner")
        if isinstance(one, Behaviour):
            owner = F.concat_ws(HOUR_MARK, owner, hour_text(col(one.at)))
            rows = rows.where(col(one.at).isNotNull())
        return rows.where("_owner IS NOT NULL").select(F.col("_key").alias("key"), owner.alias("owner"))

    def related(self, name: str, owners: DataFrame | None) -> DataFrame:
        """Rows that belong to these owners, schema `OWNED`; to anybody where None."""
        one, rows = self._belonging("related", name)
        assert isinstance(one, Related)
        shown = [*(one.columns or [c for c in rows.columns if not c.startswith("_")]), *_sorted_by(one)]
        values = [col(column) for column in dict.fromkeys(shown)]
        return self._owned(rows, one, "related", name, values, owners)

    def statements(self, owners: DataFrame | None) -> DataFrame:
        """What these owners agreed to, schema `OWNED`."""
        one, rows = self._belonging("consent", "")
        assert isinstance(one, Consent)
        columns = [one.purpose, one.granted, one.at, one.basis, one.until]
        values = [col(column) for column in dict.fromkeys(columns) if column]
        return self._owned(rows, one, "statement", "", values, owners)

    def events(self, name: str, hours: DataFrame | None, since: datetime) -> DataFrame:
        """Events as `feed, key, place, owner, hour, at, body`, the first three as in `OWNED`.

        Args:
            hours: only of these `owner, hour`; None for all.
            since: none before.
        """
        one, rows = self._belonging("behaviour", name)
        assert isinstance(one, Behaviour)
        at = col(one.at).cast("timestamp")
        rows = rows.where((at >= F.lit(since)) & F.col("_owner").isNotNull()).withColumn(
            "_hour", F.date_trunc("hour", at)
        )
        if hours is not None:
            on = (F.col("_owner") == F.col("owner")) & (F.col("_hour") == F.col("hour"))
            rows = rows.join(F.broadcast(hours.select("owner", "hour")), on, "left_semi")
        parts = {
            "sums": [_sql(rows, text).alias(name) for name, text in one.sums.items()],
            "top": [_sql(rows, text).alias(name) for name, text in one.top.items()],
            "last": [col(column).alias(column) for column in one.last],
        }
        structs = [(F.struct(*columns) if columns else F.create_map()).alias(part) for part, columns in parts.items()]
        body = F.to_json(F.struct(*structs), _ISO)
        place = F.concat_ws(HOUR_MARK, "_owner", hour_text(col(one.at)))
        return rows.select(
            F.lit(f"behaviour.{name}").alias("feed"), F.col("_key").alias("key"), place.alias("place"),
            F.col("_owner").alias("owner"), F.col("_hour").alias("hour"), at.alias("at"), body.alias("body"),
        )  # fmt: skip

    def check(self) -> None:
        """Raise ConfigError where SQL or a column of the settings does not fit a table that is there."""
        moment = datetime.now(UTC)
        for name, record in self._settings.records.items():
            self._check(f"records.{name}", record.table, partial(self.records, name))
            self._check(f"records.{name}", record.table, partial(self.fields, name))
        for name, related in self._settings.related.items():
            self._check(f"related.{name}", related.table, partial(self.related, name, None))
        for name, events in self._settings.behaviour.items():
            self._check(f"behaviour.{name}", events.table, partial(self.events, name, None, moment))
        if self._settings.consent:
            self._check("consent", self._settings.consent.table, partial(self.statements, None))

    def _check(self, where: str, table: str, made: Callable[[], DataFrame]) -> None:
        if not self.there(table):
            return
        try:
            made()
        except (AnalysisException, ParseException) as error:
            raise ConfigError(
                where=f"profiles.{where}",
                expected=f"columns of {table}, or SQL over them",
                found=str(error).strip().partition("\n")[0].partition(" SQLSTATE")[0].rstrip("."),
                todo=f"Correct it, or declare a column that is yet to come: tables.{table}.types.",
            ) from error

    def _belonging(self, group: str, name: str) -> tuple[Related | Consent | Behaviour, DataFrame]:
        one = cast(
            Related | Consent | Behaviour,
            self._settings.consent if group == "consent" else getattr(self._settings, group)[name],
        )
        rows = self._of(one.table, None)
        if isinstance(one, Related) and one.where:
            rows = rows.where(F.expr(one.where))
        return one, owned(rows, one.by, self._settings.records, self._normaliser)

    def _owned(
        self,
        rows: DataFrame,
        one: Related | Consent,
        what: str,
        name: str,
        values: Sequence[Column],
        owners: DataFrame | None,
    ) -> DataFrame:
        rows = rows.where("_owner IS NOT NULL")
        if owners is not None:
            rows = rows.join(F.broadcast(owners), F.col("_owner") == F.col("owner"), "left_semi")
        feed = "consent." if isinstance(one, Consent) else f"related.{name}"
        return rows.select(
            F.lit(feed).alias("feed"), F.col("_key").alias("key"), F.col("_owner").alias("place"),
            F.col("_owner").alias("owner"), F.lit(what).alias("what"), F.lit(name).alias("name"),
            _body(values).alias("body"),
        )  # fmt: skip

    def _of(self, table: str, keys: Collection[str] | None, rows: DataFrame | None = None) -> DataFrame:
        """The table with `_key`, narrowed to some keys in a way that lets files and pages be passed over."""
        columns = self._keys[table]
        if rows is None:
            rows = self._read(TABLES.format(table=table))
            rows = rows.withColumn("_key", key_text([col(column) for column in columns]))
        if keys is None:
            return rows
        if len(columns) == 1 and len(keys) <= LITERALS:
            kind = dict(rows.dtypes)[_spelled(rows, columns[0])]
            literals = [F.lit(json.loads(key)[0]).cast(kind) for key in keys]
            rows = rows.where(col(columns[0]).isin(literals))
        return picked(rows, "_key", keys)

    def _read(self, relative: str) -> DataFrame:
        if self._versions is None:
            return self._lake.read(relative)
        if relative not in self._versions:
            self._versions[relative] = self._lake.version(relative)
        return self._lake.read(relative, self._versions[relative])


def hour_text(at: Column) -> Column:
    """The hour of a time, in UTC, which every session has."""
    return F.date_format(F.date_trunc("hour", at.cast("timestamp")), "yyyy-MM-dd'T'HH")


def _spelled(rows: DataFrame, column: str) -> str:
    return next(name for name in rows.columns if name.lower() == column.lower())


def _sql(rows: DataFrame, text: str) -> Column:
    """A column by its name, or an expression."""
    return col(_spelled(rows, text)) if text.lower() in {name.lower() for name in rows.columns} else F.expr(text)


def _body(values: Sequence[Column]) -> Column:
    inner = F.struct(*values) if values else F.create_map().cast("map<string, string>")
    return F.to_json(
        F.struct(
            F.col("_key").alias("key"), F.col(POSITION).alias("position"), F.col(CHANGED_AT).alias("changed_at"),
            inner.alias("values"),
        ),
        _ISO,
    )  # fmt: skip


def _sorted_by(one: Related) -> list[str]:
    return [column.removeprefix("-") for column in one.sort]
