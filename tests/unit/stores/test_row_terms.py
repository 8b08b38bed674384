"""Rows found by several terms: lists of keys are joined, and what is found is read once more."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.errors import Fatal
from headrace.ports import Found
from headrace.stores import row_terms
from headrace.stores.keyed_rows import Row


class Index:
    """Rows by key with their terms; what was asked of it."""

    def __init__(self, rows: Mapping[str, Sequence[str | None]], longest: int = 10_000) -> None:
        self.rows = {key: Found(1, {"find": list(find)}) for key, find in rows.items()}
        self.stale: dict[str, Found] = {}
        self.longest = longest
        self.pages: list[int] = []
        self.read_keys: list[list[str]] = []

    def page(self, place: int, term: str, key: str, most: int) -> tuple[list[str], bool]:
        self.pages.append(place)
        indexed = self.rows | self.stale
        held = sorted(
            one for one, row in indexed.items() if place < len(find := row.body["find"]) and find[place] == term
        )
        left = [one for one in held if one >= key]
        size = min(most, self.longest)
        return left[:size], len(left) < size  # a full page never says that it is the last

    def read(self, keys: Sequence[str]) -> dict[str, Found]:
        self.read_keys.append(list(keys))
        return {key: self.rows[key] for key in reversed(keys) if key in self.rows}

    def having(self, terms: Mapping[int, str], most: int) -> dict[str, Found]:
        return row_terms.having(terms, most, self.page, self.read, "here")


FINDS = st.lists(st.sampled_from([None, "A", "B"]), min_size=3, max_size=3)
KEYS = st.integers(0, 60).map("r:t:{:02}".format)


@given(
    rows=st.dictionaries(KEYS, FINDS, max_size=40),
    stale=st.dictionaries(KEYS, FINDS, max_size=10),
    terms=st.dictionaries(st.integers(0, 2), st.sampled_from("AB"), min_size=1),
    few=st.integers(2, 6), many=st.integers(2, 9), longest=st.integers(2, 9), most=st.integers(1, 12),
)  # fmt: skip
def test_what_is_found_is_what_has_all_terms_however_pages_are_cut(rows, stale, terms, few, many, longest, most):
    index = Index(rows, longest)
    index.stale = {key: Found(0, {"find": find}) for key, find in stale.items() if key not in rows}
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(row_terms, "FEW", few)
        changed.setattr(row_terms, "MANY", many)
        changed.setattr(row_terms, "MOST_PAGES", 1_000)
        found = index.having(terms, most)
    fitting = [key for key in sorted(rows) if all(rows[key][place] == term for place, term in terms.items())]
    assert list(found) == fitting[:most]
    assert all(found[key] is index.rows[key] for key in found)


def many(of: Mapping[int, tuple[str | None, ...]] | None = None) -> Index:
    special = of or {}
    return Index({f"r:t:{at:05}": special.get(at, ("all", "most")) for at in range(5_000)})


def test_one_common_term_costs_one_page_and_no_more_rows_than_are_wanted():
    index = many()
    assert len(index.having({0: "all"}, 20)) == 20
    assert index.pages == [0] and [len(keys) for keys in index.read_keys] == [20]


@pytest.mark.parametrize("terms", [{0: "all", 1: "rare"}, {1: "rare", 0: "all"}])
def test_a_rare_term_answers_alone(terms: dict[int, str]):
    index = many({4_000: ("all", "rare"), 4_500: ("other", "rare")})
    assert list(index.having(terms, 20)) == ["r:t:04000"]
    assert len(index.pages) <= 2 and index.read_keys == [["r:t:04000", "r:t:04500"]]


def test_lists_of_common_terms_skip_to_each_other_and_read_only_what_has_all():
    # `left` holds 0 to 2,400 and 4,990 on, `right` 2,500 on: they meet at the very end.
    finds = {
        at: ("left" if at <= 2_400 or at >= 4_990 else None, "right" if at >= 2_500 else None) for at in range(5_000)
    }
    index = many(finds)
    meeting = [f"r:t:{at:05}" for at in range(4_990, 4_995)]
    assert list(index.having({0: "left", 1: "right"}, 5)) == meeting
    assert len(index.pages) <= 6 and index.read_keys == [meeting]


def test_terms_that_alternate_without_meeting_end_in_an_error_and_not_in_a_bill():
    index = Index({f"r:t:{at:06}": ("a", None) if at % 2 else (None, "b") for at in range(3_000)}, longest=10)
    with pytest.raises(Fatal, match=r"100 pages.*filter that fewer rows share"):
        index.having({0: "a", 1: "b"}, 5)
    assert len(index.pages) == row_terms.MOST_PAGES and index.read_keys == []


def test_rows_that_changed_since_the_index_are_left_out_and_others_take_their_place():
    index = many({1: ("gone on", "most")})
    index.stale = {"r:t:00001": Found(0, {"find": ["all"]}), "r:t:000005": Found(0, {"find": ["all"]})}
    assert list(index.having({0: "all"}, 3)) == ["r:t:00000", "r:t:00002", "r:t:00003"]


@pytest.mark.parametrize(
    ("key", "text", "terms"),
    [
        ("r:t:1", '{"find": ["a", null, "c"], "more": {"find": 1}}', {0: "a", 2: "c"}),
        ("r:t:1", '{"find": ["a", "b", "c", "d", "e", "f"]}', dict(enumerate("abcde"))),
        ("r:t:1", '{"find": "a"}', {}),
        ("r:t:1", "{}", {}),
        ("r:t:1", None, {}),
        ("h:t", '{"find": ["a"]}', {}),
        ("p:1", '{"find": ["a"]}', {}),
    ],
)
def test_terms_of_a_row(key: str, text: str | None, terms: dict[int, Any]):
    assert row_terms.terms_of(Row(key, 1, text, 0)) == terms
