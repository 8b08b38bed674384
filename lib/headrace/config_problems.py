"""Turns what is wrong with the settings into a report for people."""

import difflib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError

from headrace import config, config_base, config_sources
from headrace.config_hints import HINTS, Hint
from headrace.config_yaml import Path, Problem
from headrace.errors import ConfigError

_MODELS: dict[str, type[BaseModel]] = {
    "": config.Config,
    "sources.*.position.*": config_sources.PositionColumn,
    "sources.*.operation": config_sources.OperationColumn,
    "tables.*": config.Table,
    "tables.*.expect.*": config.Expectation,
    "tables.*.history": config.History,
    "tables.*.maintenance": config.TableMaintenance,
    "log": config.Log,
    "rejects": config.Rejects,
    "apply": config.Apply,
}
_SOURCES: dict[str, type[BaseModel]] = {"files": config_sources.FilesSource, "kafka": config_sources.KafkaSource}
_PRIVATE = re.compile(r"(?i)password|passwd|secret|jaas|token|credential|private|access.?key")
_NEAR = "Did you mean "
_NAMED = ("sources", "tables")
_FREE_KEYS = ("sources.*.options", "tables.*.types", "tables.*.columns", "tables.*.properties", "spark")


class WrongSettings(ConfigError):
    """The settings file is wrong; the text of this error is the whole report.

    Attributes:
        problems: all of them, in the order of the file.
    """

    def __init__(self, file: str, problems: Sequence[Problem], lines: Mapping[Path, int]) -> None:
        placed = sorted(((_line(problem, lines), problem) for problem in problems), key=lambda item: item[0])
        self.problems = [problem for _, problem in placed]
        count = f"{len(placed)} problem" + "s" * (len(placed) != 1)
        super().__init__(
            expected="valid settings", found=count, todo="Correct them and run `headrace check`.", where=file
        )
        self.report = "\n\n".join([f"{file} has {count}:", *(_described(line, problem) for line, problem in placed)])

    def __str__(self) -> str:
        return self.report


def pattern_of(path: Path) -> str:
    """The path as `HINTS` writes it: names the user chose and places in lists become `*`."""
    parts: list[str] = []
    for part in path:
        named = not isinstance(part, str) or ".".join(parts) in (*_NAMED, *_FREE_KEYS)
        parts.append("*" if named else str(part))
    return ".".join(parts)


