"""The events of turns and ratings: their description, what is refused, and what they are made from."""

import copy
import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from context_world import answer as rows
from context_world import context, gathered
from headrace.changes.envelope import Change, Message
from headrace.changes.formats.rows import Rows
from headrace.changes.routes import Routes
from headrace.config import Config
from headrace.config_file import load
from headrace.config_sources import FilesSource
from headrace.context.gather import Gap
from headrace.conversations.arrived import AHEAD, Arrived, Refused, arrived
from headrace.conversations.checking import problems
from headrace.conversations.events import GivenItem, MissingPart, ModelCall, Rating, Turn, WrongEvent, checked
from headrace.conversations.from_otel import ALIASES, from_otel
from headrace.conversations.schema import BOTH, RATING, TURN, tables
from headrace.conversations.turn_event import turn_event
from unit.conversations.worlds import NOW, a_rating, a_turn, an_answer

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "conversation-events.md").read_text("utf-8")
BY_LIBRARY = {name: jsonschema.Draft202012Validator(schema) for name, schema in BOTH.items()}


def full_turn() -> Turn:
    found = context(gathered(None, [rows({"gate": "B4"})], gaps=[Gap("passages", "", "slow", "TimedOut")]))
    return turn_event(
        an_answer(), found, "c1", 3, prompt="v1", channel="web", language="en", purposes=["offers", "ads"]
    )


GOOD = [full_turn(), a_turn(), a_turn(regenerates=1, revision=2), a_turn().withdrawn(), a_rating(),
        a_rating(turn=None, kind="stars", value=4, by="model", rater="judge", text="solved"),
        a_rating(kind="correction", value=None, text="Gate B5."), a_rating(kind="comment", value=None, text="No.\n"),
        a_rating(kind="hand_off", value=None),
        a_rating().taken_back(NOW)]  # fmt: skip


@pytest.mark.parametrize("event", GOOD, ids=lambda event: f"{type(event).__name__}-{event.revision}")
def test_an_event_comes_back_from_its_json_and_fits_the_published_schema(event: Turn | Rating) -> None:
    told = json.loads(json.dumps(event.to_json()))
    BY_LIBRARY[told["event"]].validate(told)
    assert checked(told) == event


def test_the_schemas_and_the_page_are_what_the_code_says() -> None:
    for name, schema in BOTH.items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert json.loads((DOCS / f"conversation-{name}.schema.json").read_text("utf-8")) == schema
    assert "\n".join(tables()) in PAGE
    for name, aliases in ALIASES.items():
        assert f"| {', '.join(f'`{one}`' for one in aliases)} | `{name}` |" in PAGE


def test_the_dataclasses_have_the_properties_of_the_schemas() -> None:
    head = {"schema", "event", "operation"}
    for kind, schema, derived in ((Turn, TURN, "event_id"), (Rating, RATING, "rating_id")):
        own = {field.name for field in fields(kind)} - {"deleted", "withdrawn"}
        assert own | head | {derived} == set(schema["properties"])
    for kind, name in ((GivenItem, "items"), (MissingPart, "gaps"), (ModelCall, "tries")):
        assert {field.name for field in fields(kind)} == set(TURN["properties"][name]["items"]["properties"])


def test_ids_follow_from_what_they_identify() -> None:
    turn, rating = a_turn(), a_rating()
    assert replace(turn, revision=9, answer="x", at=NOW).event_id == turn.event_id == turn.withdrawn().event_id
    assert len({turn.event_id, a_turn(2).event_id, a_turn(conversation="c11").event_id, a_turn(11).event_id}) == 4
    assert replace(rating, value=-1, at=NOW + timedelta(1)).rating_id == rating.rating_id
    others = [replace(rating, rater="p2"), replace(rating, kind="stars"), replace(rating, turn=None),
              replace(rating, by="agent"), replace(rating, turn=2)]  # fmt: skip
    assert len({one.rating_id for one in [rating, *others]}) == 6


