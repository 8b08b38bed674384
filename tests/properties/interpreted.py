"""Spark without generated code: for a handful of rows compiling a plan costs far more than running it.

Measured: 132 -> 86 seconds of CPU for three batches of two small tables. The soak runs compiled, as production does.
"""

import os
from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

INTERPRETED = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
}


@pytest.fixture(autouse=True)
def interpreted(request: pytest.FixtureRequest) -> Iterator[None]:
    """For the Spark tests of a module that imports this; the session is as before afterwards."""
    if "spark" not in request.fixturenames or os.environ.get("HYPOTHESIS_PROFILE") == "soak":
        yield
        return
    spark: SparkSession = request.getfixturevalue("spark")
    before = {name: spark.conf.get(name) for name in INTERPRETED}
    for name, value in INTERPRETED.items():
        spark.conf.set(name, value)
    yield
    for name, old in before.items():
        spark.conf.set(name, str(old))
