"""What holds for every text: nothing lost, nothing over budget, and an edit stays where it is made."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.config_knowledge import Chunk
from headrace.knowledge.blocks import sections
from headrace.knowledge.chunk import Piece, chunks
from headrace.knowledge.tokens import count

WORDS = (
    "a the of Zürich headrace e.g. v2.0 1,024 https://a.b/c?d=1 東京都です。 สวัสดี 👩‍👩‍👧 e\u0301 -> `x` end.".split()
)


def words(length: int, step: int, first: int) -> str:
    return " ".join(WORDS[(first + step * n) % len(WORDS)] for n in range(length))


def block(kind: str, lines: int, length: int, step: int) -> str:
    made = [words(length, step, first) for first in range(lines)]
    if kind == "table":
        return "\n".join(["| a | b |", "|---|---|", *map("| {} |".format, made)])
    if kind == "list":
        return "\n".join(map("- {}".format, made))
    return "\n".join(["```", *made, "```"]) if kind == "code" else ". ".join(made)


# A few numbers make a block: drawing each word would take most of the time.
KIND = st.sampled_from(["paragraph", "list", "table", "code"])
BLOCK = st.builds(block, KIND, st.integers(1, 5), st.integers(1, 24), st.integers(1, 40))
BODY = st.lists(BLOCK, min_size=1, max_size=3).map("\n\n".join)
SECTION = st.builds("{} {}\n\n{}\n\n".format, st.sampled_from(["#", "##", "###"]), st.sampled_from("ABC"), BODY)
DOCUMENT = st.lists(SECTION, max_size=3).map("".join)
# Whatever may come: pieces of syntax in no order, odd line ends, marks without a base, half surrogates.
SYNTAX = ["\r\n", "\r", "\n", "\n\n", "# ", "- ", "  ", "```", "~~~", "|", "---", "===", "1. ", ">", "\t", "word"]
ODD = ["\u2028", "\x85", "\u00a0", "\u200d", "\u0301", "\ufeff", "\ud83d", "\udc00", "\x00", "\u0958", "\u1100\u1161"]
SCRAPS = st.lists(st.sampled_from(SYNTAX + ODD + WORDS) | st.characters(), max_size=40).map("".join)
ANY = st.one_of(DOCUMENT, SCRAPS)
SETTINGS = st.builds(Chunk, tokens=st.sampled_from([16, 17, 40, 200]), heading=st.booleans())
TITLE = st.one_of(st.none(), st.just("A title"), st.text(max_size=40))


def cut(text: str, settings: Chunk, title: str | None = None) -> list[Piece]:
    return chunks("doc", text, title, settings)


@given(ANY, TITLE, SETTINGS)
def test_pieces_are_in_order_within_budget_and_lose_nothing(text: str, title: str | None, settings: Chunk) -> None:
    pieces = cut(text, settings, title)
    covered: set[int] = set()
    end = 0
    for ordinal, piece in enumerate(pieces):
        assert piece.ordinal == ordinal
        assert end <= piece.start < piece.end
        assert piece.text == text[piece.start : piece.end]
        assert piece.text.strip()
        assert piece.tokens == count(piece.embedded) <= settings.tokens
        end = piece.end
        covered.update(range(piece.start, piece.end))
    headings = {at for section in sections(text) for at in range(*section.heading)}
    assert all(at in covered or at in headings for at, character in enumerate(text) if not character.isspace())
    assert len({piece.id for piece in pieces}) == len(pieces)


@given(ANY, TITLE, SETTINGS)
def test_the_same_text_makes_the_same_pieces(text: str, title: str | None, settings: Chunk) -> None:
    assert cut(text, settings, title) == cut(text, settings, title)


@given(ANY, SETTINGS)
def test_line_ends_do_not_matter(text: str, settings: Chunk) -> None:
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    hashes = [[piece.content_hash for piece in cut(plain.replace("\n", end), settings)] for end in ("\n", "\r\n", "\r")]
    assert hashes[0] == hashes[1] == hashes[2]


@given(DOCUMENT, SECTION, SETTINGS)
def test_a_section_at_the_end_changes_nothing_before_it(text: str, section: str, settings: Chunk) -> None:
    before = cut(text + "# Last\n\nwords", settings)[:-1]
    assert cut(text + "# Other\n\nwords\n\n" + section, settings)[: len(before)] == before


@given(st.lists(SECTION, min_size=2, max_size=4), BODY, st.data(), SETTINGS)
def test_an_edit_leaves_the_pieces_of_other_sections(
    parts: list[str], body: str, data: st.DataObject, settings: Chunk
) -> None:
    at = data.draw(st.integers(0, len(parts) - 1))
    heading = parts[at].split("\n")[0]
    edited = [*parts[:at], f"{heading}\n\n{body}\n\n", *parts[at + 1 :]]
    before, after = cut("".join(parts), settings), cut("".join(edited), settings)
    start, end = sum(map(len, parts[:at])), sum(map(len, parts[: at + 1]))
    others = [piece.content_hash for piece in before if not start <= piece.start < end]
    end = start + len(edited[at])
    assert others == [piece.content_hash for piece in after if not start <= piece.start < end]


def test_an_edit_in_a_long_section_moves_few_cuts() -> None:
    paragraphs = [f"Paragraph {n} tells about {n * n} things and {n % 7} more. " * (1 + n % 3) for n in range(200)]
    before = {piece.content_hash for piece in cut("# A\n\n" + "\n\n".join(paragraphs), Chunk())}
    again = []
    for at in range(0, 200, 5):
        edited = [*paragraphs[:at], f"Something else, number {at}.", *paragraphs[at:]]
        after = cut("# A\n\n" + "\n\n".join(edited), Chunk())
        again.append(len([piece for piece in after if piece.content_hash not in before]))
    assert sum(again) / len(again) < 2.5
    assert max(again) < len(before) / 4


SHAPES: dict[str, Callable[[int], str]] = {
    "sentences": lambda size: "Some words of a sentence. " * (size // 26),
    "words": lambda size: " ".join(f"word{n}" for n in range(size // 9)),
    "letters": lambda size: "abcdefghij" * (size // 10),
    "one letter": lambda size: "a" * size,
    "han": lambda size: "東京都港区" * (size // 5),
    "stops": lambda size: "." * size,
    "wide stops": lambda size: "。" * size,
    "blanks": lambda size: "a" + " " * size + "b",
    "dashes": lambda size: "-" * size,
    "backticks": lambda size: "`" * size,
    "bars": lambda size: "| a " * (size // 4),
    "marks": lambda size: "a" + "\u0301" * size,
    "quotes": lambda size: "." + '"' * size,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_one_enormous_line_takes_work_in_proportion_to_its_size(shape: str) -> None:
    less, more = (_calls(SHAPES[shape](size)) for size in (4_000, 16_000))
    assert more < 4.6 * less + 2_000
    assert more < 16_000 * 40


def test_a_book_in_one_line_is_cut() -> None:
    text = SHAPES["words"](400_000)
    pieces = cut(text, Chunk())
    assert " ".join(piece.text for piece in pieces) == text
    assert max(piece.tokens for piece in pieces) <= 200


def _calls(text: str) -> int:
    """Calls of functions, ours and C's, that cutting takes."""
    calls = 0

    def counted(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        cut(text, Chunk())
    finally:
        sys.setprofile(before)
    return calls