def test_the_turn_holds_what_answer_and_context_say_but_no_texts_and_no_words_of_failures() -> None:
    told = full_turn().to_json()
    (item,) = told["items"]
    assert [item[name] for name in ("id", "source", "version", "stale", "text")] == ["r1", "flights", 1, False, None]
    assert told["tries"] == [
        {"provider": "bedrock", "model": "big", "seconds": 0.5, "failure": "throttled"},
        {"provider": "openai", "model": "small", "seconds": 1.0, "failure": None},
    ]
    assert told["gaps"] == [{"part": "passages", "source": "", "why": "slow"}]
    assert (told["model"], told["fallback"], told["cost"], told["purposes"]) == (
        "small",
        True,
        0.0007,
        ["ads", "offers"],
    )
    assert told["at"] == "2026-11-26T09:30:00.000000Z" and "sk-1" not in json.dumps(told)
    found = context(gathered(None, [rows({"gate": "B4"})]))
    kept = turn_event(an_answer(), found, "c1", 3, texts=True)
    assert "B4" in (kept.items[0].text or "")


def test_what_is_withdrawn_holds_no_content() -> None:
    told = json.dumps([full_turn().withdrawn().to_json(), a_rating(text="because").taken_back(NOW).to_json()])
    assert "B4" not in told and "because" not in told and '"operation": "delete"' in told


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        ("turn", {"event": "click"}, "event: expected turn or rating; found something else"),
        ("turn", {"schema": 2}, "schema: expected 1; found 2"),
        ("turn", {"turn": 0}, "turn: expected 1 or more; found 0"),
        ("turn", {"turn": True}, "turn: expected a whole number; found true"),
        ("turn", {"at": "2026-11-26T09:30:00+01:00"}, "at: expected a time in UTC such as"),
        ("turn", {"at": "2026-13-26T09:30:00Z"}, "at: expected a time in UTC such as"),
        ("turn", {"answer": None}, "answer: expected text; found null"),
        ("turn", {"operation": "delete"}, "question: expected null; found text of 2 characters"),
        ("turn", {"conversation": "a\nb"}, "conversation: expected 1 to 200 visible characters; found text of 3"),
        ("turn", {"event_id": "0" * 32}, "event_id: expected [0-9a-f]{32}, which follows from the rest"),
        ("turn", {"tokens": 3}, "tokens: expected one of schema, event,"),
        ("turn", {"items": [{"id": "p1"}]}, r"items\[0\].kind: expected .*passage.*; found nothing"),
        ("turn", {"seconds": float("nan")}, "seconds: expected a number or null; found nan"),
        ("rating", {"value": 2}, "value: expected one of -1, 1; found 2"),
        ("rating", {"value": True}, "value: expected a number or null; found true"),
        ("rating", {"kind": "stars", "value": None}, "value: expected one of 1, 2, 3, 4, 5; found null"),
        ("rating", {"kind": "comment", "value": None}, "text: expected text; found null"),
        ("rating", {"kind": "comment", "value": None, "text": " \n"}, "text: expected a text that is not empty; found"),
        ("rating", {"value": "1"}, "value: expected a number or null; found text of 1 characters"),
        ("rating", {"kind": "copy"}, "value: expected null; found 1"),
        ("turn", {"at": "0001-01-01T00:00:00Z"}, "at: expected a time since 2000-01-01; found one of the year 1"),
        ("rating", {"at": "1999-12-31T23:59:59Z"}, "at: expected a time since 2000-01-01; found one of the year 1999"),
        ("rating", {"by": "guest"}, "by: expected one of person, agent, model; found text of 5 characters"),
    ],
)
def test_what_does_not_fit_is_refused_in_plain_words(kind: str, changes: dict[str, Any], message: str) -> None:
    good = (a_turn() if kind == "turn" else a_rating()).to_json()
    with pytest.raises(WrongEvent, match=message):
        checked(good | changes)


