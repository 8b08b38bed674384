"""Tables of conversations and documents -> examples as rows, in Spark."""

import json
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from headrace.config_datasets import Dataset
from headrace.erasure import Suppressed
from headrace.lake import struct
from headrace.training import texts
from headrace.training.choose import STEP, Answer, Hashed, Said, answers, examples, hashed_by
from headrace.training.example import Example
from headrace.training.pairs import pair, scored
from headrace.training.refused import Refused
from headrace.training.verdict import Rated

_RANK = pa.struct([("score", pa.float64()), ("at", pa.string()), ("conversation", pa.string()), ("turn", pa.int64())])
# Spark could make it of `CHOSEN`, but only in the driver.
_ARROW = pa.schema(
    [
        ("id", pa.string()), ("body", pa.string()), ("names", pa.list_(pa.string())), ("step", pa.string()),
        ("reason", pa.string()), ("detail", pa.string()), ("prompt", pa.string()), ("rank", _RANK),
    ]
)  # fmt: skip
CHOSEN = """id string, body string, names array<string>, step string, reason string, detail string, prompt string,
    rank struct<score: double, at: string, conversation: string, turn: bigint>"""
"""Rows on their way into a dataset.

`body`: the example as JSON; null for what was refused, which has `step`, `reason` and `detail`. `names`: what its
persons are called. `prompt` and `rank`: of answers that wait for others to the same prompt.
"""
KNOWN = "person string, allowed boolean, names array<string>"
"""What is known of persons by now: whether they agree, null for never asked, and what they are called."""

_RATED = ("turn", "at", "by", "kind", "rater", "value", "text")
_SAID = (
    "turn", "at", "question", "answer", "outcome", "ended", "regenerates", "items", "person", "tenant", "channel",
    "language", "intent", "model", "allowed", "names",
)  # fmt: skip


def known_of(profiles: DataFrame, aliases: DataFrame, wanted: Dataset) -> DataFrame:
    """What profiles say of persons and of ids that lead to them, schema `KNOWN`. Who is gone agrees to nothing."""
    consent = F.from_json(F.get_json_object("body", "$.consent"), "map<string, struct<granted: boolean>>")
    fields = F.from_json(F.get_json_object("body", "$.fields"), "map<string, struct<value: string>>")
    granted: Column = F.lit(True)
    if wanted.purpose is not None:
        granted = consent[wanted.purpose]["granted"]
    named = [F.split(fields[name]["value"], r"\s+") for name in wanted.names]
    names = F.concat(*[F.coalesce(one, F.array().cast("array<string>")) for one in named]) if named else F.array()
    people = profiles.select(
        "person",
        F.when(F.col("deleted"), F.lit(False)).otherwise(granted).alias("allowed"),
        F.when(F.col("deleted"), F.array()).otherwise(names).cast("array<string>").alias("names"),
    )
    led = aliases.select(F.col("person").alias("alias"), F.col("now").alias("person"))
    others = led.join(people, "person", "left").select(
        F.col("alias").alias("person"),
        F.when(F.col("person").isNull(), F.lit(False)).otherwise(F.col("allowed")).alias("allowed"),
        F.coalesce("names", F.array().cast("array<string>")).alias("names"),
    )
    return people.unionByName(others)


def chosen(
    turns: DataFrame,
    ratings: DataFrame,
    known: DataFrame | None,
    wanted: Dataset,
    key: bytes,
    suppressed: Suppressed | None = None,
) -> DataFrame:
    """Examples of conversations, and what was refused, schema `CHOSEN`.

    Args:
        known: schema `KNOWN`; None where there are no profiles: then only what a turn itself says counts.
        suppressed: whose turns and ratings count for nothing.
    """
    found = _conversations(turns, ratings, known, wanted).mapInArrow(_choosing(wanted, key, suppressed), struct(CHOSEN))
    if wanted.kind != "dpo":
        return found
    # An answer is in two rows at most, by its own conversation and by its prompt: cheaper kept than found twice.
    found = found.localCheckpoint()
    return found.where("prompt IS NULL").unionByName(_paired(found.where("prompt IS NOT NULL")))


def documents(documents: DataFrame, chunks: DataFrame, wanted: Dataset) -> DataFrame:
    """Examples of living documents, schema `CHOSEN`; those that only some may read are refused."""
    pieces = chunks.groupBy("feed", "document").agg(F.collect_list(F.struct("start", "end", "text")).alias("pieces"))
    living = documents.where("NOT deleted").select("feed", "document", "changed_at", "language", "tenant", "audience")
    if wanted.feeds:
        living = living.where(F.col("feed").isin(*wanted.feeds))
    rows = living.join(pieces, ["feed", "document"])

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield _batch([_row(_document(row, wanted), ()) for row in batch.to_pylist()])

    return rows.mapInArrow(run, struct(CHOSEN))


