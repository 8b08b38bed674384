"""`headrace dataset build` and `run curate_dataset`, from tables to what `show` and `diff` tell."""

import json
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from headrace.cli import main
from headrace.lake import Lake
from headrace.tables import RATINGS, TURNS
from unit.pipelines.test_curate_dataset import append, told

SETTINGS = """
lake: ./lake
sources: {events: {from: files, path: ./events, format: json, position: [at]}}
feedback: {sources: [events]}
datasets:
  key: {secret: env:DATASETS_KEY}
  sets:
    support: {kind: sft, formats: [trl_sft], splits: {train: 0.6, validation: 0.2, test: 0.2}, every: 1d}
"""


@pytest.mark.deep
def test_a_version_is_made_shown_compared_checked_and_published(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATASETS_KEY", "a key for tests only")
    file = tmp_path / "headrace.yaml"
    file.write_text(SETTINGS)

    def said(*arguments: str) -> Any:
        capsys.readouterr()
        assert main(["dataset", *arguments, "--json", "--config", str(file)]) == 0
        return json.loads(capsys.readouterr().out)

    lake = Lake(spark, str(tmp_path / "lake"))
    fill(lake, 0, 40)
    assert main(["run", "curate_dataset", "--once", "--config", str(file)]) == 0
    [first] = said("show", "support")
    assert sum(first["rows"].values()) == 40 and first["sources"] == {"turns": 1, "ratings": 1}
    fill(lake, 40, 50)
    made = said("build", "support")
    assert made["new"] and sum(made["rows"].values()) == 50
    assert [one["version"] for one in said("show", "support")] == [made["version"], first["version"]]
    found = said("diff", "support", "newest~1", "newest")
    assert found["rows"]["kept"] == 40 and found["rows"]["removed"] == found["rows"]["moved"] == []
    assert sum(one["examples"] for one in found["rows"]["added"]) == 10
    assert found["sources"]["turns"] == {"was": 1, "now": 2} and found["same_settings"]
    [place] = said("publish", "support", "newest", "--to", str(tmp_path / "public"))["places"]
    assert place == str(tmp_path / "public" / "support" / f"{made['version']}.trl_sft")
    assert main(["dataset", "check", place]) == 0
    assert main(["dataset", "build", "nobody", "--config", str(file)]) == 2


def fill(lake: Lake, first: int, last: int) -> None:
    turns, ratings = told(first, last)
    append(lake, TURNS, turns)
    append(lake, RATINGS, ratings)
