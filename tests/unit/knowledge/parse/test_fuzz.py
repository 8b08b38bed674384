"""Any bytes under any name give a text or a reason, and an edit changes what was edited."""

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.config_knowledge import Parse
from headrace.knowledge.parse import Parsed, Unparsable, parse

from .builders import docx, page, paragraph, pdf, read

NAMES = ["a.md", "a.html", "a.pdf", "a.docx", "a.txt", "a.csv", "a.json", "a.jsonl", "a"]
LIMITS = Parse(max_bytes=100_000, max_characters=20_000, max_depth=50, max_pages=5, seconds=20)
WORDS = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta")
PARAGRAPHS = [" ".join(f"{word} sentence {n} of the text." for n in range(6)) for word in WORDS]


def as_markdown(paragraphs: list[str]) -> bytes:
    return ("---\ntitle: T\n---\n\n# Head\n\n" + "\n\n".join(paragraphs)).encode()


def as_html(paragraphs: list[str]) -> bytes:
    inner = "".join(f"<h2>Part {at}</h2><p>{text}</p>" for at, text in enumerate(paragraphs))
    return f"<html><head><title>T</title></head><body><nav>n</nav><main>{inner}</main></body></html>".encode()


def as_pdf(paragraphs: list[str]) -> bytes:
    half = len(paragraphs) // 2
    sides = (paragraphs[:half], paragraphs[half:])
    return pdf([[("Guide 2026", 50, 780, 8), *page(*side), (f"{at}", 50, 20, 8)] for at, side in enumerate(sides)])


def as_docx(paragraphs: list[str]) -> bytes:
    return docx(paragraph("Head", "berschrift1") + "".join(map(paragraph, paragraphs)))


def as_csv(paragraphs: list[str]) -> bytes:
    return ("id,text\n" + "".join(f'{at},"{text}"\n' for at, text in enumerate(paragraphs))).encode()


def as_json(paragraphs: list[str]) -> bytes:
    return ("[" + ", ".join(f'{{"id": {at}, "text": "{text}"}}' for at, text in enumerate(paragraphs)) + "]").encode()


MADE: dict[str, Callable[[list[str]], bytes]] = {
    "a.md": as_markdown,
    "a.txt": as_markdown,
    "a.html": as_html,
    "a.pdf": as_pdf,
    "a.docx": as_docx,
    "a.csv": as_csv,
    "a.json": as_json,
}


def check(content: bytes, name: str) -> None:
    try:
        parsed = parse(content, name, None, LIMITS)
    except Unparsable as error:
        assert error.reason and error.detail
        return
    assert isinstance(parsed, Parsed)
    text = parsed.text
    assert text.strip() and len(text) <= LIMITS.max_characters
    assert text == unicodedata.normalize("NFC", text) and text.encode()
    assert "\r" not in text and "\0" not in text
    assert all(line == line.rstrip() for line in text.split("\n"))
    assert parse(content, name, None, LIMITS) == parsed


@settings(max_examples=120)
@given(content=st.binary(max_size=2_000), name=st.sampled_from(NAMES))
def test_random_bytes_give_a_text_or_a_reason(content: bytes, name: str) -> None:
    check(content, name)


@settings(max_examples=120)
@given(
    start=st.sampled_from(["", "%PDF-1.7\n", "<html>", "---\n", "[", '{"', "# "]),
    text=st.text(),
    name=st.sampled_from(NAMES),
)
def test_random_text_gives_a_text_or_a_reason(start: str, text: str, name: str) -> None:
    check((start + text).encode("utf-8", "surrogatepass"), name)


@settings(max_examples=250)
@given(
    made=st.sampled_from(sorted(MADE)),
    name=st.sampled_from(NAMES),
    own=st.booleans(),
    damage=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 60), st.binary(max_size=12)), min_size=1, max_size=6),
)
def test_damaged_documents_give_a_text_or_a_reason(
    made: str, name: str, own: bool, damage: list[tuple[float, int, bytes]]
) -> None:
    content = MADE[made](PARAGRAPHS)
    for share, length, put in damage:
        at = int(share * len(content))
        content = content[:at] + put + content[at + length :]
    check(content, made if own else name)


@pytest.mark.parametrize("name", sorted(MADE))
@pytest.mark.parametrize("edited", range(len(PARAGRAPHS)))
def test_an_edited_paragraph_changes_only_that_part_of_the_text(name: str, edited: int) -> None:
    changed = [*PARAGRAPHS]
    changed[edited] = "A much shorter paragraph is here now."
    before = read(MADE[name](PARAGRAPHS), name).text.split("\n\n")
    after = read(MADE[name](changed), name).text.split("\n\n")
    assert len(before) == len(after)
    different = [at for at, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]]
    assert len(different) == 1
    assert "shorter paragraph" in after[different[0]]


@pytest.mark.parametrize("name", sorted(set(MADE) - {"a.csv", "a.json", "a.html"}))
def test_an_added_paragraph_moves_the_others_unchanged(name: str) -> None:
    before = read(MADE[name](PARAGRAPHS), name).text.split("\n\n")
    after = read(MADE[name](["Quite new.", *PARAGRAPHS]), name).text.split("\n\n")
    assert [text for text in after if text not in before] == ["Quite new."]
