"""Citations of what was not given never show, however an answer is cut into pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.citations import Citations


def checked(text: str, given: tuple[str, ...] = ("p1", "p2", "row7")) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    seen = Citations(given)
    shown = seen.shown(text) + seen.rest()
    return shown, seen.valid, seen.invalid


@pytest.mark.parametrize(
    ("text", "shown", "valid", "invalid"),
    [
        ("Sixty [p1].", "Sixty [p1].", ("p1",), ()),
        ("Sixty [p9].", "Sixty.", (), ("p9",)),
        ("Sixty [p2] [p1][p2].", "Sixty [p2] [p1][p2].", ("p2", "p1"), ()),
        ("Sixty [p1, p9; P2].", "Sixty [p1][p2].", ("p1", "p2"), ("p9",)),
        ("Sixty 【p1】 and 【p7】.", "Sixty [p1] and.", ("p1",), ("p7",)),
        ("[p9] first", " first", (), ("p9",)),
        ("one [row7] two [row8]", "one [row7] two", ("row7",), ("row8",)),
        ("f and r are letters of ids too [f3] [r2]", "f and r are letters of ids too", (), ("f3", "r2")),
        ("a[0], [v2], [see p1], [1], [TODO]", "a[0], [v2], [see p1], [1], [TODO]", (), ()),
        ("open [p1", "open [p1", (), ()),
        ("[[p9]p9] [p[p9]9]", "[(?)p9] [p(?)9]", (), ("p9",)),
        ("[[p1]] [\np1]", "[[p1]] [\np1]", ("p1",), ()),
    ],
)
def test_what_shows_and_what_is_recorded(text, shown, valid, invalid):
    assert checked(text) == (shown, valid, invalid)


def test_without_items_no_citation_is_right():
    assert checked("Sixty [p1].", ()) == ("Sixty.", (), ("p1",))


signs = st.sampled_from(
    ["[", "]", "【", "】", "p1", "p2", "p9", "row7", "row", " ", "  ", "\t", "\n", ",", ";", "x", "P1", "[p1]", "[p9]",
     " [p9]", "y" * 90]
)  # fmt: skip


@given(text=st.lists(signs, max_size=25).map("".join), cuts=st.lists(st.integers(1, 9), min_size=1, max_size=30))
def test_pieces_make_no_difference(text, cuts):
    seen, shown, at, turn = Citations(("p1", "p2", "row7")), "", 0, 0
    while at < len(text):
        size = cuts[turn % len(cuts)]
        shown += seen.shown(text[at : at + size])
        at, turn = at + size, turn + 1
    assert (shown + seen.rest(), seen.valid, seen.invalid) == checked(text)


@given(text=st.lists(signs, max_size=25).map("".join))
def test_what_shows_holds_no_invalid_citation_and_checking_it_again_changes_nothing(text):
    shown, valid, _ = checked(text)
    assert checked(shown) == (shown, valid, ())


def test_text_that_cannot_be_a_citation_is_not_held_back():
    seen = Citations(("p1",))
    assert seen.shown("Sixty euro") == "Sixty euro"
    assert seen.shown(" [p") == ""
    assert seen.shown("1] a") == " [p1] a"
    assert seen.shown("[" + "x" * 90) == "[" + "x" * 90
