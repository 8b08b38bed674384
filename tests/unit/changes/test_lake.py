"""Tables that several threads or processes want at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep

import pytest
from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

from headrace import lake as lake_module
from headrace.errors import FormatTooNew
from headrace.lake import Lake
from headrace.tables import FORMAT, FORMAT_PROPERTY, TRUNCATES


def test_threads_that_want_a_new_table_at_once_all_get_it(spark: SparkSession, tmp_path: Path) -> None:
    lakes = [Lake(spark, str(tmp_path)) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda lake: lake.ensure(TRUNCATES), lakes)) == {TRUNCATES.path}
    assert lakes[0].version(TRUNCATES.path) == 0


def test_a_table_another_process_creates_at_the_same_moment_is_taken(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class NoLock:
        def __enter__(self) -> None: ...
        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(lake_module, "_creating", lambda path: NoLock())
    with ThreadPoolExecutor(4) as pool:
        tables = list(pool.map(lambda _: Lake(spark, str(tmp_path)).ensure(TRUNCATES), range(4)))
    assert set(tables) == {TRUNCATES.path}


def test_a_table_whose_first_commit_is_to_come_is_waited_for(spark: SparkSession, tmp_path: Path) -> None:
    Lake(spark, str(tmp_path / "other")).ensure(TRUNCATES)
    log = tmp_path / TRUNCATES.path / "_delta_log"
    log.mkdir(parents=True)
    with ThreadPoolExecutor(1) as pool:
        table = pool.submit(Lake(spark, str(tmp_path)).ensure, TRUNCATES)
        sleep(1)
        for commit in (tmp_path / "other" / TRUNCATES.path / "_delta_log").glob("*.json"):
            commit.rename(log / commit.name)
        assert table.result() == TRUNCATES.path
    assert Lake(spark, str(tmp_path)).read(TRUNCATES.path).count() == 0


def test_a_folder_that_holds_something_else_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / TRUNCATES.path).mkdir()
    (tmp_path / TRUNCATES.path / "notes.txt").touch()
    with pytest.raises(AnalysisException, match="not a Delta table"):
        Lake(spark, str(tmp_path)).ensure(TRUNCATES)


def test_a_table_a_newer_headrace_wrote_is_refused_by_whoever_looks_for_it(spark: SparkSession, tmp_path: Path) -> None:
    lake = Lake(spark, str(tmp_path))
    lake.ensure(TRUNCATES)
    spark.sql(f"ALTER TABLE {lake.sql_name(TRUNCATES.path)} SET TBLPROPERTIES ('{FORMAT_PROPERTY}' = '{FORMAT + 1}')")
    said = r"truncates: expected headrace\.format up to 1; found 2\. Upgrade Headrace"
    for look in (lambda one: one.exists(TRUNCATES.path), lambda one: one.ensure(TRUNCATES)):
        with pytest.raises(FormatTooNew, match=said):
            look(Lake(spark, str(tmp_path)))
