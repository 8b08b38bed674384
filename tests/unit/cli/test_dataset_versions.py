"""`headrace dataset show` and `diff`, on tables written without Spark."""

from datetime import timedelta
from pathlib import Path

import pytest

from headrace.cli import main
from headrace.config_datasets import Mlflow
from headrace.stores.mlflow_versions import MlflowVersions, Version
from unit.cli.conftest import SmallLake
from unit.cli.dataset_world import SETTINGS, START, hold, printed, tell, version
from unit.cli.small_world import lines

OLD, NEW, GONE = "aa11", "ab22", "cc33"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATASETS_KEY", "a key for tests only")


@pytest.fixture
def told(small: SmallLake) -> SmallLake:
    """Two slots of the oldest version, a newer one, and the newest, which was revoked."""
    revoked = {"revoked_at": START + timedelta(days=4), "revoked_why": "a person was erased"}
    tell(
        small,
        version(OLD, 0),
        version(OLD, 1),
        version(NEW, 2, refused={"quality: refusal": 3}, settings="4567", moved=1),
        version(GONE, 3, **revoked),
        version("dd44", 5, dataset="other"),
    )
    hold(small, OLD, {"stays": "train", "moves": "train", "goes": "test"})
    hold(small, NEW, {"stays": "train", "moves": "validation", "comes": "train", "comes too": "train"})
    return small


def run(small: SmallLake, *arguments: str) -> int:
    return main(["dataset", *arguments, "--config", small.settings])


def test_show_lists_versions_the_newest_first_and_all_of_the_newest(told, capsys):
    assert run(told, "show", "support") == 0
    out = lines(capsys.readouterr().out)
    assert out[0] == "dataset version slot train validation test refused moved aliases revoked"
    assert out[2] == "support cc33 2026-03-04 00:00:00 12 4 4 3 0 - 2026-03-05 00:00:00 a person was erased"
    assert out[3] == "support ab22 2026-03-03 00:00:00 12 4 4 3 1 - -"
    assert out[4] == "support aa11 2026-03-02 00:00:00 12 4 4 3 0 - -", "the newest slot of two"
    assert "turns, version 3" in out and "ratings, version 0" in out
    assert "trl_sft: s3://datasets/exports/support/cc33.trl_sft" in out
    assert out[-2:] == ["quality: refusal 2", "choose: no_consent 1"]


def test_show_without_a_name_shows_all_datasets_and_json_all_that_is_known(told, capsys):
    assert run(told, "show", "--json") == 0
    found = printed(capsys)
    assert [(one["dataset"], one["version"]) for one in found] == [
        ("other", "dd44"), ("support", GONE), ("support", NEW), ("support", OLD),
    ]  # fmt: skip
    assert (found[3]["slots"], found[3]["sources"], found[3]["revoked_at"]) == (2, {"turns": 1, "ratings": 0}, None)
    assert found[1]["revoked_why"] == "a person was erased"
    assert found[2]["places"]["nova"] == "s3://datasets/exports/support/ab22.nova"


def test_show_names_the_aliases_that_mlflow_knows(told, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    Path(told.settings).write_text(SETTINGS.replace("  sets:", f"  mlflow: {{uri: '{uri}'}}\n  sets:"))
    mlflow = MlflowVersions(Mlflow(uri=uri))
    for digest in (OLD, NEW):
        mlflow.tell(Version("support", digest, "sft", "nova", f"s3://datasets/{digest}", {"turns": 0}, {"train": 12}))
    mlflow.name("support", OLD, "approved")
    assert run(told, "show", "support", "--json") == 0
    assert {one["version"]: one["aliases"] for one in printed(capsys)} == {GONE: [], NEW: ["newest"], OLD: ["approved"]}


def test_a_version_that_was_made_again_after_it_was_revoked_is_not_revoked(small, capsys):
    tell(small, version(OLD, 0, revoked_at=START, revoked_why="consent withdrawn"), version(OLD, 2))
    assert run(small, "show", "support", "--json") == 0
    assert [one["revoked_at"] for one in printed(capsys)] == [None]


def test_diff_counts_what_came_went_and_moved(told, capsys):
    assert run(told, "diff", "support", "aa", "newest", "--json") == 0
    found = printed(capsys)
    assert found["versions"] == [OLD, NEW], "a revoked one is no newest"
    assert found["rows"] == {
        "kept": 1,
        "added": [{"was": None, "now": "train", "examples": 2}],
        "removed": [{"was": "test", "now": None, "examples": 1}],
        "moved": [{"was": "train", "now": "validation", "examples": 1}],
    }
    assert found["refused"] == {"choose: no_consent": {"was": 1, "now": None}, "quality: refusal": {"was": 2, "now": 3}}
    assert found["sources"] == {"turns": {"was": 1, "now": 2}}
    assert found["same_settings"] is False


def test_diff_for_people_and_of_a_version_with_itself(told, capsys):
    assert run(told, "diff", "support", "newest~1", "newest") == 0
    out = lines(capsys.readouterr().out)
    assert out[0] == "support: aa11 of 2026-03-02 00:00:00 -> ab22 of 2026-03-03 00:00:00"
    assert "added - train 2" in out and "removed test - 1" in out and "moved train validation 1" in out
    assert "kept 1" in out and "quality: refusal 2 3" in out and "The settings of the dataset differ." in out
    assert run(told, "diff", "support", "newest", "newest") == 0
    out = lines(capsys.readouterr().out)
    assert "kept 4" in out and "The settings are the same." in out
    assert not any(line.startswith(("added", "removed", "moved")) for line in out)


def test_diff_says_where_only_texts_are_others(small, capsys):
    tell(small, version(OLD, 0), version(NEW, 1))
    for digest in (OLD, NEW):
        hold(small, digest, {"one": "train"})
    assert run(small, "diff", "support", OLD, NEW) == 0
    assert "texts of theirs are others" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["show", "nobody"], 2, "expected one of the datasets support; found nobody"),
        (["diff", "nobody", "a", "b"], 1, "nobody: expected a version; found none"),
        (["diff", "support", "zz", "newest"], 1, "support: expected a version; found zz"),
        (["diff", "support", "a", "newest"], 2, "expected one version that begins with a; found ab22, aa11"),
        (
            ["diff", "support", "newest~2", "newest"],
            1,
            "expected 3 versions for newest~2; found 2 that are not revoked",
        ),
        (["diff", "support", "newest~x", "newest"], 2, "expected newest or newest~1; found newest~x"),
        (["diff", "support", "", "newest"], 1, "support: expected a version; found an empty name"),
    ],
)
def test_names_that_are_none(told, capsys, arguments, code, said):
    assert run(told, *arguments) == code
    out, err = capsys.readouterr()
    assert out == "" and said in err and "Traceback" not in err


def test_a_lake_without_versions(small, capsys):
    Path(small.settings).write_text(SETTINGS)
    assert run(small, "show") == 0
    assert capsys.readouterr().out == "No versions yet. `headrace run curate_dataset --once` makes them.\n"
    assert run(small, "show", "support") == 1
    assert "`headrace dataset build support` makes one." in capsys.readouterr().err
