"""A person withdraws from training: versions with them are revoked, and made anew without."""

import shutil
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from headrace.config import Config
from headrace.lake import Lake, local_rows
from headrace.pipelines import erase_request, erasing
from headrace.pipelines.curate_dataset import due, slot_of
from headrace.pipelines.curating import Curator
from headrace.pipelines.erase_report import reports
from headrace.pipelines.telemetry import Telemetry
from headrace.stores.dataset_places import DatasetPlaces
from headrace.stores.files import LakeFiles
from headrace.tables import DATASET_REFUSED, DATASET_ROWS, DATASETS, RATINGS, SUPPRESSED, TURNS
from unit.pipelines.test_curate_dataset import append, rating, settings, sides, told, turn

WHO = "of c003"


class Killed(BaseException):
    pass


@pytest.mark.deep
def test_a_withdrawal_revokes_and_makes_anew(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # MLflow puts artefacts of a new experiment below the working folder
    uri, lake = f"sqlite:///{tmp_path}/mlflow.db", Lake(spark, str(tmp_path / "lake"))
    turns, ratings = told(0, 24)
    # It names nobody, and stands in a conversation of theirs.
    turns.append(turn("c003", 2, "Does my canary need a seat to Lima?", "It does, next to the window.", person=None))
    turns.append(turn("c007", 2, "May a parrot come along to Minsk in a cage?", "It may, below the seat.", person=None))
    append(lake, TURNS, turns)
    append(lake, RATINGS, [*ratings, *(rating(one, 2, "thumbs", 1.0) for one in ("c003", "c007"))])
    one = {"kind": "sft", "formats": ["trl_sft"], "splits": {"train": 0.6, "validation": 0.2, "test": 0.2}}
    config = settings(tmp_path, support=one)
    config = Config.model_validate(
        {**config.model_dump(exclude_unset=True), "datasets": {**given(config), "mlflow": {"uri": uri}}}
    )
    assert config.datasets is not None
    now, curator = datetime.now(UTC), Curator(lake, config, config.datasets)
    first = curator.build("support", slot_of(now, config.datasets.sets["support"].every))
    folder, before = Path(first.places["trl_sft"]), sides(lake, first.version)
    assert "c003" in before and any("canary" in part.read_text() for part in folder.rglob("part-*"))
    # A crash after writing and before recording leaves a folder of which nobody knows what is in it.
    unknown = folder.with_name("0123456789abcdef.trl_sft")
    shutil.copytree(folder, unknown)
    client = MlflowClient(uri, uri)
    trained = client.create_run(client.create_experiment("models"), run_name="support-bot")
    client.log_inputs(trained.info.run_id, [DatasetInput(Dataset("support", first.version, "headrace", "{}"))])

    request = erase_request.request(config, erase_request.subject(config, WHO, as_id=False), "training")
    assert request.jobs == ("curate_dataset",)

    def killed(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(DatasetPlaces, "delete", killed)
        with pytest.raises(Killed):
            curator.erase()
    [half] = lake.read(DATASETS.path).collect()
    assert half["revoked_at"] and folder.exists(), "nobody finds it, and it is not gone"

    curator = Curator(lake, config, config.datasets)
    stop, telemetry = threading.Event(), Telemetry(config.metrics)
    assert due(curator, config, now, stop, telemetry) is None
    assert due(curator, config, now, stop, telemetry) is None
    old, new = lake.read(DATASETS.path).orderBy("slot").collect()
    assert old["version"] == first.version and old["revoked_why"].endswith(request.name)
    assert new["version"] != first.version and new["revoked_at"] is None
    assert not folder.exists() and not unknown.exists()
    after = sides(lake, new["version"])
    assert after == {name: side for name, side in before.items() if name != "c003"}
    assert lake.read(DATASET_ROWS.path).where("conversation = 'c003'").isEmpty()
    made = folder.with_name(f"{new['version']}.trl_sft")
    assert not any("canary" in part.read_text() for part in made.rglob("part-*"))
    assert "Reproducibility ended at an erasure" in (made / "README.md").read_text()
    mine = lake.read(DATASET_REFUSED.path).where((F.col("version") == new["version"]) & (F.col("reason") == "erased"))
    assert mine.count() == 2
    tags = {found.tags["headrace.version"]: found.tags for found in client.search_model_versions("")}
    assert "headrace.revoked" in tags[first.version] and "headrace.revoked" not in tags[new["version"]]
    [report] = reports(config, WHO)
    assert report.jobs["curate_dataset"] and report.scope == "training"
    [place] = [one for one in report.places if one.place.startswith("dataset ")]
    assert place.detail == (f"revoked; trained on it: support-bot ({trained.info.run_id})",)
    assert erasing.work_of(LakeFiles(config.lake), request) is None
    assert lake.read(TURNS.path).where(F.col("person") == WHO).count() == 1, "only training was withdrawn from"
    after_turns_have_gone(lake, config, curator, str(new["version"]))


def after_turns_have_gone(lake: Lake, config: Config, curator: Curator, version: str) -> None:
    """Another person is erased wholly; `track_feedback` was quicker, and only it knows whose a nameless turn was."""
    request = erase_request.request(config, erase_request.subject(config, "of c007", as_id=False), "all")
    files, rows = LakeFiles(config.lake), lake.read(DATASET_ROWS.path).where("conversation = 'c007'")
    assert request.jobs == ("track_feedback", "curate_dataset")
    assert rows.count() == 4, "others' rows of a revoked version stay: sides of splits are known by them"
    lake.table(TURNS.path).delete("conversation = 'c007'")
    curator.erase()
    assert erasing.outcome(files, request, "curate_dataset") is None
    left = lake.read(DATASET_ROWS.path).where("conversation = 'c007'").collect()
    assert [row["person"] for row in left] == [None, None]
    told = [(erasing.hashing(config).of("conversation", "c007"), request.name, datetime.now(UTC))]
    suppressed = lake.ensure(SUPPRESSED, job="track_feedback")
    lake.append(local_rows(lake.spark, told, SUPPRESSED.schema), suppressed)
    first = erasing.Erasures(files, "track_feedback", config)
    first.refresh()
    first.done(request, {})
    curator.erase()
    assert lake.read(DATASET_ROWS.path).where("conversation = 'c007'").isEmpty()
    done = erasing.outcome(files, request, "curate_dataset")
    assert done and done["versions"] == 2 and erasing.work_of(files, request) is None
    revoked = lake.read(DATASETS.path).where(F.col("version") == version).collect()
    assert all(row["revoked_why"].endswith(request.name) for row in revoked)


def given(config: Config) -> dict[str, Any]:
    assert config.datasets is not None
    return {**config.datasets.model_dump(exclude_unset=True), "key": config.datasets.key}
