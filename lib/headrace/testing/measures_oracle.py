"""What every shipped measure must be, told slowly and plainly from all turns and ratings that count in the end.

Nothing here is shared with `headrace.conversations` and no SQL is used. Turns and ratings are events as
docs/conversation-events.md describes them, as dictionaries, the final state of each; `sentiment` and `valence` are
added to ratings. What is deleted or withdrawn is left out, and so is a rating of a turn that is not there.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

Row = Mapping[str, Any]
Slice = tuple[Any, ...]
SLICES = ("tenant", "channel", "language", "intent", "provider", "model", "prompt")


def turn_rows(turns: Sequence[Row], ratings: Sequence[Row]) -> list[dict[str, Any]]:
    """A row for each turn, with what measures may name."""
    living = [turn for turn in turns if turn["operation"] == "upsert"]
    bettered = {(turn["conversation"], turn["regenerates"]) for turn in living}
    rated = {
        (one["conversation"], one["turn"])
        for one in ratings
        if one["operation"] == "upsert" and one["by"] == "person" and one["kind"] in ("thumbs", "stars")
    }
    return [
        dict(turn)
        | _from_items(turn)
        | {
            "calls": len(turn["tries"]),
            "failed_calls": sum(one["failure"] is not None for one in turn["tries"]),
            "regenerated": (turn["conversation"], turn["turn"]) in bettered,
            "rated": (turn["conversation"], turn["turn"]) in rated,
        }
        for turn in living
    ]


def _from_items(turn: Row) -> dict[str, Any]:
    cited = [item for item in turn["items"] if item["id"] in turn["citations"]]
    ages = [item["age"] for item in cited if item["age"] is not None]
    return {
        "passages": sum(item["kind"] == "passage" for item in turn["items"]),
        "cited": len(cited),
        "answer_age": max(ages) if ages else None,
        "cites_stale": any(item["stale"] for item in cited),
    }


def rating_rows(turns: Sequence[Row], ratings: Sequence[Row]) -> list[dict[str, Any]]:
    """A row for each rating of a turn, or of a conversation with a turn, that is there; with what it is sliced by."""
    living = {(turn["conversation"], turn["turn"]): turn for turn in turns if turn["operation"] == "upsert"}
    first = _first(living.values())
    rows = []
    for one in ratings:
        whole = one["turn"] is None
        of = first.get(one["conversation"]) if whole else living.get((one["conversation"], one["turn"]))
        if one["operation"] == "upsert" and of:
            rows.append(dict(one) | {name: of[name] for name in SLICES} | {"rated_by": one["by"], "whole": whole})
    return rows


def conversation_rows(turns: Sequence[Row], ratings: Sequence[Row]) -> list[dict[str, Any]]:
    """A row for each conversation with a turn."""
    living = [turn for turn in turns if turn["operation"] == "upsert"]
    said = defaultdict(set)
    for one in rating_rows(turns, ratings):
        said[one["conversation"]].add(one["kind"])
    spans: dict[str, tuple[Any, datetime, datetime]] = {}
    rows = []
    for conversation, first in _first(living).items():
        its = sorted((turn for turn in living if turn["conversation"] == conversation), key=lambda turn: turn["turn"])
        person = next((turn["person"] for turn in its if turn["person"] is not None), None)
        spans[conversation] = person, first["at"], its[-1]["at"]
        rows.append(
            {name: first[name] for name in SLICES}
            | {
                "conversation": conversation,
                "at": first["at"],
                "turns": len(its),
                "answered": sum(turn["outcome"] == "answered" for turn in its),
                "handed_off": "hand_off" in said[conversation],
                "abandoned": "abandon" in said[conversation] or its[-1]["outcome"] != "answered",
            }
        )
    return [row | {"returned": _returned(row["conversation"], spans)} for row in rows]


def _returned(conversation: str, spans: Mapping[str, tuple[Any, datetime, datetime]]) -> bool | None:
    person, began, ended = spans[conversation]
    if person is None:
        return None
    others = [start for name, (who, start, _) in spans.items() if who == person and name != conversation]
    return any(began < start <= ended + timedelta(hours=24) for start in others)


def _first(turns: Iterable[Row]) -> dict[str, Row]:
    first: dict[str, Row] = {}
    for turn in sorted(turns, key=lambda turn: turn["turn"]):
        first.setdefault(turn["conversation"], turn)
    return first


def _share(counts: Callable[[Row], bool], among: Callable[[Row], bool] = lambda row: True) -> Callable[[Row], Any]:
    return lambda row: (1.0 if among(row) and counts(row) else 0.0, 1.0 if among(row) else 0.0)


def _mean(column: str) -> Callable[[Row], Any]:
    return lambda row: (0.0, 0.0) if row[column] is None else (float(row[column]), 1.0)


def _by_person(kind: str) -> Callable[[Row], bool]:
    return lambda row: row["kind"] == kind and row["by"] == "person"


def _judged(row: Row) -> bool:
    return bool(row["kind"] == "stars" and row["by"] == "model" and row["turn"] is None)


def _felt(row: Row) -> bool:
    return bool(row["by"] == "person" and row["valence"] is not None)


def _answered(row: Row) -> bool:
    return bool(row["outcome"] == "answered")


def _cached(row: Row) -> tuple[float, float]:
    if row["cached_tokens"] is None or not row["input_tokens"]:
        return 0.0, 0.0
    return float(row["cached_tokens"]), float(row["input_tokens"])


MEASURES: dict[str, tuple[str, Callable[[Row], tuple[float, float]]]] = {
    "thumbs_up": ("ratings", _share(lambda row: row["value"] == 1, _by_person("thumbs"))),
    "csat": ("ratings", _share(lambda row: row["value"] in (4, 5), _by_person("stars"))),
    "judged_csat": ("ratings", _share(lambda row: row["value"] in (4, 5), _judged)),
    "sentiment": ("ratings", lambda row: (row["valence"], 1.0) if _felt(row) else (0.0, 0.0)),
    "negative_comments": ("ratings", _share(lambda row: row["sentiment"] == "negative", _felt)),
    "rated": ("turns", _share(lambda row: row["rated"])),
    "refused": ("turns", _share(lambda row: row["outcome"] in ("refused", "empty"))),
    "errors": ("turns", _share(lambda row: row["outcome"] == "failed")),
    "call_errors": ("turns", lambda row: (float(row["failed_calls"]), float(row["calls"]))),
    "fallback": ("turns", _share(lambda row: row["fallback"], _answered)),
    "regenerated": ("turns", _share(lambda row: row["regenerated"], _answered)),
    "retrieval_hit": ("turns", _share(lambda row: row["passages"] > 0)),
    "cited": ("turns", _share(lambda row: row["cited"] > 0, _answered)),
    "cites_stale": ("turns", _share(lambda row: row["cites_stale"], lambda row: row["cited"] > 0)),
    "latency": ("turns", _mean("seconds")),
    "first_token": ("turns", _mean("seconds_to_first")),
    "answer_age": ("turns", _mean("answer_age")),
    "input_tokens": ("turns", _mean("input_tokens")),
    "output_tokens": ("turns", _mean("output_tokens")),
    "cached_tokens": ("turns", _cached),
    "cost": ("turns", _mean("cost")),
    "containment": ("conversations", _share(lambda row: not row["handed_off"])),
    "hand_off": ("conversations", _share(lambda row: row["handed_off"])),
    "abandoned": ("conversations", _share(lambda row: row["abandoned"])),
    "resolution": (
        "conversations",
        _share(
            lambda row: not (row["handed_off"] or row["abandoned"] or row["returned"]),
            lambda row: row["returned"] is not None,
        ),
    ),
    "turns": ("conversations", lambda row: (float(row["turns"]), 1.0)),
}
SPREADS = {"latency": "seconds", "first_token": "seconds_to_first", "answer_age": "answer_age"}
"""Measures with percentiles, and the column of their values."""
ROWS = {"turns": turn_rows, "ratings": rating_rows, "conversations": conversation_rows}


def measures_truth(
    turns: Sequence[Row], ratings: Sequence[Row], name: str, dimensions: Sequence[str]
) -> dict[tuple[datetime, Slice], tuple[float, float, list[float]]]:
    """A measure by minute and dimensions: numerator, denominator, and the sorted values where it has percentiles."""
    over, parts = MEASURES[name]
    found: dict[tuple[datetime, Slice], list[Any]] = {}
    for row in ROWS[over](turns, ratings):
        where = row["at"].replace(second=0, microsecond=0), tuple(row[column] for column in dimensions)
        numerator, denominator = parts(row)
        total = found.setdefault(where, [0.0, 0.0, []])
        total[0] += numerator
        total[1] += denominator
        if name in SPREADS and row[SPREADS[name]] is not None:
            total[2].append(row[SPREADS[name]])
    return {where: (one, other, sorted(values)) for where, (one, other, values) in found.items()}
