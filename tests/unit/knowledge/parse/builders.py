"""Small real documents, made by hand: PDF and DOCX with nothing but what a test needs."""

import io
import zipfile
from collections.abc import Mapping, Sequence

from headrace.config_knowledge import Parse
from headrace.knowledge.parse import Parsed, Reason, Unparsable, parse

LIMITS = Parse(seconds=20)

Placed = tuple[str, float, float, float]
"""A line of a PDF: text, distance from the left and from the bottom in points, font size."""


def refusal(content: bytes, name: str, media_type: str | None = None, limits: Parse = LIMITS) -> Unparsable:
    try:
        parsed = parse(content, name, media_type, limits)
    except Unparsable as error:
        return error
    raise AssertionError(f"expected a refusal; found {parsed.text[:200]!r}")


def reason(content: bytes, name: str, media_type: str | None = None, limits: Parse = LIMITS) -> Reason:
    return refusal(content, name, media_type, limits).reason


def read(content: bytes | str, name: str, media_type: str | None = None, limits: Parse = LIMITS) -> Parsed:
    return parse(content.encode() if isinstance(content, str) else content, name, media_type, limits)


def pdf(pages: Sequence[Sequence[Placed]], extra: Mapping[int, str] | None = None, trailer: str = "") -> bytes:
    """A PDF of these pages. Objects: 1 catalog, 2 page tree, 3 font, then a page and its content in turn."""
    kids = " ".join(f"{4 + 2 * at} 0 R" for at in range(len(pages)))
    objects = {
        1: "<< /Type /Catalog /Pages 2 0 R >>",
        2: f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        3: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    }
    for at, lines in enumerate(pages):
        stream = " ".join(_shown(*line) for line in lines)
        resources = "<< /Font << /F 3 0 R >> >>"
        box = "[0 0 600 800]"
        objects[4 + 2 * at] = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox {box} /Resources {resources} /Contents {5 + 2 * at} 0 R >>"
        )
        objects[5 + 2 * at] = f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream"
    return assembled({**objects, **(extra or {})}, trailer)


def assembled(objects: Mapping[int, str], trailer: str = "") -> bytes:
    """A PDF of these objects, with its table of them."""
    out = bytearray(b"%PDF-1.7\n")
    places = {}
    for number, content in sorted(objects.items()):
        places[number] = len(out)
        out += f"{number} 0 obj\n{content}\nendobj\n".encode("latin-1")
    table = len(out)
    size = max(objects) + 1
    rows = ["0000000000 65535 f \n", *(f"{places.get(number, 0):010d} 00000 n \n" for number in range(1, size))]
    out += f"xref\n0 {size}\n{''.join(rows)}trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\n".encode()
    return bytes(out + f"startxref\n{table}\n%%EOF\n".encode())


def _shown(text: str, x: float, y: float, size: float) -> str:
    escaped = text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
    return f"BT /F {size} Tf {x} {y} Td ({escaped}) Tj ET"


def page(*paragraphs: str, top: float = 700, size: float = 10, width: int = 60) -> list[Placed]:
    """Paragraphs as lines of some width, with a wider gap between them."""
    lines: list[Placed] = []
    for paragraph in paragraphs:
        line = ""
        for word in [*paragraph.split(), ""]:
            if not word or len(line) + len(word) > width:
                lines.append((line.strip(), 50, top, size))
                top -= size * 1.2
                line = ""
            line += f" {word}"
        top -= size
    return lines


_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_STYLES = f"""<w:styles {_W}>
<w:style w:type="paragraph" w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>
<w:style w:type="paragraph" w:styleId="berschrift2"><w:name w:val="heading 2"/></w:style></w:styles>"""
_NUMBERING = f"""<w:numbering {_W}><w:abstractNum w:abstractNumId="0">
<w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/></w:lvl><w:lvl w:ilvl="1"><w:numFmt w:val="decimal"/></w:lvl>
</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num></w:numbering>"""


def docx(body: str, parts: Mapping[str, str | bytes] | None = None, prolog: str = "") -> bytes:
    """A DOCX with this body, in WordprocessingML; `parts` replace or join the usual ones."""
    kinds = {"document": "document.main", "styles": "styles", "numbering": "numbering"}
    overrides = "".join(
        f'<Override PartName="/word/{part}.xml" ContentType="{_MAIN}.{kind}+xml"/>' for part, kind in kinds.items()
    )
    rels = f'<Default Extension="rels" ContentType="{_PACKAGE.replace("http://schemas.", "application/vnd.")}"/>'
    inner = "".join(
        f'<Relationship Id="r{part}" Type="{_OFFICE}/{part}" Target="{part}.xml"/>' for part in ("styles", "numbering")
    )
    usual: dict[str, str | bytes] = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">{rels}{overrides}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/_rels/document.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">{inner}</Relationships>',
        "word/styles.xml": _STYLES,
        "word/numbering.xml": _NUMBERING,
        "word/document.xml": f'<?xml version="1.0"?>{prolog}<w:document {_W}><w:body>{body}</w:body></w:document>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**usual, **(parts or {})}.items():
            archive.writestr(name, content)
    return out.getvalue()


def paragraph(text: str, style: str = "", level: int | None = None) -> str:
    """One paragraph; with a level, an item of a list."""
    numbered = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="1"/></w:numPr>' if level is not None else ""
    styled = f'<w:pStyle w:val="{style}"/>' if style else ""
    return f"<w:p><w:pPr>{styled}{numbered}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"
