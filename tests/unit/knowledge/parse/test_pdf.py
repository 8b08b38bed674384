"""PDF: what repeats goes, lines become paragraphs."""

from headrace.config_knowledge import Parse

from .builders import Placed, page, pdf, read, reason

LONG = "The index is kept in step with its sources by comparing positions and hashes of all passages in turn."


def paged(number: int, *paragraphs: str, of: int = 4) -> list[Placed]:
    head = [("Guide to Water, 2 May 2026", 50.0, 780.0, 8.0)]
    foot = [(f"Internal {number}", 50.0, 40.0, 8.0), (f"Page {number} of {of}", 280.0, 20.0, 8.0)]
    # Footers often come first in the file.
    return [*foot, *head, *page(*paragraphs)]


def test_lines_become_paragraphs_and_larger_ones_headings() -> None:
    title: list[Placed] = [("Water Guide", 50, 760, 24), ("Start", 50, 730, 14)]
    assert read(pdf([[*title, *page(LONG, "Second paragraph.")]]), "a.pdf").text == (
        f"# Water Guide\n\n## Start\n\n{LONG}\n\nSecond paragraph."
    )
    assert read(pdf([[*title, *page(LONG)]]), "a.pdf").title == "Water Guide"


def test_page_headers_footers_and_numbers_go() -> None:
    words = ("alpha", "beta", "gamma", "delta")
    texts = [" ".join([f"{word} text that is here and nowhere else;"] * 5 + [f"{word}."]) for word in words]
    parsed = read(pdf([paged(at + 1, text) for at, text in enumerate(texts)]), "a.pdf")
    assert parsed.text == "\n\n".join(texts)


def test_a_repeated_line_inside_the_text_stays() -> None:
    pages = [page(f"Rule {word}.", "Note well.", f"More of {word}.") for word in ("alpha", "beta", "gamma")]
    assert read(pdf(pages), "a.pdf").text.count("Note well.") == 3


def test_headers_with_a_page_number_go_in_short_chapters_too() -> None:
    chapters = ["One", "One", "Two", "Three", "Three", "Four"]
    pages = [
        [(f"Chapter {name}   {at + 7}", 50.0, 780.0, 8.0), *page(f"Text {at} of {name}.")]
        for at, name in enumerate(chapters)
    ]
    text = read(pdf(pages), "a.pdf").text
    assert ("Chapter" in text, text.count("Text")) == (False, 6)


def test_words_cut_at_line_ends_and_sentences_cut_at_page_ends_are_joined() -> None:
    first: list[Placed] = [("The reser-", 50, 700, 10), ("voir is full and", 50, 688, 10)]
    second: list[Placed] = [("flows over. X-", 50, 700, 10), ("Ray stays.", 50, 688, 10)]
    assert read(pdf([first, second]), "a.pdf").text == "The reservoir is full and flows over. X-Ray stays."


def test_items_become_a_list() -> None:
    lines: list[Placed] = [("- first item", 50, 700, 10), ("goes on", 60, 688, 10), ("- second", 50, 676, 10)]
    assert read(pdf([lines]), "a.pdf").text == "- first item goes on\n- second"


def test_metadata_is_read_and_titles_of_programs_are_not() -> None:
    info = "<< /Title (%s) /Author (Ann) /CreationDate (D:20240131120000+01'00') >>"
    named = read(pdf([page(LONG)], {9: info % "Plan"}, "/Info 9 0 R"), "a.pdf")
    assert (named.title, named.metadata) == ("Plan", {"author": "Ann", "created": "2024-01-31T12:00:00"})
    assert read(pdf([page(LONG)], {9: info % "Microsoft Word - x.doc"}, "/Info 9 0 R"), "a.pdf").title is None


def test_headings_come_from_the_outline_too() -> None:
    lines = page("2.1 Pumps", LONG)
    outline = {
        1: "<< /Type /Catalog /Pages 2 0 R /Outlines 10 0 R >>",
        10: "<< /First 11 0 R /Last 11 0 R /Count 1 >>",
        11: "<< /Title (Pumps) /Parent 10 0 R /Dest [4 0 R /Fit] >>",
    }
    assert read(pdf([lines], outline), "a.pdf").text == f"# 2.1 Pumps\n\n{LONG}"


def test_a_pdf_with_too_many_pages_is_refused() -> None:
    assert reason(pdf([page(LONG)] * 4), "a.pdf", None, Parse(max_pages=3)) == "too many pages"


def test_a_pdf_without_text_is_empty() -> None:
    assert reason(pdf([[], []]), "scan.pdf") == "empty"
