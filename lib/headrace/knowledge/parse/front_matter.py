"""The block of settings at the start of many Markdown files, YAML between `---` or TOML between `+++`."""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import yaml

_LONGEST = 16_384
"""PyYAML reads some 100 KB/s; longer blocks are text. Its C loader is quicker and overflows the stack when nested."""


class _Loader(yaml.SafeLoader):
    """Safe YAML without aliases, which can make a short block huge."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not read")
        return super().compose_node(parent, index)


def split(text: str) -> tuple[Mapping[str, str], str]:
    """Front matter as text values, and what follows it. One that cannot be read stays in the text."""
    start, mark = text[:4].strip(), "\n" + text[:3]
    end = text.find(mark, 3, _LONGEST) if start in ("---", "+++") and text[3:4] == "\n" else -1
    if end < 0 or text[end + 4 : end + 5] not in ("", "\n"):
        return {}, text
    block = text[4:end]
    try:
        found = tomllib.loads(block) if start == "+++" else yaml.load(block, Loader=_Loader)
    except (yaml.YAMLError, tomllib.TOMLDecodeError, RecursionError, ValueError, TypeError):
        return {}, text
    if not isinstance(found, dict):
        return ({}, text[end + 5 :]) if found is None else ({}, text)
    return dict(_flat(found)), text[end + 5 :]


def _flat(found: Mapping[Any, Any]) -> Iterator[tuple[str, str]]:
    """Scalars and lists of scalars; deeper values are settings of some site builder."""
    for name, value in found.items():
        values = value if isinstance(value, list) else [value]
        shown = [_shown(one) for one in values]
        if isinstance(name, str) and shown and None not in shown:
            yield name.lower(), ", ".join(one for one in shown if one is not None)


def _shown(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, str | float) or (isinstance(value, int) and abs(value) < 1 << 64) else None
