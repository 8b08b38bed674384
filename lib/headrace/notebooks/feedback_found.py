"""For `05_measures_and_ratings`: what the lake holds of conversations, as rows to look at, and whether it is true."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from headrace.config import Config
from headrace.conversations.events import Rating, Turn
from headrace.conversations.latency import merged, percentile
from headrace.conversations.rates import rate
from headrace.notebooks.feedback import RUSH, Told
from headrace.pipelines.tables_view import LakeView
from headrace.stores.delta_reader import ROWS
from headrace.tables import MEASURES, RATINGS, TURNS


def sizes(config: Config) -> list[dict[str, Any]]:
    """How many rows each table of the job has."""
    view, paths = LakeView(config), [table.path for table in (TURNS, RATINGS, MEASURES)]
    return [{"table": path, **view.query(path, f"SELECT count(*) AS number FROM {ROWS}")[0]} for path in paths]


def rush(config: Config, measure: str = "thumbs_up") -> list[dict[str, Any]]:
    """A measure in the minutes of the rush, models together."""
    first, last = (f"TIMESTAMP '{at:%Y-%m-%dT%H:%M:%SZ}'" for at in (RUSH, RUSH + timedelta(minutes=4)))
    sql = f"""SELECT minute, sum(numerator) AS up, sum(denominator) AS of FROM {ROWS}
        WHERE measure = '{measure}' AND minute >= {first} AND minute < {last} GROUP BY minute ORDER BY minute"""
    found = LakeView(config).query(MEASURES.path, sql)
    return [{"minute": f"{row['minute']:%H:%M}", "up": int(row["up"]), "of": int(row["of"])} for row in found]


def shares(config: Config, measure: str, hours: int = 6) -> list[dict[str, Any]]:
    """A share over time and prompts, with its interval and whether it is of enough: sums of minutes."""
    sql = f"SELECT minute, prompt, numerator, denominator FROM {ROWS} WHERE measure = '{measure}'"
    sums: dict[tuple[datetime, str], list[float]] = {}
    for row in LakeView(config).query(MEASURES.path, sql):
        at = row["minute"].replace(hour=row["minute"].hour // hours * hours, minute=0)
        parts = sums.setdefault((at, row["prompt"]), [0.0, 0.0])
        parts[0] += row["numerator"]
        parts[1] += row["denominator"]
    found = [(at, prompt, rate(*parts)) for (at, prompt), parts in sorted(sums.items())]
    return [
        {"from": at, "prompt": prompt, "share": one.value, "low": one.low, "high": one.high, "of": int(one.among),
         "enough": one.enough}
        for at, prompt, one in found
    ]  # fmt: skip


def percentiles(config: Config, measure: str = "latency") -> list[dict[str, Any]]:
    """Seconds within which half, 95 % and 99 % of answers came, by model and day: out of counts that were added."""
    sql = f"SELECT minute, model, buckets FROM {ROWS} WHERE measure = '{measure}'"
    counts: dict[tuple[str, str], list[Mapping[int, int]]] = {}
    for row in LakeView(config).query(MEASURES.path, sql):
        counts.setdefault((f"{row['minute']:%d.%m.}", row["model"]), []).append(dict(row["buckets"]))
    return [
        {"day": day, "model": model, **{f"p{round(q * 100)}": percentile(merged(some), q) for q in (0.5, 0.95, 0.99)}}
        for (day, model), some in sorted(counts.items())
    ]


def comments(config: Config) -> list[dict[str, Any]]:
    """Each text that people left, how often, and how it feels."""
    sql = f"""SELECT text, count(*) AS times, max(sentiment) AS sentiment, max(valence) AS valence FROM {ROWS}
        WHERE kind = 'comment' GROUP BY text ORDER BY valence"""
    return LakeView(config).query(RATINGS.path, sql)


def whole(config: Config, measure: str, by: str) -> list[dict[str, Any]]:
    """A measure over all of the time, by one of its dimensions, with the interval of a share."""
    sql = f"""SELECT {by}, sum(numerator) AS numerator, sum(denominator) AS denominator FROM {ROWS}
        WHERE measure = '{measure}' GROUP BY {by} ORDER BY {by}"""
    rows = LakeView(config).query(MEASURES.path, sql)
    rates = [rate(row["numerator"], row["denominator"]) for row in rows]
    return [row | {"value": one.value, "low": one.low, "high": one.high} for row, one in zip(rows, rates, strict=True)]


def equals_truth(config: Config, told: Told) -> bool:
    """Whether three measures of each model are those counted in plain Python, from all that was said."""
    turns = [one for one in told.truth if isinstance(one, Turn)]
    model_of = {(one.conversation, one.turn): one.model or "" for one in turns}
    thumbs = [one for one in told.truth if isinstance(one, Rating) and one.kind == "thumbs"]
    answered = [one for one in turns if one.outcome == "answered"]
    wanted = {
        "thumbs_up": _sums([(model_of[one.conversation, one.turn or 0], one.value == 1) for one in thumbs]),
        "errors": _sums([(one.model or "", one.outcome == "failed") for one in turns]),
        "slow_answers": _sums([(one.model or "", (one.seconds or 0) > 4) for one in answered]),
    }
    return all(
        {row["model"]: (row["numerator"], row["denominator"]) for row in whole(config, measure, "model")} == sums
        for measure, sums in wanted.items()
    )


def _sums(counted: Iterable[tuple[str, bool]]) -> dict[str, tuple[int, int]]:
    """Of each model, how many are so, and how many there are."""
    rows = list(counted)
    return {
        model: (sum(so for one, so in rows if one == model), sum(one == model for one, _ in rows))
        for model in dict(rows)
    }
