"""What every reader of a vector index must do, as tests for yours; see `headrace.testing.vector_index`."""

from collections.abc import Sequence
from datetime import timedelta

from headrace.errors import HeadraceError
from headrace.ports import Filters, Hit, PassageReader, Projected
from headrace.testing.passages import MODEL, NOW, direction, gone, put, random_direction, without_vector
from headrace.testing.vector_index import VectorIndexUnderTest, equal, opened, refused

EVERYBODY = Filters()


def reading(store: VectorIndexUnderTest, rows: Sequence[Projected]) -> PassageReader:
    """A reader of these rows, whose clock stands at `passages.NOW`."""
    index = opened(store)
    equal(index.write(rows).failed, (), "failed rows")
    index.activate("g1")
    store.refresh()
    return store.reader(lambda: NOW)


def found_both_ways(reader: PassageReader, filters: Filters) -> set[str]:
    """Keys found by words and by vector, which must agree. For rows with the default text and vector."""
    by_words = {hit.key for hit in reader.by_words("some words", filters, 50)}
    by_vector = {hit.key for hit in reader.by_vector(random_direction(1).tolist(), filters, 50)}
    equal(by_vector, by_words, "found by vector as by words")
    return by_words


def keys(hits: Sequence[Hit]) -> list[str]:
    """Keys of an answer, in order."""
    return [hit.key for hit in hits]


