"""Turns what is wrong with the settings into a report for people."""

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import SecretStr, ValidationError

from headrace.config_base import Contradiction, Contradictions, unknown_name
from headrace.config_fit import left_out
from headrace.config_hints import HINTS, Hint
from headrace.config_places import MAPPINGS, SECRETS, pattern_of, walk
from headrace.config_yaml import Path, Problem
from headrace.errors import ConfigError

_PRIVATE = re.compile(
    r"(?i)password|passwd|secret|jaas|token|credential|private|access.?key|api.?key|authorization|cookie"
)
_NEAR = "Did you mean "
_RENAMED = {"ca": "ca_file"}
"""Keys that had another name before."""
_REFERENCES: tuple[tuple[Path, str, str], ...] = (
    # (mappings by name, their key, what it names)
    (("tables",), "source", "sources"),
    (("knowledge", "documents"), "table", "tables"),
    (("knowledge", "documents"), "source", "sources of format: json"),
    (("knowledge", "documents"), "events", "sources of format: objects"),
    (("profiles", "records"), "table", "tables"),
    (("profiles", "related"), "table", "tables"),
    (("profiles", "behaviour"), "table", "tables"),
    # `consent`, which is one alone.
    (("profiles",), "table", "tables"),
)


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
    misspelt = {path: problem.hint for path, problem in found.items() if problem.hint.startswith(_NEAR)}
    vague |= {(*path[:-1], hint.removeprefix(_NEAR).rstrip("?")) for path, hint in misspelt.items()}
    return [problem for path, problem in found.items() if path not in vague]


def wrong_as_a_whole(data: Any) -> list[Problem]:
    """What is left out, and names of nothing: also where other errors keep the whole from being checked."""
    if not isinstance(data, dict):
        return []
    # A misspelt key is reported once, as unknown.
    unknown = [key for key in data if key not in HINTS]
    missing = [wrong for wrong in left_out(data) if not difflib.get_close_matches(wrong.where, unknown, cutoff=0.6)]
    problems = [_told(wrong, ()) for wrong in missing]
    for group, key, kinds in _REFERENCES:
        section, _, wanted = kinds.partition(" of format: ")
        known = dict(_entries(data, (section,)))
        if section == "tables":
            known |= dict(_entries(data, ("derive",)))
        fit = [name for name in known if not wanted or dict(_entries(known, (name,))).get("format") == wanted]
        for name, entry in _entries(data, group):
            value = entry.get(key) if isinstance(entry, dict) else None
            # Without any source, that is what is wrong with tables.
            if isinstance(value, str) and value not in known and (known or group != ("tables",)):
                problems.append(_unknown_name((*group, name, key), value, kinds, sorted(fit)))
    return problems


def _unknown_name(path: Path, value: str, kinds: str, known: list[str]) -> Problem:
    wrong = unknown_name(str(path[-1]), shown(value, path), kinds, known)
    near = difflib.get_close_matches(value, known, n=1)
    hint = f"{_NEAR}{near[0]}?" if near else ""
    return Problem(path, wrong.expected, wrong.found, wrong.example, hint)


def _entries(data: Any, path: Path) -> list[tuple[str, Any]]:
    for step in path:
        data = data.get(step) if isinstance(data, dict) else None
    return list(data.items()) if isinstance(data, dict) else []


def shown(value: Any, path: Path = ()) -> str:
    """A short text for a value found; never a secret, and nothing taken from the environment."""
    if value is None:
        return "nothing"
    if isinstance(value, SecretStr) or _private(path):
        return "a value that is not shown"
    if isinstance(value, str) and type(value) is not str:
        return "a value from the environment, not shown"
    if isinstance(value, dict):
        return f"a mapping with {', '.join(map(str, list(value)[:6]))}" if value else "an empty mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    text = re.sub(r"//[^/@]*@", "//...@", json.dumps(value, ensure_ascii=False))
    return text if len(text) <= 60 else text[:57] + "..."


def _private(path: Path) -> bool:
    """Whether a secret may stand there: by the models, or by a name that the models do not know."""
    places = [(pattern_of(path[: end + 1]), str(part)) for end, part in enumerate(path)]
    return any(
        (place in SECRETS and not place.endswith("*"))
        or ((place.endswith("*") or place not in HINTS) and _PRIVATE.search(part))
        for place, part in places
    )


def _problems(kind: str, loc: tuple[int | str, ...], context: Mapping[str, Any], data: Any) -> Iterable[Problem]:
    path, value, rest, tag = walk(loc, data)
    raised = context.get("error")
    if isinstance(raised, Contradiction | Contradictions):
        for wrong in raised.problems if isinstance(raised, Contradictions) else (raised,):
            yield _without_environment(_told(wrong, path), data)
        return
    if kind == "extra_forbidden":
        yield _unknown_key(path, tag)
        return
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        yield _unknown_kind(path, value)
        return
    if kind == "missing" and rest:
        path, value = (*path, rest[-1]), None
    hint = _hint(path)
    expected = hint.expected
    if path and path[-1] == "[key]":
        path, expected = path[:-1], "a name of letters, digits and _, at most 100, not starting with a digit"
        value = path[-1]
    yield Problem(path, expected, shown(value, path), hint.example, certain=kind == "missing")


def _unknown_kind(path: Path, value: Any) -> Problem:
    mapping = MAPPINGS[pattern_of(path)]
    given = value if isinstance(value, dict) else {}
    below = (*path, mapping.key)
    hint = _hint(below)
    problem = Problem(below, hint.expected, shown(given.get(mapping.key), below), hint.example)
    fit = [tag for tag in mapping.kinds if set(given) <= set(mapping.keys(tag))]
    if mapping.key not in given and len(fit) == 1:
        return replace(problem, example=f"{mapping.key}: {fit[0]}")
    return problem


def _told(wrong: Contradiction, path: Path) -> Problem:
    return Problem((*path, *_below(wrong.where)), wrong.expected, wrong.found, wrong.example)


def _without_environment(problem: Problem, data: Any) -> Problem:
    """A model does not know which of its values came from the environment."""
    said = f"{problem.found} {problem.example}"
    # Of less than four letters it is no secret, and would be found in other words.
    if not any(len(text) > 3 and text in said for text in _from_environment(data)):
        return problem
    found = "a value from the environment, not shown"
    return replace(problem, found=found, example=_hint(problem.path).example)


def _from_environment(value: Any) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, str) and type(value) is not str:
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _from_environment(inner)


def _below(where: str) -> Path:
    # Names below these may hold dots themselves.
    first, _, name = where.partition(".")
    if first in ("columns", "types", "properties") and name:
        return (first, name)
    return tuple(where.split(".")) if where else ()


def _hint(path: Path) -> Hint:
    while path and pattern_of(path) not in HINTS:
        path = path[:-1]
    return HINTS[pattern_of(path)]


def _unknown_key(path: Path, tag: str) -> Problem:
    parent, key = path[:-1], str(path[-1])
    mapping = MAPPINGS[pattern_of(parent)]
    known = mapping.keys(tag)
    others = mapping.kinds_with(key)
    if others:
        hint = f"{key} is a key of {mapping.key}: {', '.join(others)}."
        return Problem(path, f"one of the keys {', '.join(known)}", "an unknown key", _hint(parent).example, hint)
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    if _RENAMED.get(key) in known:
        near = [_RENAMED[key]]
    if near:
        example = _hint((*parent, near[0])).example
        return Problem(path, "a known key", "an unknown key", example, f"{_NEAR}{near[0]}?")
    return Problem(path, f"one of the keys {', '.join(known)}", "an unknown key", _hint(parent).example)


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
