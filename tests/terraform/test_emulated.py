"""The example `complete` on an emulated AWS, without what the emulator lacks: apply, apply, plan, destroy."""

import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from headrace.commands import jobs as all_jobs
from terraform.terraform import COMPLETE, EMULATOR, PARALLEL, ROOT, Terraform, resources

JOBS = sorted(all_jobs.JOBS)
SCHEDULED = {"curate_dataset"}
"""Jobs that start at their time and end; all others are streams."""
APPLY = ("apply", "-no-color", "-auto-approve", "-input=false", PARALLEL, *EMULATOR)


@dataclass
class Cycle:
    """What the emulator held after both applies, and how long each step took.

    Attributes:
        plan: exit code and text of a plan after them: 0 where nothing is left to do.
    """

    state: dict[str, Any] = field(default_factory=dict)
    plan: tuple[int, str] = (1, "")
    seconds: dict[str, float] = field(default_factory=dict)


@pytest.fixture(scope="module")
def cycle(emulated: Terraform) -> Cycle:
    done = Cycle()
    for step in ("apply", "apply again"):
        began = time.monotonic()
        emulated.ok(*APPLY, seconds=800)
        done.seconds[step] = time.monotonic() - began
    began = time.monotonic()
    plan = emulated.run("plan", "-no-color", "-detailed-exitcode", "-input=false", PARALLEL, *EMULATOR)
    done.seconds["plan"] = time.monotonic() - began
    done.plan = plan.returncode, plan.stdout + plan.stderr
    done.state = emulated.state()
    return done


def test_a_plan_after_it_has_nothing_to_do(cycle: Cycle) -> None:
    code, said = cycle.plan
    assert code == 0, said


def test_glue_got_what_terraform_says(cycle: Cycle) -> None:
    jobs = {one["index"]: one["values"] for one in resources(cycle.state) if one["type"] == "aws_glue_job"}
    assert sorted(jobs) == sorted(JOBS)
    for name, job in jobs.items():
        arguments = job["default_arguments"]
        assert job["glue_version"] == "6.0"
        assert job["execution_property"] == [{"max_concurrent_runs": 1}]
        assert job["command"][0]["name"] == ("glueetl" if name in SCHEDULED else "gluestreaming")
        assert arguments.get("--once") == ("true" if name in SCHEDULED else None)
        assert job["command"][0]["script_location"].endswith(f"/{name}.py")
        assert arguments["--stop"] == f"s3://travel-123456789012-eu-west-1-lake/control/stop/{name}"
        assert re.fullmatch(r"s3://[\w-]+-code/config/[0-9a-f]{64}/headrace\.yaml", arguments["--config"])
        assert all(arguments.values())


def test_the_settings_in_the_bucket_have_every_name_filled_in(cycle: Cycle) -> None:
    (config,) = [one["values"] for one in resources(cycle.state) if one["address"].endswith("aws_s3_object.config")]
    text = "\n".join(line for line in config["content"].splitlines() if not line.startswith("#"))
    assert "lake: s3://travel-123456789012-eu-west-1-lake/lake" in text
    assert "${" not in text


def test_alarms_and_the_dashboard_name_every_job_and_no_other(cycle: Cycle) -> None:
    made = list(resources(cycle.state))
    (body,) = [one["values"]["dashboard_body"] for one in made if one["type"] == "aws_cloudwatch_dashboard"]
    widgets = [one["properties"] for one in json.loads(body)["widgets"]]
    shown = [metric for one in widgets for metric in one["metrics"] if metric[0] == "Headrace"]
    assert {metric[metric.index("Job") + 1] for metric in shown} == set(JOBS)
    assert {one["title"].partition(": ")[0] for one in widgets if one["metrics"][0][0] == "Headrace"} == set(JOBS)
    alarms = [one["values"] for one in made if one["type"] == "aws_cloudwatch_metric_alarm"]
    watched = [one["dimensions"]["Job"] for one in alarms if one["namespace"] == "Headrace"]
    assert set(watched) == set(JOBS) - SCHEDULED, "that a job ended badly or did not start is told for all of them"
    assert all(f"-{job}-" in one["alarm_name"] for one in alarms if (job := one["dimensions"].get("Job")))
    (ended,) = [one["values"] for one in made if one["address"].endswith("aws_cloudwatch_event_rule.job_ended[0]")]
    assert json.loads(ended["event_pattern"])["detail"]["jobName"] == sorted(f"travel-{job}" for job in JOBS)


def test_no_permission_is_wider_than_what_is_explained(cycle: Cycle) -> None:
    explained = {
        sid
        for file in (ROOT / "terraform" / "modules").rglob("*.tf")
        for sid, body in re.findall(r'Sid\s+= "(\w+)"(.*?)(?=Sid\s+= "|\Z)', file.read_text(), re.DOTALL)
        if "# why:" in body
    }
    wide = {
        (one["address"], statement.get("Sid", ""))
        for one in resources(cycle.state)
        if one["type"] != "aws_vpc_endpoint"  # has AWS's own policy: the roles of those who go through it decide
        for policy in ("policy", "assume_role_policy", "access_policies")
        for statement in _statements(one["values"].get(policy))
        if any(word == "*" or word.endswith(":*") for word in _words(statement.get("Action")))
        or "*" in _words(statement.get("Resource"))
    }
    assert wide, "the statements of this test are read from policies, and there are none"
    assert [where for where in sorted(wide) if where[1] not in explained] == []


