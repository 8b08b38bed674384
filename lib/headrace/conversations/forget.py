"""Turns and ratings of people who were erased: which they are, and how they go.

A plan names rows, so that what a crash left half done can be ended: afterwards nothing tells any more whose they were.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from headrace.conversations.counting import Counted
from headrace.conversations.ordered import floors_of
from headrace.erasure import Hashing
from headrace.lake import Lake, local_rows
from headrace.tables import COUNTED, MEASURES, RATINGS, REJECTS, TOMBSTONES, TURNS

JOB = "track_feedback"
_CONVERSATIONS = "conversation string"
_TURNS = "conversation string, turn bigint"


@dataclass(frozen=True, slots=True)
class Plan:
    """Rows to be deleted.

    Attributes:
        conversations: those that are the person's alone, with all that is in them.
        turns: of these and of others: conversation and number.
        ratings: by their ids.
        touched: conversations that count otherwise afterwards.
    """

    conversations: tuple[str, ...] = ()
    turns: tuple[tuple[str, int], ...] = ()
    ratings: tuple[str, ...] = ()
    touched: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As a file holds it."""
        return asdict(self)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> "Plan":
        """Of what a file holds."""
        turns = tuple((conversation, int(turn)) for conversation, turn in body["turns"])
        return cls(tuple(body["conversations"]), turns, tuple(body["ratings"]), tuple(body["touched"]))

    def hashes(self, hashing: Hashing) -> list[str]:
        """What late events of these are told by, and which conversations had others in them."""
        whole = set(self.conversations)
        apart = [one for one in self.turns if one[0] not in whole]
        shared = dict.fromkeys(conversation for conversation, _ in apart)
        return [
            *(hashing.of("conversation", one) for one in self.conversations),
            *(hashing.of("turn", *one) for one in apart), *(hashing.of("shared", one) for one in shared),
        ]  # fmt: skip


def planned(lake: Lake, people: Sequence[str], conversations: Iterable[str] = ()) -> Plan:
    """What there is of these people.

    Of a conversation that one of them took part in goes what names nobody else; where nobody else is named, all.

    Args:
        conversations: they took part in these too, whatever rows say.
    """
    turns, ratings = lake.read(lake.ensure(TURNS)), lake.read(lake.ensure(RATINGS))
    theirs = F.col("person").isin(list(people))
    rows = [turns.where(theirs), lake.read(lake.ensure(COUNTED)).where(theirs)]
    found = {row[0] for one in rows for row in one.select("conversation").distinct().collect()} | set(conversations)
    mine = _among(lake, turns, _CONVERSATIONS, [(one,) for one in found])
    said = mine.select("conversation", "turn", "person").collect()
    others = {row[0] for row in said if row[2] is not None and row[2] not in people}
    gone = sorted((row[0], row[1]) for row in said if row[2] is None or row[2] in people)
    whole = sorted(found - others)
    given = _ratings(lake, ratings, people, whole, gone)
    return Plan(
        tuple(whole), tuple(gone), tuple(sorted(one for one, _ in given)),
        tuple(sorted(found | {conversation for _, conversation in given})),
    )  # fmt: skip


def forget(lake: Lake, plan: Plan, count: Callable[[DataFrame], Counted]) -> Iterator[tuple[str, int]]:
    """Delete what is planned. Each step may be repeated; yields a table and how many rows of it are gone after each.

    Args:
        count: counts conversations again: a frame with the column `conversation`.
    """
    if plan.ratings:
        lake.delete_keys(RATINGS.path, local_rows(lake.spark, [(one,) for one in plan.ratings], "rating_id string"))
        yield RATINGS.path, len(plan.ratings)
    if plan.turns:
        lake.delete_keys(TURNS.path, local_rows(lake.spark, plan.turns, _TURNS))
        yield TURNS.path, len(plan.turns)
    floors = TOMBSTONES.path.format(table=floors_of(TURNS))
    if plan.touched and lake.exists(floors):
        yield floors, _floors_gone(lake, floors, plan)
    if plan.touched:
        counted = count(local_rows(lake.spark, [(one,) for one in plan.touched], _CONVERSATIONS))
        yield COUNTED.path, len(plan.touched)
        yield MEASURES.path, counted.written + counted.removed


def forget_refused(lake: Lake, names: Sequence[str]) -> tuple[str, int] | None:
    """Delete refused messages that hold one of these ids as a JSON text; the table and how many, None for none."""
    relative = REJECTS.path.format(job=JOB)
    if not names or not lake.exists(relative):
        return None
    held = F.concat_ws(" ", F.col("message").cast("string"), F.col("message_key").cast("string"))
    quoted = F.array(*[F.lit(f'"{one}"') for one in names])
    holds = F.exists(quoted, lambda one: F.contains(held, one))
    found = lake.read(relative).where(holds).select("source", "batch", "origin").localCheckpoint()
    return relative, lake.delete_keys(relative, found)


def _ratings(
    lake: Lake, ratings: DataFrame, people: Sequence[str], whole: Sequence[str], turns: Sequence[tuple[str, int]]
) -> set[tuple[str, str]]:
    """Ids and conversations of ratings that the people gave, or that speak about what goes."""
    some = [
        ratings.where(F.col("rater").isin(list(people))),
        _among(lake, ratings, _CONVERSATIONS, [(one,) for one in whole]),
        _among(lake, ratings, _TURNS, turns),
    ]
    return {(row[0], row[1]) for one in some for row in one.select("rating_id", "conversation").collect()}


def _among(lake: Lake, rows: DataFrame, schema: str, wanted: Sequence[Sequence[object]]) -> DataFrame:
    few = local_rows(lake.spark, wanted, schema)
    return rows.join(F.broadcast(few), few.columns, "left_semi")


def _floors_gone(lake: Lake, relative: str, plan: Plan) -> int:
    """Floors have the conversation in clear; what is suppressed needs none."""
    key = F.from_json("key", "array<string>")
    rows = lake.read(relative).select("key", key[0].alias("conversation"), key[1].cast("bigint").alias("turn"))
    some: list[DataFrame] = [
        _among(lake, rows, _CONVERSATIONS, [(one,) for one in plan.conversations]),
        _among(lake, rows, _TURNS, plan.turns),
    ]
    keys = sorted({row["key"] for one in some for row in one.select("key").collect()})
    if keys:
        lake.delete_keys(relative, local_rows(lake.spark, [(one,) for one in keys], "key string"))
    return len(keys)
