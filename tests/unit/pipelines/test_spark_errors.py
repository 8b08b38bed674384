"""Errors of Spark that cross threads: their text does not ask the JVM again."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from pyspark.errors import AnalysisException

from headrace.config import Config
from headrace.errors import Fatal
from headrace.pipelines import apply_changes
from headrace.pipelines.spark_errors import SparkFailure, plain

JAVA = """An error occurred while calling o99.collect.
: org.apache.spark.SparkException: Job aborted
	at org.apache.spark.Task.run(Task.scala:1)
Caused by: java.util.regex.PatternSyntaxException: Unclosed character class near index 1
"""


class Asking(AnalysisException):
    """Answers in its own thread only, as Spark's errors in a stream's function do."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text, self.thread = text, threading.get_ident()

    def __str__(self) -> str:
        assert threading.get_ident() == self.thread
        return self.text


def raised() -> BaseException:
    try:
        try:
            raise Asking(JAVA)
        except Asking as first:
            raise Fatal(expected="a", found="b", todo="c") from first
    except Fatal:
        try:
            raise Asking("[NO_SUCH] column")
        except Asking as last:
            return last


def test_an_error_and_what_caused_it_have_their_text_in_every_thread():
    told = plain(raised())
    with ThreadPoolExecutor(1) as other:
        assert other.submit(str, told).result() == "[NO_SUCH] column"
        assert other.submit(str, told.__context__.__cause__).result() == (
            f"java.util.regex.PatternSyntaxException: Unclosed character class near index 1\n{JAVA}"
        )
    assert isinstance(told, SparkFailure) and isinstance(told.__context__, Fatal) and told.__traceback__


def test_errors_of_others_stay_as_they_are():
    error = Fatal(expected="a", found="b", todo="c")
    error.__cause__ = error.__context__ = OSError(28, "No space left on device")
    assert plain(error) is error and isinstance(error.__cause__, OSError)


def test_an_unforeseen_error_in_a_batch_can_be_printed_by_another_thread(spark, lake, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.json").write_text(json.dumps({"id": 1, "at": 1}))
    source = {"from": "files", "path": str(tmp_path / "in"), "format": "json", "position": ["at"]}
    table = {"source": "feed", "key": ["id"], "where": "id % (id - 1) = 1"}
    config = Config.model_validate({"lake": str(lake), "sources": {"feed": source}, "tables": {"users": table}})
    with pytest.raises(SparkFailure) as failed:
        apply_changes.run(config, True, threading.Event())
    said: list[str] = []
    printing = threading.Thread(target=lambda: said.append(str(failed.value)), daemon=True)
    printing.start()
    printing.join(20)
    assert said and "ZERO" in said[0].partition("\n")[0]
