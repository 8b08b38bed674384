"""Markdown as sections of blocks: what may be cut apart last. Not a Markdown parser: it only finds where things start.

A section is what stands between two headings. Its heading line belongs to no block.
"""

import re
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["paragraph", "list", "table", "code"]


@dataclass(frozen=True, slots=True)
class Block:
    """`text[start:end]`: whole lines, the last without its end."""

    kind: Kind
    start: int
    end: int


@dataclass(slots=True)
class Section:
    """What stands below one heading.

    Attributes:
        path: headings, outermost first, the section's own last; empty before the first heading.
        heading: where the heading's lines are.
        parent: whether a deeper heading follows, so that its words are in other paths.
    """

    path: tuple[str, ...] = ()
    heading: tuple[int, int] = (0, 0)
    blocks: list[Block] = field(default_factory=list)
    parent: bool = False


LONGEST_HEADING = 300
"""Characters. A longer line with `#` before it is no heading: it would fill every path below it."""

_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)?")
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?$", re.DOTALL)
_CLOSING = re.compile(r"(?:^|[ \t]+)#+$")
_ATTRIBUTES = re.compile(r"[ \t]*\{:?[ \t]*[#.][^{}]*\}$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_FENCE = re.compile(r"[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(`{3,}(?=[^`]*$)|~{3,})")
_MARKER = re.compile(r"[ \t]*(?:[-*+]|(\d{1,9})[.)])(?:[ \t]|$)")
_RULE = re.compile(r" {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$")
_FRONT_MATTER = re.compile(r"---[ \t]*(?:\r\n|\r|\n)(?:[^\r\n]+(?:\r\n|\r|\n)){1,200}?(---[ \t]*)(?:[\r\n]|\Z)")


def sections(text: str) -> list[Section]:
    """The sections of a text, in order, those without blocks too."""
    reader = _Reader(text)
    front = _FRONT_MATTER.match(text)
    if front:
        reader.add("code", 0, front.end(1))
    for line in _LINES.finditer(text, front.end(1) if front else 0):
        if line.start() < line.end():
            reader.line(line.start(), line.group().rstrip("\r\n"))
    reader.close()
    return reader.sections


class _Reader:
    """The block that is open, and the sections so far."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sections = [Section()]
        self._above: list[tuple[int, str]] = []
        self._kind: Kind | None = None
        self._start = self._end = self._last = self._before = 0
        self._fence = ""
        self._after_blank = False

    def add(self, kind: Kind, start: int, end: int) -> None:
        """A block that is complete."""
        self.sections[-1].blocks.append(Block(kind, start, end))

    def close(self) -> None:
        """End the open block."""
        if self._kind is not None:
            self.add(self._kind, self._start, self._end)
        self._kind, self._fence = None, ""

    def line(self, start: int, line: str) -> None:
        """Take the next line, without its end."""
        indent = len(line) - len(line.lstrip(" \t"))
        if not line.strip():
            self._blank()
        elif self._fence and not (self._kind == "list" and indent == 0 and not _FENCE.match(line)):
            self._in_fence(start, line)
        elif not (self._kind == "list" and self._in_list(start, line, indent)):
            self._fence = ""
            self._outside(start, line, indent)
        self._after_blank = not line.strip()

    def _blank(self) -> None:
        if self._kind != "list" and not self._fence:
            self.close()

    def _in_fence(self, start: int, line: str) -> None:
        self._extend(start, line)
        closing = line.strip()
        if len(closing) >= len(self._fence) and set(closing) == {self._fence[0]}:
            self._fence = ""
            if self._kind == "code":
                self.close()

    def _in_list(self, start: int, line: str, indent: int) -> bool:
        """Whether the open list goes on with this line."""
        self._fence = ""
        if indent < 2 and not _MARKER.match(line) and (self._after_blank or self._starts_anew(line)):
            return False
        if indent < 2 and _RULE.match(line):
            return False
        self._extend(start, line)
        self._open_fence(line)
        return True

    def _outside(self, start: int, line: str, indent: int) -> None:
        marker = _MARKER.match(line)
        if self._heading(start, line):
            return
        if _FENCE.match(line):
            self._open("code", start, line)
            self._open_fence(line)
        elif self._table(start, line):
            return
        elif _RULE.match(line):
            self._open("paragraph", start, line)
            self.close()
        elif marker and (self._kind != "paragraph" or marker.group(1) in (None, "1")):
            self._open("list", start, line)
            self._open_fence(line)
        else:
            # Indented lines are code, or what stands inside an admonition or a tab: lines are all they surely have.
            kind: Kind = "code" if indent >= 4 and self._kind != "paragraph" else "paragraph"
            self._go_on(kind, start, line)

    def _heading(self, start: int, line: str) -> bool:
        found = _hashes(line)
        if found:
            self.close()
            self._begin(*found, start, start + len(line))
            return True
        underline = _UNDERLINE.match(line)
        # Only a paragraph of one line: below more, a line of dashes is rather a rule or a table drawn by hand.
        if underline and self._kind == "paragraph" and self._start == self._last:
            title = self.text[self._start : self._end]
            if len(title) <= LONGEST_HEADING:
                self._kind = None
                self._begin(1 if underline.group(1)[0] == "=" else 2, title, self._start, start + len(line))
                return True
        return False

    def _begin(self, level: int, title: str, start: int, end: int) -> None:
        while self._above and self._above[-1][0] >= level:
            self._above.pop()
        self.sections[-1].parent = bool(self._above) and self.sections[-1].path == tuple(t for _, t in self._above)
        self._above.append((level, _clean(title)))
        self.sections.append(Section(tuple(title for _, title in self._above), (start, end)))

    def _table(self, start: int, line: str) -> bool:
        """Whether the line belongs to a table. A table begins one line late: at the rule below its header."""
        if self._kind == "table" and "|" in line:
            self._extend(start, line)
            return True
        header = self.text[self._last : self._end] if self._kind == "paragraph" else ""
        if "|" not in header or "|" not in line or "-" not in line or not set(line) <= set("|-: \t"):
            return False
        if self._start < self._last:
            self.add("paragraph", self._start, self._before)
        self._kind, self._start = "table", self._last
        self._extend(start, line)
        return True

    def _starts_anew(self, line: str) -> bool:
        return bool(_hashes(line) or _FENCE.match(line))

    def _open_fence(self, line: str) -> None:
        fence = _FENCE.match(line)
        self._fence = fence.group(1) if fence else ""

    def _open(self, kind: Kind, start: int, line: str) -> None:
        self.close()
        self._kind, self._start = kind, start
        self._extend(start, line)

    def _go_on(self, kind: Kind, start: int, line: str) -> None:
        if self._kind == kind:
            self._extend(start, line)
        else:
            self._open(kind, start, line)

    def _extend(self, start: int, line: str) -> None:
        self._before, self._last, self._end = self._end, start, start + len(line)


def _hashes(line: str) -> tuple[int, str] | None:
    """Level and title of a heading that starts with `#`."""
    found = _HEADING.match(line) if len(line) <= LONGEST_HEADING else None
    return (len(found.group(1)), _CLOSING.sub("", (found.group(2) or "").strip())) if found else None


def _clean(title: str) -> str:
    return " ".join(_ATTRIBUTES.sub("", title.strip()).split())