class PassageReaderContract:
    """The read side."""

    def test_before_a_generation_is_active_nothing_can_be_asked(self, store: VectorIndexUnderTest) -> None:
        opened(store).write([put("a", 1)])
        reader = store.reader(lambda: NOW)
        try:
            reader.model()
        except HeadraceError as error:
            assert "active" in str(error), f"expected a word about the active generation; found {error}"
        else:
            raise AssertionError("expected an error: no generation is active")

    def test_the_model_is_that_of_the_active_generation(self, store: VectorIndexUnderTest) -> None:
        equal(tuple(reading(store, [put("a", 1)]).model()), MODEL, "model")

    def test_a_hit_brings_the_whole_body_without_its_vector(self, store: VectorIndexUnderTest) -> None:
        row = put("a", 4, text="The quick brown fox", title="Foxes", tags=["x", "y"], audience=["staff"])
        reader = reading(store, [row])
        staff = Filters(audience=("staff",))
        for hit in (*reader.by_words("fox", staff, 1), *reader.by_vector(random_direction(1).tolist(), staff, 1)):
            equal((hit.key, hit.version), ("a", 4), "identity")
            equal(dict(hit.body), without_vector(row.body or {}), "body")

    def test_by_vector_scores_are_cosines_best_first(self, store: VectorIndexUnderTest) -> None:
        vectors = {"same": direction(1), "near": direction(1, 1), "far": direction(0, 1), "against": direction(-1)}
        reader = reading(store, [put(key, 1, vector=vector) for key, vector in vectors.items()])
        hits = reader.by_vector((direction(1) * 3).tolist(), EVERYBODY, 10)
        equal(keys(hits), list(vectors), "order")
        for hit, wanted in zip(hits, (1.0, 0.5**0.5, 0.0, -1.0), strict=True):
            assert abs(hit.score - wanted) < 1e-4, f"expected a cosine of {wanted} for {hit.key}; found {hit.score}"
        equal(keys(reader.by_vector(direction(1).tolist(), EVERYBODY, 2)), ["same", "near"], "limit")
        equal(reader.by_vector(direction(1).tolist(), EVERYBODY, 0), [], "limit 0")

    def test_by_vector_is_of_the_passages_length_only_in_direction(self, store: VectorIndexUnderTest) -> None:
        reader = reading(store, [put("a", 1, vector=direction(1, 2) * 40)])
        (hit,) = reader.by_vector((direction(1, 2) * 0.01).tolist(), EVERYBODY, 1)
        assert abs(hit.score - 1) < 1e-4, f"expected a cosine of 1; found {hit.score}"

    def test_a_query_vector_that_does_not_fit_is_refused(self, store: VectorIndexUnderTest) -> None:
        reader = reading(store, [put("a", 1)])
        for vector in ([1.0], [0.0] * 8, [float("nan")] * 8):
            refused(lambda vector=vector: reader.by_vector(vector, EVERYBODY, 1), "8 finite numbers")  # type: ignore[misc]

    def test_by_words_finds_titles_headings_and_text(self, store: VectorIndexUnderTest) -> None:
        rows = [
            put("title", 1, title="Refunds", heading=[], text="about money"),
            put("heading", 1, heading=["Guide", "Visas"], text="about travel"),
            put("text", 1, heading=[], text="a suitcase of forty kilograms"),
            put("other", 1, heading=[], text="nothing of the kind"),
        ]
        reader = reading(store, rows)
        for question, key in (("refunds", "title"), ("VISAS?", "heading"), ("suitcase", "text")):
            equal(keys(reader.by_words(question, EVERYBODY, 5)), [key], question)
        equal(reader.by_words("zeppelin", EVERYBODY, 5), [], "a word nobody wrote")

    def test_by_words_ranks_more_and_rarer_words_higher(self, store: VectorIndexUnderTest) -> None:
        rows = [put(f"filler{at}", 1, text="lounge access for members") for at in range(8)]
        rows += [put("both", 1, text="lounge access in Reykjavik"), put("none", 1, text="parking")]
        hits = reading(store, rows).by_words("lounge Reykjavik", EVERYBODY, 20)
        equal((hits[0].key, len(hits)), ("both", 9), "best and number")
        scores = [hit.score for hit in hits]
        equal(scores, sorted(scores, reverse=True), "best first")
        assert scores[0] > 0, f"expected scores above 0; found {scores[0]}"

    def test_any_text_may_be_asked(self, store: VectorIndexUnderTest) -> None:
        reader = reading(store, [put("a", 1, text="a plain word")])
        for question in (
            '"',
            "NOT word",
            "word*",
            "(word",
            "title:word",
            "word AND",
            "+word -a",
            "a^2 {word}",
            "\0word",
        ):
            assert isinstance(reader.by_words(question, EVERYBODY, 5), list), question
            if "word" in question:
                equal(keys(reader.by_words(question, EVERYBODY, 5)), ["a"], question)
        equal(reader.by_words("", EVERYBODY, 5), [], "nothing")
        equal(reader.by_words("?!", EVERYBODY, 5), [], "no letters")
        equal(keys(reader.by_words("word " * 5000, EVERYBODY, 5)), ["a"], "a long question")

    def test_only_the_newest_text_is_found(self, store: VectorIndexUnderTest) -> None:
        index = opened(store)
        index.write([put("a", 1, text="copper wire"), put("b", 1, text="silver wire")])
        index.write([put("a", 2, text="golden wire", vector=direction(0, 1)), gone("b", 2)])
        reader = reading(store, [put("a", 1, text="copper wire")])
        equal(reader.by_words("copper", EVERYBODY, 5), [], "the older text")
        equal(keys(reader.by_words("golden wire silver", EVERYBODY, 5)), ["a"], "the newer text")
        equal(keys(reader.by_vector(direction(0, 1).tolist(), EVERYBODY, 5)), ["a"], "deleted ones by vector")

    def test_a_tenant_sees_its_own_and_nobody_elses(self, store: VectorIndexUnderTest) -> None:
        reader = reading(store, [put("a", 1, tenant="a"), put("b", 1, tenant="b"), put("none", 1)])
        equal(found_both_ways(reader, Filters(tenant="a")), {"a"}, "tenant a")
        equal(found_both_ways(reader, Filters()), {"none"}, "no tenant")
        equal(found_both_ways(reader, Filters(tenant="A")), set(), "another spelling")

    def test_an_audience_is_asked_for_its_groups(self, store: VectorIndexUnderTest) -> None:
        rows = [put("all", 1), put("staff", 1, audience=["staff"]), put("two", 1, audience=["crew", "board"])]
        reader = reading(store, rows)
        equal(found_both_ways(reader, Filters()), {"all"}, "no group")
        equal(found_both_ways(reader, Filters(audience=("staff",))), {"all", "staff"}, "staff")
        equal(found_both_ways(reader, Filters(audience=("board", "x"))), {"all", "two"}, "board")
        equal(found_both_ways(reader, Filters(audience=("staff", "crew"))), {"all", "staff", "two"}, "both")

    def test_all_tags_must_be_there(self, store: VectorIndexUnderTest) -> None:
        reader = reading(store, [put("one", 1, tags=["x"]), put("two", 1, tags=["y", "x"]), put("none", 1)])
        equal(found_both_ways(reader, Filters(tags=("x",))), {"one", "two"}, "one tag")
        equal(found_both_ways(reader, Filters(tags=("x", "y"))), {"two"}, "two tags")

    def test_one_of_the_languages_and_sources_must_fit(self, store: VectorIndexUnderTest) -> None:
        rows = [put("en", 1), put("de", 1, language="de"), put("it", 1, language="it", source="wiki")]
        reader = reading(store, [*rows, put("unknown", 1, language=None)])
        equal(found_both_ways(reader, Filters(languages=("de", "it"))), {"de", "it"}, "languages")
        equal(found_both_ways(reader, Filters(sources=("wiki",))), {"it"}, "sources")
        equal(found_both_ways(reader, Filters(sources=("wiki",), languages=("de",))), set(), "both")

    def test_max_age_counts_from_the_documents_change(self, store: VectorIndexUnderTest) -> None:
        days = {"new": 0, "week": 7, "month": 30}
        rows = [put(key, 1, changed_at=(NOW - timedelta(days=age)).isoformat()) for key, age in days.items()]
        reader = reading(store, [*rows, put("unknown", 1, changed_at=None)])
        equal(found_both_ways(reader, Filters(max_age=timedelta(days=8))), {"new", "week"}, "8 days")
        equal(found_both_ways(reader, Filters()), {*days, "unknown"}, "any age")

    def test_filters_hold_before_the_best_are_chosen(self, store: VectorIndexUnderTest) -> None:
        crowd = [put(f"near{at}", 1, vector=direction(1, at / 1000), audience=["board"]) for at in range(300)]
        rows = [*crowd, put("mine", 1, vector=direction(-1), text="some words and more that dilute the words")]
        reader = reading(store, rows)
        equal(keys(reader.by_vector(direction(1).tolist(), EVERYBODY, 3)), ["mine"], "by vector")
        equal(keys(reader.by_words("words", EVERYBODY, 3)), ["mine"], "by words")
