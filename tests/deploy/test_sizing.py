"""docs/sizing.md shows what scripts/sizing.py computes, from figures that stand where it says."""

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from headrace.config import Apply, Log
from headrace.config_maintenance import TableMaintenance
from headrace.config_sources import KinesisSource

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def sizing() -> dict[str, Any]:
    # Its dataclasses look for their module by name.
    return runpy.run_path(str(ROOT / "scripts" / "sizing.py"), run_name="sizing")


def test_the_page_shows_the_tables_of_the_script(sizing: dict[str, Any]) -> None:
    page = (DOCS / "sizing.md").read_text("utf-8")
    found = dict(re.findall(r"<!-- scripts/sizing\.py: (\w+) -->\n((?:\|.*\n)+)", page))
    assert found == {name: "\n".join(lines()) + "\n" for name, lines in sizing["PARTS"].items()}


def test_every_measured_figure_stands_where_the_script_says(sizing: dict[str, Any]) -> None:
    for figure in sizing["MEASURED"].values():
        text = (DOCS / figure.page).read_text("utf-8")
        section = re.search(rf"^## {figure.section}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
        assert section and figure.words in " ".join(section[1].split()), figure.what
        assert f"{figure.value:g}" in figure.words.replace(",", ""), figure.what


def test_defaults_that_are_assumed_are_the_real_ones(sizing: dict[str, Any]) -> None:
    assumed = sizing["A"]
    assert assumed["most"] == KinesisSource.model_fields["max_records_per_batch"].default
    assert assumed["files"] * 2 == TableMaintenance().compact_at_files
    terraform = (ROOT / "terraform" / "variables.tf").read_text("utf-8")
    kept = re.search(r'variable "keep_old_versions_days" {.*?default += (\d+)', terraform, re.DOTALL)
    assert kept
    assert assumed["log_days"] == Log().keep.days + int(kept[1])
    assert assumed["file_days"] == TableMaintenance().vacuum_keep.days + int(kept[1])
    assert 'optional(string, "r7g.large.search")' in terraform
    assert re.search(r"retention_hours = optional\(number, 168\)", terraform)
    assert Apply().trigger.total_seconds() == 2, "the page names it"


def test_a_rate_nobody_measured_gets_no_workers_and_no_total(sizing: dict[str, Any]) -> None:
    measured, beyond = sizing["Size"](1_000), sizing["Size"](10_000)
    assert measured.workers and measured.index_workers
    assert beyond.workers is None and beyond.index_workers is None
    assert "and Glue" in sizing["costs"]()[-2].split("|")[-2]
