"""DOCX: headings by style, lists, tables, changes."""

from .builders import docx, paragraph, read

CORE = """<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"><dc:title>Plan</dc:title>
<dc:creator>Ann</dc:creator><dcterms:created>2024-01-31T12:00:00Z</dcterms:created></cp:coreProperties>"""


def row(*cells: str) -> str:
    return "<w:tr>" + "".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in cells) + "</w:tr>"


def test_headings_lists_and_tables_are_kept() -> None:
    table = f"<w:tbl>{row('name', 'size')}{row('a', '1')}</w:tbl>"
    items = paragraph("one", level=0) + paragraph("inner", level=1) + paragraph("two", level=0)
    body = paragraph("Rules", "berschrift1") + paragraph("Text &lt;b&gt;.") + items
    parsed = read(docx(body + paragraph("Sizes", "berschrift2") + table), "a.docx")
    assert parsed.text == (
        "# Rules\n\nText <b>.\n\n- one\n  1. inner\n- two\n\n## Sizes\n\n| name | size |\n| --- | --- |\n| a | 1 |"
    )
    assert parsed.title == "Rules"


def test_properties_become_title_and_metadata() -> None:
    parsed = read(docx(paragraph("Text"), {"docProps/core.xml": CORE}), "a.docx")
    assert (parsed.title, parsed.metadata) == ("Plan", {"author": "Ann", "created": "2024-01-31T12:00:00Z"})


def test_changes_are_read_as_accepted() -> None:
    run = "<w:r><w:t>%s</w:t></w:r>"
    changed = (
        f"<w:ins>{run % 'new '}</w:ins><w:del><w:r><w:delText>old </w:delText></w:r></w:del>"
        f"<w:sdt><w:sdtContent>{run % 'text'}</w:sdtContent></w:sdt>"
    )
    assert read(docx(f"<w:p>{changed}</w:p>"), "a.docx").text == "new text"


def test_a_docx_is_known_by_its_content() -> None:
    assert read(docx(paragraph("Text")), "a.txt", "text/plain").text == "Text"
