"""SQL views over the lake's `measures`, `turns` and `ratings`, in the words of four engines.

The views are one text; what differs between engines (how a name that is a word of SQL is quoted, how a map becomes
rows, how tables of the lake get a name) stands in `views_dialects`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from headrace.config_measures import DIMENSIONS
from headrace.conversations.latency import GAMMA, ZERO
from headrace.conversations.measures import Measure
from headrace.conversations.rates import LEAST, SQUARED_Z
from headrace.conversations.views_dialects import DIALECTS, Dialect

SLICES = ("tenant", "channel", "language", "intent", "provider", "model", "prompt", "outcome", "ended", "currency",
          "kind", "rated_by", "sentiment")  # fmt: skip
"""Columns of `measures` with the values of dimensions."""
TABLES = ("measures", "turns", "ratings")
"""Of the lake, by the names that the views know them by."""
PERCENTILES = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class View:
    """One view.

    Attributes:
        says: what a row of it is.
    """

    name: str
    says: str
    select: str


def views(measures: Mapping[str, Measure], dialect: Dialect, schema: str) -> list[View]:
    """All views, in an order in which they can be made."""
    place = f"{schema}." if schema else ""
    shares = [one.name for one in measures.values() if one.kind == "share"]
    found = []
    for span in ("hour", "day"):
        name = {"hour": "hourly", "day": "daily"}[span]
        found.append(View(f"measures_{name}", f"One measure, {span} and slice: its sums and its value.",
                          _sums(span, SLICES, place)))  # fmt: skip
        found.append(View(f"rates_{name}", f"One share and {span}, with Wilson's interval of 95 %.",
                          _rates(shares, span, (), place)))  # fmt: skip
        found.append(View(f"percentiles_{name}", f"One measure with percentiles and {span}.",
                          _percentiles(span, dialect, place)))  # fmt: skip
    found.append(View("rates_daily_by_model", "One share, day and model, with Wilson's interval.",
                      _rates(shares, "day", ("model",), place)))  # fmt: skip
    found.append(View("rated_turns", "One rating, with the turn it is of; a rating of a whole conversation has none.",
                      _rated_turns(dialect, place)))  # fmt: skip
    return found


def script(measures: Mapping[str, Measure], dialect: str, schema: str, lake: str) -> str:
    """Statements that make the lake's tables known to an engine, then the views.

    Args:
        dialect: a key of `views_dialects.DIALECTS`.
        lake: its root.
    """
    engine = DIALECTS[dialect]
    head = [f"-- Views over the lake {lake} for {engine.title}; made by `headrace views --dialect {dialect}`."]
    head += [f"-- {line}" for line in engine.notes]
    statements = [*engine.tables(schema, lake.rstrip("/"), TABLES)]
    made = [
        f"-- {one.says}\n{engine.create(f'{schema}.{one.name}' if schema else one.name, one.select)}"
        for one in views(measures, engine, schema)
    ]
    return "\n".join(head) + "\n\n" + "\n\n".join(f"{one};" for one in [*statements, *made]) + "\n"


def _sums(span: str, columns: tuple[str, ...], place: str) -> str:
    many = "".join(f", {name}" for name in columns)
    return f"""\
SELECT measure, date_trunc('{span}', minute) AS {span}_began{many},
       SUM(numerator) AS numerator, SUM(denominator) AS denominator, SUM(n) AS n,
       SUM(numerator) / NULLIF(SUM(denominator), 0) AS value
FROM {place}measures
GROUP BY measure, date_trunc('{span}', minute){many}"""


def _rates(shares: list[str], span: str, columns: tuple[str, ...], place: str) -> str:
    many = "".join(f", {name}" for name in columns)
    names = ", ".join(f"'{name}'" for name in sorted(shares))
    middle = f"(value + {SQUARED_Z!r} / (2 * denominator)) / (1 + {SQUARED_Z!r} / denominator)"
    spread = f"value * (1 - value) / denominator + {SQUARED_Z!r} / (4 * denominator * denominator)"
    half = f"SQRT({SQUARED_Z!r} * ({spread})) / (1 + {SQUARED_Z!r} / denominator)"
    # A share lies in its own interval, whatever rounding does.
    return f"""\
SELECT measure, {span}_began{many}, value, denominator AS among,
       GREATEST(0.0, LEAST(value, {middle} - {half})) AS low,
       LEAST(1.0, GREATEST(value, {middle} + {half})) AS high,
       denominator >= {LEAST} AS enough
FROM (
  SELECT measure, date_trunc('{span}', minute) AS {span}_began{many},
         SUM(denominator) AS denominator, SUM(numerator) / SUM(denominator) AS value
  FROM {place}measures
  WHERE measure IN ({names})
  GROUP BY measure, date_trunc('{span}', minute){many}
  HAVING SUM(denominator) > 0 AND SUM(numerator) >= 0 AND SUM(numerator) <= SUM(denominator)
) sums"""


def _percentiles(span: str, dialect: Dialect, place: str) -> str:
    low = f"CASE WHEN bucket = {ZERO} THEN 0.0 ELSE 2 * POWER({GAMMA!r}, bucket) / {GAMMA + 1!r} END"
    columns = ",\n       ".join(
        f"MIN(CASE WHEN so_far * 100 >= {percent} * total THEN {low} END) AS p{percent}" for percent in PERCENTILES
    )
    return f"""\
SELECT measure, {span}_began, MAX(total) AS n,
       {columns}
FROM (
  SELECT measure, {span}_began, bucket,
         SUM(counted) OVER (
           PARTITION BY measure, {span}_began ORDER BY bucket ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
         ) AS so_far,
         SUM(counted) OVER (PARTITION BY measure, {span}_began) AS total
  FROM (
    SELECT measure, date_trunc('{span}', minute) AS {span}_began, bucket, SUM(counted) AS counted
    FROM ({dialect.unfolded(place)}) each_bucket
    GROUP BY measure, date_trunc('{span}', minute), bucket
  ) buckets
) running
GROUP BY measure, {span}_began"""


def _rated_turns(dialect: Dialect, place: str) -> str:
    by, text = dialect.quoted("by"), dialect.quoted("text")
    dimensions = ", ".join(f"t.{name}" for name in (*DIMENSIONS, "tenant", "provider"))
    return f"""\
SELECT r.rating_id, r.conversation, r.turn, r.at AS rated_at, r.{by} AS rated_by, r.rater, r.kind, r.value,
       r.{text} AS rating_text, r.sentiment, r.valence, t.at AS asked_at, t.person, {dimensions},
       t.outcome, t.seconds, t.question, t.answer
FROM {place}ratings r
LEFT JOIN {place}turns t ON t.conversation = r.conversation AND t.turn = r.turn"""
