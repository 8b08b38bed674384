"""Which record's value a field gets.

Records stand in one total order, the newest first: the later change, then the higher position, then the record that
the settings name first, then the lower `own`, name and key. A rule picks the best value; among equally good ones the
first in that order counts. So the order of arrival makes no difference.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from headrace.config_profiles import ProfileField
from headrace.profiles.inputs import RecordRow
from headrace.profiles.values import OLDEST, Json, Refusal, canonical, plain, says_nothing, size


@dataclass(frozen=True, slots=True)
class Chosen:
    """A field's value and the record it comes from."""

    value: Json
    row: RecordRow


def newest_first(rows: Sequence[RecordRow], names: Sequence[str]) -> list[RecordRow]:
    """The rows in the order of this module.

    Args:
        names: of the records, as the settings list them; others come last.
    """
    ranks = {name: rank for rank, name in enumerate(names)}
    found = sorted(rows, key=lambda row: (ranks.get(row.record, len(ranks)), row.own, row.record, row.key))
    found.sort(key=lambda row: (row.changed_at or OLDEST, row.position), reverse=True)
    return found


def survivors(
    rows: Sequence[RecordRow], rules: Mapping[str, ProfileField], limit: int
) -> tuple[dict[str, Chosen], list[Refusal]]:
    """By field what was chosen, without those that no record has a value for; and what was too long to be used.

    Args:
        rows: newest first.
        limit: bytes of one value.
    """
    chosen: dict[str, Chosen] = {}
    refused: list[Refusal] = []
    for name, rule in rules.items():
        found = []
        for row in rows:
            value = plain(row.fields.get(name))
            if says_nothing(value):
                continue
            if (length := size(value)) > limit:
                refused.append(Refusal("records", row.record, row.key, name, length, limit))
            else:
                found.append(Chosen(value, row))
        if found:
            chosen[name] = _best(found, rule)
    return chosen, refused


def _best(found: Sequence[Chosen], rule: ProfileField) -> Chosen:
    # `min` and `max` keep the first of equals.
    if len(found) == 1 or rule.choose == "newest":
        return found[0]
    if rule.choose == "source":
        ranks = {name: rank for rank, name in enumerate(rule.order)}
        return min(found, key=lambda each: ranks.get(each.row.record, len(ranks)))
    if rule.choose == "longest":
        return max(found, key=lambda each: _characters(each.value))
    counts: dict[bytes, int] = {}
    written = [canonical(each.value) for each in found]
    for value in written:
        counts[value] = counts.get(value, 0) + 1
    return found[max(range(len(found)), key=lambda place: counts[written[place]])]


def _characters(value: Json) -> int:
    return len(value) if isinstance(value, str) else len(canonical(value).decode())
