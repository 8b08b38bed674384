"""`headrace demo`: the real job on the travel company's events, and the pages' commands on its lake."""

import contextlib
import json
import re
import shlex
from pathlib import Path

import pytest

from docs.conftest import Demo
from docs.markdown import BLOCKS, ROOT, Block, of
from headrace import cli
from headrace.config_indexes import SqliteIndex
from headrace.errors import Fatal
from headrace.notebooks.story import of_the_database
from headrace.pipelines import demo, demo_documents, demo_flight, demo_people, demo_travellers
from headrace.pipelines.demo_clock import Clock
from headrace.pipelines.demo_live import Following
from headrace.ports import Filters
from headrace.stores.sqlite_search import SqlitePassageReader
from headrace.travel.agency import Agency
from headrace.travel.columns import SHAPES
from headrace.travel.people import People
from headrace.travel.policies import EDITS
from headrace.travel.systems import RecordKey
from headrace.travel.talk_truth import TOLD
from retrieval_world import passages

COMMANDS = [
    pytest.param(command, block, id=f"{block}-{command[:60]}")
    for block in BLOCKS
    if block.language == "sh" and block.words not in ("run", "aws")
    for command in block.text.splitlines()
]


def test_every_row_of_every_table_equals_the_source(played_demo: Demo) -> None:
    assert "5 tables equal the source: yes" in played_demo.printed
    assert played_demo.code == 0


def test_nothing_was_refused_and_something_was_stale(played_demo: Demo) -> None:
    waves = re.findall(r"Wave \d of 3: .* ([\d,]+) stale, .* ([\d,]+) rejected", played_demo.printed)
    assert len(waves) == 3
    assert all(int(stale.replace(",", "")) > 0 for stale, _ in waves)
    assert [rejected for _, rejected in waves] == ["0", "0", "0"]


def test_the_story_shows_a_row_that_arrival_order_would_get_wrong(played_demo: Demo) -> None:
    in_lake = re.search(r"in the lake after wave 3: +(.*)", played_demo.printed)
    as_arrived = re.search(r"taken as it arrived: +(.*)", played_demo.printed)
    assert in_lake and as_arrived
    assert in_lake[1] != as_arrived[1]
    assert "older than what is stored" in played_demo.printed


def test_search_follows_the_documents_and_embeds_little(played_demo: Demo) -> None:
    found = re.findall(r"Indexed.*: (\d+) documents, (\d+) passages, (\d+) embeddings", played_demo.printed)
    (documents, passages, made), (documents_left, passages_left, made_again) = [tuple(map(int, one)) for one in found]
    files, hotels = len(list((played_demo.folder / demo.FOLDER / "policies").iterdir())) + 1, 40
    assert (documents, documents_left) == (files + hotels, files + hotels - 1)
    # Of each edited document one passage: the rest was known.
    assert made_again == len(EDITS)
    assert passages_left < passages == made
    assert "passages of pets.md left in the index: 0" in played_demo.printed
    assert "Search is in step with the documents: yes" in played_demo.printed


def test_what_search_answers_changes_with_the_documents(played_demo: Demo) -> None:
    answers = re.findall(r"^    (before|after) +([^:]+): (.*)$", played_demo.printed, re.MULTILINE)
    assert len(answers) == 6
    for (_, document, before), (_, after_document, after) in zip(answers[:4:2], answers[1:4:2], strict=True):
        old, new = EDITS[document]
        assert document == after_document and before.replace(old, new) == after != before
    assert answers[4][1] == "pets.md" != answers[5][1]


@pytest.mark.parametrize(
    ("more", "followed"),
    [
        ([], True),
        ([("policies", "pets.md", "55 euro")], False),
        ([("policies", "check-in.md", EDITS["check-in.md"][0])], False),
        ([("hotels", "pets.md", "another feed's")], True),
    ],
)
def test_an_index_that_did_not_follow_is_noticed(more: list[tuple[str, str, str]], followed: bool) -> None:
    class Search:
        def everything(self) -> list[tuple[str, str, str]]:
            return [*(("policies", name, f"so: {new}") for name, (_, new) in EDITS.items()), *more]

    assert demo_documents._followed(Clock(), Search()) is followed


