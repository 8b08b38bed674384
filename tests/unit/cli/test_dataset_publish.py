"""`headrace dataset publish`: a whole version in another place."""

import json
from pathlib import Path

import pytest

from headrace.cli import main
from headrace.config_datasets import Mlflow
from headrace.errors import DatasetRefused
from headrace.stores.files import LakeFiles
from headrace.stores.mlflow_versions import MlflowVersions, Version
from headrace.training.formats import FORMATS
from headrace.training.limits import limits_of
from headrace.training.moved import moved
from headrace.training.validate import problems
from unit.cli.conftest import SmallLake
from unit.cli.dataset_world import SETTINGS, START, folders, printed, tell, version

OLD, NEW = "aa11", "ab22"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATASETS_KEY", "a key for tests only")


@pytest.fixture
def written(small: SmallLake) -> SmallLake:
    root = small.folder / "exports"
    tell(
        small,
        version(OLD, 0, folder=str(root), revoked_at=START, revoked_why="erased"),
        version(NEW, 1, folder=str(root)),
    )
    for digest in (OLD, NEW):
        folders(root, digest)
    return small


def publish(small: SmallLake, *arguments: str) -> int:
    return main(["dataset", "publish", "support", *arguments, "--config", small.settings])


def content(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def test_every_folder_of_a_version_is_copied_once(written, capsys):
    to = written.folder / "public"
    assert publish(written, "ab", "--to", str(to), "--json") == 0
    places = {str(to / "support" / f"{NEW}.{format}"): True for format in ("trl_sft", "nova")}
    assert printed(capsys)["places"] == places
    for format in ("trl_sft", "nova"):
        below = f"support/{NEW}.{format}"
        assert content(to / below) == content(written.folder / "exports" / below)
    assert publish(written, "newest", "--to", str(to), "--json") == 0
    assert printed(capsys)["places"] == dict.fromkeys(places, False)


def test_the_manifest_comes_last(written, monkeypatch):
    put, order = LakeFiles.put, []
    monkeypatch.setattr(LakeFiles, "put", lambda files, path, file: order.append(path) or put(files, path, file))
    assert publish(written, NEW, "--to", str(written.folder / "public")) == 0
    for format in ("trl_sft", "nova"):
        names = [path.rpartition("/")[2] for path in order if f".{format}/" in path]
        assert len(names) == 6 and names[-1] == "manifest.json"


def test_what_a_crash_left_without_a_manifest_is_made_whole(written):
    to = written.folder / "public" / "support" / f"{NEW}.nova"
    (to / "train").mkdir(parents=True)
    (to / "train" / "part-00001-of-00001.jsonl").write_text("half")
    assert publish(written, NEW, "--to", str(written.folder / "public")) == 0
    assert content(to) == content(written.folder / "exports" / "support" / f"{NEW}.nova")


def test_the_manifests_for_sagemaker_name_the_new_place_and_the_checksums_fit(tmp_path):
    folder = Path(folders(tmp_path, NEW, ("trl_sft",))) / "support" / f"{NEW}.trl_sft"
    limits = limits_of("trl_sft")
    for place in ("s3://one/a", "s3://two/b/"):
        moved(folder, place)
        assert list(problems(folder, FORMATS["trl_sft"], limits)) == []
        for split in ("train", "validation", "test"):
            manifest = json.loads((folder / f"{split}.manifest").read_text())
            assert manifest == [{"prefix": f"{place.rstrip('/')}/{split}/"}, "part-00001-of-00001.jsonl"]
    moved(folder, None)
    assert list(problems(folder, FORMATS["trl_sft"], limits)) == []
    assert not list(folder.glob("*.manifest"))


def test_a_file_beside_the_rows_is_in_the_manifest_too(tmp_path):
    folder = Path(folders(tmp_path, NEW, ("jumpstart_instruction",))) / "support" / f"{NEW}.jumpstart_instruction"
    moved(folder, "s3://one")
    names = json.loads((folder / "train.manifest").read_text())[1:]
    assert names == ["part-00001-of-00001.jsonl", "template.json"]


def test_a_changed_file_is_not_published(written, capsys):
    file = written.folder / "exports" / "support" / f"{NEW}.trl_sft" / "train" / "part-00001-of-00001.jsonl"
    file.write_bytes(file.read_bytes().replace(b"free", b"paid", 1))
    assert publish(written, NEW, "--to", str(written.folder / "public")) == 1
    assert "train/part-00001-of-00001.jsonl: another" in capsys.readouterr().err
    assert not (written.folder / "public" / "support" / f"{NEW}.trl_sft").exists()


def test_a_folder_without_checksums_is_refused(tmp_path):
    folder = Path(folders(tmp_path, NEW, ("trl_sft",))) / "support" / f"{NEW}.trl_sft"
    (folder / "SHA256SUMS").unlink()
    with pytest.raises(DatasetRefused, match="expected a file SHA256SUMS"):
        moved(folder, None)


def test_another_version_in_the_place_is_left_alone(written, capsys):
    to = written.folder / "public"
    folders(to, NEW, ("trl_sft",), test=3)
    before = content(to)
    assert publish(written, NEW, "--to", str(to)) == 1
    assert "expected nothing, or this version; found another one" in capsys.readouterr().err
    assert content(to) == before


def test_a_revoked_version_is_refused(written, capsys):
    assert publish(written, OLD, "--to", str(written.folder / "public")) == 1
    assert "expected a version to use; found revoked at 2026-03-01 00:00: erased" in capsys.readouterr().err
    assert not (written.folder / "public").exists()


def test_a_version_whose_folder_is_gone(small, capsys):
    tell(small, version(NEW, 1, folder=str(small.folder / "exports")))
    assert publish(small, NEW, "--to", str(small.folder / "public")) == 1
    assert "expected a whole version, with manifest.json; found none" in capsys.readouterr().err


def test_an_alias_is_given_in_mlflow_and_needs_one(written, capsys, tmp_path, monkeypatch):
    to = str(written.folder / "public")
    assert publish(written, NEW, "--to", to, "--alias", "approved") == 2
    assert "--alias: expected an MLflow under datasets.mlflow; found none" in capsys.readouterr().err
    assert not Path(to).exists()
    monkeypatch.chdir(tmp_path)
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    Path(written.settings).write_text(SETTINGS.replace("  sets:", f"  mlflow: {{uri: '{uri}'}}\n  sets:"))
    mlflow = MlflowVersions(Mlflow(uri=uri))
    mlflow.tell(Version("support", NEW, "sft", "nova", to, {"turns": 0}, {"train": 12}))
    assert publish(written, NEW, "--to", to, "--alias", "approved") == 0
    assert f"support {NEW} is approved now" in capsys.readouterr().out
    assert mlflow.named("support", "approved") == NEW
