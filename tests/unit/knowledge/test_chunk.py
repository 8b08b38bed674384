"""Pieces: where documents are cut, what is embedded, what keeps its id."""

import pytest

from headrace.config_knowledge import Chunk
from headrace.knowledge.chunk import Piece, chunks, fingerprint

SMALL = Chunk(tokens=40)
PLAIN = Chunk(tokens=40, heading=False)


def cut(text: str, settings: Chunk = SMALL, title: str | None = None) -> list[Piece]:
    return chunks("doc", text, title, settings)


def texts(text: str, settings: Chunk = PLAIN) -> list[str]:
    return [piece.text for piece in cut(text, settings)]


def sentences(count: int, word: str = "alpha") -> str:
    return " ".join(f"Sentence {word} number {n} ends here." for n in range(count))


def test_a_piece_knows_its_headings_and_not_those_beside_it() -> None:
    pieces = cut("intro\n\n# A\n\none\n\n## B\n\ntwo\n\n### C ###\n\nthree\n\n## D {#d}\n\nfour\n\n# E\n\nfive\n")
    paths = [(piece.text, piece.heading) for piece in pieces]
    assert paths == [
        ("intro", ()),
        ("one", ("A",)),
        ("two", ("A", "B")),
        ("three", ("A", "B", "C")),
        ("four", ("A", "D")),
        ("five", ("E",)),
    ]


def test_underlined_headings_count_too() -> None:
    pieces = cut("Top\n===\n\none\n\nBelow\n---\ntwo\n")
    assert [(piece.text, piece.heading) for piece in pieces] == [("one", ("Top",)), ("two", ("Top", "Below"))]


@pytest.mark.parametrize(
    "text",
    [
        "```\n# not a heading\n```",
        "~~~ python\n# not a heading\n```\n~~~",
        "- item\n\n  ```\n  # not a heading\n  ```\n- next",
        "#hashtag and nothing else",
        "    # indented, so code",
        "---\ntitle: x\n# a comment\n---",
        "# " + "x" * 400,
    ],
)
def test_what_only_looks_like_a_heading_is_text(text: str) -> None:
    assert {piece.heading for piece in cut(text)} == {()}
    assert "".join("".join(piece.text for piece in cut(text)).split()) == "".join(text.split())


def test_a_fence_that_never_ends_in_a_list_ends_with_the_list() -> None:
    assert cut("- item\n  ```\n  code\n\n# Next\n\ntext")[-1].heading == ("Next",)


def test_a_heading_with_nothing_below_makes_a_piece_of_its_own() -> None:
    pieces = cut("# Questions\n\n## Is it safe?\n\n## Is it quick?\n\nyes\n")
    assert [(piece.heading, piece.text) for piece in pieces] == [
        (("Questions",), "## Is it safe?"),
        (("Questions", "Is it quick?"), "yes"),
    ]


def test_title_and_headings_stand_before_what_is_embedded_but_not_twice() -> None:
    text = "# Guide\n\n## Setup\n\nRun\n  it."
    assert cut(text, title="guide")[0].embedded == "Guide > Setup: Run it."
    assert cut(text, title="Manual")[0].embedded == "Manual > Guide > Setup: Run it."
    assert cut(text, PLAIN, title="Manual")[0].embedded == "Run it."


def test_headings_take_at_most_a_quarter_and_the_nearest_stays_longest() -> None:
    text = "# First chapter of so many\n\n## Second part of that\n\n### Third\n\nbody"
    (piece,) = cut(text, Chunk(tokens=40), title="Title")
    assert piece.embedded == "Title > Second part of that > Third: body"
    assert piece.heading == ("First chapter of so many", "Second part of that", "Third")
    (long,) = cut("# " + "word " * 50 + "\n\nbody", Chunk(tokens=40))
    assert long.tokens <= 12
    assert long.embedded.endswith(": body")


def test_identical_text_in_two_documents_is_embedded_once() -> None:
    (here,), (there,) = chunks("a", "# H\n\nsame", "T", SMALL), chunks("b", "# H\n\n\nsame\n", "T", SMALL)
    assert here.content_hash == there.content_hash
    assert here.id != there.id


def test_equal_pieces_below_one_heading_have_ids_of_their_own() -> None:
    text = "\n\n".join([sentences(3)] * 3)
    pieces = cut(text, PLAIN)
    assert len({piece.content_hash for piece in pieces}) == 1
    assert len({piece.id for piece in pieces}) == 3


def test_ids_are_the_same_on_every_machine() -> None:
    (piece,) = chunks("guide.md", "# Setup\n\nRun it.", "Guide", Chunk())
    assert piece.id == "53298d8579542ea1a58bd856af283766"
    assert piece.content_hash == "8fcdc2af537022003fe29575b638813a"


def test_a_moved_section_keeps_ids_and_hashes() -> None:
    one, two = f"# One\n\n{sentences(9)}\n\n", f"# Two\n\n{sentences(9, 'beta')}\n\n"
    assert {piece.id for piece in cut(one + two)} == {piece.id for piece in cut(two + one)}


def test_wrapping_lines_in_another_way_embeds_nothing_again() -> None:
    before, after = "# A\n\nsome words in a\nline", "# A\n\nsome words\nin a line"
    assert cut(before)[0].content_hash == cut(after)[0].content_hash


