"""Retrieval: two lists made one, and only with the model the index was built with."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

import headrace
from headrace.config_indexes import SqliteIndex
from headrace.context.retrieve import fused, retrieve
from headrace.errors import Fatal, Unreachable
from headrace.ports import Filters, Hit
from headrace.stores.sqlite_index import SqliteVectorIndex
from headrace.stores.sqlite_search import SqlitePassageReader
from headrace.testing.passages import DIMENSION, MODEL, NOW, body, direction, put, without_vector

ANY = Filters()
LIB = Path(headrace.__file__).parent.parent


class Embed:
    """An embedder that knows some words, each a direction."""

    model, dimension, fingerprint = MODEL
    batch = 8
    known = ("luggage", "refund", "visa")

    def embed(self, texts, purpose="document"):
        vectors = [[float(word in text.lower()) for word in self.known] + [0.1] for text in texts]
        return np.array([direction(*numbers) for numbers in vectors], dtype=np.float32)

    def close(self):
        pass


class Reader:
    """A reader of two fixed lists."""

    def __init__(self, words=(), vector=(), models=(MODEL,)):
        self.words, self.vector, self.models, self.asked = list(words), list(vector), list(models), []

    def model(self):
        return self.models[0] if len(self.models) == 1 else self.models.pop(0)

    def by_words(self, text, filters, limit):
        self.asked.append(("words", text, filters, limit))
        return self.words[:limit]

    def by_vector(self, vector, filters, limit):
        self.asked.append(("vector", len(vector), filters, limit))
        return self.vector[:limit]

    def close(self):
        pass


def hit(key, score, version=1, text="some words", **fields):
    return Hit(key, version, score, without_vector(body(text, **fields)))


def scores(found):
    return {each.key: round(each.score, 6) for each in found}


def test_the_score_is_the_mean_of_both_lists_spread_over_0_to_1():
    words = [hit("a", 12.0), hit("b", 7.0), hit("c", 2.0)]
    vector = [hit("b", 0.9), hit("d", 0.8), hit("a", 0.7)]
    found = retrieve(Reader(words, vector), Embed(), "some words", ANY, 10)
    assert scores(found) == {"b": 0.75, "a": 0.5, "d": 0.25, "c": 0.0}
    assert [each.key for each in found] == ["b", "a", "d", "c"]


def test_by_words_a_passage_counts_for_what_it_holds_of_the_question():
    words = [hit("small", 9.0, text="How can I help?"), hit("apt", 8.0, text="A cello?"), hit("last", 1.0)]
    vector = [hit("said otherwise", 0.9), hit("apt", 0.6), hit("far", 0.3)]
    found = retrieve(Reader(words, vector), Embed(), "How can I bring a cello", ANY, 5)
    # 7 and 6 of 18 letters: the best of the words list does not win by its small words.
    assert scores(found) == {
        "said otherwise": 0.5,
        "apt": round((7 / 8 * 6 / 18 + 0.5) / 2, 6),
        "small": round(7 / 18 / 2, 6),
        "far": 0.0,
        "last": 0.0,
    }
    in_title = hit("titled", 5.0, title="Bring", heading=["How", "Can I: a cello"], text="-")
    (alone,) = retrieve(Reader([in_title]), Embed(), "How can I bring a cello", ANY, 5)
    assert alone.words.score == 1.0


def test_each_part_of_the_score_is_told():
    (found,) = retrieve(Reader([hit("a", 12.0)], [hit("b", 0.9), hit("a", 0.4)]), Embed(), "some words", ANY, 1)
    assert (found.key, found.words.rank, found.words.raw, found.words.score) == ("a", 1, 12.0, 1.0)
    assert (found.vector.rank, found.vector.raw, found.vector.score) == (2, 0.4, 0.0)


def test_equal_scores_stand_in_the_order_of_their_keys():
    words = [hit(key, 3.0) for key in ("z", "m", "a")]
    for order in (words, words[::-1]):
        assert [each.key for each in retrieve(Reader(order), Embed(), "some words", ANY, 3)] == ["a", "m", "z"]


def test_both_lists_are_asked_for_more_than_the_limit_with_the_same_filters():
    reader, filters = Reader(), Filters(tenant="t")
    assert retrieve(reader, Embed(), "question", filters, 20) == []
    assert reader.asked == [("words", "question", filters, 80), ("vector", DIMENSION, filters, 80)]


def test_one_list_alone_gives_its_own_scores():
    reader = Reader([hit("a", 12.0), hit("b", 7.0), hit("c", 2.0)], [hit("c", 0.9), hit("a", 0.5)])
    assert scores(retrieve(reader, None, "question", ANY, 3, mode="words")) == {"a": 1.0, "b": 0.5, "c": 0.0}
    assert scores(retrieve(reader, Embed(), "question", ANY, 3, mode="vector")) == {"c": 1.0, "a": 0.0}


def test_another_embedder_than_the_indexs_is_refused():
    other = Embed()
    other.fingerprint = "test-model/8/v2"
    with pytest.raises(Fatal, match="test-model/8/v2"):
        retrieve(Reader([hit("a", 1.0)]), other, "question", ANY, 3)
    with pytest.raises(Fatal, match="no embedder"):
        retrieve(Reader([hit("a", 1.0)]), None, "question", ANY, 3)


def test_a_model_that_changes_in_between_is_asked_again():
    new = ("other", 8, "other/8")
    embedder = Embed()
    embedder.fingerprint = "other/8"
    with pytest.raises(Fatal, match="test-model"):
        retrieve(Reader(models=[MODEL, new]), embedder, "question", ANY, 3)
    again = Embed()
    assert retrieve(Reader([hit("a", 1.0)], models=[MODEL, ("x", 8, MODEL[2]), MODEL]), again, "question", ANY, 3)
    flapping = [model for _ in range(5) for model in (MODEL, ("x", 8, MODEL[2]))]
    with pytest.raises(Unreachable, match="changed"):
        retrieve(Reader(models=flapping), again, "question", ANY, 3)


def test_the_newer_of_two_states_of_a_passage_is_shown():
    older, newer = hit("a", 1.0, version=1, url="old"), hit("a", 0.5, version=2, url="new")
    for words, vector in (([older], [newer]), ([newer], [older])):
        (found,) = fused("some words", words, vector, 5, NOW)
        assert (found.version, found.url) == (2, "new")


def test_the_age_counts_from_the_documents_change_and_is_never_negative():
    changed = {"day": NOW - timedelta(days=1), "ahead": NOW + timedelta(seconds=9)}
    hits = [hit(key, 1.0, changed_at=at.isoformat()) for key, at in changed.items()] + [hit("?", 1.0, changed_at=None)]
    found = {each.key: each.age for each in retrieve(Reader(hits), Embed(), "question", ANY, 5, now=NOW)}
    assert found == {"day": 86_400.0, "ahead": 0.0, "?": None}


@pytest.mark.parametrize(("question", "limit"), [("", 5), ("  \n", 5), ("question", 0)])
def test_nothing_is_asked_for_nothing(question, limit):
    reader = Reader([hit("a", 1.0)])
    assert retrieve(reader, Embed(), question, ANY, limit) == []
    assert reader.asked == []


def test_an_embedded_index_answers_with_text_place_and_source(tmp_path):
    settings, embedder = SqliteIndex(path=str(tmp_path / "i.sqlite")), Embed()
    texts = {"bags": "Luggage may weigh 23 kg", "money": "A refund takes a week", "visa": "A visa is needed"}
    index = SqliteVectorIndex(settings, "g1")
    index.open("outbox")
    rows = [put(key, 7, text, title=key, vector=embedder.embed([text])[0]) for key, text in texts.items()]
    index.write(rows)
    index.activate("g1")
    reader = SqlitePassageReader(settings)
    best, *_ = retrieve(reader, embedder, "How heavy may luggage be?", ANY, 2, now=NOW + timedelta(hours=1))
    assert (best.key, best.text, best.title, best.version) == ("bags", texts["bags"], "bags", 7)
    assert (best.source, best.document, best.url) == ("handbook", "d1", "https://example.org/d1")
    assert (best.heading, best.start, best.end, best.age) == (("Part", "Chapter"), 0, len(best.text), 3600.0)
    reader.close()
    index.close()


def test_retrieval_needs_no_spark():
    code = "import sys, headrace.context.retrieve, headrace.stores.sqlite_search; print('pyspark' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": str(LIB)})
    assert done.stdout == "False\n", done.stderr