def test_all_problems_are_told_and_no_text() -> None:
    with pytest.raises(WrongEvent, match="2 more: turn: expected") as refused:
        checked(a_turn(question="my card is 4111").to_json() | {"schema": 3, "turn": "x", "answer": 7})
    assert len(refused.value.problems) == 3
    assert "4111" not in str(refused.value)


JSON = st.none() | st.booleans() | st.integers(-2, 7) | st.sampled_from([0.5, -0.5]) | st.text("Z\x01 \n", max_size=3) \
    | st.sampled_from(["upsert", "delete", "thumbs", "comment", "copy", "answered", "person"]) | \
    st.just([]) | st.just({}) | st.just(["x"])  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(GOOD), st.data())
def test_it_refuses_what_a_validator_of_json_schema_refuses(event: Turn | Rating, data: st.DataObject) -> None:
    told = copy.deepcopy(event.to_json())
    told["event"] = data.draw(st.sampled_from(list(BOTH))) if data.draw(st.integers(0, 9)) == 0 else told["event"]
    for name in data.draw(st.lists(st.sampled_from([*told, "more"]), max_size=3)):
        if data.draw(st.booleans()):
            told.pop(name, None)
        else:
            told[name] = data.draw(JSON)
    for name, schema in BOTH.items():
        assert (next(problems(told, schema), None) is None) == BY_LIBRARY[name].is_valid(told)


def test_a_time_of_another_zone_is_written_in_utc_and_one_without_is_refused() -> None:
    east = NOW.astimezone(timezone(timedelta(hours=9)))
    assert a_rating(at=east).to_json() == a_rating().to_json()
    with pytest.raises(WrongEvent, match="a time with a zone"):
        a_rating(at=datetime(2026, 11, 26)).to_json()


@pytest.mark.parametrize("event", [a_turn(), a_rating()], ids=["turn", "rating"])
def test_what_says_it_happened_long_after_it_arrived_is_refused(event: Turn | Rating) -> None:
    told = [json.dumps(one.to_json()).encode() for one in (event, replace(event, at=NOW + AHEAD))]
    assert all(isinstance(arrived(one, NOW), Arrived) for one in told)
    assert isinstance(arrived(told[1]), Arrived)  # the transport does not say when
    late = arrived(json.dumps(replace(event, at=NOW + AHEAD + timedelta(seconds=1)).to_json()).encode(), NOW)
    assert isinstance(late, Refused) and late.reason == "wrong event"
    assert late.detail.startswith("at lies in the future: expected at most 1 day after it arrived, ")


def test_what_was_taken_with_a_wrong_time_can_be_withdrawn() -> None:
    for wrong in (datetime(1, 1, 1, tzinfo=UTC), NOW + timedelta(days=3_650)):
        for one in (a_turn(at=wrong).withdrawn(), a_rating(at=wrong).taken_back(wrong)):
            found = arrived(json.dumps(one.to_json()).encode(), NOW)
            assert isinstance(found, Arrived) and found.deleted


def test_opentelemetry() -> None:
    attributes = {
        "gen_ai.conversation.id": "c1", "gen_ai.system": "old", "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.request.model": "nova", "gen_ai.response.model": "nova-1", "gen_ai.usage.input_tokens": "811",
        "gen_ai.usage.output_tokens": 92, "gen_ai.usage.cache_read.input_tokens": 640,
        "gen_ai.response.time_to_first_chunk": 0.25, "gen_ai.response.finish_reasons": ["max_tokens"],
        "gen_ai.input.messages": json.dumps([
            {"role": "user", "parts": [{"type": "text", "content": "Before"}]},
            {"role": "assistant", "parts": [{"type": "text", "content": "Yes"}]},
            {"role": "user", "parts": [{"type": "text", "content": "And the gate?"}, {"type": "blob"}]}]),
        "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "B4"}]}],
        "gen_ai.agent.name": "not ours",
    }  # fmt: skip
    found = from_otel(attributes)
    assert found == {
        "conversation": "c1", "provider": "aws.bedrock", "model": "nova", "input_tokens": 811, "output_tokens": 92,
        "cached_tokens": 640, "seconds_to_first": 0.25, "ended": "length", "question": "And the gate?", "answer": "B4",
        "outcome": "answered",
    }  # fmt: skip
    event = Turn(turn=1, at=NOW, **found)
    assert checked(event.to_json()) == event