def test_what_the_job_publishes_is_what_the_measure_of_retrieval_makes(played_demo: Demo) -> None:
    index = SqlitePassageReader(SqliteIndex(path=str(played_demo.folder / demo.FOLDER / "search.db")))
    hits = index.by_vector([1.0] * index.model().dimension, Filters(sources=("policies",)), 1_000)
    index.close()
    published = {(hit.body["document"], tuple(hit.body["heading"]), hit.body["text"]) for hit in hits}
    made = {(one["document"], one["heading"], one["text"]) for one in passages() if one["source"] == "policies"}
    # Two edits, and one document that is gone.
    assert len(published - made) == len(EDITS)
    assert {document for document, _, _ in made - published} == {*EDITS, "pets.md"}


def test_people_equal_the_truth_after_every_act(played_demo: Demo) -> None:
    acts = re.findall(r"(\d+) rows\. (\d+) records are (\d+) people\.", played_demo.printed)
    counts = [tuple(map(int, act)) for act in acts]
    assert len(counts) == 3
    # Of 132 people two customers become one, and a caller a customer; then the customers are two again.
    assert [people for _, _, people in counts] == [132, 130, 131]
    assert "131 people equal the truth: yes" in played_demo.printed
    assert not re.search(r"^    (found|truth): ", played_demo.printed, re.MULTILINE)


def test_a_merge_and_its_correction_are_told_without_clear_values(played_demo: Demo) -> None:
    told = re.findall(r"^  (\w{26}) and (\w{26}): (.*)\n  as the row (.*) changed, by (.*)$", played_demo.printed, re.M)
    (one, other, merged, row, by), (one_again, other_again, split, row_again, _) = told
    assert (one, other, row) == (one_again, other_again, row_again)
    assert (merged, split) == ("two people became one", "they were told apart again")
    assert re.fullmatch(r"phone \+\*\*\*\d\d", by)


def test_an_address_leads_to_the_wrong_profile_only_while_the_mistake_stands(played_demo: Demo) -> None:
    address = re.search(r"headrace explain (\S+) ", played_demo.printed)
    assert address
    blocks = re.findall(r"  The profile of (\S+), (.*):\n((?:    .*\n)+)", played_demo.printed)
    assert [(who, when) for who, when, _ in blocks] == [(address[1], "mixed up"), (address[1], "put right")]
    (_, _, mixed), (_, _, right) = blocks
    assert f'email: "{address[1]}"' in right and f'email: "{address[1]}"' not in mixed
    rows = [int(found) for text in (mixed, right) for found in re.findall(r"trips, 4 of (\d+)", text)]
    assert rows[0] > rows[1]


def test_measures_equal_what_the_script_has_counted(played_demo: Demo) -> None:
    told = re.search(r"ask (\d+) questions and give (\d+) ratings", played_demo.printed)
    assert told and int(told[1]) > 300
    assert f"{len(TOLD)} measures equal the truth: yes" in played_demo.printed
    (one, other) = re.findall(r"^    thumbs_up .*, +(\d+)% .*, +(\d+)%$", played_demo.printed, re.MULTILINE)[0]
    assert int(other) > int(one)


def test_a_measure_that_differs_from_the_script_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    truth = {("thumbs_up", "pets"): (1.0, 2.0), ("csat", "pets"): (1.0, 1.0)}
    assert demo_travellers._judge(Clock(), dict(truth), truth)
    assert capsys.readouterr().out == ""
    assert not demo_travellers._judge(Clock(), {("thumbs_up", "pets"): (2.0, 2.0)}, truth)
    assert capsys.readouterr().out.splitlines() == [
        "    csat of pets: found None, truth (1.0, 1.0)",
        "    thumbs_up of pets: found (2.0, 2.0), truth (1.0, 2.0)",
    ]


def test_an_answer_changes_after_its_flight_was_cancelled(played_demo: Demo) -> None:
    asked = re.search(
        r"^  What is the status of flight (HR \d+) tomorrow\?\n((?:    .*\n)+)", played_demo.printed, re.M
    )
    assert asked
    first, again = asked[2].split("    again", 1)
    assert f'number: "{asked[1]}"' in first and 'status: "on time"' in first and "cancelled" not in first
    assert f'number: "{asked[1]}"' in again and 'status: "cancelled"' in again
    assert re.search(r"the answer has changed, \d+\.\d seconds after the news arrived", played_demo.printed)
    assert "The answer followed the source: yes" in played_demo.printed
    assert "Its tables equal the source again: yes" in played_demo.printed


def test_both_questions_about_the_flight_are_turns_like_any_other(played_demo: Demo) -> None:
    files = (played_demo.folder / demo.FOLDER / "events").glob("*/*")
    events = [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]
    turns = [event for event in events if event["conversation"] == demo_flight.CONVERSATION]
    assert [(one["turn"], one["outcome"], one["model"]) for one in sorted(turns, key=lambda one: one["turn"])] == [
        (1, "answered", "extractive"),
        (2, "answered", "extractive"),
    ]


