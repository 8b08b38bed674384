"""Reads YAML into plain data, with the line of every key.

Stricter and plainer than PyYAML's own loader: a key that comes twice is a problem, keys are always text, and only
`true`, `false`, `null` and plain numbers are more than text. So `on`, `no`, `2024-01-31` and `007` stay as written:
they are names of columns and values of operations.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

Path = tuple[str | int, ...]

_DEEPEST, _LARGEST = 40, 50_000
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in the settings: where, and what to write instead.

    Attributes:
        found: never a secret.
        certain: false where pydantic tried several types and only the deepest complaint tells what is wrong.
    """

    path: Path
    expected: str
    found: str
    example: str = ""
    hint: str = ""
    line: int | None = None
    certain: bool = True


@dataclass(slots=True)
class Document:
    """What a YAML text says: the data (None where it cannot be read), the line of each path, and the problems."""

    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


class _Loader(yaml.SafeLoader):
    """Composes nodes with the few plain types of YAML 1.2."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own attribute


for _kind, _pattern, _first in (
    ("bool", r"(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"[-+]?(?:0|[1-9][0-9]{0,30})$", "-+0123456789"),
    ("float", r"[-+]?(?=[0-9]*[.eE])(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?$", "-+.0123456789"),
    ("null", r"(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("merge", r"<<$", "<"),
):
    _Loader.add_implicit_resolver(_TAG + _kind, re.compile(_pattern), list(_first))


def read(text: str) -> Document:
    """Return what `text` says. Never raises: whatever is wrong stands in `problems`."""
    document = Document()
    try:
        root = yaml.compose(text, _Loader)
        if root is not None:
            document.data = _Builder(document).build(root, (), 0)
    except yaml.YAMLError as error:
        document.problems.append(_unreadable(error))
    except (RecursionError, ValueError):
        document.problems.append(Problem((), "YAML that is not nested so deeply", f"more than {_DEEPEST} levels"))
    return document


class _Builder:
    """Turns composed nodes into data."""

    def __init__(self, document: Document) -> None:
        self.document, self.built = document, 0

    def build(self, node: yaml.Node, path: Path, depth: int) -> Any:
        self.built += 1
        # An alias may point at its own parent, or double its size at every level.
        if depth > _DEEPEST or self.built > _LARGEST:
            raise RecursionError
        self.document.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, (*path, index), depth + 1) for index, item in enumerate(node.value)]
        return self.scalar(node, path)

    def mapping(self, node: yaml.MappingNode, path: Path, depth: int) -> dict[str, Any]:
        built: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        first_lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if key_node.tag == _TAG + "merge":
                merged |= self.merged(value_node, path, depth)
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                self.problem(path, "a name as key", "a list or mapping as key", line)
                continue
            key = str(key_node.value)
            if key in first_lines:
                self.problem((*path, key), "each key once", f"it again, first on line {first_lines[key]}", line)
                continue
            first_lines[key] = line
            self.document.lines[(*path, key)] = line
            built[key] = self.build(value_node, (*path, key), depth + 1)
        return merged | built

    def merged(self, node: yaml.Node, path: Path, depth: int) -> dict[str, Any]:
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        result: dict[str, Any] = {}
        for part in reversed(parts):
            value = self.build(part, (*path, "<<"), depth + 1)
            if isinstance(value, dict):
                result |= value
            else:
                line = part.start_mark.line + 1
                self.problem((*path, "<<"), "a mapping to take keys from", "something else", line, "<<: *defaults")
        return result

    def scalar(self, node: yaml.Node, path: Path) -> Any:
        text = str(node.value)
        match node.tag.removeprefix(_TAG):
            case "str" | "merge":
                return text
            case "null":
                return None
            case "bool" if text.lower() in ("true", "false"):
                return text.lower() == "true"
            case "int" if re.fullmatch(r"[-+]?[0-9]{1,31}", text):
                return int(text)
            case "float" if re.fullmatch(r"[-+]?[0-9.]+([eE][-+]?[0-9]+)?", text):
                return float(text)
        self.problem(path, "plain text, a number, true, false or null", f"the tag {node.tag}", node.start_mark.line + 1)
        return text

    def problem(self, path: Path, expected: str, found: str, line: int, example: str = "") -> None:
        self.document.problems.append(Problem(path, expected, found, example, line=line))


def _unreadable(error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    said = getattr(error, "problem", None) or getattr(error, "reason", None) or "text that is not YAML"
    column = f" (column {mark.column + 1})" if mark else ""
    hint = "Indent with spaces, and put quotes around text that holds `: `, ` #`, or starts with * & ! % @ or `."
    return Problem((), "a YAML file", f"{said}{column}", hint=hint, line=mark.line + 1 if mark else None)
