"""How comments feel, kept in `ratings`: each is asked about once for its text, its language and the model."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema

from headrace.conversations.relations import began
from headrace.conversations.schema import WORDS
from headrace.conversations.sentiment import Comment, Detect, Felt, felt
from headrace.lake import Assignments, Lake, local_rows, struct
from headrace.ports_texts import SentimentModel
from headrace.tables import RATINGS, TURNS

_FOUND = "sentiment string, valence double, text_language string"
FELT = "rating_id string, felt_of string, sentiment string, valence double, text_language string"


class Feeler(NamedTuple):
    """What tells how texts feel.

    Attributes:
        name: of the model; another one asks about every text again.
        made: called in the worker, which keeps what it gives: the model, and what detects languages.
    """

    name: str
    made: Callable[[], tuple[SentimentModel, Detect]]


class Service(Protocol):
    """What is asked over a network: the driver asks, for some texts at a time, and what fails waits.

    Attributes:
        name: as `Feeler.name`.
    """

    name: str

    def most(self) -> int:
        """How many texts it may be asked about now."""

    def felt(self, comments: Sequence[Comment]) -> list[Felt | None]:
        """How each feels, in their order; None for one to be asked about again. Never raises for its own failures."""


def feel(lake: Lake, feeler: "Feeler | Service", conversations: DataFrame) -> bool:
    """Find how comments and corrections of these conversations feel, those not known yet.

    Args:
        conversations: column `conversation`, each once.

    Returns:
        Whether some still wait for a service. They have no `felt_of`, and count in no measure of sentiment.

    Raises:
        PySparkException: the model failed for the time being, or for good; nothing is called `unknown` then.
    """
    here = F.broadcast(conversations)
    ratings = lake.read(RATINGS.path).join(here, "conversation", "left_semi").where(F.col("kind").isin(*WORDS))
    turns = lake.read(TURNS.path).join(here, "conversation", "left_semi")
    waiting = unfelt(ratings, turns, feeler.name).localCheckpoint()
    if waiting.isEmpty():
        return False
    frame = felt_frame(waiting, feeler) if isinstance(feeler, Feeler) else asked(lake, waiting, feeler)
    told = frame.localCheckpoint()
    values: Assignments = {name: f"s.{name}" for name in ("felt_of", "sentiment", "valence", "text_language")}
    merge = lake.table(RATINGS.path).alias("t").merge(told.alias("s"), "t.rating_id = s.rating_id")
    merge.whenMatchedUpdate("NOT (t.felt_of <=> s.felt_of)", values).execute()
    return not told.where("felt_of IS NULL").isEmpty()


def conversations_waiting(lake: Lake) -> DataFrame:
    """Conversations with a text of which nothing is known yet: column `conversation`, each once."""
    rows = lake.read(RATINGS.path).where(F.col("kind").isin(*WORDS) & F.col("felt_of").isNull())
    return rows.select("conversation").distinct()


def asked(lake: Lake, texts: DataFrame, service: Service) -> DataFrame:
    """How each feels, schema `FELT`; without `felt_of` and the rest where it waits.

    The same text in the same language is asked about once, and never again.
    """
    known = lake.read(RATINGS.path).join(F.broadcast(texts.select("felt_of").distinct()), "felt_of", "left_semi")
    first = [F.first(name).alias(name) for name in ("sentiment", "valence", "text_language")]
    known = known.groupBy("felt_of").agg(*first)
    new = texts.join(known, "felt_of", "left_anti").groupBy("felt_of")
    rows = new.agg(F.first("text").alias("text"), F.first("declared").alias("declared")).limit(service.most()).collect()
    answers = service.felt([Comment(row["text"], row["declared"]) for row in rows])
    fresh = [
        (row["felt_of"], one.label, one.valence, one.language)
        for row, one in zip(rows, answers, strict=True)
        if one is not None
    ]
    found = known.unionByName(local_rows(lake.spark, fresh, f"felt_of string, {_FOUND}"))
    told = texts.join(F.broadcast(found.withColumn("_there", F.lit(True))), "felt_of", "left")
    of = F.when(F.col("_there"), F.col("felt_of")).alias("felt_of")
    return told.select("rating_id", of, "sentiment", "valence", "text_language")


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
