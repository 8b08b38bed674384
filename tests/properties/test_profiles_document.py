"""Whatever the rows are and however they are cut and ordered, a profile equals its slow and obvious rebuild."""

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.context.profile_text import render
from headrace.profiles import buckets as bucket_module
from headrace.profiles.buckets import Bucket, Event, add, bucket, buckets, from_json, to_json
from headrace.profiles.document import Built, build, digest
from headrace.profiles.inputs import Inputs
from headrace.profiles.schema import PROFILE
from headrace.profiles.values import canonical
from headrace.testing.profile_oracle import profile_truth, truth_digest
from properties.profile_worlds import World, worlds

SHAPE = jsonschema.Draft202012Validator(PROFILE)
seeds = st.integers(0, 2**32)


def parts(world: World, random: Random) -> list[Bucket]:
    """Buckets of random parts of the events, in random order: several of one hour are common."""
    feed = world.settings.behaviour["web"]
    cuts: list[list[Event]] = [[], [], []]
    for event in world.events["web"]:
        random.choice(cuts).append(event)
    found = [one for cut in cuts for one in buckets(cut, feed)]
    random.shuffle(found)
    return found


def built(world: World, seed: int, now: datetime | None = None) -> Built:
    """The profile from rows in random order."""
    random = Random(seed)
    rows = world.inputs
    records, related, statements = ([*rows.records], [*rows.related], [*rows.statements])
    for each in (records, related, statements):
        random.shuffle(each)  # type: ignore[arg-type]
    inputs = Inputs(rows.person, records, related, statements, {"web": parts(world, random)})
    return build(world.settings, inputs, now or world.now)


def check(world: World, seed: int) -> Built:
    """The profile, compared with its rebuild, its schema and its limit."""
    found = built(world, seed)
    document, refused = profile_truth(world.settings, world.inputs, world.events, world.now)

    assert found.document == document
    assert json.loads(canonical(found.document)) == found.document
    assert {(r.section, r.record, r.key, r.field, r.size, r.limit) for r in found.refused} == refused
    assert digest(found.document) == truth_digest(document)
    SHAPE.validate(found.document)
    return found


@settings(max_examples=120)
@given(world=worlds(), seed=seeds)
def test_a_profile_equals_its_rebuild_in_any_order_of_rows_and_events(world: World, seed: int) -> None:
    found = check(world, seed)

    assert canonical(built(world, seed + 1).document) == canonical(found.document)


@settings(max_examples=80)
@given(world=worlds(longest=range(1_000, 4_000, 20)), seed=seeds)
def test_a_document_that_is_too_long_loses_what_matters_least_and_no_more(world: World, seed: int) -> None:
    found = check(world, seed)

    if found.document["fields"]:
        assert len(canonical(found.document)) <= world.settings.max_bytes


@settings(max_examples=80)
@given(world=worlds(), seed=seeds, share=st.floats(0, 1))
def test_before_it_is_due_time_changes_nothing(world: World, seed: int, share: float) -> None:
    found = built(world, seed)
    until = found.due_at or world.now + timedelta(days=400)
    assert until > world.now

    for later in (world.now + (until - world.now) * share, until - timedelta(microseconds=1)):
        if later < until:
            again = built(world, seed, later)
            assert again.document == found.document
            assert again.due_at == found.due_at


@settings(max_examples=120)
@given(world=worlds(), seed=seeds)
def test_parts_of_an_hour_add_up_in_any_order_and_grouping(world: World, seed: int) -> None:
    feed, random = world.settings.behaviour["web"], Random(seed)
    hour = datetime(2026, 3, 1, tzinfo=UTC)
    events = [replace(event, at=event.at.replace(year=2026, month=3, day=1, hour=0)) for event in world.events["web"]]
    if not events:
        return
    pieces = [bucket([event], feed) for event in events]
    random.shuffle(pieces)
    while len(pieces) > 1:
        one, other = pieces.pop(random.randrange(len(pieces))), pieces.pop(random.randrange(len(pieces)))
        sum_ = add(one, other, feed.session_gap)
        assert sum_ == add(other, one, feed.session_gap)
        pieces.append(sum_)

    assert pieces == [bucket(events, feed)]
    assert pieces[0].hour == hour
    written = json.dumps(to_json(pieces[0]))
    assert from_json(json.loads(written)) == pieces[0]
    assert json.dumps(to_json(from_json(json.loads(written)))) == written


@settings(max_examples=60)
@given(world=worlds(), seed=seeds)
def test_values_beyond_the_limit_of_an_hour_are_counted_together_however_it_is_cut(world: World, seed: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bucket_module, "VALUES", 2)
        found = built(world, seed).document
    document, _ = profile_truth(world.settings, world.inputs, world.events, world.now, counted=2)

    assert found == document


@settings(max_examples=80)
@given(world=worlds(longest=(1_500, 65_536)), seed=seeds, later=st.integers(0, 50))
def test_a_prompt_shows_nothing_that_is_not_agreed_to_now(world: World, seed: int, later: int) -> None:
    document = built(world, seed).document
    now = world.now + timedelta(hours=later)
    states = built(world, seed, now).document["consent"]
    hidden = [place for place, purpose in document["purposes"].items() if not may(document, states, purpose, now)]
    without = copy.deepcopy(document)
    for place in hidden:
        section, _, name = place.partition(".")
        del without[section][name]

    text = render(document, now=now)

    assert text.rpartition("Left out")[0] == render(without, now=now).rpartition("Left out")[0]
    assert f"Left out: {len(hidden)} not agreed to" in text or not hidden
    assert all(line.isprintable() for line in text.splitlines())
    assert text == render(json.loads(canonical(document)), now=now)


def may(document: dict[str, Any], states: dict[str, Any], purpose: str, now: datetime) -> bool:
    """Whether the purpose is allowed now; an old document is not believed once time alone has changed a state."""
    changes_at = document["consent"].get(purpose, {}).get("changes_at")
    passed = changes_at is not None and datetime.fromisoformat(changes_at) <= now
    return bool(states.get(purpose, {}).get("granted")) and purpose in document["consent"] and not passed
