"""README and docs: every setting loads, every command runs, every link leads somewhere."""

import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest
from pyspark.sql import SparkSession

from docs import shell
from docs.markdown import BLOCKS, PAGES, ROOT, Block, anchors, links, of
from headrace import cli
from headrace.config import Apply, Log, Rejects
from headrace.config_base import parse_duration
from headrace.config_file import load
from headrace.config_maintenance import TableMaintenance

SECRETS = (
    "HEADRACE_HASH_KEY", "KAFKA_JAAS", "REGISTRY_PASSWORD", "CHAT_KEY", "WEATHER_TOKEN", "ADA_TOKEN", "OPS_TOKEN",
    "MET_TOKEN", "HOOK_SECRET", "OPENSEARCH_PASSWORD",
    "DATASETS_KEY",
)  # fmt: skip
README = ROOT / "README.md"


def test_there_are_blocks_of_every_kind() -> None:
    assert {(block.language, block.words) for block in BLOCKS} == {
        ("sh", ""), ("sh", "run"), ("sh", "servers"), ("sh", "aws"), ("yaml", ""), ("python", ""),
    }  # fmt: skip


@pytest.mark.parametrize("block", of("yaml"), ids=str)
def test_settings_load(block: Block, tmp_path: Path) -> None:
    text = block.text
    if "lake:" not in text and "sources:" not in text:  # one table of docs/changes.md
        source = re.search(r"source: (\w+)", text)
        assert source
        kind = "snapshot" if source[1] == "dumps" else "json"
        text = (
            f"lake: ./lake\nsources: {{{source[1]}: {{from: files, path: ./in, format: {kind}, position: [at]}}}}\n"
            f"tables:\n  {text}"
        )
    file = tmp_path / "headrace.yaml"
    file.write_text(text, encoding="utf-8")
    config = load(file, {name: f"not to be printed {name}" for name in SECRETS})
    assert config.tables or config.feedback or config.knowledge
    assert "not to be printed" not in repr(config)


def test_the_readme_runs_as_it_stands(tmp_path: Path) -> None:
    (block,) = [block for block in of("sh", "run") if block.page == README]
    done = shell.run(block.text, tmp_path)
    assert done.code == 0, done.said
    assert re.search(r"\b1\b.*Ada.*Lisboa", done.printed)
    assert "Faro" not in done.printed and "Bilal" not in done.printed


@pytest.mark.parametrize("block", [block for block in of("sh", "run") if block.page != README], ids=str)
def test_scripts_run(block: Block, tmp_path: Path, spark: SparkSession) -> None:
    done = shell.run_here(block.text, tmp_path)
    assert done.code == 0, done.said


@pytest.mark.parametrize("block", of("sh", "aws"), ids=str)
def test_commands_for_aws_are_at_least_shell(block: Block) -> None:
    done = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True)
    assert done.stderr == ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for file, anchor in links(page):
        target = (page.parent / file).resolve() if file else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(f"{file}#{anchor}")
    assert broken == []


def test_the_picture_is_well_formed() -> None:
    picture = ElementTree.parse(ROOT / "docs" / "flow.svg").getroot()
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"


def test_the_readme_reaches_runnable_code_early() -> None:
    first = next(block for block in BLOCKS if block.page == README and block.words == "run")
    assert first.line < 45
    assert len(first.text.splitlines()) <= 15


def test_the_pages_name_every_verb() -> None:
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    assert [verb for verb in cli.VERBS if f"headrace {verb}" not in text] == []


def test_the_retention_tables_show_the_real_defaults() -> None:
    real = {
        "apply.replay_horizon": Apply().replay_horizon,
        "log.keep": Log().keep,
        "rejects.keep": Rejects().keep,
        "maintenance.purge_tombstones_after": TableMaintenance().purge_tombstones_after,
        "maintenance.vacuum_keep": TableMaintenance().vacuum_keep,
    }
    for page in (ROOT / "docs" / "operations.md", ROOT / "docs" / "decisions" / "0007-retention.md"):
        shown = re.findall(r"^\| `(?:tables\.<t>\.)?([\w.]+)` \| (\d+ \w+) \|", page.read_text("utf-8"), re.MULTILINE)
        assert len(shown) >= 4
        assert {name: parse_duration(age) for name, age in shown} == {name: real[name] for name, _ in shown}


def test_the_page_on_changes_lists_every_reason_for_a_refusal() -> None:
    made = (
        r'(?:Unusable|Reject)\(\s*"([\w ]+)"|reason": "([\w ]+)"|F\.lit\("(\w+ \w+)"\)\)?,?\n'
        r'|return "([a-z]+ [a-z]+)", f"'
    )
    code = "\n".join(file.read_text("utf-8") for file in (ROOT / "lib" / "headrace" / "changes").rglob("*.py"))
    reasons = {reason for found in re.findall(made, code) for reason in found if reason}
    listed = set(re.findall(r"`([\w ]+)`", (ROOT / "docs" / "changes.md").read_text("utf-8")))
    # `expectation stopped` ends the job: no row with it is ever written.
    assert {"null key", "not JSON", "unknown table", "incompatible value"} <= reasons
    assert reasons - listed - {"expectation stopped"} == set()
