"""What the embedded index holds in memory equals its file, and its search by words equals plain BM25."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.config_indexes import SqliteIndex
from headrace.ports import Filters, Hit, Projected
from headrace.stores import sqlite_schema, sqlite_search, sqlite_vectors
from headrace.stores.sqlite_index import SqliteVectorIndex
from headrace.stores.sqlite_search import SqlitePassageReader
from headrace.testing.passages import NOW, direction, gone, put, random_direction
from headrace.testing.vector_index import OWNER

from .random_writes import IN_A_FILE

FILES = count()
KEYS = st.sampled_from("abcdefgh")
TENANTS, GROUPS, TAGS = st.sampled_from([None, "acme"]), st.sets(st.sampled_from("xy")), st.sets(st.sampled_from("st"))
PUTS = st.builds(
    lambda key, seed, tenant, audience, tags, language, source, days: put(
        key, 1, vector=random_direction(seed), tenant=tenant, audience=sorted(audience), tags=sorted(tags),
        language=language, source=source, changed_at=days and (NOW - timedelta(days=days)).isoformat(),
    ),
    KEYS, st.integers(0, 9), TENANTS, GROUPS, TAGS, st.sampled_from([None, "en", "de"]), st.sampled_from("pq"),
    st.sampled_from([None, 1, 10]),
)  # fmt: skip
WRITES = st.lists(st.one_of(PUTS, st.builds(gone, KEYS, st.just(1))), max_size=5)
STEPS = st.one_of(WRITES, st.sampled_from(["sweep", "purge", "open"]))
FILTERS = st.builds(
    Filters, TENANTS, st.builds(tuple, GROUPS), st.builds(tuple, TAGS), st.sampled_from([(), ("en",), ("en", "de")]),
    st.sampled_from([(), ("p",)]), st.sampled_from([None, timedelta(days=5)]),
)  # fmt: skip
ASKED = st.tuples(st.integers(0, 9), FILTERS, st.integers(1, 9))


@pytest.fixture
def fresh(tmp_path):
    """Settings of a new file at each call."""
    return lambda: SqliteIndex(path=str(tmp_path / f"{next(FILES)}.sqlite"))


def opened(settings: SqliteIndex) -> SqliteVectorIndex:
    index = SqliteVectorIndex(settings, "g1")
    index.open(OWNER)
    return index


def filled(settings: SqliteIndex, rows: list[Projected]) -> SqliteVectorIndex:
    index = opened(settings)
    assert index.write(rows).failed == ()
    index.activate("g1")
    return index


def scores(hits: list[Hit]) -> dict[str, float]:
    return {hit.key: pytest.approx(hit.score, abs=1e-5) for hit in hits}


@IN_A_FILE
@given(steps=st.lists(st.tuples(STEPS, ASKED), min_size=1, max_size=8))
def test_a_reader_that_holds_vectors_finds_what_the_file_holds(fresh, steps):
    settings, versions = fresh(), count(1)
    holding = SqlitePassageReader(settings, lambda: NOW)
    index = filled(settings, [put("first", 0)])
    for step, (seed, filters, limit) in steps:
        newest = next(versions)
        if step == "sweep":
            index.sweep(newest)
        elif step == "purge":
            index.purge(newest)
        elif step == "open":
            index.close()
            index = opened(settings)
        else:
            index.write([replace(row, version=newest) for row in step])
        asked = random_direction(seed).tolist()
        with closing(SqlitePassageReader(settings, lambda: NOW)) as another, pytest.MonkeyPatch.context() as patched:
            patched.setattr(sqlite_vectors, "MOST_BYTES", 0)
            everything = another.by_vector(asked, filters, 100)
        found = holding.by_vector(asked, filters, limit)
        wanted = scores(everything)
        assert [hit.score for hit in found] == [pytest.approx(hit.score, abs=1e-5) for hit in everything[:limit]]
        assert all(hit.score == wanted[hit.key] for hit in found)
        assert {(hit.key, hit.version) for hit in found} <= {(hit.key, hit.version) for hit in everything}
    holding.close()
    index.close()


def test_what_another_process_writes_is_found_by_the_next_question_without_reading_all_again(fresh, monkeypatch):
    settings = fresh()
    index = filled(settings, [put(f"k{at}", 1, vector=direction(1, at)) for at in range(9)])
    reader = SqlitePassageReader(settings, lambda: NOW)
    assert reader.by_vector(direction(0, 1).tolist(), Filters(), 1)[0].key == "k8"
    taken = []
    take = sqlite_vectors.HeldVectors.take
    monkeypatch.setattr(
        sqlite_vectors.HeldVectors,
        "take",
        lambda held, rows: taken.extend(some := rows.fetchall()) or take(held, _Rows(some)),
    )
    index.write([put("k3", 2, vector=direction(0, 1)), gone("k8", 2)])
    found = reader.by_vector(direction(0, 1).tolist(), Filters(), 9)
    assert [hit.key for hit in found][:2] == ["k3", "k7"] and len(found) == 8
    assert len(taken) == 1


class _Rows:
    def __init__(self, rows):
        self.rows = rows

    def fetchmany(self, _):
        some, self.rows = self.rows, []
        return some


def test_a_generation_that_notes_no_changes_is_searched_in_its_file_until_a_writer_opens_it(fresh):
    settings = fresh()
    index = filled(settings, [put("a", 1, vector=direction(1, 1)), put("b", 1, vector=direction(0, 1))])
    index.close()
    with closing(sqlite3.connect(settings.path)) as connection, connection:  # as Headrace made it up to 0.1
        for kind in ("insert", "update", "delete"):
            connection.execute(f"drop trigger changed_by_{kind}_1")
        connection.execute("drop table changed_1")
    reader = SqlitePassageReader(settings, lambda: NOW)
    assert [hit.key for hit in reader.by_vector(direction(1).tolist(), Filters(), 5)] == ["a", "b"]
    assert reader._held is None
    index = opened(settings)
    assert [hit.key for hit in reader.by_vector(direction(1).tolist(), Filters(), 5)] == ["a", "b"]
    assert reader._held is not None
    index.write([gone("a", 2)])
    assert [hit.key for hit in reader.by_vector(direction(1).tolist(), Filters(), 5)] == ["b"]


def test_the_log_of_changes_stays_short_and_a_reader_that_missed_some_reads_all_again(fresh, monkeypatch):
    monkeypatch.setattr(sqlite_schema, "CHANGES_KEPT", 5)
    settings = fresh()
    index = filled(settings, [put("a", 0)])
    reader = SqlitePassageReader(settings, lambda: NOW)
    assert len(reader.by_vector(direction(1).tolist(), Filters(), 50)) == 1
    for version in range(1, 20):
        index.write([put("a", version), put(f"k{version}", version)])
    with closing(sqlite3.connect(settings.path)) as connection:
        assert connection.execute("select count(*) from changed_1").fetchone() == (5,)
    found = reader.by_vector(direction(1).tolist(), Filters(), 50)
    assert {hit.key: hit.version for hit in found} == {"a": 19} | {f"k{at}": at for at in range(1, 20)}


@pytest.mark.parametrize("again", ["a new file", "an older copy"])
def test_a_file_that_takes_the_place_of_another_is_read_as_a_whole(fresh, monkeypatch, again):
    monkeypatch.setattr(sqlite_schema, "file_identity", lambda _: (1, 1))  # as where the number is given again
    settings = fresh()
    file = Path(settings.path)
    filled(settings, [put("a", 1, vector=direction(1))]).close()
    older = file.read_bytes()
    index = opened(settings)
    index.write([put("b", 2, vector=direction(1))])
    index.close()
    reader = SqlitePassageReader(settings, lambda: NOW)
    assert len(reader.by_vector(direction(1).tolist(), Filters(), 5)) == 2
    reader._connections.close()
    file.unlink()
    if again == "a new file":
        filled(settings, [put(key, 1, vector=direction(key == "e", 1)) for key in "cde"]).close()
    else:
        file.write_bytes(older)
    found = [hit.key for hit in reader.by_vector(direction(1).tolist(), Filters(), 5)]
    assert found == (["e", "c", "d"] if again == "a new file" else ["a"])


def test_threads_that_read_while_another_writes_see_whole_states_only(fresh):
    settings = fresh()
    pair = [direction(1).tolist(), direction(0, 1).tolist()]
    index = filled(settings, [put("a", 1, "copper", vector=pair[0]), put("b", 1, "copper", vector=pair[0])])
    reader, torn = SqlitePassageReader(settings, lambda: NOW), []

    def look() -> None:
        for _ in range(60):
            for found in (reader.by_vector(pair[0], Filters(), 2), reader.by_words("copper silver", Filters(), 2)):
                states = {(hit.version, round(hit.score, 4)) for hit in found}
                if len(found) != 2 or len(states) != 1:
                    torn.append(found)

    threads = [Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for version in range(2, 40):
        text, vector = ("silver", "copper")[version % 2], pair[version % 2]
        index.write([put("a", version, text, vector=vector), put("b", version, text, vector=vector)])
    for thread in threads:
        thread.join()
    assert torn == []
    assert reader.by_vector(pair[1], Filters(), 1)[0].version == 39
    reader.close()


WORDS = ["w0", "w1", "w2", "w3", "w4", "w5"]
TEXTS = st.lists(st.lists(st.sampled_from([*WORDS, "w0", "w0", "w1"]), min_size=1, max_size=9), min_size=1, max_size=40)


@IN_A_FILE
@given(
    texts=TEXTS, tenants=st.lists(TENANTS, min_size=40, max_size=40),
    asked=st.lists(st.sampled_from([*WORDS, "nowhere"]), min_size=1, max_size=6), limit=st.integers(1, 12),
)  # fmt: skip
def test_search_by_words_equals_plain_bm25(fresh, texts, tenants, asked, limit):
    settings = fresh()
    rows = [put(f"k{at:02}", 1, " ".join(text), heading=[], tenant=tenants[at]) for at, text in enumerate(texts)]
    filled(settings, rows).close()
    reader = SqlitePassageReader(settings, lambda: NOW)
    equals_plain(settings, reader.by_words(" ".join(asked), Filters(), limit), asked, limit)
    reader.close()


def equals_plain(settings: SqliteIndex, found: list[Hit], asked: list[str], limit: int) -> None:
    with closing(sqlite3.connect(settings.path)) as connection:
        plain = connection.execute(
            "select p.key, -bm25(words_1, 2.0, 1.5, 1.0) as score from words_1 "
            "join passages_1 as p on p.id = words_1.rowid "
            "where words_1 match ? and p.tenant is null order by score desc, p.key",
            [" OR ".join(dict.fromkeys(asked))],
        ).fetchall()
    assert [hit.score for hit in found] == [pytest.approx(score, abs=1e-9) for _, score in plain[:limit]]
    assert all(hit.score == pytest.approx(dict(plain)[hit.key], abs=1e-9) for hit in found)


def test_short_passages_of_frequent_words_may_be_better_than_long_ones_with_a_rare_word(fresh):
    settings = fresh()
    long = [put(f"r{at}", 1, f"needle {'straw ' * 400}", heading=[]) for at in range(3)]
    short = [put(f"h{at}", 1, "hay", title="hay", heading=["hay"]) for at in range(20)]
    others = [put(f"o{at}", 1, f"other {'straw ' * 9}", heading=[]) for at in range(60)]
    filled(settings, [*long, *short, *others]).close()
    reader = SqlitePassageReader(settings, lambda: NOW)
    found = reader.by_words("needle hay", Filters(), 3)
    assert [hit.key for hit in found] == ["h0", "h1", "h10"]
    equals_plain(settings, found, ["needle", "hay"], 3)


def test_words_that_cannot_lift_a_passage_among_the_best_are_not_looked_for_alone(fresh, monkeypatch):
    settings = fresh()
    rare = [put(f"r{at}", 1, "needle in hay") for at in range(3)]
    filled(settings, [*rare, *(put(f"h{at}", 1, "hay and straw") for at in range(60))]).close()
    asked = []
    monkeypatch.setattr(sqlite_search, "Words", _noting(sqlite_search.Words, asked))
    reader = SqlitePassageReader(settings, lambda: NOW)
    assert {hit.key for hit in reader.by_words("needle hay", Filters(), 3)} == {"r0", "r1", "r2"}
    assert asked == [['"needle"', '("needle") AND ("hay")']]
    assert len(reader.by_words("needle hay", Filters(), 10)) == 10
    assert asked[-1] == ['"needle" OR "hay"']


@pytest.mark.parametrize("made_by", ["this Headrace", "an earlier one"])
def test_a_living_passage_that_somebody_removes_leaves_the_words_too(fresh, made_by):
    settings = fresh()
    index = filled(settings, [put("a", 1, "visa"), put("b", 1, "fee")])
    with closing(sqlite3.connect(settings.path)) as connection, connection:
        if made_by == "an earlier one":
            connection.execute("drop trigger words_of_removed_1")
            index.open(OWNER)
        connection.execute("delete from passages_1 where key = 'b'")
    index.write([put("c", 1, "visa"), put("d", 1, "luggage")])
    reader = SqlitePassageReader(settings, lambda: NOW)
    assert {hit.key for hit in reader.by_words("visa luggage", Filters(), 9)} == {"a", "c", "d"}
    assert not reader.by_words("fee", Filters(), 9)


def _noting(kind, asked):
    class Noting(kind):
        def _best(self, matches):
            asked.append(list(matches))
            return super()._best(matches)

    return Noting
