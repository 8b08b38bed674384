"""The conversation store over a SQLite file, and over a DynamoDB that keeps its conditions in memory."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.config_keyed_stores import DynamoDbRows, SqliteRows
from headrace.conversations.said import MOST_CHARACTERS, Said
from headrace.conversations.store import Conversations
from headrace.conversations.store_keys import SLOTS
from headrace.errors import Fatal, Retryable
from headrace.ports_chat import ChatMessage
from headrace.stores import dynamodb_table, keyed
from unit.conversations.worlds import NOW

IDS = count()
KEEP = timedelta(days=30)


class Clock:
    """A time that a test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class Table:
    """A client of one DynamoDB table: puts and updates with the store's conditions, no pages, no throttling."""

    class exceptions:
        ConditionalCheckFailedException = ClientError

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.lock = Lock()

    def describe_table(self, TableName: str) -> dict[str, Any]:
        keys = [{"AttributeName": "pk", "KeyType": "HASH"}]
        kinds = [{"AttributeName": "pk", "AttributeType": "S"}]
        return {"Table": {"TableStatus": "ACTIVE", "KeySchema": keys, "AttributeDefinitions": kinds}}

    def put_item(self, TableName: str, Item: dict[str, Any], ConditionExpression: str, **more: Any) -> None:
        guarded = "v < :v" in ConditionExpression
        with self.lock:
            held = self.items.get(Item["pk"]["S"])
            if held is not None and not (guarded and int(held["v"]["N"]) < int(Item["v"]["N"])):
                raise ClientError({"Error": {"Code": "ConditionalCheckFailedException"}}, "PutItem")
            self.items[Item["pk"]["S"]] = Item

    def update_item(self, Key: dict[str, Any], ExpressionAttributeValues: dict[str, Any], **more: Any) -> None:
        claim, version = self.items[Key["pk"]["S"]], ExpressionAttributeValues[":v"]
        if int(claim["newest"]["N"]) >= int(version["N"]):
            raise ClientError({"Error": {"Code": "ConditionalCheckFailedException"}, "Item": claim}, "UpdateItem")
        claim["newest"] = version

    def get_item(self, Key: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {"Item": self.items[Key["pk"]["S"]]} if Key["pk"]["S"] in self.items else {}

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:
        ((name, asked),) = RequestItems.items()
        keys = [key["pk"]["S"] for key in asked["Keys"]]
        return {"Responses": {name: [self.items[key] for key in keys if key in self.items]}}

    def scan(self, **more: Any) -> dict[str, Any]:
        return {"Items": list(self.items.values())}

    def close(self) -> None:
        pass


@pytest.fixture(params=["sqlite", "dynamodb"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    if request.param == "sqlite":
        return SqliteRows(path=str(tmp_path / "c.db"))
    table = Table()
    monkeypatch.setattr(dynamodb_table, "client", lambda _: table)
    return DynamoDbRows(store="dynamodb", table="conversations")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(place: Any, clock: Clock) -> Iterator[Conversations]:
    made = opened(place, clock)
    yield made
    made.close()


def opened(place: Any, clock: Clock) -> Conversations:
    return Conversations(keyed.rows(place), keyed.reader(place), KEEP, clock, lambda seconds: None)


def texts(store: Conversations, conversation: str = "c1") -> list[str]:
    return [message.text for message in store.messages(conversation)]


def test_turns_come_back_as_messages_in_order(store: Conversations) -> None:
    assert store.messages("c1") == [] and store.next_turn("c1") == 1
    assert [store.add("c1", f"q{n}", f"a{n}", NOW) for n in (1, 2)] == [1, 2]
    store.add("c2", "other", "", NOW)
    assert store.messages("c1") == [
        ChatMessage("user", "q1"), ChatMessage("assistant", "a1"),
        ChatMessage("user", "q2"), ChatMessage("assistant", "a2"),
    ]  # fmt: skip
    assert texts(store, "c2") == ["other"]
    assert store.next_turn("c1") == 3


def test_the_newest_turns_are_kept_and_numbers_go_on(store: Conversations) -> None:
    for n in range(1, SLOTS + 6):
        assert store.add("c1", f"q{n}", "", NOW) == n
    assert texts(store) == [f"q{n}" for n in range(6, SLOTS + 6)]


def test_a_repeat_and_an_old_revision_change_nothing_and_a_later_one_wins(store: Conversations) -> None:
    first = Said("c1", 1, NOW, "q", "a")
    assert store.put(first) and not store.put(first)
    assert store.put(Said("c1", 1, NOW, "q", "better", revision=2))
    assert not store.put(Said("c1", 1, NOW, "q", "late", revision=1))
    assert texts(store) == ["q", "better"]
    assert store.add("c1", "again", "", NOW, asked="x") == store.add("c1", "again", "", NOW, asked="x") == 2


def test_an_answer_that_was_generated_anew_takes_the_place_of_the_first(store: Conversations) -> None:
    store.add("c1", "q", "bad", NOW)
    store.add("c1", "q", "good", NOW, regenerates=1)
    assert texts(store) == ["q", "good"]


def test_turns_of_many_writers_at_once_are_all_there(place: Any, clock: Clock) -> None:
    writers = [opened(place, clock) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(lambda n: writers[n % 4].add("c1", f"q{n}", "", NOW, person="p1"), range(SLOTS)))
    assert sorted(numbers) == list(range(1, SLOTS + 1))
    assert sorted(texts(writers[0])) == sorted(f"q{n}" for n in range(SLOTS))
    for one in writers:
        one.close()


def test_conversations_begun_at_once_are_all_found_for_erasure(place: Any, clock: Clock) -> None:
    writers = [opened(place, clock) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: writers[n % 4].add(f"c{n}", "q", "", NOW, person="p1"), range(40)))
    writers[0].add("other", "q", "", NOW, person="p2")
    assert writers[1].erase_person(["p1", "never seen"]) == 40
    assert [texts(writers[2], f"c{n}") for n in range(40)] == [[]] * 40
    assert texts(writers[2], "other") == ["q"]
    assert writers[1].erase_person(["p1"]) == 0
    for one in writers:
        one.close()


def test_a_loser_of_the_guard_takes_the_next_number(
    store: Conversations, place: Any, clock: Clock, monkeypatch
) -> None:
    other, put = opened(place, clock), Conversations.put
    come = iter([True])

    def late(self: Conversations, said: Said) -> bool:
        if self is store and next(come, False):
            other.add("c1", "faster", "", NOW)
        return put(self, said)

    monkeypatch.setattr(Conversations, "put", late)
    assert store.add("c1", "slower", "", NOW) == 2
    assert texts(store) == ["faster", "slower"]
    other.close()


def test_what_was_erased_stays_so(store: Conversations, place: Any) -> None:
    store.add("c1", "secret words", "answer", NOW, person="p1")
    assert store.erase_person(["p1"]) == 1
    with pytest.raises(Fatal, match="Begin another conversation"):
        store.add("c1", "late", "", NOW, person="p1")
    assert not store.put(Said("c1", 7, NOW, "late", "", revision=9))
    assert store.messages("c1") == []
    assert store.add("c9", "new", "", NOW, person="p2") == 1
    if isinstance(place, SqliteRows):
        with closing(sqlite3.connect(place.path)) as connection:
            kept = str(connection.execute("select key, body from rows").fetchall())
    else:
        kept = str(dynamodb_table.client(place).items)
    assert "c:c9:1" in kept and "new" in kept
    assert "secret" not in kept and "p1" not in kept


def test_a_withdrawn_turn_keeps_its_number_without_content(store: Conversations) -> None:
    store.add("c1", "q1", "a1", NOW, asked="x")
    assert store.withdraw("c1", 1)
    assert not store.withdraw("c1", 1) and not store.withdraw("c1", 5)
    assert store.messages("c1") == []
    assert not store.put(Said("c1", 1, NOW, "q1", "a1"))
    assert store.add("c1", "q1", "a1", NOW, asked="x") == 1
    assert store.add("c1", "q2", "", NOW) == 2
    assert texts(store) == ["q2"]


def test_old_turns_are_not_shown_and_expire(store: Conversations, clock: Clock) -> None:
    store.add("c1", "old", "", NOW)
    store.add("c2", "old", "", NOW)
    store.add("c2", "young", "", NOW + timedelta(days=20))
    clock.now = NOW + timedelta(days=31)
    assert (texts(store), texts(store, "c2")) == ([], ["young"])
    assert store.next_turn("c1") == 2
    assert store.expire() == 2 and store.expire() == 0
    assert texts(store, "c2") == ["young"]
    assert store.add("c2", "more", "", clock.now) == 3
    with pytest.raises(Fatal, match="is over"):
        store.add("c1", "late", "", clock.now)


def test_what_leaves_the_index_of_a_person_is_removed(store: Conversations, clock: Clock, monkeypatch) -> None:
    monkeypatch.setattr("headrace.conversations.store_keys.BUCKETS", 1)
    store.add("c1", "old", "", NOW, person="p1")
    clock.now = NOW + timedelta(days=40)
    store.add("c2", "new", "", clock.now, person="p1")
    assert store.expire() == 0
    assert store.erase_person(["p1"]) == 1


@pytest.mark.parametrize("conversation", ["", "a\nb", "x" * 201, "\ud800"], ids=range(4))
def test_an_id_that_no_store_takes_is_refused(store: Conversations, conversation: str) -> None:
    with pytest.raises(Fatal, match="1 to 200 visible characters"):
        store.add(conversation, "q", "", NOW)


def test_long_and_broken_texts_are_kept_as_far_as_they_go(store: Conversations) -> None:
    store.add("鍵" * 200, "鍵" * 100_000, "\ud800\x01" * 100_000, NOW, person="鍵" * 200)
    question, answer = texts(store, "鍵" * 200)
    assert (len(question), len(answer), answer[:2]) == (MOST_CHARACTERS, MOST_CHARACTERS, "?\x01")


def test_a_store_that_is_away_says_so(tmp_path: Path, clock: Clock) -> None:
    store = opened(SqliteRows(path=str(tmp_path / "c.db")), clock)
    (tmp_path / "c.db").unlink()
    with pytest.raises((Fatal, Retryable), match="no such store"):
        store.add("c1", "q", "", NOW)
    store.close()


def test_a_store_of_profiles_is_not_taken(tmp_path: Path, clock: Clock) -> None:
    place = SqliteRows(path=str(tmp_path / "profiles.db"))
    profiles = keyed.rows(place)
    profiles.open("outbox-of-profiles")
    with pytest.raises(Fatal, match="'outbox-of-profiles' has claimed it"):
        opened(place, clock)
    profiles.close()


PUTS = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 3), st.booleans()), max_size=60)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Conversations]:
    made = opened(SqliteRows(path=str(tmp_path_factory.mktemp("any") / "c.db")), Clock())
    yield made
    made.close()


@settings(max_examples=60, deadline=None)
@given(PUTS, st.randoms())
def test_any_order_with_repeats_holds_the_newest_revisions_of_the_newest_turns(shared, puts, random) -> None:
    conversation = f"c{next(IDS)}"
    once = {(turn, revision): gone for turn, revision, gone in puts}
    events = [Said(conversation, turn, NOW, f"{turn}.{revision}", "", revision=revision, withdrawn=gone)
              for (turn, revision), gone in once.items()]  # fmt: skip
    sent = events * 2
    random.shuffle(sent)
    for one in sent:
        shared.put(one)
    newest: dict[int, Said] = {}
    for one in sorted(events, key=lambda one: (one.turn, one.revision)):
        newest[one.turn % SLOTS] = one
    kept = sorted(newest.values(), key=lambda one: one.turn)
    assert texts(shared, conversation) == [one.question for one in kept if not one.withdrawn]
