"""What a question names, and what is looked up for it."""

import sys
from pathlib import Path

import pytest

from headrace import patterns
from headrace.config_keyed_stores import SqliteRows
from headrace.config_serve import ServedTable
from headrace.context import asks
from headrace.context.asks import Ask
from headrace.context.assemble import Assembler
from headrace.context.context import LeftOut
from headrace.context.gather import Sources
from headrace.context.lookup import Lookups
from headrace.errors import MissingDependency
from headrace.ports import Projected
from headrace.served_rows import row, row_key
from headrace.stores import served
from served_world import NOW
from unit.context.test_assemble import WORDS, sources_of

VISITS = ServedTable.model_validate(
    {
        "store": "live",
        "about": "A doctor's hours on a day.",
        "filters": {
            "doctor": {"in_question": r"Dr\. ([A-Z]\w+)"},
            "day": {"type": "date", "in_question": r"\d{4}-\d\d-\d\d"},
        },
    }
)
HOUSE = {"doctor": "House"}
DAY = {"day": "2026-12-03"}
OTHER_DAY = {"day": "2026-12-04"}


def test_an_expression_that_no_other_engine_gets_through_ends() -> None:
    # Python's own takes about 2^54 steps for it.
    assert list(patterns.found("(a+)+$", "a" * 54 + "!")) == []
    assert list(patterns.found("(a|a)*b|(x+x+)+y", "a" * 3_000 + "x" * 3_000)) == []


def test_what_is_found_is_the_first_group_or_all_of_it_and_nothing_empty() -> None:
    assert list(patterns.found("[A-Z]{2}[0-9]*", "LH12 or LX")) == ["LH12", "LX"]
    assert list(patterns.found(r"flight (\w+)|x", "flight LH12, x")) == ["LH12"]
    assert list(patterns.found("z*", "aé\ud800 z")) == ["z"]


def test_without_the_engine_a_question_is_refused_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "re2", None)
    patterns._compiled.cache_clear()
    # A job on Glue reads the same settings and asks nothing.
    assert patterns.problem(r"\pL+\z") is None
    with pytest.raises(MissingDependency, match=r"headrace\[read\]"):
        asks.in_question({"visits": VISITS}, "Dr. House")


def test_values_for_several_filters_are_asked_for_together_first() -> None:
    found = asks.in_question({"visits": VISITS}, "Dr. House on 2026-12-03 or 2026-12-04?")
    assert found == [Ask("visits", HOUSE | DAY), Ask("visits", HOUSE | OTHER_DAY), Ask("visits", HOUSE),
                     Ask("visits", DAY), Ask("visits", OTHER_DAY)]  # fmt: skip
    assert [one.step for one in found] == ["together", "together", "alone", "alone", "alone"]
    (alone,) = asks.in_question({"visits": VISITS}, "Dr. House?")
    assert (alone, alone.step) == (Ask("visits", HOUSE), "")


def test_single_values_are_looked_up_where_all_together_find_nothing(tmp_path: Path) -> None:
    settings = SqliteRows(path=str(tmp_path / "live.db"))
    store, reader = served.rows(settings), served.row_reader(settings)
    store.open("outbox-1")
    for number, (doctor, day) in enumerate([("House", "2026-12-03"), ("House", "2026-12-05"), ("Who", "2026-12-03")]):
        key = f"[{number}]"
        body = row("visits", key, {"doctor": doctor, "day": day}, "pos", NOW, VISITS.types())
        store.write([Projected(row_key("visits", key), number + 1, False, body)])
    sources = Sources(lookups=Lookups({"live": reader}, {"visits": VISITS}))

    def of(question: str, *more: Ask) -> list[str]:
        return [key for _, key in sources_of(Assembler(WORDS, sources).assemble(question, rows=more, now=NOW))]

    assert of("Is Dr. House there on 2026-12-03?") == ["[0]"]
    assert of("Is Dr. Who there on 2026-12-05?") == [
        'none:{"day": "2026-12-05", "doctor": "Who"}', "[2]", "[1]",
    ]  # fmt: skip
    # What the application asks for itself settles nothing of the question.
    assert of("Is Dr. Who there on 2026-12-05?", Ask("visits", HOUSE | DAY))[0::2] == ["[0]", "[2]"]
    many = "Dr. House on " + " ".join(f"2026-12-{day:02}" for day in range(3, 12))
    crowded = Assembler(WORDS, sources).assemble(many, rows=[Ask("visits", OTHER_DAY)] * 12, now=NOW)
    # Nine together; of ten alone none is needed.
    assert [one for one in crowded.left_out if one.part == "rows"] == [LeftOut("rows", "limit", 1)]
    reader.close()
    store.close()
