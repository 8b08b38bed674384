"""Versions of datasets in a real MLflow on SQLite."""

import json
from pathlib import Path

import pytest
from mlflow import MlflowClient

from headrace.config_datasets import Mlflow
from headrace.errors import ConfigError, NotThere
from headrace.stores.mlflow_versions import NEWEST, MlflowVersions, Version

DIGEST = "0123456789abcdef" * 4
OTHER = "fedcba9876543210" * 4


def version(digest: str, folder: Path) -> Version:
    card = folder / "README.md"
    card.write_text("What is in it.")
    rows = {"train": 90, "validation": 10}
    return Version("support", digest, "sft", "trl_sft", str(folder / digest), {"turns": 0, "ratings": 7}, rows, [card])


def test_a_version_is_told_once_named_and_revoked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # MLflow puts artefacts of a new experiment below the working folder
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    versions, client = MlflowVersions(Mlflow(uri=uri)), MlflowClient(uri, uri)
    first = version(DIGEST, tmp_path)
    run = versions.tell(first)
    assert versions.tell(first) == run and MlflowVersions(Mlflow(uri=uri)).tell(first) == run
    told = client.get_run(run)
    assert told.data.tags["headrace.version"] == DIGEST
    assert json.loads(told.data.tags["headrace.sources"]) == {"ratings": 7, "turns": 0}
    assert (told.data.params["version_turns"], told.data.metrics["rows_train"]) == ("0", 90), "version 0 is one"
    [given] = told.inputs.dataset_inputs
    assert (given.dataset.name, given.dataset.digest) == ("support", DIGEST[:36])
    assert [one.path for one in client.list_artifacts(run)] == ["README.md"]
    assert versions.named("support", NEWEST) == DIGEST and versions.named("other", NEWEST) is None

    versions.name("support", DIGEST, "approved")
    versions.tell(version(OTHER, tmp_path))
    assert (versions.named("support", NEWEST), versions.named("support", "approved")) == (OTHER, DIGEST)
    assert list(versions.revoke("support", DIGEST, "a person was erased")) == ["approved"]
    assert versions.named("support", "approved") is None and versions.named("support", NEWEST) == OTHER
    assert client.get_run(run).data.tags["headrace.revoked"] == "a person was erased"
    with pytest.raises(NotThere, match="revoked"):
        versions.name("support", DIGEST, "approved")
    with pytest.raises(NotThere, match="none of that digest"):
        versions.name("support", "0" * 64, "approved")
    with pytest.raises(ConfigError, match="a name of your own"):
        versions.name("support", OTHER, "Latest")


def test_a_uri_of_no_known_kind() -> None:
    with pytest.raises(ConfigError, match=r"datasets\.mlflow\.uri: expected a tracking URI"):
        MlflowVersions(Mlflow(uri="gopher://x"))