def test_opentelemetry_that_cannot_be_read_is_left_out() -> None:
    odd = {"gen_ai.usage.input_tokens": "many", "gen_ai.input.messages": "{", "gen_ai.output.messages": [{"role": 1}],
           "gen_ai.response.finish_reasons": [], "error.type": "timeout"}  # fmt: skip
    assert from_otel(odd) == {"outcome": "failed"}
    assert from_otel({"gen_ai.response.finish_reasons": ("content_filter",)}) == {
        "ended": "refused",
        "outcome": "refused",
    }
    assert from_otel({"gen_ai.usage.prompt_tokens": 3, "gen_ai.usage.input_tokens": True})["outcome"] == "answered"


@pytest.fixture
def page(tmp_path: Path) -> Config:
    file = tmp_path / "headrace.yaml"
    file.write_text(PAGE.split("```yaml\n", 1)[1].split("```", 1)[0], encoding="utf-8")
    return load(file)


def test_the_settings_of_the_page_name_properties(page: Config) -> None:
    (feed,) = page.sources.values()
    assert isinstance(feed, FilesSource) and isinstance(feed.position, tuple) and feed.operation
    named = {feed.operation.column, feed.table, feed.changed_at, *(one.column for one in feed.position)}
    for name, table in page.tables.items():
        schema = BOTH[table.source_table or ""]
        assert {*table.key, *table.drop, *named, *table.types} <= set(schema["properties"]), name
        assert {*table.key, *named} <= set(schema["required"]), name
        numbers = {key for key, each in schema["properties"].items() if each.get("type") not in ("string", None)}
        assert {key for key in numbers if not _is_text(schema["properties"][key])} <= set(table.types), name


def _is_text(schema: dict[str, Any]) -> bool:
    return schema.get("type") == ["string", "null"]


def test_events_become_changes_in_the_order_of_revision_and_time(page: Config) -> None:
    (feed,) = page.sources.values()
    assert isinstance(feed, FilesSource)
    decode = Rows(feed, Routes(page.tables))

    def change(event: Turn | Rating) -> Change:
        (made,) = decode(Message(None, json.dumps(event.to_json()).encode()))
        assert isinstance(made, Change), made
        return made

    for event in GOOD:
        made = change(event)
        assert made.op == ("delete" if made.after.keys() <= {"conversation", "turn", "rating_id"} else "upsert")
        assert made.types["turn"] == "bigint" if "turn" in made.after else True
    assert [change(one).op for one in (a_turn(), a_turn().withdrawn(), a_rating().taken_back(NOW))] == [
        "upsert", "delete", "delete",
    ]  # fmt: skip
    full = change(full_turn())
    assert json.loads(full.after["items"] or "")[0]["source"] == "flights"
    assert (full.types["items"], full.types["citations"], full.types["cost"]) == ("string", "array<string>", "double")
    turn, later = a_turn(revision=9), NOW + timedelta(days=1)
    rising = [a_turn(), replace(a_turn(), at=later), turn, turn.withdrawn()]
    assert sorted(reversed(rising), key=lambda one: change(one).position) == rising
    ratings = [a_rating(), a_rating(at=NOW + timedelta(microseconds=1)), a_rating(at=later)]
    assert sorted(reversed(ratings), key=lambda one: change(one).position) == ratings
    assert {change(one).table for one in GOOD} == {"turn", "rating"}