def _conversations(turns: DataFrame, ratings: DataFrame, known: DataFrame | None, wanted: Dataset) -> DataFrame:
    """One row for each conversation that somebody rated, or where an answer was asked for again."""
    agreed: Column = F.lit(True)
    if wanted.purpose is not None:
        agreed = F.coalesce(F.array_contains("purposes", wanted.purpose), F.lit(False))
    if known is None:
        told = turns.withColumn("allowed", agreed).withColumn("names", F.array().cast("array<string>"))
    else:
        joined = turns.join(known.withColumnRenamed("allowed", "_now"), "person", "left")
        told = joined.withColumn("allowed", F.coalesce("_now", agreed))
    rated = ratings.where("turn IS NOT NULL").groupBy("conversation")
    by_conversation = rated.agg(F.collect_list(F.struct(*_RATED)).alias("ratings"))
    said = told.groupBy("conversation").agg(
        F.collect_list(F.struct(*_SAID)).alias("turns"), F.max(F.col("regenerates").isNotNull()).alias("again")
    )
    both = said.join(by_conversation, "conversation", "left")
    return both.where("ratings IS NOT NULL OR again").select("conversation", "turns", "ratings")


def _choosing(wanted: Dataset, key: bytes, suppressed: Suppressed | None) -> Any:
    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        hashed = hashed_by(key)
        for batch in batches:
            given = map(partial(_without, suppressed), batch.to_pylist())
            yield _batch([row for one in given for row in _of_conversation(one, wanted, hashed)])

    return run


def _without(suppressed: Suppressed | None, row: dict[str, Any]) -> dict[str, Any]:
    """A conversation with what is an erased person's marked: turns that name nobody are, where others name one."""
    if not suppressed:
        return row
    people = {turn["person"] for turn in row["turns"]}
    erased: set[str | None] = {person for person in people if suppressed.person(person)}
    theirs = {*erased, None} if erased else erased
    turns = [{**turn, "erased": turn["person"] in theirs} for turn in row["turns"]]
    ratings = [one for one in row["ratings"] or () if not suppressed.person(one["rater"])]
    return {**row, "turns": turns, "ratings": ratings}


def _of_conversation(row: dict[str, Any], wanted: Dataset, hashed: Hashed) -> Iterator[dict[str, Any]]:
    turns = [Said(**{**one, "names": tuple(one["names"] or ())}) for one in row["turns"]]
    ratings = [Rated(**one) for one in row["ratings"] or ()]
    names = tuple(sorted({name for turn in turns for name in turn.names}))
    kept: list[Answer] = []
    for found in answers(row["conversation"], turns, ratings, wanted, hashed):
        if isinstance(found, Refused):
            yield _row(found, ())
        else:
            kept.append(found)
    yield from (_row(one, names) for one in examples(kept, wanted))
    if wanted.kind == "dpo":
        waiting = filter(None, map(scored, kept))
        empty = dict.fromkeys(_ARROW.names)
        yield from ({**empty, **one, "rank": _rank(one["rank"]), "names": list(names)} for one in waiting)


def _paired(waiting: DataFrame) -> DataFrame:
    """Only the best and the worst of a prompt travel: the same greeting may have been said a million times."""
    whole = F.struct("rank", "body", "names")
    ends = waiting.groupBy("prompt").agg(F.max(whole).alias("best"), F.min(whole).alias("worst"))
    apart = ends.where("best.rank.score > worst.rank.score")

    def run(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            rows = []
            for one in batch.to_pylist():
                best, worst = one["best"], one["worst"]
                made = pair((best["rank"]["score"], best["body"]), (worst["rank"]["score"], worst["body"]))
                if made is not None:
                    rows.append(_row(made, sorted({*best["names"], *worst["names"]})))
            yield _batch(rows)

    return apart.select("best", "worst").mapInArrow(run, struct(CHOSEN))


def _document(row: dict[str, Any], wanted: Dataset) -> Example | Refused:
    text = texts.text_of((one["start"], one["end"], one["text"]) for one in row["pieces"])
    made = texts.example(row["feed"], row["document"], text, row["changed_at"], row["language"], row["tenant"])
    readers = set(row["audience"] or ())
    if readers and not readers & set(wanted.audience):
        return Refused(made.id, STEP, "audience")
    return made


def _rank(rank: tuple[float, str, str, int]) -> dict[str, Any]:
    return dict(zip(("score", "at", "conversation", "turn"), rank, strict=True))


def _row(one: Example | Refused, names: Iterable[str]) -> dict[str, Any]:
    empty: dict[str, Any] = dict.fromkeys(_ARROW.names)
    if isinstance(one, Refused):
        return {**empty, "id": one.example, "step": one.step, "reason": one.reason, "detail": one.detail}
    return {**empty, "id": one.id, "body": json.dumps(one.to_json(), ensure_ascii=False), "names": list(names)}


def _batch(rows: list[dict[str, Any]]) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist(rows, schema=_ARROW)
