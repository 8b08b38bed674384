"""The company's documents: readable by Headrace, small, and what their sources say."""

import re
from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest

from headrace.config_knowledge import Parse
from headrace.knowledge.parse import Parsed, parse
from headrace.travel.agency import Agency
from headrace.travel.columns import TOAST_BYTES
from headrace.travel.policies import EDITS, REMOVED, edit_policies, write_policies

ROOT = Path(__file__).parents[3]
NAMES = sorted(file.name for file in files("headrace.travel").joinpath("documents").iterdir())
MADE = [name for name in NAMES if name.endswith((".pdf", ".docx"))]


def content(name: str) -> bytes:
    return files("headrace.travel").joinpath("documents", name).read_bytes()


def read(name: str) -> Parsed:
    return parse(content(name), name, None, Parse())


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"[^\W_]+", text.lower()))


def test_there_are_enough_of_every_format() -> None:
    kinds = Counter(name.rpartition(".")[2] for name in NAMES)
    assert kinds["md"] >= 6 and kinds["html"] >= 3 and kinds["pdf"] >= 2 and kinds["docx"] >= 2


@pytest.mark.parametrize("name", NAMES)
def test_a_document_has_a_title_and_some_hundred_words_under_headings(name: str) -> None:
    parsed = read(name)
    assert parsed.title and parsed.language == "en"
    assert 400 <= len(parsed.text.split()) <= 900
    assert len(re.findall(r"^#+ ", parsed.text, re.MULTILINE)) >= 5
    assert len(content(name)) < 30_000


@pytest.mark.parametrize("name", MADE)
def test_a_made_file_says_what_its_source_says(name: str) -> None:
    source = (ROOT / "scripts" / "travel_documents" / name).with_suffix(".md").read_text("utf-8")
    assert words(read(name).text) == words(source), "run scripts/travel_documents.py"


@pytest.mark.parametrize(
    ("name", "around"),
    [
        ("lounges.html", ("cookies", "Skip to content", "Never miss an offer", "Weekend in Lisbon", "Imprint")),
        ("halvorra-circle.html", ("Log in", "Share", "Chat with us")),
        ("payment.html", ("On this page", "You might also like", "Mill Lane")),
    ],
)
def test_what_is_around_a_page_is_left_out(name: str, around: tuple[str, ...]) -> None:
    source, text = content(name).decode(), read(name).text
    assert [part for part in around if part not in source or part in text] == []


def test_the_edits_change_two_documents_and_remove_one(tmp_path: Path) -> None:
    assert write_policies(tmp_path) == len(NAMES)
    edit_policies(tmp_path)
    changed = {name for name in NAMES if name != REMOVED and (tmp_path / name).read_bytes() != content(name)}
    assert (changed, sorted(file.name for file in tmp_path.iterdir())) == (
        set(EDITS),
        [name for name in NAMES if name != REMOVED],
    )
    with pytest.raises(ValueError, match="expected 'Online check-in opens 36 hours"):
        edit_policies(tmp_path)


def test_hotels_say_different_things_in_texts_large_enough_to_be_left_out_of_updates() -> None:
    hotels = [row for seed in range(20) for row in Agency(seed, steps=0).database.rows["hotels"].values()]
    assert min(len(str(row["description"]).encode()) for row in hotels) > TOAST_BYTES
    assert not any(mark in str(row["description"]) for row in hotels for mark in "{}#")
    first = hotels[:40]
    assert len({row["name"] for row in first}) == len({row["description"] for row in first}) == 40


def test_the_example_has_the_demos_settings() -> None:
    package = files("headrace.travel").joinpath("headrace.yaml").read_text("utf-8")
    assert (ROOT / "examples" / "travel" / "headrace.yaml").read_text("utf-8") == package
