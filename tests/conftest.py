"""What every test may use: the one Spark session, an empty lake, the two sizes of property tests."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from pyspark.sql import SparkSession

from headrace.pipelines.runtime import INTERPRETED, SHORT_LIVED, spark_session

# Spark's first call takes seconds and the machine is shared, so a deadline would only measure the weather.
# derandomize: the same commit gives the same answer in CI; new examples are the soak's task.
_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True, suppress_health_check=_SLOW)
settings.register_profile("soak", deadline=None, print_blob=True, suppress_health_check=_SLOW, max_examples=5_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

SPARK_FOR_TESTS = {
    **SHORT_LIVED,
    # Two cores find races that one would hide, and leave nothing idle on a small CI machine.
    "spark.master": "local[2]",
    # Old jobs and plans are kept for a page nobody opens here, and the session lives through the whole suite.
    "spark.ui.retainedJobs": "1",
    "spark.ui.retainedStages": "1",
    "spark.ui.retainedTasks": "1",
    "spark.sql.ui.retainedExecutions": "1",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that use Spark come first: two processes end together only where what is left at the end is short."""
    slow = {item.path for item in items if "spark" in getattr(item, "fixturenames", ())}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    """The only Spark session of the run; never stopped between modules."""
    scratch = tmp_path_factory.mktemp("spark")
    # The soak, and every test that runs `headrace` as a program, compile as production does.
    plans = {} if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else INTERPRETED
    # Spark's shuffle files and tables by name must not meet those of another run.
    places = {"spark.local.dir": str(scratch / "local"), "spark.sql.warehouse.dir": (scratch / "warehouse").as_uri()}
    session = spark_session("headrace-tests", kafka=True, avro=True, settings=SPARK_FOR_TESTS | plans | places)
    yield session
    session.stop()


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """An empty folder to be used as the lake."""
    folder = tmp_path / "lake"
    folder.mkdir()
    return folder
