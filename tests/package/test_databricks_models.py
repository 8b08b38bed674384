"""Every job and volume of the Databricks bundle, by the typed models of Databricks' own package.

That package may be used only together with Databricks' services (its licence says so), hence it is no requirement of
the project: this test installs it into a folder of its own.
"""

import json
import subprocess
import sys

import pytest

from deploy.test_databricks import JOBS, merged, resources

VERSION = "databricks-bundles==1.22.1"
CHECK = """
import json, sys
from databricks.bundles.jobs import Job
from databricks.bundles.volumes import Volume
for kind, given in json.load(sys.stdin):
    made = {"job": Job, "volume": Volume}[kind].from_dict(given)
    assert made.as_dict().items() >= {"name": given["name"]}.items()
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("databricks")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", VERSION], check=True)
    return python


def checked(python: str, *given: tuple[str, object]) -> subprocess.CompletedProcess[str]:
    return subprocess.run([python, "-c", CHECK], input=json.dumps(given), capture_output=True, text=True)


def test_the_models_know_every_key_of_every_job_and_volume(python: str) -> None:
    jobs = [("job", merged(target, name)) for target in ("dev", "prod") for name in JOBS]
    done = checked(python, *jobs, *(("volume", one) for one in resources("volumes").values()))
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("wrong", [{"max_concurrent_run": 1}, {"max_concurrent_runs": "many"}])
def test_a_wrong_key_or_value_would_be_found(python: str, wrong: dict[str, object]) -> None:
    assert checked(python, ("job", {**merged("dev", "apply_changes"), **wrong})).returncode != 0
