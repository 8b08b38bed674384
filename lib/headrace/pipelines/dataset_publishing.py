"""Copies a version of a dataset to another place, and gives it a name in MLflow."""

import tempfile
from pathlib import Path

from headrace.config import Config
from headrace.errors import ConfigError, DatasetRefused
from headrace.pipelines.dataset_versions import Known
from headrace.stores.dataset_places import DatasetPlaces
from headrace.stores.mlflow_versions import MlflowVersions
from headrace.training.moved import moved


def publish(version: Known, to: str) -> dict[str, bool]:
    """Copy all folders of a version below another root.

    Args:
        to: a folder, or `s3://bucket/...`.

    Returns:
        By place, whether it was copied: a version that lies there already is left as it is.

    Raises:
        DatasetRefused: the version was revoked, files of it were changed, or another version lies there.
        NotThere: a folder of it is gone.
    """
    version.usable()
    here, there = DatasetPlaces(version.folder), DatasetPlaces(to)
    told = {}
    for format in version.formats:
        told[there.place(version.dataset, version.version, format)] = _published(version, format, here, there)
    return told


def registry(config: Config, alias: str | None) -> MlflowVersions | None:
    """Where an alias is given; None where none is wanted. Raises ConfigError without settings of MLflow."""
    if alias is None:
        return None
    if config.datasets is None or config.datasets.mlflow is None:
        todo = "Name it: `datasets: {mlflow: {uri: 'sqlite:///mlflow.db'}}`."
        raise ConfigError(where="--alias", expected="an MLflow under datasets.mlflow", found="none", todo=todo)
    return MlflowVersions(config.datasets.mlflow)


def _published(version: Known, format: str, here: DatasetPlaces, there: DatasetPlaces) -> bool:
    name, digest = version.dataset, version.version
    place = there.place(name, digest, format)
    if there.exists(name, digest, format):
        if there.manifest(name, digest, format) != here.manifest(name, digest, format):
            todo = "Delete it there, or publish to another place."
            raise DatasetRefused(where=place, expected="nothing, or this version", found="another one", todo=todo)
        return False
    with tempfile.TemporaryDirectory(prefix="headrace-dataset-") as folder:
        copy = here.fetch(name, digest, format, Path(folder))
        moved(copy, place if place.startswith("s3://") else None)
        there.put(name, digest, format, copy)
    return True
