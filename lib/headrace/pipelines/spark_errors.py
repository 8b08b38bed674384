"""Errors of Spark as plain Python ones.

An error of Spark asks the JVM for its text, in the thread that wants it. Of an error in a `foreachBatch` function no
other thread gets an answer: it waits for ever.
"""

import re

from py4j.protocol import Py4JError  # type: ignore[import-untyped]
from pyspark.errors import PySparkException

_JAVA_ERROR = re.compile(r"^(?:: |Caused by: )?(?P<said>(?:[\w$]+\.)+[\w$]*(?:Exception|Error)\b.*)", re.M)


class SparkFailure(Exception):
    """An error of Spark whose text is here already: its first line says what happened, Java's trace follows."""


def plain(error: BaseException) -> BaseException:
    """The error without any of Spark's own, in what caused it neither; to be called in the thread it happened in.

    Errors of others are the same objects.
    """
    return _plain(error, set())


def _plain(error: BaseException, seen: set[int]) -> BaseException:
    seen.add(id(error))
    told = error
    if isinstance(error, Py4JError | PySparkException):
        told = SparkFailure(_text(error)).with_traceback(error.__traceback__)
    cause, context, quiet = error.__cause__, error.__context__, error.__suppress_context__
    told.__cause__ = _plain(cause, seen) if cause is not None and id(cause) not in seen else None
    told.__context__ = _plain(context, seen) if context is not None and id(context) not in seen else None
    told.__suppress_context__ = quiet
    return told


def _text(error: BaseException) -> str:
    text = str(error)
    if not text.startswith("An error occurred while calling"):
        return text
    found = _JAVA_ERROR.findall(text)
    return f"{found[-1]}\n{text}" if found else text
