"""DOCX: mammoth turns Word's elements into HTML, and that becomes Markdown as web pages do.

mammoth knows headings by style in any language of Word, lists, tables, footnotes, text boxes and tracked changes. It
reads XML into memory at once, so the archive is checked before.
"""

import io
import zipfile
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from headrace.knowledge.parse import archive, media
from headrace.knowledge.parse.html import body_text
from headrace.knowledge.parse.outcome import Draft

if TYPE_CHECKING:
    from headrace.config_knowledge import Parse

_STYLES = """
p[style-name='Title'] => h1:fresh
p[style-name='Subtitle'] => p:fresh
p[style-name='toc 1'] => !
p[style-name='toc 2'] => !
p[style-name='toc 3'] => !
comment-reference => !
"""
_PROPERTIES = {
    "{http://purl.org/dc/elements/1.1/}title": "title",
    "{http://purl.org/dc/elements/1.1/}creator": "author",
    "{http://purl.org/dc/elements/1.1/}description": "description",
    "{http://purl.org/dc/elements/1.1/}language": "language",
    "{http://schemas.openxmlformats.org/package/2006/metadata/core-properties}keywords": "keywords",
    "{http://purl.org/dc/terms/}created": "created",
    "{http://purl.org/dc/terms/}modified": "modified",
}


def parse_docx(content: bytes, charset: str | None, limits: "Parse") -> Draft:
    """Text as it is shown with all changes accepted; without comments, headers, footers and table of contents."""
    import mammoth  # type: ignore[import-untyped]

    archive.check(content, limits)
    html = mammoth.convert_to_html(
        io.BytesIO(content),
        style_map=_STYLES,
        include_embedded_style_map=False,
        convert_image=lambda image: [],
        external_file_access=False,
    ).value
    text = body_text(html, limits)
    metadata = _properties(content)
    title = metadata.pop("title", None) or _first_heading(text)
    return Draft(title, text, media.DOCX, metadata.pop("language", None), metadata)


def _properties(content: bytes) -> dict[str, str]:
    """Core properties; none where the part is missing or damaged, for the text matters more."""
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        try:
            root = ElementTree.fromstring(parts.read("docProps/core.xml"))
        except (KeyError, ElementTree.ParseError, zipfile.BadZipFile):
            return {}
    found = ((_PROPERTIES.get(element.tag), (element.text or "").strip()) for element in root)
    return {name: value for name, value in found if name and value}


def _first_heading(text: str) -> str | None:
    first = text.partition("\n")[0]
    return first[2:] if first.startswith("# ") else None
