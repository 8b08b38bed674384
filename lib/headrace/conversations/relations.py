"""The rows that measures are SQL over: turns, ratings and conversations, with the columns of `config_measures.COLUMNS`.

Each also has the `minute` by which it is counted. What is withdrawn is not in the tables these are made of.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.config_measures import COLUMNS, Over

SLICES = ("tenant", "channel", "language", "intent", "provider", "model", "prompt")
RETURNED = "INTERVAL 24 HOURS"
"""Who begins another conversation within this time has returned."""


def minute(of: str | Column) -> Column:
    """The minute that a time lies in."""
    return F.date_trunc("minute", F.col(of) if isinstance(of, str) else of)


def turn_rows(turns: DataFrame, ratings: DataFrame) -> DataFrame:
    """A row for each turn.

    Args:
        turns, ratings: whole conversations.
    """
    given = (F.col("by") == "person") & F.col("kind").isin("thumbs", "stars") & F.col("turn").isNotNull()
    rated = ratings.where(given).select("conversation", "turn", F.lit(True).alias("rated")).distinct()
    later = turns.where(F.col("regenerates").isNotNull())
    bettered = later.select("conversation", F.col("regenerates").alias("turn"), F.lit(True).alias("regenerated"))
    rows = turns.join(rated, ["conversation", "turn"], "left")
    rows = rows.join(bettered.distinct(), ["conversation", "turn"], "left")
    flags = {name: F.coalesce(F.col(name), F.lit(False)) for name in ("rated", "regenerated")}
    return _as_told(rows.withColumns(flags), "turns")


def rating_rows(turns: DataFrame, ratings: DataFrame) -> DataFrame:
    """A row for each rating of a turn, or of a conversation with a turn, that is there."""
    return _as_told(_valid(turns, ratings), "ratings")


def conversation_rows(turns: DataFrame, ratings: DataFrame, spans: DataFrame) -> DataFrame:
    """A row for each conversation with a turn.

    Args:
        spans: `conversation, person, began, ended` of every conversation of their people.
    """
    said = _valid(turns, ratings).groupBy("conversation")
    told = said.agg(*[F.bool_or(F.col("kind") == kind).alias(kind) for kind in ("hand_off", "abandon")])
    rows = began(turns).join(told, "conversation", "left").join(_returned(turns, spans), "conversation", "left")
    left = F.coalesce(F.col("abandon"), F.lit(False)) | (F.col("last") != "answered")
    flags = {
        "at": F.col("began"),
        "handed_off": F.coalesce(F.col("hand_off"), F.lit(False)),
        "abandoned": left,
        "returned": F.when(F.col("person").isNotNull(), F.coalesce(F.col("returned"), F.lit(False))),
    }
    return _as_told(rows.select("*", "first.*").withColumns(flags), "conversations")


def began(turns: DataFrame) -> DataFrame:
    """Of each conversation: `first` (what it is sliced by), `began`, `ended`, `last` (outcome), `person`, counts."""
    return turns.groupBy("conversation").agg(
        F.min_by(F.struct(*SLICES), "turn").alias("first"),
        F.min_by("at", "turn").alias("began"),
        F.max_by("at", "turn").alias("ended"),
        F.max_by("outcome", "turn").alias("last"),
        F.min_by("person", F.when(F.col("person").isNotNull(), F.col("turn"))).alias("person"),
        F.count("*").alias("turns"),
        F.count_if(F.col("outcome") == "answered").alias("answered"),
    )


def returns(earlier: DataFrame, later: DataFrame) -> DataFrame:
    """Those of the earlier after which the same person began one of the later.

    Args:
        earlier, later: `conversation, person, began, ended`.
    """
    starts = later.select(
        F.col("person").alias("_who"), F.col("conversation").alias("_other"), F.col("began").alias("_at")
    )
    within = (F.col("began") < F.col("_at")) & (F.col("_at") <= F.col("ended") + F.expr(RETURNED))
    same = (F.col("person") == F.col("_who")) & (F.col("conversation") != F.col("_other")) & within
    return earlier.join(starts, same, "left_semi")


def _returned(turns: DataFrame, spans: DataFrame) -> DataFrame:
    mine = began(turns).select("conversation", "person", "began", "ended")
    return returns(mine, spans).select("conversation", F.lit(True).alias("returned"))


def _valid(turns: DataFrame, ratings: DataFrame) -> DataFrame:
    """Ratings of what is there, each with the slices of its turn, or of the conversation's first."""
    whole = F.col("turn").isNull()
    each = ratings.where(~whole).join(turns.select("conversation", "turn", *SLICES), ["conversation", "turn"])
    firsts = began(turns).select("conversation", "first.*")
    both = each.unionByName(ratings.where(whole).join(firsts, "conversation"))
    return both.withColumns({"whole": F.col("turn").isNull(), "rated_by": F.col("by")})


def _as_told(rows: DataFrame, over: Over) -> DataFrame:
    """Only what measures may name. Numbers are doubles: whole ones could grow too large in SQL, and end the job."""
    told = [
        f"CAST({name} AS DOUBLE) AS {name}" if one.kind == "number" else name for name, one in COLUMNS[over].items()
    ]
    return rows.selectExpr("date_trunc('minute', at) AS minute", *told)
