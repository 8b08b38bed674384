"""How comments feel, kept in `ratings`: each is asked about once for its text, its language and the model."""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema

from headrace.conversations.relations import began
from headrace.conversations.schema import WORDS
from headrace.conversations.sentiment import Comment, Detect, felt
from headrace.lake import Assignments, Lake, struct
from headrace.ports_texts import SentimentModel
from headrace.tables import RATINGS, TURNS

FELT = "rating_id string, felt_of string, sentiment string, valence double, text_language string"


class Feeler(NamedTuple):
    """What tells how texts feel.

    Attributes:
        name: of the model; another one asks about every text again.
        made: called in the worker, which keeps what it gives: the model, and what detects languages.
    """

    name: str
    made: Callable[[], tuple[SentimentModel, Detect]]


def feel(lake: Lake, feeler: Feeler, conversations: DataFrame) -> None:
    """Find how comments and corrections of these conversations feel, those not known yet.

    Args:
        conversations: column `conversation`, each once.

    Raises:
        PySparkException: the model failed for the time being, or for good; nothing is called `unknown` then.
    """
    here = F.broadcast(conversations)
    ratings = lake.read(RATINGS.path).join(here, "conversation", "left_semi").where(F.col("kind").isin(*WORDS))
    turns = lake.read(TURNS.path).join(here, "conversation", "left_semi")
    waiting = unfelt(ratings, turns, feeler.name).localCheckpoint()
    if waiting.isEmpty():
        return
    told = felt_frame(waiting, feeler).localCheckpoint()
    values: Assignments = {name: f"s.{name}" for name in ("felt_of", "sentiment", "valence", "text_language")}
    merge = lake.table(RATINGS.path).alias("t").merge(told.alias("s"), "t.rating_id = s.rating_id")
    merge.whenMatchedUpdate(set=values).execute()


def unfelt(ratings: DataFrame, turns: DataFrame, model: str) -> DataFrame:
    """Texts whose feeling was never told, or of another text, language or model: `rating_id, felt_of, text, declared`.

    Args:
        ratings: with texts. turns: whole conversations.
    """
    of_turn = turns.select("conversation", "turn", F.col("language").alias("_of_turn"))
    of_first = began(turns).select("conversation", F.col("first.language").alias("_of_first"))
    rows = ratings.join(of_turn, ["conversation", "turn"], "left").join(of_first, "conversation", "left")
    rows = rows.withColumn("declared", F.when(F.col("turn").isNull(), F.col("_of_first")).otherwise(F.col("_of_turn")))
    now = F.sha2(F.to_json(F.array(F.lit(model), F.col("declared"), F.col("text"))), 256)
    return (
        rows.select("rating_id", now.alias("_now"), "felt_of", "text", "declared")
        .where(~F.col("felt_of").eqNullSafe(F.col("_now")))
        .select("rating_id", F.col("_now").alias("felt_of"), "text", "declared")
    )


def felt_frame(texts: DataFrame, feeler: Feeler) -> DataFrame:
    """How each feels, schema `FELT`."""
    arrow, made = to_arrow_schema(struct(FELT)), feeler.made

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        model, detect = made()
        for batch in batches:
            rows = batch.to_pylist()
            found = felt([Comment(row["text"], row["declared"]) for row in rows], model, detect)
            told = [
                {
                    "rating_id": row["rating_id"], "felt_of": row["felt_of"], "sentiment": one.label,
                    "valence": one.valence, "text_language": one.language,
                }
                for row, one in zip(rows, found, strict=True)
            ]  # fmt: skip
            yield pa.RecordBatch.from_pylist(told, schema=arrow)

    return texts.mapInArrow(run, FELT)
