"""JSON and JSON lines: a line `path: value` for each value, a paragraph for each object in a list.

Paths have no positions: with `items[3].name`, one element put in front would change the text of all that follow.
"""

import json
from typing import TYPE_CHECKING, Any

from headrace.knowledge.parse import media
from headrace.knowledge.parse.blocks import Blocks, literal, too_deep
from headrace.knowledge.parse.charset import decode
from headrace.knowledge.parse.direct import not_readable
from headrace.knowledge.parse.outcome import Draft

if TYPE_CHECKING:
    from headrace.config_knowledge import Parse


def parse_json(content: bytes, charset: str | None, limits: "Parse") -> Draft:
    """One value; several with a line each are read as JSON lines. A member `title` at the top is the title."""
    text = decode(content, charset)
    try:
        value = _loads(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and "\n" in text:
            return _lines(text, limits)
        raise not_readable(media.JSON, f"{error.msg} at line {error.lineno}, column {error.colno}") from error
    flat = _Flat(limits)
    flat.add(value)
    title = value.get("title") if isinstance(value, dict) else None
    return Draft(title if isinstance(title, str) else None, flat.text(), media.JSON)


def parse_json_lines(content: bytes, charset: str | None, limits: "Parse") -> Draft:
    """Each line a value and a paragraph."""
    return _lines(decode(content, charset), limits)


def _lines(text: str, limits: "Parse") -> Draft:
    flat = _Flat(limits)
    # Not splitlines(): U+2028 may stand inside JSON text.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                flat.add(_loads(line))
            except json.JSONDecodeError as error:
                raise not_readable(media.JSON_LINES, f"{error.msg} at line {number}") from error
    return Draft(None, flat.text(), media.JSON_LINES)


def _loads(text: str) -> Any:
    """Numbers stay as they are written."""
    return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)


class _Flat:
    def __init__(self, limits: "Parse") -> None:
        self._blocks, self._depth = Blocks(limits.max_characters), limits.max_depth
        self._starts = True

    def add(self, value: Any) -> None:
        """One value, from the next paragraph on."""
        self._starts = True
        self._walk("", value, 0)

    def text(self) -> str:
        return self._blocks.text()

    def _walk(self, path: str, value: Any, depth: int) -> None:
        if depth > self._depth:
            raise too_deep(self._depth)
        if isinstance(value, dict):
            for name, member in value.items():
                self._walk(f"{path}.{name}" if path else name, member, depth + 1)
        elif isinstance(value, list):
            self._list(path, value, depth)
        else:
            self._line(path, _shown(value))

    def _list(self, path: str, values: list[Any], depth: int) -> None:
        plain = [one for one in values if not isinstance(one, dict | list)]
        if plain:
            self._line(path, ", ".join(filter(None, map(_shown, plain))))
        for value in values:
            if isinstance(value, dict | list):
                self._starts = True
                self._walk(path, value, depth + 1)
                self._starts = True

    def _line(self, path: str, shown: str) -> None:
        """Text of several lines gets a paragraph of its own, as it may be Markdown."""
        if not shown.strip():
            return
        long = "\n" in shown.strip()
        text = f"{path}:\n\n{shown}" if long else literal(f"{path}: {shown}" if path else shown)
        self._blocks.add(text, tight=not (self._starts or long))
        self._starts = long


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
