"""Regular expressions of the settings, run over what strangers write: in linear time, by RE2.

Python's own engine takes exponential time for an expression such as `(a+)+$`, and nothing can interrupt it.
"""

import importlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from headrace.errors import MissingDependency

_MEMORY = 8 * 1024 * 1024


def problem(pattern: str) -> str | None:
    """What is wrong with a pattern; None for nothing, or where RE2 is not installed: nobody is asked there."""
    try:
        _compiled(pattern)
    except MissingDependency:
        return None
    except ValueError as error:
        return str(error)
    return None


def found(pattern: str, text: str) -> Iterator[str]:
    """What a pattern finds in a text: its first group, or all of it where it has none. Nothing empty.

    Raises:
        MissingDependency: RE2 is not installed.
        ValueError: the pattern is none of RE2's.
    """
    compiled = _compiled(pattern)
    group = min(compiled.groups, 1)
    # Half a pair of UTF-16 is no character, and RE2 reads UTF-8.
    for match in compiled.finditer(text.encode("utf-8", "replace").decode("utf-8")):
        if value := match[group]:
            yield value


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    try:
        re2 = importlib.import_module("re2")
    except ModuleNotFoundError as error:
        todo = "Run `pip install 'headrace[read]'`."
        raise MissingDependency(
            expected="the package google-re2, for in_question", found="no such package", todo=todo, where="in_question"
        ) from error
    options = re2.Options()
    options.log_errors, options.max_mem = False, _MEMORY
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeEncodeError) as error:
        said = error.args[0] if isinstance(error, re2.error) and error.args else "no text of Unicode"
        raise ValueError(said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)) from None
