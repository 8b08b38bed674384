"""Scripted travellers: events that fit their description, counts that an independent reckoning confirms."""

from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from headrace.conversations.arrived import Arrived, arrived
from headrace.testing.measures_oracle import measures_truth
from headrace.travel.talk_events import Event, as_line, identity
from headrace.travel.talk_truth import TOLD, truth
from headrace.travel.topics import TOPICS
from headrace.travel.travellers import CHANNELS, MODEL, PARTS, SECOND, Travellers

UNTIL = datetime(2026, 11, 27, 1, tzinfo=UTC)
PEOPLE = [f"customer-{number}" for number in range(60)]
MAY_MISS = ("tenant", "provider", "model", "fallback", "input_tokens", "output_tokens", "cached_tokens", "cost")


@pytest.fixture(scope="module")
def travellers() -> Travellers:
    return Travellers(PEOPLE, UNTIL)


def of(travellers: Travellers, kind: str) -> list[dict[str, Any]]:
    """Turns or ratings as the oracle wants them."""
    empty = dict.fromkeys(MAY_MISS)
    return [
        {**empty, **event, "at": datetime.fromisoformat(event["at"])}
        for event in travellers.final.values()
        if event["event"] == kind
    ]


def test_every_event_is_one_that_the_job_takes(travellers: Travellers) -> None:
    told = [arrived(as_line(event).encode()) for event in travellers.events]
    assert [one for one in told if not isinstance(one, Arrived)] == []


@pytest.mark.parametrize("seed", [7, 8, 9])
def test_the_script_counts_as_the_measures_oracle_does(seed: int) -> None:
    travellers = Travellers(PEOPLE, UNTIL, seed)
    counted = truth(travellers.final)
    turns, ratings = of(travellers, "turn"), of(travellers, "rating")
    for measure in TOLD:
        sums: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
        for (_, (intent,)), parts in measures_truth(turns, ratings, measure, ("intent",)).items():
            sums[measure, intent][0] += parts[0]
            sums[measure, intent][1] += parts[1]
        mine = {key: list(both) for key, both in counted.items() if key[0] == measure}
        assert mine == {key: both for key, both in sums.items() if any(both)}


def test_the_same_seed_tells_the_same_story(travellers: Travellers) -> None:
    again = Travellers(PEOPLE, UNTIL)
    assert (again.events, again.parts()) == (travellers.events, travellers.parts())
    assert Travellers(PEOPLE, UNTIL, seed=8).events != travellers.events


def test_several_hundred_turns_and_every_kind_of_rating(travellers: Travellers) -> None:
    living = [event for event in travellers.final.values() if event["operation"] == "upsert"]
    assert sum(event["event"] == "turn" for event in living) > 300
    kinds = {event["kind"] for event in living if event["event"] == "rating"}
    assert kinds == {"thumbs", "stars", "comment", "correction", "regenerate", "copy", "abandon", "hand_off"}
    assert {event["outcome"] for event in living if event["event"] == "turn"} >= {"answered", "refused", "failed"}


def test_answers_are_told_to_be_scripted(travellers: Travellers) -> None:
    models = {event.get("model") for event in travellers.events if event["event"] == "turn"}
    assert models <= {MODEL, SECOND, None} and all("scripted" in str(name) for name in models - {None})


def test_minds_are_changed_ratings_taken_back_and_turns_erased(travellers: Travellers) -> None:
    later = [event for event in travellers.events if event["revision"]]
    assert {(event["event"], event["operation"]) for event in later} == {
        ("rating", "upsert"),
        ("rating", "delete"),
        ("turn", "delete"),
    }
    assert all("question" not in event and "text" not in event for event in later if event["operation"] == "delete")


def test_the_parts_hold_every_event_some_twice_and_ratings_before_their_turns(travellers: Travellers) -> None:
    parts = travellers.parts()
    assert len(parts) == PARTS
    arrived_events = [event for part in parts for event in part]
    assert {as_line(event) for event in arrived_events} == {as_line(event) for event in travellers.events}
    assert len(arrived_events) > len(travellers.events)
    first = {identity(event): part for part in reversed(range(PARTS)) for event in parts[part]}
    turns = {(event["conversation"], event["turn"]): first[identity(event)] for event in arrived_events
             if event["event"] == "turn"}  # fmt: skip
    ratings = [event for event in parts[0] if event["event"] == "rating" and event["turn"]]
    assert any(turns[event["conversation"], event["turn"]] > 0 for event in ratings)


def test_corrections_hold_the_right_answer_and_right_answers_their_document(travellers: Travellers) -> None:
    right = {topic.right for topic in TOPICS}
    corrections = [
        event["text"] for event in travellers.events if event.get("kind") == "correction" and event.get("text")
    ]
    assert corrections and set(corrections) <= right
    documents = Path(__file__).parents[3] / "lib/headrace/travel/documents"
    assert {topic.document for topic in TOPICS} <= {file.name for file in documents.iterdir()}


def test_the_newer_prompt_is_liked_more(travellers: Travellers) -> None:
    prompt = {(event["conversation"], event["turn"]): event["prompt"] for event in of(travellers, "turn")}
    thumbs: dict[str, list[int]] = defaultdict(list)
    for event in of(travellers, "rating"):
        if event["kind"] == "thumbs" and event["operation"] == "upsert":
            thumbs[prompt[event["conversation"], event["turn"]]].append(event["value"])
    assert sum(thumbs["v2"]) / len(thumbs["v2"]) > sum(thumbs["v1"]) / len(thumbs["v1"])


def test_parts_are_written_as_lines(travellers: Travellers, tmp_path: Path) -> None:
    counts = travellers.write(tmp_path / "events")
    files = sorted((tmp_path / "events").iterdir())
    assert (
        [len(file.read_text().splitlines()) for file in files] == counts == [len(part) for part in travellers.parts()]
    )
    assert set(CHANNELS) >= {event["channel"] for event in of(travellers, "turn")}


def test_a_withdrawn_turn_and_its_ratings_count_for_nothing() -> None:
    def turn(**values: Any) -> Event:
        base = {
            "event": "turn", "operation": "upsert", "conversation": "c", "turn": 1, "intent": "pets",
            "outcome": "answered", "regenerates": None, "fallback": False, "items": [], "citations": [],
            "tries": [{"failure": None}],
        }  # fmt: skip
        return {**base, **values}

    thumbs = {"event": "rating", "operation": "upsert", "conversation": "c", "turn": 1, "by": "person",
              "kind": "thumbs", "value": 1}  # fmt: skip
    counted = truth({"t": turn(), "r": thumbs})
    assert counted["thumbs_up", "pets"] == (1, 1) and counted["rated", "pets"] == (1, 1)
    assert truth({"t": turn(operation="delete"), "r": thumbs}) == {}
