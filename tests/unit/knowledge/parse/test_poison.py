"""Documents made to hang, crash or flood a parser, and documents that are damaged."""

import io
import time
import zipfile
import zlib

import pytest

from headrace.config_knowledge import Parse
from headrace.knowledge.parse import Parsed, Unparsable, parse

from .builders import LIMITS, assembled, docx, page, paragraph, pdf, read, reason

LAUGHS = '<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
PASSWORD = f"<< /Filter /Standard /V 1 /R 2 /O <{'11' * 32}> /U <{'22' * 32}> /P -4 >>"


@pytest.mark.parametrize("content", [b"", b" \r\n\t", b"\0\0\0"])
@pytest.mark.parametrize("name", ["a.md", "a.html", "a.pdf", "a.docx", "a.txt", "a.csv", "a.json", "a.jsonl", "a"])
def test_nothing_is_empty(content: bytes, name: str) -> None:
    assert reason(content, name) == "empty"


@pytest.mark.parametrize(
    "content, name",
    [(b"---\ntitle: x\n---\n", "a.md"), (b"<html><script>x()</script></html>", "a.html"), (b"{}", "a.json")],
)
def test_a_document_without_text_is_empty(content: bytes, name: str) -> None:
    assert reason(content, name) == "empty"


def test_limits_of_size_and_text_hold() -> None:
    assert reason(b"x" * 101, "a.md", None, Parse(max_bytes=100)) == "too large"
    few = Parse(max_characters=100)
    wide = b"name of a column,b\n" + b"1,2\n" * 20
    pages = pdf([page("word " * 30)] * 2)
    deep = b'{"' + b"k" * 60 + b'": [{"a": 1}, {"a": 2}]}'
    table = b"<table>" + b"<tr><td>a<td>b" * 20 + b"</table>"
    for content, name in [(b"x" * 101, "a.md"), (wide, "a.csv"), (pages, "a.pdf"), (deep, "a.json"), (table, "a.html")]:
        assert reason(content, name, None, few) == "too much text"
    assert reason(docx(paragraph("word " * 30)), "a.docx", None, few) == "too much text"


@pytest.mark.parametrize(
    "content, name",
    [
        (b"<div>" * 10_000 + b"x", "a.html"),
        (b"<div>" * 1_000_000 + b"x", "a.html"),
        (b"<b>" * 300 + b"x", "a.html"),
        (b"[" * 100_000 + b"]" * 100_000, "a.json"),
        (b"[" * 300 + b"1" + b"]" * 300, "a.json"),
        (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, "a.jsonl"),
        (docx("<w:p>" * 10_000 + "</w:p>" * 10_000), "a.docx"),
    ],
)
def test_what_nests_too_deep_is_refused(content: bytes, name: str) -> None:
    assert reason(content, name) == "nested too deep"


def test_an_archive_is_refused_before_it_is_unpacked() -> None:
    bomb = docx("<w:p/>" + " " * 30_000_000)
    assert len(bomb) < 100_000
    assert reason(bomb, "a.docx") == "expands too much"
    assert reason(docx(paragraph("x"), {"word/media/a.png": b"\0" * 10_000_000}), "a.docx") == "expands too much"


def test_entities_are_refused() -> None:
    assert reason(docx(paragraph("&c;"), prolog=LAUGHS), "a.docx") == "expands too much"