def test_composed_and_decomposed_accents_are_the_same() -> None:
    assert cut("caf\u00e9")[0].id == cut("cafe\u0301")[0].id


def test_a_new_title_is_embedded_again_with_every_piece() -> None:
    text = "# A\n\none\n\n# B\n\ntwo"
    assert not {p.content_hash for p in cut(text, title="Old")} & {p.content_hash for p in cut(text, title="New")}


def test_blocks_that_fit_are_not_cut() -> None:
    listing = "- one item\n- two items\n- three items\n- four items\n- five items"
    table = "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |"
    code = "```\nfirst()\n\nsecond()\n```"
    found = texts("\n\n".join([sentences(4), listing, sentences(4), table, sentences(4), code]))
    for block in (listing, table, code):
        assert sum(block in text for text in found) == 1


def test_a_large_table_is_cut_between_rows_and_repeats_its_header_when_embedded() -> None:
    rows = [f"| name {n} | value {n} |" for n in range(20)]
    table = "\n".join(["| name | value |", "|---|---|", *rows])
    pieces = cut(table)
    assert len(pieces) > 3
    assert pieces[0].text.startswith("| name | value |\n|---|---|\n| name 0 |")
    for piece in pieces[1:]:
        assert piece.text.splitlines()[0] in rows
        assert piece.embedded == "| name | value | " + " ".join(piece.text.split())
    assert "\n".join(piece.text for piece in pieces) == table


def test_a_table_may_follow_its_introduction_without_a_blank_line() -> None:
    rows = "\n".join(f"| {n} | value |" for n in range(20))
    last = cut(f"Some values\n| n | v |\n|---|---|\n{rows}")[-1]
    assert last.embedded.startswith("| n | v | | ")


def test_a_header_too_large_to_repeat_is_not_repeated() -> None:
    header = "| " + "a long name of a column | " * 4
    rows = "\n".join(f"| {n} | x |" for n in range(20))
    assert not any("column" in piece.embedded for piece in cut(f"{header}\n|---|---|\n{rows}")[1:])


def test_a_large_code_block_is_cut_at_line_ends() -> None:
    lines = ["```python", *(f"    call_{n}(argument)" for n in range(20)), "```"]
    found = texts("\n".join(lines))
    assert len(found) > 3
    assert [line for text in found for line in text.split("\n")] == lines


def test_a_large_list_is_cut_between_items_then_between_those_inside() -> None:
    items = [f"- item {n} has words\n  and a second line" for n in range(12)]
    found = texts("\n".join(items))
    assert len(found) > 3
    assert all(text.startswith("- item") for text in found)
    nested = "- outer\n" + "\n".join(f"  - inner item {n} has words" for n in range(12))
    assert all(text.strip().startswith(("- outer", "- inner")) for text in texts(nested))


def test_a_large_paragraph_is_cut_at_sentence_ends_and_not_after_abbreviations() -> None:
    text = " ".join(f"Some of it, e.g. number {n}, ends here." for n in range(12))
    found = texts(text)
    assert len(found) > 3
    assert all(part.startswith("Some") and part.endswith("here.") for part in found)


@pytest.mark.parametrize(
    ("sentence", "stop"),
    [("这是一个很短的句子。", "。"), ("これは短い文ですか\uff1f", "\uff1f"), ("यह एक वाक्य है।", "।")],
)
def test_sentences_end_without_spaces(sentence: str, stop: str) -> None:
    found = texts(sentence * 20)
    assert len(found) > 3
    assert all(part.endswith(stop) for part in found)


def test_long_sentences_are_cut_between_words() -> None:
    words = [f"word{n}" for n in range(200)]
    found = texts(" ".join(words))
    assert [word for part in found for word in part.split()] == words


@pytest.mark.parametrize(
    "character",
    ["e\u0301\u0323", "👩‍👩‍👧", "👍🏽", "🇩🇪", "ก็", "\u1112\u1161\u11ab", "क्षि", "❤\ufe0f"],
    ids=["accents", "family", "skin", "flag", "thai", "jamo", "conjunct", "variation"],
)
def test_no_character_of_many_parts_is_cut(character: str) -> None:
    found = texts(character * 60)
    assert len(found) > 1
    assert all(part == character * (len(part) // len(character)) for part in found)


def test_a_character_larger_than_the_budget_is_cut_after_all() -> None:
    text = "a" + "\u0301" * 500
    pieces = cut(text, PLAIN)
    assert "".join(piece.text for piece in pieces) == text
    assert max(piece.tokens for piece in pieces) <= 40


def test_an_introduction_is_not_parted_from_what_it_introduces() -> None:
    for words in range(30):
        text = "\n\n".join([sentences(2), "word " * words + "end.", "Run this:", "`headrace run`", sentences(2)])
        (found,) = [part for part in texts(text) if "Run this:" in part]
        assert "headrace run" in found


def test_nothing_makes_no_pieces() -> None:
    assert cut("") == cut(" \r\n\t\n ") == []


def test_the_fingerprint_tells_settings_apart() -> None:
    assert len({fingerprint(Chunk()), fingerprint(Chunk(tokens=100)), fingerprint(Chunk(heading=False))}) == 3
    assert fingerprint(Chunk()) == fingerprint(Chunk(tokens=200))
