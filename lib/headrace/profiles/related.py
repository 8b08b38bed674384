"""Rows that belong to a person, in the order of the settings."""

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.config_profiles import Related
from headrace.profiles.inputs import RelatedRow
from headrace.profiles.values import Json, Refusal, canonical, iso, plain, says_nothing, size


def related(
    feed: str, rows: Sequence[RelatedRow], settings: Related, limit: int
) -> tuple[dict[str, Any], list[Refusal]]:
    """The first `most` rows and the count of all, and what of them was too long to be shown.

    Args:
        limit: bytes of one value; a longer one is null.
    """
    refused: list[Refusal] = []
    shown = [_shown(feed, row, settings, limit, refused) for row in in_order(rows, settings.sort)[: settings.most]]
    return {"rows": shown, "count": len(rows)}, refused


def in_order(rows: Sequence[RelatedRow], sort: Sequence[str]) -> list[RelatedRow]:
    """The rows sorted by columns, with `-` before those that go down; nothing comes last either way, then the key says.

    Of different kinds, false and true come first, then numbers, texts, and the rest by its JSON.
    """
    found = sorted(rows, key=lambda row: row.key)
    for column in reversed(sort):
        down = column.startswith("-")
        name = column.removeprefix("-")
        found.sort(key=lambda row, name=name, down=down: _rank(row.values.get(name), down), reverse=down)  # type: ignore[misc]
    return found


def _rank(value: Json, down: bool) -> tuple[Any, ...]:
    if isinstance(value, float) and value != value:
        value = None
    if says_nothing(value):
        return (not down,)
    if isinstance(value, bool):
        return (down, 0, value)
    if isinstance(value, int | float):
        return (down, 1, value)
    return (down, 2, value) if isinstance(value, str) else (down, 3, canonical(plain(value)))


def _shown(feed: str, row: RelatedRow, settings: Related, limit: int, refused: list[Refusal]) -> dict[str, Any]:
    values: Mapping[str, Json] = row.values
    shown = {}
    for name in settings.columns or values:
        value = plain(values.get(name))
        if (length := size(value)) > limit:
            refused.append(Refusal("related", feed, row.key, name, length, limit))
            value = None
        shown[name] = value
    return {"key": row.key, "changed_at": iso(row.changed_at), "values": shown}