def test_the_page_is_named_with_its_address(played_demo: Demo) -> None:
    named = re.search(r"headrace serve --config (\S+), then (\S+) in a browser", played_demo.printed)
    assert named and (played_demo.folder / named[1]).is_file()
    parser, _ = cli._parser(["serve"])
    port = parser.parse_args(["serve", "--config", named[1]]).port
    assert named[2] == f"http://127.0.0.1:{port}"


def test_people_who_differ_from_the_truth_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    one, other = RecordKey("shop", "1"), RecordKey("calls", "c1")
    truth = frozenset({frozenset({one}), frozenset({other})})
    assert demo_people._same(Clock(), truth, truth)
    assert capsys.readouterr().out == ""
    assert not demo_people._same(Clock(), frozenset({frozenset({one, other})}), truth)
    assert capsys.readouterr().out.split("\n")[:-1] == [
        "    found: calls c1, shop 1",
        "    truth: calls c1",
        "    truth: shop 1",
    ]


def test_a_notebook_takes_the_waves_in_without_what_comes_later(tmp_path: Path) -> None:
    config = of_the_database(demo._prepare(tmp_path / "demo-lake"))
    assert set(config.tables) == set(SHAPES) and set(config.sources) == {"shop"}
    assert not config.derive and config.knowledge is None and config.profiles is None


def test_without_the_packages_for_people_the_demo_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(demo_people, "_PACKAGES", ("json", "a_package_nobody_has"))
    folder = tmp_path / "demo-lake"
    people = People.of(Agency(demo.SEED, steps=0).database)
    config = demo._prepare(folder)
    assert demo._people(Clock(), config, folder, people, Following(config))
    assert "no package a_package_nobody_has. Run `pip install 'headrace[profiles]'`" in capsys.readouterr().out


def test_without_the_packages_for_documents_the_demo_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(demo_documents, "_PACKAGES", ("json", "a_package_nobody_has"))
    folder = tmp_path / "demo-lake"
    assert demo._documents(Clock(), demo._prepare(folder), folder)
    assert "no package a_package_nobody_has. Run `pip install 'headrace[knowledge]'`" in capsys.readouterr().out


def test_without_the_packages_for_comments_the_demo_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(demo_travellers, "_PACKAGES", ("json", "a_package_nobody_has"))
    folder = tmp_path / "demo-lake"
    assert demo._travellers(Clock(), demo._prepare(folder), folder, Agency(demo.SEED, steps=0))
    assert "no package a_package_nobody_has. Run `pip install 'headrace[sentiment]'`" in capsys.readouterr().out


def test_a_folder_the_demo_did_not_make_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "demo-lake"
    folder.mkdir()
    (folder / "diary.txt").write_text("mine")
    with pytest.raises(Fatal, match="expected no such folder, or one an earlier demo made"):
        demo.main(folder)
    assert (folder / "diary.txt").read_text() == "mine"


@pytest.mark.parametrize(("command", "block"), COMMANDS)
def test_commands_run(command: str, block: Block, played_demo: Demo, capsys: pytest.CaptureFixture[str]) -> None:
    words = shlex.split(command, comments=True)
    match words[0]:
        case "make":
            targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
            assert words[1:] and set(words[1:]) <= set(targets)
        case "pip":
            extras = re.findall(r"^        \"(\w+)\": [\[A-Z]", (ROOT / "setup.py").read_text(), re.MULTILINE)
            found = re.fullmatch(r"\.\[([\w,]+)\]", words[2])
            assert found and set(found[1].split(",")) <= set(extras)
        case "headrace" if block.words == "servers":
            cli._parser(words[1:])[0].parse_args(words[1:])
        case "headrace":
            with contextlib.chdir(played_demo.folder):
                code = cli.main(words[1:])
            assert code == 0, capsys.readouterr().err
            assert capsys.readouterr().out or words[1] == "run"
        case other:
            raise AssertionError(f"{block}: expected make, pip or headrace, found {other}")


@pytest.mark.parametrize("block", of("python"), ids=str)
def test_python_runs(block: Block, played_demo: Demo, capsys: pytest.CaptureFixture[str]) -> None:
    with contextlib.chdir(played_demo.folder):
        exec(compile(block.text, str(block), "exec"), {})
    assert capsys.readouterr().out
