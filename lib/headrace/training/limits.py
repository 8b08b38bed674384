"""What a trainer accepts at most and at least: limits.yaml, read."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from pydantic import ValidationError

from headrace.config_base import Positive, Settings, Text
from headrace.errors import ConfigError


class Page(Settings):
    """Where limits were read.

    Attributes:
        page: an address.
        as_of: the day the page was read, or the day of the commit.
        says: names of the limits it gives.
    """

    page: Text
    as_of: date
    says: tuple[str, ...]


class Limits(Settings):
    """The limits of one format; None where nobody names one.

    Attributes:
        rows_at_least, rows_at_most: lines of `train`.
        file_bytes: of one file.
        total_bytes: of all files of lines.
        tokens: of one line, counted as characters / 3.
        reserved: words that must not be in what a user or the system says.
        pages: whose limits these are.
        overridden: those that the settings gave.
    """

    rows_at_least: Positive = 1
    rows_at_most: Positive | None = None
    file_bytes: Positive | None = None
    total_bytes: Positive | None = None
    tokens: Positive | None = None
    reserved: tuple[Text, ...] = ()
    pages: tuple[Page, ...] = ()
    overridden: tuple[str, ...] = ()

    @property
    def as_of(self) -> date:
        """The day the oldest of the pages was read."""
        return min(one.as_of for one in self.pages)

    def known(self) -> dict[str, Any]:
        """Every limit there is, as JSON values."""
        named = self.model_dump(mode="json", exclude={"pages", "overridden"})
        return {name: value for name, value in named.items() if value not in (None, [])}


def limits_of(name: str, overrides: Mapping[str, Any] | None = None) -> Limits:
    """The limits of a format, with some of them replaced; None takes one away.

    Raises:
        ConfigError: there is no such limit, or its value is none.
    """
    changed = dict(overrides or {})
    names = sorted(Limits.model_fields.keys() - {"pages", "overridden"})
    if unknown := sorted(changed.keys() - set(names)):
        todo = "Correct the name."
        raise ConfigError(where=f"limits of {name}", expected=" or ".join(names), found=", ".join(unknown), todo=todo)
    try:
        return Limits.model_validate({**_table()[name], **changed, "overridden": sorted(changed)})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        todo = f"For example `{place}: 1000`."
        raise ConfigError(
            where=f"limits of {name}: {place}", expected="a limit", found=first["msg"], todo=todo
        ) from error


@cache
def _table() -> dict[str, dict[str, Any]]:
    text = files("headrace.training").joinpath("limits.yaml").read_text("utf-8")
    found: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return found
