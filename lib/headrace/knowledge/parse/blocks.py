"""Blocks of Markdown, collected until there are more characters than allowed."""

import re

from headrace.knowledge.parse.outcome import Unparsable

_READS_AS_MARKUP = re.compile(r"(?=#{1,6}\s|`{3}|~{3})", re.M)
_RUN = re.compile(r"`+")


class Blocks:
    """Text under construction.

    Args:
        room: characters it may have.
    """

    def __init__(self, room: int) -> None:
        self._limit, self._used, self._parts = room, 0, [""]

    def add(self, block: str, *, tight: bool = False) -> None:
        """One block below the last; `tight` without an empty line between. Raises Unparsable when it gets too much."""
        self._used += len(block) + 2
        if self._used > self._limit + 2:
            raise too_much_text(self._limit)
        if len(self._parts) > 1:
            self._parts.append("\n" if tight else "\n\n")
        self._parts.append(block)

    def text(self) -> str:
        """All of it."""
        return "".join(self._parts)


def too_much_text(limit: int) -> Unparsable:
    """The error for a text that is longer than allowed."""
    todo = "Split the document, or raise `parse.max_characters`."
    return Unparsable("too much text", expected=f"at most {limit:,} characters of text", found="more", todo=todo)


def too_deep(limit: int) -> Unparsable:
    """The error for elements too far inside one another."""
    todo = "Flatten the document, or raise `parse.max_depth`."
    return Unparsable("nested too deep", expected=f"at most {limit} elements in one another", found="more", todo=todo)


def literal(text: str) -> str:
    """Text of another format that must not become a heading or open a code block."""
    return _READS_AS_MARKUP.sub(r"\\", text)


def heading(level: int, text: str) -> str:
    """An ATX heading."""
    return f"{'#' * min(max(level, 1), 6)} {' '.join(text.split())}"


def code(text: str, language: str = "") -> str:
    """A fenced block, with a fence longer than any inside."""
    fence = "`" * max(3, 1 + max((len(run) for run in _RUN.findall(text)), default=0))
    return f"{fence}{language}\n{text.strip(chr(10))}\n{fence}"


def table(rows: list[list[str]]) -> str:
    """A pipe table; the first row is its head. Only that one is filled up: one wide row must not widen them all."""
    width = max(len(row) for row in rows)
    head = rows[0] + [""] * (width - len(rows[0]))
    lines = ["| " + " | ".join(row) + " |" for row in (head, *rows[1:])]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])
