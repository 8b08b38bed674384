"""Pairs of answers to the same prompt in several conversations: the best one and the worst one."""

import json
from dataclasses import replace
from datetime import UTC
from hashlib import sha256
from typing import Any

from headrace.training.choose import Answer, differ, fault_of
from headrace.training.example import Example, example_id

Rank = tuple[float, str, str, int]


def prompt_of(row: Example) -> str:
    """The same for prompts that differ in nothing but capitals and white space."""
    said = [row.system, row.context, *[(one.role, " ".join(one.content.split()).casefold()) for one in row.messages]]
    return sha256(json.dumps(said, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()


def scored(answer: Answer) -> dict[str, Any] | None:
    """What is kept of an answer until those to the same prompt have come; None where it makes no pair.

    Returns:
        `prompt`; `rank`, by which answers are ordered, the same whatever order they came in; `body`: JSON.
    """
    score = answer.verdict.score
    if score is None or answer.verdict.correction is not None or fault_of(answer.said):
        return None
    row = answer.row
    rank: Rank = (score, row.at.astimezone(UTC).isoformat(), row.conversation, row.turn)
    body = {"row": row.to_json(), "text": answer.text}
    return {"prompt": prompt_of(row), "rank": rank, "body": json.dumps(body, ensure_ascii=False)}


def pair(best: tuple[float, str], worst: tuple[float, str]) -> Example | None:
    """The better answer and the worse one of a prompt; None for a tie, for equal texts and for one conversation.

    Those of one conversation are pairs already where one was asked for to better the other.

    Args:
        best, worst: score and `body` of `scored`.
    """
    if best[0] <= worst[0]:
        return None
    chosen, rejected = json.loads(best[1]), json.loads(worst[1])
    row, other = Example.from_json(chosen["row"]), Example.from_json(rejected["row"])
    if row.conversation == other.conversation or not differ(chosen["text"], rejected["text"]):
        return None
    return replace(
        row,
        id=example_id("dpo", row.conversation, row.turn, other.conversation, other.turn),
        origin="better_rated",
        chosen=chosen["text"],
        rejected=rejected["text"],
        beside=((other.conversation, other.person),),
    )
