"""What comes of a document: its text, or why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from headrace.errors import HeadraceError

Reason = Literal[
    "unknown format",
    "too large",
    "too many pages",
    "too much text",
    "expands too much",
    "nested too deep",
    "not readable",
    "encrypted",
    "empty",
    "took too long",
]


@dataclass(frozen=True, slots=True)
class Parsed:
    """A document as it is cut and shown.

    Attributes:
        title: None where neither the format nor a first heading has one.
        text: Markdown-like: `#` headings, paragraphs, lists, pipe tables, fenced code. NFC, `\\n` line ends, no blanks
            at line ends, at most one empty line in a row outside code, never a lone surrogate.
        media_type: what it was read as, which may differ from what was said.
        language: ISO 639-1; None when unsure.
        metadata: what the format tells: `author`, `created`, `modified`, `description`, front matter.
    """

    title: str | None
    text: str
    media_type: str
    language: str | None
    metadata: dict[str, str]


class Unparsable(HeadraceError):
    """A document that gives no text, however often it is tried.

    Attributes:
        reason: one of a short fixed set, to count by.
        detail: what was expected, what was found, what to do; nothing of the content.
    """

    def __init__(self, reason: Reason, *, expected: str, found: str, todo: str) -> None:
        super().__init__(expected=expected, found=found, todo=todo)
        self.reason: Reason = reason
        self.detail = str(self)


@dataclass(frozen=True, slots=True)
class Draft:
    """What a parser gives, before it is cleaned. `language` is what the document says of itself."""

    title: str | None
    text: str
    media_type: str
    language: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
