"""How much a round of embedding takes up."""

import pytest

from headrace.knowledge.lane import DOCUMENTS_AT_ONCE, _fitting


@pytest.mark.parametrize(
    ("before", "documents", "made", "left", "then"),
    [
        (100, 100, 900, 0, 200),
        (100, 3, 30, 0, 100),
        (DOCUMENTS_AT_ONCE, DOCUMENTS_AT_ONCE, 9, 0, DOCUMENTS_AT_ONCE),
        (100, 100, 250, 750, 25),
        (100, 100, 1, 999, 1),
        (100, 100, 0, 1000, 50),
        (1, 1, 0, 10, 1),
    ],
)
def test_the_next_round_takes_what_it_can_finish(before: int, documents: int, made: int, left: int, then: int) -> None:
    assert _fitting(before, documents, made, left) == then
