"""Options that several verbs share, and how their values are read."""

import argparse
from datetime import UTC, datetime, timedelta

from headrace.config_base import parse_duration
from headrace.errors import ConfigError

TIMES = "ISO 8601 (UTC where no offset is given), or an age such as 2h or 3 days"
"""How a time is given, for the help of an option."""


def config_option(parser: argparse.ArgumentParser) -> None:
    """Add `--config`."""
    parser.add_argument(
        "--config", default="headrace.yaml", metavar="FILE", help="the settings file (default: headrace.yaml)"
    )


def json_option(parser: argparse.ArgumentParser) -> None:
    """Add `--json`."""
    parser.add_argument("--json", action="store_true", help="print JSON for machines")


def limit_option(parser: argparse.ArgumentParser) -> None:
    """Add `--limit`; `at_most` reads it."""
    what = "at most N rows (default: 20; 0 for all)"
    parser.add_argument("--limit", type=_not_negative, default=20, metavar="N", help=what)


def at_most(limit: int) -> int | None:
    """The limit for a query: None where all rows are wanted."""
    return limit or None


def time_of(option: str, text: str | None) -> datetime | None:
    """The time an option names, in UTC; None where the option was not given.

    Raises:
        ConfigError: it is neither a time nor an age.
    """
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except ValueError:
        pass
    try:
        age: timedelta = parse_duration(text)
        return datetime.now(UTC) - age
    except (ValueError, OverflowError):
        expected = "a time such as 2026-01-31T08:00, or an age such as 2h"
        raise ConfigError(where=option, expected=expected, found=text, todo="Times are UTC.") from None


def count_of(text: str) -> int:
    """A whole number above 0, for `type` of an option."""
    if not text.isascii() or not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"expected a whole number above 0; found {text}")
    return int(text)


def seconds_of(option: str, text: str) -> float:
    """The seconds of a duration that an option names. Raises ConfigError for what is none."""
    try:
        return float(parse_duration(text).total_seconds())
    except ValueError as error:
        raise ConfigError(where=option, expected="a duration", found=text, todo=f"{error}.") from None


def _not_negative(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"expected 0 (all rows) or a larger whole number; found {text}")
    return int(text)
