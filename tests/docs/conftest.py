"""The lake that the pages talk about: what `headrace demo` leaves behind."""

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from headrace.pipelines import demo


@dataclass(frozen=True)
class Demo:
    """The folder the demo was started in, its exit code and what it printed."""

    folder: Path
    code: int
    printed: str


@pytest.fixture(scope="package")
def played_demo(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.chdir(folder):
        code = demo.main()
    return Demo(folder, code, printed.getvalue())
