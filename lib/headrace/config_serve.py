"""Settings of served tables: which rows are published for look-ups, where, and how they are asked for."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from headrace import patterns
from headrace.config_base import Contradiction, Duration, Name, Names, Settings, Text, unknown_name
from headrace.config_keyed_stores import DocumentDbRows, KeyedStore, one_place_each
from headrace.served_rows import MOST_FILTERS, FilterType

TOOL = "lookup_"
"""What the name of a table's tool begins with."""
LONGEST_NAME = 64
"""Of tools and their arguments, as Bedrock and OpenAI take them."""
_IN_PROFILE = re.compile(r"fields\.[^.]+|related\.[^.]+\.[^.]+")


class Filter(Settings):
    """A column that rows are asked for by: exactly, but for case, spaces and how a number is written.

    Attributes:
        type: of a `date` the day counts, of a time its day.
        about: what it holds, for a model.
        values: all it may be.
        in_question: a regular expression; what it finds in a question is looked up. Its first group, or all of it.
        in_profile: `fields.NAME` or `related.FEED.COLUMN`: what the person's profile holds there is looked up.
    """

    type: FilterType = "string"
    about: Text | None = None
    values: tuple[Text, ...] = ()
    in_question: Text | None = None
    in_profile: Text | None = None

    @field_validator("in_question")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        if value is not None and (wrong := patterns.problem(value)):
            expected = "a regular expression of RE2, which has no look-around and no back-reference"
            raise Contradiction("", expected, f"{value!r}: {wrong}", "in_question: '[A-Z]{2}[0-9]{3,4}'")
        return value

    @model_validator(mode="after")
    def _fits(self) -> "Filter":
        if self.values and self.type != "string":
            raise Contradiction("values", "values of a text only", f"type: {self.type}", "type: string")
        if self.in_profile is not None and not _IN_PROFILE.fullmatch(self.in_profile):
            example = "in_profile: related.bookings.flight_id"
            raise Contradiction("in_profile", "fields.NAME or related.FEED.COLUMN", self.in_profile, example)
        return self


def _by_name(value: Any) -> Any:
    """`[flight_id, day]` as filters of text."""
    return {name: {} for name in value} if isinstance(value, list | tuple) else value


class ServedTable(Settings):
    """What look-ups see of an ordered or derived table.

    Attributes:
        store: a name under `serve.stores`.
        about: what a row is, for a model.
        columns: those that are shown, filters besides; all where not given.
        most: rows one look-up answers.
        most_bytes: of one answer as JSON; rows beyond are left out.
        stale_after: since the rows were last known to be what the source holds.
    """

    store: Name
    about: Text
    filters: Annotated[dict[Name, Filter], Field(min_length=1, max_length=MOST_FILTERS)]
    columns: Names = ()
    most: Annotated[int, Field(ge=1, le=100)] = 20
    most_bytes: Annotated[int, Field(ge=1_000, le=1_000_000)] = 16_384
    stale_after: Duration = timedelta(minutes=5)

    @model_validator(mode="before")
    @classmethod
    def _short_filters(cls, value: Any) -> Any:
        return (
            {**value, "filters": _by_name(value["filters"])}
            if isinstance(value, dict) and "filters" in value
            else value
        )

    @model_validator(mode="after")
    def _names_fit(self) -> "ServedTable":
        for name in self.filters:
            if len(name) > LONGEST_NAME:
                expected = f"at most {LONGEST_NAME} characters, as models' services take no longer argument"
                raise Contradiction(f"filters.{name}", expected, str(len(name)), "filters: [flight_id]")
        return self

    def named(self) -> Iterator[tuple[str, str]]:
        """The columns it names, each with the key it stands under."""
        yield from ((f"filters.{name}", name) for name in self.filters)
        yield from (("columns", name) for name in self.columns)

    def types(self) -> dict[str, FilterType]:
        """The filters' types, in the order of the settings."""
        return {name: one.type for name, one in self.filters.items()}


class Serve(Settings):
    """Where served tables are published."""

    stores: Annotated[dict[Name, Annotated[KeyedStore, Field(discriminator="store")]], Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _files(cls, value: Any) -> Any:
        """`{path: ./live.db}` is a store of SQLite: it was once the only kind."""
        if not isinstance(value, dict) or not isinstance(value.get("stores"), dict):
            return value
        stores = {
            name: {"store": "sqlite", **one} if isinstance(one, dict) and "path" in one else one
            for name, one in value["stores"].items()
        }
        return {**value, "stores": stores}

    @model_validator(mode="after")
    def _apart(self) -> "Serve":
        for name, store in self.stores.items():
            if isinstance(store, DocumentDbRows) and "collection" not in store.model_fields_set:
                found = f"none, which means {store.collection}"
                where = f"stores.{name}.collection"
                raise Contradiction(where, "a collection of its own", found, "collection: served")
        for problem in one_place_each("stores", self.stores):
            raise problem
        return self


def misfits(serve: Serve | None, served: Mapping[str, ServedTable]) -> Iterator[Contradiction]:
    """Every contradiction between `serve` and the `serve` of tables.

    Args:
        served: by `tables.NAME` or `derive.NAME`.
    """
    stores = list(serve.stores) if serve else []
    for where, table in served.items():
        if table.store not in stores:
            yield unknown_name(f"{where}.serve.store", table.store, "stores of serve", stores)
        name = where.partition(".")[2]
        if len(TOOL + name) > LONGEST_NAME:
            expected = (
                f"a table's name of at most {LONGEST_NAME - len(TOOL)} characters, as its tool is called after it"
            )
            yield Contradiction(
                f"{where}.serve", expected, f"{len(name)} characters", "a shorter name, and source_table"
            )
