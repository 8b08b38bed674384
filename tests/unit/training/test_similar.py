"""Which texts are compared: all of a small bucket, few of each of a large one."""

import pytest

from headrace.training.duplicates import superseded
from headrace.training.similar import ALL, NEIGHBOURS, Likeness, Text, candidates, similar


def alike(count: int, family: str = "") -> list[Text]:
    """Different texts of the same grams, which are in all buckets together."""
    return [Text(f"{family}{at:03}", family, "round and round it goes, " * (3 + at)) for at in range(count)]


@pytest.mark.parametrize("count", [2, ALL])
def test_in_a_small_bucket_all_are_compared(count: int) -> None:
    assert len(candidates(alike(count), Likeness())) == count * (count - 1) / 2
    assert set(similar(alike(count), Likeness()).values()) == {1.0}


@pytest.mark.parametrize("count", [ALL + 1, 300])
def test_in_a_large_bucket_the_work_grows_with_the_texts_and_the_first_meets_all(count: int) -> None:
    found = similar(alike(count), Likeness())
    assert len(found) <= count * (NEIGHBOURS + 1)
    assert superseded(found) == {f"{at:03}": "000" for at in range(1, count)}


def test_families_do_not_meet() -> None:
    found = similar([*alike(3, "a"), *alike(3, "b")], Likeness())
    assert len(found) == 6
    assert {one[0] + other[0] for one, other in found} == {"aa", "bb"}


def test_in_a_large_bucket_those_that_are_alike_stand_together() -> None:
    """300 answers from one mould, far from the first and from most others; each has one that is truly like it."""
    mould = (
        "the refund for your booking is on its way and will be there within a few working days, whatever the bank says"
    )
    texts = []
    for at in range(150):
        own = f" {at * 7919 % 1000:03} {chr(97 + at % 26) * 9} {at:03} {chr(97 + at * 7 % 26) * 8} {at * 31:05}"
        texts += [Text(f"{at:03}a", "", mould + own), Text(f"{at:03}b", "", mould + own + "!")]
    wanted = {(f"{at:03}a", f"{at:03}b") for at in range(150)}
    assert len(candidates(texts, Likeness())) < 300 * 299 / 4
    assert wanted <= set(similar(texts, Likeness()))
