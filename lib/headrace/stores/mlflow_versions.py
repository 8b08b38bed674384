"""Versions of datasets in MLflow: a run each, with their card and manifest, and a registered name with aliases.

The digest is ours: MLflow's own looks at the first 10,000 rows, or at Spark's plan. A registered model stands for a
dataset, as MLflow keeps aliases of models only; it says so in its description.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from headrace.config_datasets import Mlflow
from headrace.errors import ConfigError, MissingDependency, NotThere, Unreachable

NEWEST = "newest"
"""The alias of the version that was told last. MLflow keeps `latest` for itself."""
_DIGEST = 36
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Version:
    """What MLflow is told of a version.

    Attributes:
        version: its digest.
        place: where it lies: a folder or a URL.
        sources: the versions of the tables it is made of; 0 is one.
        rows: by split.
        artifacts: files to keep beside the run.
    """

    dataset: str
    version: str
    kind: str
    format: str
    place: str
    sources: Mapping[str, int]
    rows: Mapping[str, int]
    artifacts: Sequence[Path] = ()


class MlflowVersions:
    """Tells MLflow of versions. Whatever is told twice is there once."""

    def __init__(self, settings: Mlflow) -> None:
        """Raises MissingDependency without the packages, ConfigError for a URI of no known kind."""
        self._uri, self._experiment = settings.uri, settings.experiment
        self._client = _client(settings.uri)

    def tell(self, version: Version) -> str:
        """Record a version and make it the newest. Returns the id of its run."""
        return self._asked(lambda: self._tell(version))

    def revoke(self, dataset: str, version: str, why: str) -> Sequence[str]:
        """Mark a version as not to be used any more, and take its aliases away. Returns those."""
        return self._asked(lambda: self._revoke(dataset, version, why))

    def used_by(self, dataset: str, version: str) -> Sequence[str]:
        """Runs of others that say this version was what they were trained on: `name, id`, by experiment."""
        return self._asked(lambda: self._used_by(dataset, version))

    def name(self, dataset: str, version: str, alias: str) -> None:
        """Give a version an alias, such as `approved`; another version loses it. Raises NotThere, ConfigError."""
        if alias.casefold() in ("latest", NEWEST):
            todo = f"Choose another; {NEWEST} follows the versions by itself."
            raise ConfigError(where="alias", expected="a name of your own", found=alias, todo=todo)

        def give() -> None:
            found = self._registered(dataset, version)
            if not found or "headrace.revoked" in found[0].tags:
                what = "a revoked one" if found else "none of that digest"
                todo = "`headrace dataset show` lists the versions."
                raise NotThere(where=dataset, expected="a version that MLflow knows", found=what, todo=todo)
            self._client.set_registered_model_alias(_registered_name(dataset), alias, found[0].version)

        self._asked(give)

    def named(self, dataset: str, alias: str) -> str | None:
        """The version with an alias; None where none has it."""

        def find() -> str | None:
            name = _registered_name(dataset)
            models = self._client.search_registered_models(f"name = '{name}'")
            held = models[0].aliases.get(alias) if models else None
            return None if held is None else str(self._client.get_model_version(name, held).tags["headrace.version"])

        return self._asked(find)

    def aliases(self, dataset: str) -> dict[str, str]:
        """Every alias and the version that has it."""

        def find() -> dict[str, str]:
            name = _registered_name(dataset)
            models = self._client.search_registered_models(f"name = '{name}'")
            held = models[0].aliases if models else {}
            told = {one: self._client.get_model_version(name, number).tags for one, number in held.items()}
            return {one: str(tags["headrace.version"]) for one, tags in sorted(told.items())}

        return self._asked(find)

    def _tell(self, version: Version) -> str:
        run = self._run(version)
        name = _registered_name(version.dataset)
        if not self._client.search_registered_models(f"name = '{name}'"):
            about = f"The dataset {version.dataset} of Headrace; its versions are folders, not models."
            self._client.create_registered_model(name, description=about)
        found = [one for one in self._registered(version.dataset, version.version) if one.run_id == run]
        made = found[0] if found else self._client.create_model_version(
            name, source=version.place, run_id=run, tags={"headrace.version": version.version}
        )  # fmt: skip
        self._client.set_registered_model_alias(name, NEWEST, made.version)
        return run

    def _run(self, version: Version) -> str:
        experiment = self._experiment_id()
        tags = {
            "headrace.dataset": version.dataset,
            "headrace.version": version.version,
            "headrace.format": version.format,
        }
        wanted = " and ".join(f"tags.`{key}` = '{value}'" for key, value in tags.items())
        if done := self._client.search_runs([experiment], f"{wanted} and attributes.status = 'FINISHED'"):
            return str(done[0].info.run_id)
        made = self._client.create_run(experiment, run_name=f"{version.dataset} {version.version[:12]}", tags=tags)
        run = str(made.info.run_id)
        self._client.set_tag(run, "headrace.sources", json.dumps(dict(sorted(version.sources.items()))))
        for key, value in {"kind": version.kind, "format": version.format, **_of_sources(version)}.items():
            self._client.log_param(run, key, value)
        for split, rows in version.rows.items():
            self._client.log_metric(run, f"rows_{split}", rows)
        self._client.log_inputs(run, [_input(version)])
        for file in version.artifacts:
            self._client.log_artifact(run, str(file))
        self._client.set_terminated(run)
        return run

    def _revoke(self, dataset: str, version: str, why: str) -> Sequence[str]:
        name = _registered_name(dataset)
        lost = []
        for found in self._registered(dataset, version):
            self._client.set_model_version_tag(name, found.version, "headrace.revoked", why)
            if found.run_id:
                self._client.set_tag(found.run_id, "headrace.revoked", why)
            held = self._client.get_registered_model(name).aliases
            for alias in [one for one, number in held.items() if str(number) == str(found.version)]:
                self._client.delete_registered_model_alias(name, alias)
                lost.append(alias)
        return sorted(lost)

    def _used_by(self, dataset: str, version: str) -> Sequence[str]:
        experiments = [one.experiment_id for one in self._client.search_experiments()]
        wanted = f"dataset.name = '{dataset}' and dataset.digest = '{version[:_DIGEST]}'"
        found = self._client.search_runs(experiments, wanted) if experiments else []
        others = [one for one in found if "headrace.version" not in one.data.tags]
        return sorted(f"{one.info.run_name} ({one.info.run_id})" for one in others)

    def _registered(self, dataset: str, version: str) -> list[Any]:
        wanted = f"name = '{_registered_name(dataset)}'"
        found = self._client.search_model_versions(wanted, max_results=1000)
        return [one for one in found if one.tags.get("headrace.version") == version]

    def _experiment_id(self) -> str:
        found = self._client.get_experiment_by_name(self._experiment)
        return str(found.experiment_id if found else self._client.create_experiment(self._experiment))

    def _asked(self, call: Callable[[], T]) -> T:
        from mlflow.exceptions import MlflowException

        try:
            return call()
        except MlflowException as error:
            said = str(error).partition("\n")[0][:300]
            todo = "Check that MLflow answers at datasets.mlflow.uri."
            raise Unreachable(where="mlflow", expected="an answer", found=said, todo=todo) from error


def _client(uri: str) -> Any:
    try:
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
    except ModuleNotFoundError as error:
        todo = "pip install 'headrace[mlflow]'"
        raise MissingDependency(expected="mlflow-skinny", found=f"no module {error.name}", todo=todo) from error
    try:
        return MlflowClient(tracking_uri=uri, registry_uri=uri)
    except (MlflowException, ModuleNotFoundError) as error:
        found = str(error).partition("\n")[0][:300]
        todo = (
            "Name a tracking URI such as sqlite:///mlflow.db; an ARN of SageMaker needs the package sagemaker-mlflow."
        )
        raise ConfigError(where="datasets.mlflow.uri", expected="a tracking URI", found=found, todo=todo) from error


def _registered_name(dataset: str) -> str:
    return f"headrace.{dataset}"


def _of_sources(version: Version) -> dict[str, str]:
    return {f"version_{name.replace('/', '_')}": str(number) for name, number in sorted(version.sources.items())}


def _input(version: Version) -> Any:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    source, profile = json.dumps({"uri": version.place}), json.dumps(dict(version.rows))
    told = Dataset(version.dataset, version.version[:_DIGEST], "headrace", source, profile=profile)
    return DatasetInput(told, [InputTag("mlflow.data.context", "training")])
