"""Reads what the documents promise: their code blocks, their links and the examples of docs/changes.md."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
STEPS = ("before", "incoming", "then incoming", "after", "tombstones", "history", "rejects", "changed keys")


@dataclass(frozen=True)
class Block:
    """One fenced block: where it stands, its language, the words after it, and its text."""

    page: Path
    line: int
    language: str
    words: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True)
class Table:
    """One markdown table: a list of rows, each from heading to cell."""

    headings: tuple[str, ...]
    rows: tuple[dict[str, str], ...]


@dataclass
class Example:
    """One section of docs/changes.md that shows steps."""

    title: str
    settings: str | None = None
    steps: list[tuple[str, Table]] = field(default_factory=list)

    @property
    def slug(self) -> str:
        """The title as the name of a table."""
        return re.sub(r"\W+", "_", self.title.lower()).strip("_")


def blocks(page: Path) -> Iterator[Block]:
    """The fenced code blocks of a page, in order."""
    pattern = re.compile(r"^```(\w+)[ ]*(.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    text = page.read_text("utf-8")
    for found in pattern.finditer(text):
        yield Block(page, text.count("\n", 0, found.start()) + 1, found[1], found[2], found[3])


def links(page: Path) -> Iterator[tuple[str, str]]:
    """Targets of the page's links and pictures: file (empty for the page itself) and anchor."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if not target.startswith(("http://", "https://", "mailto:")):
            file, _, anchor = target.partition("#")
            yield file, anchor


def anchors(page: Path) -> set[str]:
    """The anchors GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-") for heading in headings}


def examples(page: Path) -> list[Example]:
    """The sections of a page that hold step tables."""
    found = []
    for section in re.split(r"^## ", page.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        title, _, body = section.partition("\n")
        example = Example(title.strip())
        settings = re.search(r"^```yaml\n(.*?)^```$", body, re.MULTILINE | re.DOTALL)
        example.settings = settings[1] if settings else None
        for step in re.finditer(r"^\*\*([a-z ]+)\*\*\n\n((?:\|.*\n?)+)", body, re.MULTILINE):
            if step[1] not in STEPS:
                raise ValueError(f"{title}: expected one of {STEPS}, found {step[1]!r}")
            example.steps.append((step[1], _table(step[2])))
        if example.steps:
            found.append(example)
    return found


def _table(text: str) -> Table:
    lines = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in text.strip().splitlines()]
    headings = tuple(lines[0])
    return Table(headings, tuple(dict(zip(headings, cells, strict=True)) for cells in lines[2:]))


BLOCKS = [block for page in PAGES for block in blocks(page)]
"""Every fenced block of every page."""


def of(language: str, words: str | None = None) -> list[Block]:
    """The blocks of one language, and of one kind where `words` follow it."""
    return [block for block in BLOCKS if block.language == language and words in (None, block.words)]
