"""Markdown from the elements of a page, in order."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from headrace.knowledge.parse.blocks import Blocks, code, heading, literal, table

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = frozenset(
    "html body main article section div p header footer nav aside address figure figcaption details summary dl dt dd "
    "form fieldset legend center hr table caption thead tbody tfoot tr td th ul ol menu li blockquote pre".split()
) | set(_HEADINGS)
_STRUCTURE = "table, h1, h2, h3, h4, h5, h6, ul, ol, pre, blockquote"
"""A table with these in it lays out a page; its cells are read one after another."""

_BLANKS = re.compile(r"[ \t\n\r\f]+")
_CODE_LANGUAGE = re.compile(r"(?:^|\s)(?:language|lang|highlight-source|highlight)-([\w+#-]{1,20})")
_BREAK = "\x1e"
_WIDEST = 50


@dataclass(slots=True)
class _List:
    ordered: bool
    number: int = 0
    fresh: bool = False
    """The item has just begun: its next block carries the marker."""


class Writer:
    """Takes elements as they open and close, and texts.

    Args:
        room: characters the text may have.
    """

    def __init__(self, room: int) -> None:
        self._blocks = Blocks(room)
        self._inline: list[str] = []
        self._lists: list[_List] = []
        self._quotes = 0
        self._pre: str | None = None
        self._tables: list[bool] = []
        self._rows: list[list[str]] | None = None
        self._span, self._was_item = 1, False

    def done(self) -> str:
        """The text."""
        self._flush()
        return self._blocks.text()

    def text(self, text: str) -> None:
        """Text of the page."""
        self._inline.append(text if self._pre is not None else text.replace(_BREAK, " "))

    def open(self, node: "LexborNode") -> None:
        """An element begins."""
        tag = node.tag or ""
        if self._pre is not None:
            self._in_code(node, tag)
        elif tag == "br":
            self._inline.append(_BREAK)
        elif tag == "img":
            self._inline.append(f" {node.attributes.get('alt') or ''} ")
        elif tag in ("code", "kbd", "samp"):
            self._inline.append("`")
        elif tag in _BLOCKS:
            self._open_block(node, tag)

    def close(self, node: "LexborNode") -> None:
        """An element ends."""
        tag = node.tag or ""
        if self._pre is not None:
            if tag == "pre":
                block, self._pre = code("".join(self._inline), self._pre), None
                self._inline.clear()
                self._put(block)
        elif tag in ("code", "kbd", "samp"):
            self._inline.append("`")
        elif tag in _BLOCKS:
            self._close_block(tag)

    def _in_code(self, node: "LexborNode", tag: str) -> None:
        if tag == "br":
            self._inline.append("\n")
        elif tag == "code" and not self._pre:
            self._pre = _language(node)

    def _open_block(self, node: "LexborNode", tag: str) -> None:
        if self._rows is not None:
            self._open_in_table(node, tag)
            return
        self._flush()
        if tag in ("ul", "ol", "menu"):
            self._lists.append(_List(tag == "ol"))
        elif tag == "li" and self._lists:
            self._lists[-1].number += 1
            self._lists[-1].fresh = True
        elif tag == "blockquote":
            self._quotes += 1
        elif tag == "pre":
            self._pre = _language(node)
        elif tag == "table":
            real = _is_data(node)
            self._tables.append(real)
            self._rows = [] if real else None

    def _open_in_table(self, node: "LexborNode", tag: str) -> None:
        assert self._rows is not None
        if tag == "tr":
            self._inline.clear()
            self._rows.append([])
        elif tag in ("td", "th"):
            self._inline.clear()
            span = node.attributes.get("colspan") or ""
            self._span = min(int(span), _WIDEST) if span.isascii() and span.isdigit() and len(span) < 4 else 1
        else:
            self._inline.append(" ")

    def _close_block(self, tag: str) -> None:
        if self._rows is not None:
            self._close_in_table(tag)
            return
        self._flush(_HEADINGS.get(tag, 0), tag)
        if tag in ("ul", "ol", "menu") and self._lists:
            self._lists.pop()
            self._was_item = bool(self._lists)
        elif tag == "li" and self._lists:
            self._lists[-1].fresh = False
        elif tag == "blockquote":
            self._quotes = max(0, self._quotes - 1)
        elif tag == "table" and self._tables:
            self._tables.pop()

    def _close_in_table(self, tag: str) -> None:
        assert self._rows is not None
        if tag in ("td", "th") and self._rows:
            cell = self._taken().replace("\n", " ").replace("|", "\\|")
            self._rows[-1] += [cell] + [""] * max(self._span - 1, 0)
        elif tag == "caption":
            self._put(literal(self._taken()))
        elif tag == "table":
            rows, self._rows = [row for row in self._rows if any(row)], None
            self._tables.pop()
            self._inline.clear()
            self._table(rows)
        elif tag not in ("tr", "thead", "tbody", "tfoot"):
            self._inline.append(" ")

    def _table(self, rows: list[list[str]]) -> None:
        if not rows:
            return
        if len(rows) == 1 or max(map(len, rows)) == 1:
            for row in rows:
                self._put(literal(" ".join(filter(None, row))))
            return
        self._put(table(rows))

    def _taken(self) -> str:
        """The text since the last block, blanks folded."""
        lines = _BLANKS.sub(" ", "".join(self._inline)).split(_BREAK)
        self._inline.clear()
        return "\n".join(line.strip() for line in lines).strip("\n").replace("``", "")

    def _flush(self, level: int = 0, tag: str = "") -> None:
        text = self._taken()
        if not text.strip():
            return
        if level:
            text = text.rstrip("¶#\U0001f517 \n")
            if text:
                self._put(heading(level, text))
        elif tag == "dd":
            self._put(f": {literal(text)}", tight=True)
        else:
            self._put(literal(text))

    def _put(self, block: str, *, tight: bool = False) -> None:
        """A block, with the marks of the lists and quotes it is in."""
        if not block:
            return
        fresh = bool(self._lists) and self._lists[-1].fresh
        if self._lists:
            inner = self._lists[-1]
            indent = "".join("   " if outer.ordered else "  " for outer in self._lists[:-1])
            marker = f"{inner.number}. " if inner.ordered else "- "
            first = indent + (marker if fresh else " " * len(marker))
            rest = indent + " " * len(marker)
            lines = block.split("\n")
            block = "\n".join([first + lines[0], *(rest + line if line else line for line in lines[1:])])
            inner.fresh = False
        if self._quotes:
            mark = "> " * min(self._quotes, 5)
            block = "\n".join(mark + line for line in block.split("\n"))
        self._blocks.add(block, tight=tight or (fresh and self._was_item))
        self._was_item = bool(self._lists)


def _is_data(node: "LexborNode") -> bool:
    if (node.attributes.get("role") or "") in ("presentation", "none"):
        return False
    # The node itself is among the matches of a selector.
    return all(found.mem_id == node.mem_id for found in node.css(_STRUCTURE))


def _language(node: "LexborNode") -> str:
    found = _CODE_LANGUAGE.search(node.attributes.get("class") or "")
    return found[1] if found else ""
