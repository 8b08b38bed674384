"""The same value is the same bytes, on one line for every reader."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.training.canonical import canonical

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_keys_are_sorted_and_only_ends_of_lines_are_escaped() -> None:
    value = {"b": "Zürich 猫\u2028\u2029\u0085\n", "a": [1, None, True]}
    assert canonical(value) == '{"a":[1,null,true],"b":"Zürich 猫\\u2028\\u2029\\u0085\\n"}'.encode()


@given(value=VALUES)
def test_it_is_one_line_and_is_read_back(value: object) -> None:
    raw = canonical(value)
    assert json.loads(raw) == value
    assert len(raw.decode().splitlines()) == 1


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800"])
def test_what_json_cannot_hold_is_an_error(value: object) -> None:
    with pytest.raises(ValueError):
        canonical(value)
