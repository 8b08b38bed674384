# /// script
# requires-python = ">=3.11"
# dependencies = ["python-docx==1.2.0", "reportlab==5.1.0"]
# ///
"""Make the travel company's PDF and DOCX files from scripts/travel_documents/*.md.

Run by hand after an edit, `uv run scripts/travel_documents.py`, and check the files in. ReportLab (BSD) and python-docx
(MIT) are needed here only, so they are in no extra and not in requirements.lock. The same source gives the same bytes;
a test compares what Headrace reads in the files with their sources.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import docx
from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table

SOURCES = Path(__file__).with_suffix("")
MADE = SOURCES.parent.parent / "lib" / "headrace" / "travel" / "documents"
PDF, DOCX = ("travel-insurance", "hotel-conditions"), ("group-travel", "rental-cars")
WRITTEN = datetime(2026, 11, 3, tzinfo=UTC)
MOST_BYTES = 30_000

Block = tuple[str, list[str]]
"""What it is (`#`, `##`, `-`, `1`, `|`, or nothing for a paragraph) and its lines."""

_BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=10, leading=13, spaceAfter=6)
_ITEM = ParagraphStyle("item", _BODY, leftIndent=14, bulletIndent=4, spaceAfter=2)
_CELL = ParagraphStyle("cell", _BODY, fontSize=9, leading=11, spaceAfter=0)
_HEADS = {
    "#": ParagraphStyle("h1", _BODY, fontName="Helvetica-Bold", fontSize=18, leading=22, spaceAfter=10),
    "##": ParagraphStyle(
        "h2", _BODY, fontName="Helvetica-Bold", fontSize=14, leading=18, spaceBefore=8, keepWithNext=1
    ),
}
_FOOT = ParagraphStyle("foot", _BODY, fontSize=8, alignment=TA_CENTER)


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a small part of Markdown: headings, paragraphs of one line, lists and tables."""
    for part in re.split(r"\n\s*\n", text.strip()):
        lines = part.splitlines()
        kind = re.match(r"#+|-|\d+(?=\.)|\|", lines[0])
        what = "" if kind is None else "1" if kind[0].isdigit() else kind[0]
        yield what, [re.sub(r"^(#+|-|\d+\.)\s+", "", line) for line in lines]


def cells(lines: list[str]) -> list[list[str]]:
    """The rows of a table, without the line below its head."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [rows[0], *rows[2:]]


def pdf(text: str) -> bytes:
    """A PDF with a footer on each page."""
    title = text.partition("\n")[0].lstrip("# ")
    out = io.BytesIO()
    page = SimpleDocTemplate(
        out, pagesize=A4, margin=60, title=title, author="Penstock Travel", subject=title, invariant=1
    )

    def foot(canvas: Canvas, made: SimpleDocTemplate) -> None:
        line = Paragraph(f"{title}, page {made.page}", _FOOT)
        line.wrapOn(canvas, A4[0], 20)
        line.drawOn(canvas, 0, 30)

    page.build([one for block in blocks(text) for one in _flowables(*block)], onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


def _flowables(kind: str, lines: list[str]) -> Iterator[Flowable]:
    if kind == "|":
        rows = [[Paragraph(cell, _CELL) for cell in row] for row in cells(lines)]
        yield Table(rows, style=[("GRID", (0, 0), (-1, -1), 0.4, colors.grey)], hAlign="LEFT")
        yield Spacer(1, 8)
    elif kind in ("-", "1"):
        for number, line in enumerate(lines, 1):
            yield Paragraph(line, _ITEM, bulletText="\u2022" if kind == "-" else f"{number}.")
        yield Spacer(1, 6)
    else:
        for line in lines:
            yield Paragraph(line, _HEADS.get(kind, _BODY))


def word(text: str) -> bytes:
    """A DOCX with Word's own styles."""
    document = docx.Document()
    about = document.core_properties
    about.author, about.title, about.comments = "Penstock Travel", text.partition("\n")[0].lstrip("# "), ""
    about.created = about.modified = WRITTEN
    for kind, lines in blocks(text):
        if kind.startswith("#"):
            document.add_heading(lines[0], level=len(kind) - 1)
        elif kind == "|":
            _word_table(document, cells(lines))
        else:
            style = {"-": "List Bullet", "1": "List Number"}.get(kind)
            for line in lines:
                document.add_paragraph(line, style)
    _lighten(document.part.rels)
    _lighten(document.part.package.rels)
    out = io.BytesIO()
    document.save(out)
    return _undated(out.getvalue())


def _lighten(relations: dict[str, Any]) -> None:
    """Leave out what the template brings and nobody reads: a picture of it, and all its styles a second time."""
    for name in [name for name, one in relations.items() if one.reltype.endswith(("/thumbnail", "/stylesWithEffects"))]:
        del relations[name]


def _word_table(document: docx.document.Document, rows: list[list[str]]) -> None:
    table = document.add_table(len(rows), len(rows[0]), style="Table Grid")
    for row, found in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, found, strict=True):
            cell.text = text


def _undated(content: bytes) -> bytes:
    """The same archive without the time it was made."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name, (2026, 11, 3, 0, 0, 0)), old.read(name), zipfile.ZIP_DEFLATED, 9)
    return out.getvalue()


def main() -> None:
    """Write all four files."""
    for names, suffix, make in ((PDF, "pdf", pdf), (DOCX, "docx", word)):
        for name in names:
            content = make((SOURCES / f"{name}.md").read_text("utf-8"))
            if len(content) > MOST_BYTES:
                raise SystemExit(f"{name}.{suffix}: expected at most {MOST_BYTES} bytes, found {len(content)}")
            (MADE / f"{name}.{suffix}").write_bytes(content)
            print(f"{name}.{suffix}: {len(content)} bytes")


if __name__ == "__main__":
    main()
