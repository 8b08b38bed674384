"""The Databricks bundle, checked offline: names by setup.py, variables, versions. Its types: `tests/package`."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from headrace.commands.jobs import JOBS

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / "databricks"


@cache
def bundle() -> dict[str, Any]:
    return yaml.safe_load((BUNDLE / "databricks.yml").read_text())


def resources(kind: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(BUNDLE.glob("resources/*.yml")):
        found |= yaml.safe_load(file.read_text())["resources"].get(kind, {})
    return found


def merged(target: str, job: str) -> dict[str, Any]:
    """A job as one target deploys it."""
    return {**resources("jobs")[job], **bundle()["targets"][target]["resources"]["jobs"][job]}


def test_there_is_one_job_for_each_of_ours_and_each_target_says_when_it_runs() -> None:
    assert set(resources("jobs")) == set(JOBS)
    for target in ("dev", "prod"):
        assert set(bundle()["targets"][target]["resources"]["jobs"]) == set(JOBS)
        for name in JOBS:
            assert len({"continuous", "schedule", "trigger"} & set(merged(target, name))) == 1


def test_only_prod_tells_somebody_of_a_failure_as_dev_has_no_address() -> None:
    for name in JOBS:
        assert "email_notifications" not in merged("dev", name)
        assert merged("prod", name)["email_notifications"] == {"on_failure": ["${var.alert_email}"]}


@pytest.mark.parametrize("name", list(JOBS))
def test_a_task_calls_what_the_wheel_offers_with_what_it_takes(name: str) -> None:
    from headrace import databricks

    [task] = merged("prod", name)["tasks"]
    wheel = task["python_wheel_task"]
    assert wheel["package_name"] == "headrace"
    assert f'"{wheel["entry_point"]}=headrace.databricks:main"' in (ROOT / "setup.py").read_text()
    given = wheel["parameters"]
    assert given[0] == name == task["task_key"] == task["job_cluster_key"]
    source = Path(databricks.__file__).read_text()
    assert all(f'"{option}"' in source for option in given[1::2]), given


def test_every_variable_that_is_used_is_declared_and_the_other_way_round() -> None:
    text = "\n".join(file.read_text() for file in [BUNDLE / "databricks.yml", *BUNDLE.glob("resources/*.yml")])
    assert set(re.findall(r"\$\{var\.(\w+)\}", text)) == set(bundle()["variables"])


def test_what_is_installed_is_what_the_bundle_for_glue_holds() -> None:
    pinned = dict(
        line.split("==")
        for name in ("requirements-glue.lock", "scripts/glue_6_0.txt")
        for line in (ROOT / name).read_text().splitlines()
        if line and not line.startswith("#")
    )
    wanted = [line for line in (BUNDLE / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    for line in wanted:
        name, _, version = line.replace("[binary]", "").partition("==")
        assert pinned[name] == version, line
