"""From a version of a dataset to the request for a training job on it."""

from headrace.config_datasets import Dataset
from headrace.config_launch import BedrockLaunch, Launch
from headrace.errors import ConfigError, DatasetRefused
from headrace.pipelines.dataset_versions import Known
from headrace.stores.dataset_places import DatasetPlaces
from headrace.training.formats import format_named
from headrace.training.launch import Asked, Trained, asked
from headrace.training.layout import SPLITS, part


def job_of(one: Dataset, name: str, job: str) -> Launch:
    """The settings of a training job. Raises ConfigError where there are none of that name."""
    if job not in one.launch:
        known = ", ".join(sorted(one.launch))
        expected = f"one of the jobs {known}" if known else "a job"
        todo = "Name one of these." if known else "docs/datasets.md shows how jobs are set."
        raise ConfigError(where=f"datasets.sets.{name}.launch", expected=expected, found=job, todo=todo)
    return one.launch[job]


def request(
    version: Known, one: Dataset, launch: Launch, at: str | None = None, attempt: int = 1, look: bool = True
) -> Asked:
    """The call of the service that starts the job.

    Args:
        at: where the version was published; where it was written, if not given.
        attempt: another one is another job on the same version.
        look: whether the version's manifest is read; else the names of its files are those of the settings.

    Raises:
        DatasetRefused: the version was revoked, is not in S3, has not the format that the job reads, or is of more
            files than the service takes.
        NotThere: its folder is gone.
    """
    version.usable()
    format = launch.format or one.formats[0]
    where = f"{version.dataset} {version.version}"
    if format not in version.formats:
        todo = "Add the format to the dataset's formats and build it anew, or let the job name another."
        found = ", ".join(version.formats)
        raise DatasetRefused(where=where, expected=f"the format {format}", found=found, todo=todo)
    lie = DatasetPlaces(at or version.folder)
    place = lie.place(version.dataset, version.version, format)
    if not place.startswith("s3://"):
        todo = (
            f"Copy it: `headrace dataset publish {version.dataset} {version.version} --to s3://...`; "
            "then launch it with `--at` and the same place."
        )
        raise DatasetRefused(where=where, expected="a version in S3", found=place, todo=todo)
    files = _told(lie.manifest(version.dataset, version.version, format)) if look else _planned(version, one, format)
    if isinstance(launch, BedrockLaunch) and any(len(files.get(split, ())) > 1 for split in SPLITS[:2]):
        found = f"{len(files['train'])} files"
        todo = "Set `files: 1` and build it anew."
        raise DatasetRefused(where=where, expected="one file in a split, for Bedrock", found=found, todo=todo)
    return asked(launch, Trained(version.dataset, version.version, place, files), attempt)


def _told(manifest: dict[str, dict[str, dict[str, list[dict[str, str]]]]]) -> dict[str, tuple[str, ...]]:
    return {split: tuple(one["name"] for one in about["files"]) for split, about in manifest["splits"].items()}


def _planned(version: Known, one: Dataset, format: str) -> dict[str, tuple[str, ...]]:
    suffix, counts = format_named(format).suffix, {"train": one.files}
    return {
        split: tuple(
            f"{split}/{part(number, of, suffix)}" for of in [counts.get(split, 1)] for number in range(1, of + 1)
        )
        for split in SPLITS
        if version.rows.get(split)
    }
