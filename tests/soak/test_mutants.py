"""Every mutant is noticed. Minutes in all, so by hand: `make soak`, or `python tests/soak/mutants.py`."""

import pytest
from pyspark.sql import SparkSession

from soak.mutants import MUTANTS, Mutant, clean, judge

pytestmark = pytest.mark.soak

CHECKS = {(mutant.kind, mutant.crash): mutant for mutant in MUTANTS}


@pytest.mark.parametrize("mutant", CHECKS.values(), ids=lambda mutant: str(mutant.crash or mutant.kind))
def test_the_check_is_green_without_a_mutant(spark: SparkSession, mutant: Mutant) -> None:
    assert clean(spark, mutant).evidence == ""


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_check_notices(spark: SparkSession, mutant: Mutant) -> None:
    assert judge(spark, mutant).killed