def dotted(path: Path) -> str:
    """The path as people read it: `tables.users.expect[0].min`; names that hold dots are put in quotes."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if re.fullmatch(r"[\w-]+", part) else json.dumps(part))
    return text


def from_pydantic(error: ValidationError, data: Any) -> list[Problem]:
    """One problem for each path that `error` complains about."""
    found: dict[Path, Problem] = {}
    for detail in error.errors(include_url=False, include_input=False):
        for problem in _problems(detail["type"], detail["loc"], detail.get("ctx") or {}, data):
            found.setdefault(problem.path, problem)
    # A union complains once for each of its members: the longest path says best what is wrong.
    longer = {path[:end] for path in found for end in range(1, len(path))}
    vague = {path for path, problem in found.items() if path in longer and not problem.certain}
    # A misspelt key is reported once: as unknown, not as missing too.
    misspelt = {path: problem.hint for path, problem in found.items() if problem.hint}
    vague |= {(*path[:-1], hint.removeprefix(_NEAR).rstrip("?")) for path, hint in misspelt.items()}
    return [problem for path, problem in found.items() if path not in vague]


def unknown_sources(data: Any) -> list[Problem]:
    """Tables whose source does not exist, also where other errors keep the whole from being checked."""
    sources = data.get("sources") if isinstance(data, dict) else None
    tables = data.get("tables") if isinstance(data, dict) else None
    problems = []
    if isinstance(sources, dict) and isinstance(tables, dict):
        for name, table in tables.items():
            source = table.get("source") if isinstance(table, dict) else None
            if isinstance(source, str) and source not in sources:
                wrong = config.unknown_source("", shown(source), sorted(sources))
                near = difflib.get_close_matches(source, sources, n=1)
                hint = f"{_NEAR}{near[0]}?" if near else ""
                problems.append(Problem(("tables", name, "source"), wrong.expected, wrong.found, wrong.example, hint))
    return problems


def shown(value: Any, path: Path = ()) -> str:
    """A short text for a value found; never a secret, and nothing taken from the environment."""
    if isinstance(value, SecretStr) or any(_PRIVATE.search(str(part)) for part in path):
        return "a value that is not shown"
    if isinstance(value, str) and type(value) is not str:
        return "a value from the environment, not shown"
    if isinstance(value, dict):
        return f"a mapping with {', '.join(map(str, list(value)[:6]))}" if value else "an empty mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if value is None:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _problems(kind: str, loc: tuple[int | str, ...], context: Mapping[str, Any], data: Any) -> Iterable[Problem]:
    path, value, rest = _walk(loc, data)
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        path, value = (*path, "from"), value.get("from") if isinstance(value, dict) else None
    if kind == "missing" and rest:
        path, value = (*path, rest[-1]), None
    raised = context.get("error")
    if isinstance(raised, config_base.Contradiction | config_base.Contradictions):
        for wrong in raised.problems if isinstance(raised, config_base.Contradictions) else (raised,):
            below = (*path, *_below(wrong.where))
            yield Problem(below, wrong.expected, wrong.found, wrong.example)
    elif kind == "extra_forbidden":
        yield _unknown_key(path, data)
    else:
        hint = _hint(path)
        expected = hint.expected
        if path and path[-1] == "[key]":
            path, expected = path[:-1], "a name of letters, digits and _, at most 100, not starting with a digit"
            value = path[-1]
        yield Problem(path, expected, shown(value, path), hint.example, certain=kind == "missing")


def _walk(loc: tuple[int | str, ...], data: Any) -> tuple[Path, Any, tuple[int | str, ...]]:
    """Follow an error's place through the data; steps that name a member of a union are no part of it."""
    path: Path = ()
    value = data
    for index, step in enumerate(loc):
        transport = len(path) == 2 and path[0] == "sources" and index == 2 and step in _SOURCES
        if step == "[key]":
            return (*path, step), value, ()
        if isinstance(value, dict) and step in value and not transport:
            path, value = (*path, step), value[step]
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            path, value = (*path, step), value[step]
        elif index == len(loc) - 1:
            return path, value, (step,)
    return path, value, ()


def _below(where: str) -> Path:
    # `columns.` is the one place where a contradiction names a column, which may hold dots itself.
    if where.startswith("columns."):
        return ("columns", where.removeprefix("columns."))
    return tuple(where.split(".")) if where else ()


def _hint(path: Path) -> Hint:
    while path and pattern_of(path) not in HINTS:
        path = path[:-1]
    return HINTS[pattern_of(path)]


def _unknown_key(path: Path, data: Any) -> Problem:
    parent, key = path[:-1], str(path[-1])
    known = _known_keys(parent, data)
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    if near:
        example = _hint((*parent, near[0])).example
        return Problem(path, "a known key", "an unknown key", example, f"{_NEAR}{near[0]}?")
    return Problem(path, f"one of the keys {', '.join(known)}", "an unknown key", _hint(parent).example)


def _known_keys(path: Path, data: Any) -> list[str]:
    place = pattern_of(path)
    if place == "sources.*":
        source = data["sources"][path[1]]
        model = _SOURCES[source["from"]] if "from" in source else config_sources.SourceBase
    else:
        model = _MODELS[place]
    return [field.alias or name for name, field in model.model_fields.items()]


def _line(problem: Problem, lines: Mapping[Path, int]) -> int:
    if problem.line is not None:
        return problem.line
    path = problem.path
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def _described(line: int, problem: Problem) -> str:
    rows = [f"  line {line}: {dotted(problem.path)}".removesuffix(": ")]
    rows.append(f"    expected  {problem.expected}")
    rows.append(f"    found     {problem.found}")
    rows += [f"    example   {problem.example}"] if problem.example else []
    rows += [f"    {problem.hint}"] if problem.hint else []
    return "\n".join(rows)
