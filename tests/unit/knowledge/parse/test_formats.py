"""Which format a document is read as, and what is passed over."""

import pytest

from headrace.knowledge.parse import fingerprint, known

from .builders import docx, page, paragraph, pdf, read, reason


@pytest.mark.parametrize(
    "name, media_type, expected",
    [
        ("a.md", None, True),
        ("docs/A.PDF", None, True),
        ("a.docx", "application/octet-stream", True),
        ("42", "text/html; charset=utf-8", True),
        ("x", "application/problem+json", True),
        ("a.png", None, False),
        ("a.zip", "application/zip", False),
        ("README", None, False),
        ("a.pdf.gz", None, False),
    ],
)
def test_files_no_parser_takes_are_not_known(name: str, media_type: str | None, expected: bool) -> None:
    assert known(name, media_type) is expected


@pytest.mark.parametrize(
    "content, name, media_type, expected",
    [
        (pdf([page("Text")]), "a.txt", None, "application/pdf"),
        (
            docx(paragraph("Text")),
            "a.md",
            None,
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        (b" <!DOCTYPE html><p>Text", "a.json", "application/json", "text/html"),
        (b"<html><p>Text", "a.pdf", None, "text/html"),
        (b"Text", "a.pdf", "application/pdf", "text/plain"),
        (b"Text", "a.md", "text/plain", "text/plain"),
        (b"Text", "a.md", "binary/octet-stream", "text/markdown"),
        (b'{"a": "Text"}', "no-ending", None, "application/json"),
        (b"[Text](x)", "no-ending", None, "text/plain"),
    ],
)
def test_content_wins_then_type_then_name(content: bytes, name: str, media_type: str | None, expected: str) -> None:
    assert read(content, name, media_type).media_type == expected


@pytest.mark.parametrize(
    "start",
    [b"\x89PNG\r\n", b"\x1f\x8b\x08", b"PK\x03\x04", b"\x7fELF", b"{\\rtf1 x}", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"],
)
def test_files_of_other_kinds_are_refused_under_any_name(start: bytes) -> None:
    assert {reason(start + b"rest" * 9, name) for name in ("a.md", "a.html", "a.txt", "a.csv")} == {"unknown format"}


def test_the_fingerprint_names_parsers_and_versions() -> None:
    assert fingerprint() == fingerprint()
    assert all(name in fingerprint() for name in ("headrace-parse 1", "pypdfium2 ", "selectolax ", "mammoth "))
    assert "none" not in fingerprint()
