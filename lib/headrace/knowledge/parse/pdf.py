"""PDF: text by page, read by PDFium (pypdfium2); what repeats on pages goes, lines become paragraphs and headings.

PDFium is C++ and may crash on hostile files: this runs in a helper only. Tables come out as lines. Scanned pages have
no text. Headings are known by the outline, else by letters larger than most; bold ones of the same size are paragraphs.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from headrace.knowledge.parse import media
from headrace.knowledge.parse.blocks import too_much_text
from headrace.knowledge.parse.direct import not_readable
from headrace.knowledge.parse.outcome import Draft, Unparsable
from headrace.knowledge.parse.pdf_lines import Line, without_repeats
from headrace.knowledge.parse.pdf_paragraphs import written

if TYPE_CHECKING:
    from headrace.config_knowledge import Parse

_LINE_ENDS = re.compile(r"\r\n|\r|\n")
_MOST_BOOKMARKS = 5_000
_NO_TITLE = re.compile(r"microsoft word - |untitled|.{0,200}\.(?:docx?|pdf|tex|indd|dvi|qxd)$", re.I)
"""What programs write where the author gave no title."""

_METADATA = {"Author": "author", "Subject": "description", "Keywords": "keywords"}
_DATE = re.compile(r"D:(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?")


def parse_pdf(content: bytes, charset: str | None, limits: "Parse") -> Draft:
    """Text of all pages that can be read; `unreadable_pages` in the metadata counts the others."""
    document = _opened(content)
    try:
        count = len(document)
        if count > limits.max_pages:
            todo = "Split the document, or raise `parse.max_pages`."
            expected = f"at most {limits.max_pages:,} pages"
            raise Unparsable("too many pages", expected=expected, found=f"{count:,}", todo=todo)
        metadata = _metadata(document)
        pages = list(_pages(document, count, limits.max_characters))
        unread = pages.count(None)
        if unread == count:
            raise not_readable(media.PDF, "no page that can be read")
        if unread:
            metadata["unreadable_pages"] = str(unread)
        lines = without_repeats([page for page in pages if page is not None])
        text = written(lines, _outline(document), limits.max_characters)
    finally:
        document.close()
    return Draft(metadata.pop("title", None) or _first_heading(text), text, media.PDF, None, metadata)


def _opened(content: bytes) -> Any:
    import pypdfium2  # type: ignore[import-untyped]

    try:
        return pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        if error.err_code in (pypdfium2.raw.FPDF_ERR_PASSWORD, pypdfium2.raw.FPDF_ERR_SECURITY):
            raise media.encrypted("a PDF with a password") from error
        raise not_readable(media.PDF, "a damaged file") from error


def _pages(document: Any, count: int, room: int) -> Iterator[list[Line] | None]:
    """The lines of each page; None for one that cannot be read."""
    from pypdfium2 import PdfiumError

    used = 0
    for number in range(count):
        try:
            page = document[number]
        except PdfiumError:
            yield None
            continue
        try:
            lines = _lines(page)
        except PdfiumError:
            lines = None
        finally:
            page.close()
        used += sum(len(line.text) + 1 for line in lines or ())
        if used > 2 * room:
            raise too_much_text(room)
        yield lines


def _lines(page: Any) -> list[Line]:
    textpage = page.get_textpage()
    try:
        try:
            text, placed = textpage.get_text_range(errors="replace"), True
        except (RecursionError, AssertionError):
            # pypdfium2 steps over leading characters without Unicode one call deeper each.
            text, placed = textpage.get_text_bounded(errors="replace"), False
        return list(_cut(textpage, text, placed))
    finally:
        textpage.close()


def _cut(textpage: Any, text: str, placed: bool) -> Iterator[Line]:
    start = 0
    for end in [*_LINE_ENDS.finditer(text), None]:
        line = text[start : end.start() if end else None]
        if line.strip():
            first = start + len(line) - len(line.lstrip())
            box = _box(textpage, first) if placed else None
            yield Line(line.strip(), *(box or (0.0, 0.0, 0.0)))
        start = end.end() if end else len(text)


def _box(textpage: Any, at: int) -> tuple[float, float, float] | None:
    """Left and bottom of a character in points, and the height of its font there; None where it has no place."""
    import ctypes

    from pypdfium2 import raw

    rectangle = raw.FS_RECTF()
    index = raw.FPDFText_GetCharIndexFromTextIndex(textpage, at)
    if index < 0 or not raw.FPDFText_GetLooseCharBox(textpage, index, ctypes.byref(rectangle)):
        return None
    return rectangle.left, rectangle.bottom, abs(rectangle.top - rectangle.bottom)


def _outline(document: Any) -> dict[str, int]:
    """Headings the document names itself, with their levels."""
    from pypdfium2 import PdfiumError

    found: dict[str, int] = {}
    try:
        for item in document.get_toc(max_depth=6):
            title = " ".join((item.get_title() or "").split())
            if title:
                found.setdefault(title, item.level + 1)
            if len(found) >= _MOST_BOOKMARKS:
                break
    except (PdfiumError, RecursionError, ValueError):
        return found
    return found


def _metadata(document: Any) -> dict[str, str]:
    raw: dict[str, str] = document.get_metadata_dict(skip_empty=True)
    found = {name: raw[theirs] for theirs, name in _METADATA.items() if theirs in raw}
    found |= {
        name: _date(raw.get(theirs, "")) for name, theirs in (("created", "CreationDate"), ("modified", "ModDate"))
    }
    title = raw.get("Title", "").strip()
    if title and not _NO_TITLE.match(title):
        found["title"] = title
    return found


def _date(text: str) -> str:
    """`D:20240131120000+01'00'` as ISO 8601 without the zone, which many writers get wrong."""
    found = _DATE.match(text)
    if not found:
        return ""
    year, month, day, hour, minute, second = found.groups()
    date = "-".join(filter(None, (year, month, day)))
    return f"{date}T{hour}:{minute}:{second or '00'}" if day and hour and minute else date


def _first_heading(text: str) -> str | None:
    first = text.partition("\n")[0]
    return first.lstrip("# ") if first.startswith("#") else None
