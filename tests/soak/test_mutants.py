"""Every mutant turns the suite red. Minutes for each, so by hand: `make soak`, or `python tests/soak/mutants.py`."""

import pytest

from soak.mutants import MUTANTS, Mutant, judge

pytestmark = pytest.mark.soak


def test_the_suite_is_green_without_a_mutant() -> None:
    clean = judge(None)
    assert not clean.killed, clean.evidence


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_suite_notices(mutant: Mutant) -> None:
    assert judge(mutant).killed