def _statements(policy: Any) -> list[dict[str, Any]]:
    return list(json.loads(policy)["Statement"]) if isinstance(policy, str) and policy.startswith("{") else []


def _words(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])


WRONG = {
    'jobs={curate={kind="schedule",when="cron(75 2 * * ? *)",owns=["datasets"]}}': (
        "Every night at 02:30 is cron(30 2 * * ? *)"
    ),
    'jobs={apply_changes={kind="stream",worker_type="G.3X",owns=["tables"]}}': "found apply_changes: 'G.3X'",
    'package={wheel="../dist/absent.whl"}': "Run `make package` and name the wheel it leaves in dist/.",
    "streams={changes={retention_hours=12}}": "retention_hours must be 24 to 8760 (a year); found changes = 12",
    'jobs={apply_changes={kind="stream",owns=["tables"]},index_knowledge={kind="stream",owns=["tables/hotels"]}}': (
        "'tables/hotels' is owned by apply_changes and index_knowledge. Leave it in `owns` of one job"
    ),
    'config_file="terraform.md"': "Name your headrace.yaml; terraform/examples/minimal has one",
    'jobs={absent_job={kind="stream",owns=["tables"]}}': "there is no glue_jobs/<job>.py for absent_job",
}


@pytest.mark.parametrize("wrong", WRONG, ids=lambda text: text[:40])
def test_what_is_wrong_is_told_in_a_sentence(plain: Terraform, wrong: str) -> None:
    done = plain.run("plan", "-no-color", "-input=false", *EMULATOR, f"-var={wrong}")
    said = " ".join(done.stderr.replace("│", " ").split())
    assert done.returncode == 1
    assert WRONG[wrong] in said, said


def test_the_readme_tells_how_much_of_it_was_applied(cycle: Cycle, plain: Terraform) -> None:
    applied = {one["address"] for one in resources(cycle.state)}
    mocked = set(_mocked(plain, "-test-directory=tests/complete", f"-var-file={COMPLETE}"))
    elsewhere = {_block(address) for address in _mocked(plain, "-filter=tests/stores.tftest.hcl")}
    assert applied - mocked == set(), "the emulator holds what `complete` does not ask for"
    rows = Counter((_block(address), "applied" if address in applied else "mock-tested") for address in mocked)
    blocks = {block for block, _ in rows}
    # Of what `complete` does not choose (Serverless instead of a domain...) a mock is all there is.
    rest = sorted(_written() - blocks)
    print("\nEach resource of `complete`, and how far it was tried:")
    for (block, how), count in sorted(rows.items()):
        print(f"  {how:13} {count:3}  {block}")
    for block in rest:
        print(f"  {'mock-tested' if block in elsewhere else 'never applied':13}   -  {block} (not in `complete`)")
    never = [block for block in rest if block not in elsewhere]
    tried = len(mocked & applied)
    totals = (
        f"{len(mocked)} resources: {tried} applied to an emulator, {len(mocked) - tried} only to a mock, "
        f"{len(never)} kinds never applied"
    )
    print(f"complete: {totals}\nseconds: {', '.join(f'{step} {took:.0f}' for step, took in cycle.seconds.items())}")
    readme = " ".join((ROOT / "terraform" / "README.md").read_text("utf-8").split())
    assert totals in readme
    assert "not yet run on a real account" in readme


def _block(address: str) -> str:
    """`module.lake.module.logs[0].aws_s3_bucket.this["a"]` -> `bucket/aws_s3_bucket.this`."""
    parts = re.sub(r"\[[^]]*\]", "", address).split(".")
    # Only `bucket` is used inside another module.
    if parts[0] != "module":
        return address
    return f"{'bucket' if parts[2] == 'module' else parts[1]}/{'.'.join(parts[-2:])}"


def _written() -> set[str]:
    """Every resource block of the modules."""
    return {
        f"{file.parent.name}/{kind}.{name}"
        for file in (ROOT / "terraform" / "modules").glob("*/*.tf")
        for kind, name in re.findall(r'^resource "(\w+)" "(\w+)"', file.read_text(), re.MULTILINE)
    }


def _mocked(plain: Terraform, *words: str) -> Iterator[str]:
    """Addresses of what a test of terraform/tests made with the mock."""
    for line in plain.ok("test", "-json", "-verbose", *words).splitlines():
        said = json.loads(line)
        if said["type"] == "test_state":
            yield from (one["address"] for one in resources(said["test_state"]["root_module"]))


def test_destroyed_nothing_is_left(emulated: Terraform, cycle: Cycle) -> None:
    emulated.ok("destroy", "-no-color", "-auto-approve", "-input=false", PARALLEL, *EMULATOR, seconds=800)
    assert emulated.ok("state", "list").strip() == ""
