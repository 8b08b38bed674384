"""Examples out of the tables: the same as the plain functions find, whatever the partitions."""

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from headrace.config_datasets import Dataset
from headrace.lake import struct
from headrace.tables import ALIASES, CHUNKS, DOCUMENTS, PROFILES, RATINGS, TURNS
from headrace.training.frames import chosen, documents, hashed_by, known_of

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
KEY = b"a key of a test"


def rows(spark: SparkSession, schema: str, given: list[dict[str, Any]]) -> DataFrame:
    fields = struct(schema)
    return spark.createDataFrame([tuple(one.get(name) for name in fields.names) for one in given], fields)


def turn(conversation: str, number: int, **told: Any) -> dict[str, Any]:
    at = START + timedelta(minutes=number)
    given = {
        "question": f"Question {number}?",
        "answer": f"Answer {number}.",
        "outcome": "answered",
        "purposes": ["training"],
    }
    return {"conversation": conversation, "turn": number, "at": at, **given, **told}


def rating(conversation: str, number: int | None, kind: str, value: float | None, **told: Any) -> dict[str, Any]:
    given = {"rating_id": f"{conversation}/{number}/{kind}", "at": START, "by": "person", "rater": "r"}
    return {"conversation": conversation, "turn": number, "kind": kind, "value": value, **given, **told}


def profile(person: str, granted: bool | None, name: str | None, deleted: bool = False) -> dict[str, Any]:
    consent = {} if granted is None else {"training": {"granted": granted, "state": "x"}}
    fields = {} if name is None else {"name": {"value": name}}
    return {"person": person, "deleted": deleted, "body": json.dumps({"consent": consent, "fields": fields})}


PROFILED = [profile("yes", True, "Ann  O'Hara"), profile("no", False, "Bo"), profile("unasked", None, None),
            profile("gone", True, "Cy", deleted=True)]  # fmt: skip
LED = [{"person": "was yes", "now": "yes"}, {"person": "was nobody", "now": None}]


def kept(found: DataFrame) -> dict[str, Any]:
    """By conversation: the person and the names of its example, or why there is none."""
    return {
        json.loads(row["body"])["conversation"] if row["body"] else row["id"]: row["reason"] or row["names"]
        for row in found.collect()
    }


def test_consent_as_of_now_counts_before_that_of_the_turn(spark: SparkSession) -> None:
    people = ["yes", "was yes", "no", "unasked", "gone", "was nobody", "unknown", None]
    turns = [turn(f"of {one}", 1, person=one) for one in people]
    turns += [turn(f"then no {one}", 1, person=one, purposes=[]) for one in ("yes", "unasked", "unknown")]
    ratings = [rating(one["conversation"], 1, "thumbs", 1.0) for one in turns]
    wanted = Dataset(kind="sft", formats=["trl_sft"])
    known = known_of(rows(spark, PROFILES.schema, PROFILED), rows(spark, ALIASES.schema, LED), wanted)
    tables = rows(spark, TURNS.schema, turns), rows(spark, RATINGS.schema, ratings)
    found = chosen(*tables, known, wanted, KEY).collect()
    examples = {json.loads(one["body"])["conversation"]: one for one in found if one["body"]}
    assert sorted(examples) == ["of None", "of unasked", "of unknown", "of was yes", "of yes", "then no yes"]
    assert {one["reason"] for one in found if not one["body"]} == {"no_consent"} and len(found) == len(turns)
    assert examples["of yes"]["names"] == examples["of was yes"]["names"] == ["Ann", "O'Hara"]
    assert examples["of unknown"]["names"] == []
    assert json.loads(examples["of yes"]["body"])["person"] == hashed_by(KEY)("yes")
    free = Dataset(kind="sft", formats=["trl_sft"], purpose=None)
    anybody = chosen(
        *tables, known_of(rows(spark, PROFILES.schema, PROFILED), rows(spark, ALIASES.schema, LED), free), free, KEY
    )
    gone = {"of gone", "of was nobody"}
    assert {json.loads(one["body"])["conversation"] for one in anybody.where("body IS NOT NULL").collect()} == {
        one["conversation"] for one in turns
    } - gone  # fmt: skip


@pytest.mark.parametrize("kind", ["kto", "dpo"])
def test_partitions_and_repeats_change_nothing(spark: SparkSession, kind: str) -> None:
    draw = random.Random(7)
    turns, ratings = [], []
    for number in range(60):
        name = f"c{number}"
        for one in range(1, draw.randint(2, 5)):
            again = draw.choice([None, None, one - 1 or None])
            # Every text twice in another conversation: pairs over conversations must come out too.
            turns.append(turn(name, one, regenerates=again, answer=draw.choice(["Yes.", "No.", "Perhaps."])))
            if draw.random() < 0.7:
                ratings.append(rating(name, one, "thumbs", draw.choice([-1.0, 1.0])))
            if draw.random() < 0.2:
                ratings.append(rating(name, one, "correction", None, text="So it is."))
    wanted = Dataset(kind=kind, formats=["trl_kto"])
    once = rows(spark, TURNS.schema, turns), rows(spark, RATINGS.schema, ratings)
    draw.shuffle(turns)
    other = rows(spark, TURNS.schema, turns).repartition(3), rows(spark, RATINGS.schema, ratings[::-1]).repartition(5)
    first, second = (
        sorted(map(str, chosen(*tables, None, wanted, KEY).select("id", "body", "names", "reason").collect()))
        for tables in (once, other)
    )
    assert first == second and len(first) > 20
    if kind == "dpo":
        origins = {
            json.loads(row["body"])["origin"]
            for row in chosen(*once, None, wanted, KEY).where("body IS NOT NULL").collect()
        }
        assert origins == {"better_rated", "correction", "regenerated"}


def test_documents_are_put_together_from_their_pieces(spark: SparkSession) -> None:
    text = "Bags up to 8 kg.\n\nA cello needs a seat."
    whole = {"feed": "policies", "deleted": False, "changed_at": START, "language": "en"}
    given = [
        {**whole, "document": "bags"}, {**whole, "document": "staff", "audience": ["staff"]},
        {**whole, "document": "old", "deleted": True}, {**whole, "document": "other", "feed": "news"},
    ]  # fmt: skip
    spans = [(0, 16), (10, 30), (20, len(text))]
    pieces = [
        {"chunk": f"{one['document']}{start}", "feed": one["feed"], "document": one["document"], "start": start,
         "end": end, "text": text[start:end]}
        for one in given for start, end in spans
    ]  # fmt: skip
    tables = rows(spark, DOCUMENTS.schema, given), rows(spark, CHUNKS.schema, pieces)
    wanted = Dataset(kind="text", formats=["jumpstart_text"], feeds=["policies"])
    found = documents(*tables, wanted).collect()
    [row] = [json.loads(one["body"]) for one in found if one["body"]]
    assert (row["completion"], row["group"], row["language"], row["origin"]) == (
        text,
        "policies/bags",
        "en",
        "document",
    )
    assert [(one["step"], one["reason"]) for one in found if not one["body"]] == [("choose", "audience")]
    staff = Dataset(kind="text", formats=["jumpstart_text"], audience=["staff"])
    assert documents(*tables, staff).where(F.col("body").isNotNull()).count() == 3
