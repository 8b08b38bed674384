"""Contexts from sources: a real store of rows, a profile, an index that may be slow or broken."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest

import headrace
from context_world import profiles_of
from headrace.config_context import Context as Settings
from headrace.config_context import Part
from headrace.context.asks import Ask
from headrace.context.assemble import Assembler
from headrace.context.context import LeftOut
from headrace.context.gather import Gap, Sources
from headrace.context.profile import Profiles
from headrace.context.prompt import request
from headrace.errors import ConfigError, Fatal, Unreachable
from headrace.ports import Filters, Hit
from headrace.ports_chat import ChatMessage
from headrace.testing.passages import body, without_vector
from served_world import NOW, Served
from unit.profiles.people import booking, profile, record, said

PATIENT: dict[str, Any] = {part: {"timeout": "60s"} for part in ("rows", "profile", "passages")}
WORDS = Settings(mode="words", **PATIENT)
QUICK = Settings(mode="words", **PATIENT | {"passages": {"timeout": "0.05s"}})
FLIGHT = "Is LH12 on time?"


class Index:
    """An index that finds one passage, or does what a test says."""

    def __init__(self, instead: Callable[[], list[Hit]] | None = None) -> None:
        self.instead, self.filters = instead, Filters()

    def by_words(self, text: str, filters: Filters, limit: int) -> list[Hit]:
        self.filters = filters
        return self.instead() if self.instead else [Hit("k", 1, 2.0, without_vector(body("LH12 has meals.")))]

    def model(self) -> Any:
        raise AssertionError("nobody asks")

    by_vector = model


class Away:
    """A store that does what a test says."""

    def __init__(self, instead: Callable[[], Any]) -> None:
        self.instead = instead

    def read(self, keys: Any) -> Any:
        return self.instead()

    having = read

    def close(self) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    made = Served(tmp_path)
    made.put("flights", '["1"]', number="LH12", flight_id=1, status="SCHEDULED")
    made.put("flights", '["2"]', number="LH99", flight_id=2, status="CANCELLED")
    made.beat("flights")
    yield made
    made.close()


def people(*rows: Any, **changes: Any) -> Profiles:
    return Profiles(profiles_of(profile(*rows, **changes).document), None, ())  # type: ignore[arg-type]


def fails(error: Exception) -> Callable[[], Any]:
    def raising() -> Any:
        raise error

    return raising


def sources_of(found: Any) -> list[tuple[str, str]]:
    return [(item.source, item.key) for item in found.items]


def test_a_question_finds_rows_profile_and_passages(served: Served) -> None:
    store = people(record("shop", "Ada"), booking("b", flight_id=2, hotel="Porto"))
    found = Assembler(WORDS, Sources(store, served.lookups, Index())).assemble(
        FLIGHT, "p1", [ChatMessage("user", "Hi")], now=NOW
    )

    # One flight is named in the question, the other in the person's booking.
    assert sources_of(found) == [
        ("flights", '["1"]'), ("flights", '["2"]'), ("fields", "p1"), ("related.bookings", "p1"),
        ("behaviour.web", "p1"), ("handbook", "k"),
    ]  # fmt: skip
    assert "SCHEDULED" in found.items[0].text and "CANCELLED" in found.items[1].text
    assert (found.gaps, found.turns) == ((), (ChatMessage("user", "Hi"),))


def test_a_change_at_the_source_changes_the_next_context(served: Served) -> None:
    assembler = Assembler(WORDS, Sources(lookups=served.lookups))
    before = assembler.assemble(FLIGHT, now=NOW).items[0]
    served.put("flights", '["1"]', number="LH12", flight_id=1, status="CANCELLED")
    after = assembler.assemble(FLIGHT, now=NOW).items[0]
    assert "SCHEDULED" in before.text and "CANCELLED" in after.text
    assert (before.version < after.version, after.position) == (True, "pos-4")


def test_the_application_can_ask_for_rows_and_for_its_reader(served: Served) -> None:
    index, who = Index(), Filters(tenant="t", audience=("gold",))
    found = Assembler(WORDS, Sources(lookups=served.lookups, passages=index)).assemble(
        "What about it?", rows=[Ask("flights", {"flight_id": 2})], filters=who, now=NOW
    )
    assert sources_of(found)[0] == ("flights", '["2"]') and index.filters == who

    Assembler(WORDS, Sources(passages=index)).assemble("What about it?", now=NOW)
    assert index.filters == Filters()


def test_what_a_person_did_not_agree_to_leads_to_no_look_up(served: Served) -> None:
    bookings = {"table": "t_bookings", "by": {"shop": "c"}, "purpose": "trips"}
    rows = [booking("b", flight_id=2)]
    secret = {"related": {"bookings": bookings}}

    def found(*more: Any, purposes: list[str] | None = None) -> list[tuple[str, str]]:
        sources = Sources(people(*rows, *more, **secret), served.lookups)
        return sources_of(Assembler(WORDS, sources).assemble("And mine?", "p1", purposes=purposes, now=NOW))

    assert ("flights", '["2"]') in found(said("trips", True))
    assert ("flights", '["2"]') not in found(said("trips", False))
    assert ("flights", '["2"]') not in found()
    assert ("flights", '["2"]') not in found(said("trips", True), purposes=["news"])


def test_sources_that_fail_leave_named_gaps(served: Served) -> None:
    class Broken(Exception):
        pass

    away = Unreachable(expected="a server", found="no answer from db-7", todo="Wait.")
    served.lookups._readers["live"] = Away(fails(away))  # type: ignore[assignment]
    sources = Sources(
        Profiles(Away(fails(Broken("secret"))), None, ()),  # type: ignore[arg-type]
        served.lookups,
        Index(fails(away)),  # type: ignore[arg-type]
    )
    found = Assembler(WORDS, sources).assemble(FLIGHT, "p1", now=NOW)

    assert set(found.gaps) == {
        Gap("profile", "", "failed", "Broken"), Gap("rows", "flights", "unavailable", "Unreachable"),
        Gap("passages", "", "unavailable", "Unreachable"),
    }  # fmt: skip
    assert found.items == () and "secret" not in str(found.to_json()) and "db-7" not in str(found.to_json())
    asked = request(found, Assembler(WORDS, sources).template)
    assert "could not be read just now: the customer's profile, current rows, passages of documents." in asked.system


def test_a_slow_source_is_left_behind_and_later_calls_do_not_pile_up(served: Served) -> None:
    answer = Event()

    def hang() -> list[Hit]:
        answer.wait(60)
        return []

    assembler = Assembler(QUICK, Sources(lookups=served.lookups, passages=Index(hang)))  # type: ignore[arg-type]
    try:
        gaps = []
        for _ in range(18):
            found = assembler.assemble(FLIGHT, now=NOW)
            assert sources_of(found) == [("flights", '["1"]')]
            gaps += [gap.why for gap in found.gaps]
        assert gaps == ["slow"] * 16 + ["busy"] * 2
    finally:
        answer.set()


def test_look_ups_beyond_the_most_are_told(served: Served) -> None:
    many = [Ask("flights", {"flight_id": number}) for number in range(25)]
    sources = Sources(people(booking("b", flight_id=7), booking("c", flight_id=70)), served.lookups)
    found = Assembler(WORDS, sources).assemble("And?", "p1", rows=many, now=NOW)
    assert [one for one in found.left_out if one.reason == "limit"] == [LeftOut("rows", "limit", 6)]
    assert ("flights", '["1"]') in sources_of(found) and ("flights", '["2"]') in sources_of(found)


def test_a_look_up_that_cannot_be_made_is_a_gap(served: Served) -> None:
    rows = [Ask("users", {"id": 1}), Ask("flights", {"gate": "B"}), Ask("rooms", {"hotel": "Porto"})]
    found = Assembler(WORDS, Sources(lookups=served.lookups)).assemble("And?", rows=rows, now=NOW)
    assert found.gaps == (Gap("rows", "users", "failed", "Fatal"), Gap("rows", "flights", "failed", "Fatal"))
    assert sources_of(found) == [("rooms", 'none:{"hotel": "Porto"}')]


def test_nobody_known_is_told(served: Served) -> None:
    store = people(record("shop", "Ada"))
    assert Assembler(WORDS, Sources(store)).assemble("Hi", "p2", now=NOW).gaps == (
        Gap("profile", "", "unknown person"),
    )
    found = Assembler(WORDS, Sources(store)).assemble("Hi", now=NOW)
    assert (found.gaps, found.items, found.person) == ((), (), None)


def test_a_profile_that_cannot_be_read_is_a_gap() -> None:
    document = profile().document | {"schema": 2}
    store = Profiles(profiles_of(document), None, ())  # type: ignore[arg-type]
    found = Assembler(WORDS, Sources(store)).assemble("Hi", "p1", now=NOW)
    assert (found.gaps, found.items) == ((Gap("profile", "", "failed", "Fatal"),), ())


def test_no_embedder_is_a_gap_where_vectors_are_asked_for() -> None:
    class Model(Index):
        def model(self) -> Any:
            return "m", 3, "f"

    found = Assembler(Settings(), Sources(passages=Model())).assemble("Hi", now=NOW)  # type: ignore[arg-type]
    assert found.gaps == (Gap("passages", "", "failed", "Fatal"),)


@pytest.mark.parametrize(
    ("question", "message"),
    [(" \u200b\n", "expected a question; found none"), ("x" * 4_001, "at most 4000 characters; found 4001"),
     ("x" * 4_000, r"one that leaves 1000 tokens to the prompt; found 1\d\d\d tokens")],
)  # fmt: skip
def test_a_question_that_cannot_be_asked_is_an_error(question: str, message: str) -> None:
    with pytest.raises(Fatal, match=message):
        Assembler(Settings(tokens=1_000), Sources()).assemble(question, now=NOW)


def test_a_moment_without_a_zone_is_an_error() -> None:
    with pytest.raises(Fatal, match="expected a time with a zone"):
        Assembler(WORDS, Sources()).assemble("Hi", now=datetime(2026, 1, 1))


def test_a_template_that_leaves_no_room_is_an_error_at_start(tmp_path: Path) -> None:
    file = tmp_path / "long.txt"
    file.write_text("word " * 2_000 + "$items", "utf-8")
    with pytest.raises(ConfigError, match=r"expected a template of at most 800 tokens; found 3\d\d\d"):
        Assembler(Settings(tokens=1_000, template=str(file)), Sources())


def test_headraces_own_template_fits_the_least_that_settings_may_say(served: Served) -> None:
    (least,) = (one.ge for one in Settings.model_fields["tokens"].metadata if hasattr(one, "ge"))
    found = Assembler(Settings(tokens=least), Sources(lookups=served.lookups)).assemble(FLIGHT, now=NOW)
    assert sources_of(found)[0] == ("flights", '["1"]')


def test_tokens_can_be_counted_by_another_rule(served: Served) -> None:
    sources = Sources(lookups=served.lookups)
    few = Assembler(Settings(tokens=6_000, rows=Part(most=1_000)), sources, count=lambda text: len(text) // 4)
    many = Assembler(Settings(tokens=6_000, rows=Part(most=100)), sources, count=len)
    assert len(few.assemble(FLIGHT, now=NOW).items) == 1
    assert [one.reason for one in many.assemble(FLIGHT, now=NOW).left_out] == ["audience", "budget"]


def test_a_web_process_loads_no_spark_and_no_client() -> None:
    code = (
        "import sys; import headrace.context.assemble, headrace.context.prompt, headrace.context.schema\n"
        "print([name for name in ('pyspark', 'boto3', 'pymongo', 'headrace.stores') if name in sys.modules])"
    )
    lib = str(Path(headrace.__file__).parent.parent)
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": lib}, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