def test_an_archive_that_lies_about_its_sizes_is_refused() -> None:
    content = docx(paragraph("word " * 10_000))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        size = archive.getinfo("word/document.xml").file_size
    lie = content.replace(size.to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert reason(lie, "a.docx") == "not readable"


def test_what_needs_a_password_says_so() -> None:
    locked = pdf([page("Text")], {9: PASSWORD}, "/Encrypt 9 0 R /ID [<00> <00>]")
    assert reason(locked, "a.pdf") == "encrypted"
    flagged = bytearray(docx(paragraph("x")))
    for at in range(len(flagged)):
        if flagged[at : at + 4] == b"PK\x01\x02":
            flagged[at + 8] |= 1
    assert reason(bytes(flagged), "a.docx") == "encrypted"
    office = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le")
    assert reason(office, "a.docx") == "encrypted"


def test_loops_in_a_pdf_end() -> None:
    catalog, leaf = "<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>"
    loop = assembled({1: catalog, 2: "<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 2000 /Parent 2 0 R >>", 3: leaf})
    many = assembled({1: catalog, 2: "<< /Type /Pages /Kids [3 0 R] /Count 900000000 >>", 3: leaf})
    form = "<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 9 0 R >> >> /Length 5 >>"
    drawn = f"{form}\nstream\n/X Do\nendstream"
    assert reason(loop, "a.pdf") in ("empty", "not readable")
    assert reason(many, "a.pdf") in ("empty", "not readable", "too many pages")
    assert read(pdf([page("Text")], {9: drawn}), "a.pdf").text == "Text"


def test_a_stream_that_expands_a_thousand_times_costs_time_only() -> None:
    packed = zlib.compress(b"q Q " * 20_000_000, 9).hex()
    stream = f"<< /Filter [/ASCIIHexDecode /FlateDecode] /Length {len(packed)} >>\nstream\n{packed}\nendstream"
    assert reason(pdf([[]], {5: stream}), "a.pdf", None, Parse(seconds=3)) in ("empty", "took too long", "not readable")


def test_a_parser_that_hangs_is_ended_and_the_next_document_is_read() -> None:
    # Ordering accents takes time that grows with the square of their number.
    accents = ("a" + "\u0301\u0327" * 1_000_000).encode()
    started = time.monotonic()
    assert reason(accents, "a.txt", None, Parse(seconds=0.5)) == "took too long"
    assert time.monotonic() - started < 20
    assert read("<p>Text", "a.html").text == "Text"


@pytest.mark.parametrize(
    "content, name",
    [
        (b'a,b\n"never closed' + b",x\n" * 500_000, "a.csv"),
        (b'{"a": 1}\n{broken\n', "a.jsonl"),
        (b'{"a": ' * 3, "a.json"),
        (docx(paragraph("x"), {"word/document.xml": "<w:document"}), "a.docx"),
        (docx(paragraph("x" * 5000))[:-100], "a.docx"),
        (b"PK\x03\x04", "a.docx"),
        (b"%PDF-1.7\n", "a.pdf"),
        (b"\0\1\2\3" * 99, "a.pdf"),
    ],
)
def test_damaged_documents_are_not_readable(content: bytes, name: str) -> None:
    assert reason(content, name) == "not readable"


def test_a_pdf_that_was_cut_off_gives_what_is_left_or_a_reason() -> None:
    whole = pdf([page("First page text."), page("Second page text.")])
    for end in range(0, len(whole), 37):
        try:
            assert "page text" in parse(whole[:end], "a.pdf", None, LIMITS).text
        except Unparsable as error:
            assert error.reason in ("empty", "not readable", "unknown format")


@pytest.mark.parametrize(
    "content, name, text",
    [
        (b"one\0two", "a.txt", "onetwo"),
        (b"<p>one\0two</p>", "a.html", "onetwo"),
        (b'{"a": "x\\ud83dy"}', "a.json", "a: x\ufffdy"),
        ("x\ud83dy".encode("utf-8", "surrogatepass"), "a.md", "x\ufffdy"),
        (b"<p>x&#xD83D;y</p>", "a.html", "x\ufffdy"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "a.json", "a: " + "9" * 10_000),
        (b"---\n" + b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n" + b"---\nText", "a.md", None),
    ],
)
def test_odd_but_harmless_content_is_read(content: bytes, name: str, text: str | None) -> None:
    parsed = read(content, name)
    assert isinstance(parsed, Parsed)
    assert text is None or parsed.text == text
    parsed.text.encode()


def test_an_error_says_what_to_do_and_nothing_of_the_content() -> None:
    with pytest.raises(Unparsable) as caught:
        parse(b'{"password": "hunter2", "a" 1}', "a.json", None, LIMITS)
    assert caught.value.reason == "not readable"
    assert caught.value.detail.startswith("expected valid application/json; found Expecting ':' delimiter at line 1")
    assert "hunter2" not in caught.value.detail
