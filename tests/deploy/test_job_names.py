"""One name for a job, everywhere. Plain text is compared: neither Terraform nor AWS is needed."""

import re
from pathlib import Path

from headrace.changes import journal
from headrace.commands.jobs import JOBS
from headrace.config import Config
from headrace.conversations import track
from headrace.conversations.ordered import FLOORS_FOLDER
from headrace.knowledge import indexer
from headrace.knowledge.served import PASSAGES_OUTBOX
from headrace.pipelines import (
    alerting,
    curating,
    feedback_progress,
    profile_batch,
    profile_progress,
    rebuilds,
    replay,
    status,
)
from headrace.pipelines.lag import checkpoint_folder, feed_checkpoint
from headrace.pipelines.telemetry import HEARTBEATS
from headrace.profiles.served import PROFILES_OUTBOX
from headrace.tables import CONTRACTS, ERASURES, HISTORY, OUTBOX, REJECTS, TABLES, TOMBSTONES

ROOT = Path(__file__).parents[2]
TERRAFORM = ROOT / "terraform"
OUTBOXES = {"index_knowledge": [PASSAGES_OUTBOX], "build_profiles": [PROFILES_OUTBOX]}


def block(text: str, opening: str) -> str:
    """What stands between the braces that `opening` ends with."""
    start = text.index(opening) + len(opening)
    depth = 1
    for at, letter in enumerate(text[start:], start):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if depth == 0:
            return text[start:at]
    raise AssertionError(f"{opening} is not closed")


def keys(body: str) -> list[str]:
    """Names of the blocks directly inside."""
    indent = re.search(r"\n( +)\S", body)
    assert indent
    return re.findall(rf"^{indent[1]}(\w+) += {{$", body, re.MULTILINE)


def test_every_job_has_a_script_for_glue_and_every_script_a_job() -> None:
    scripts = {file.stem: file.read_text() for file in (ROOT / "glue_jobs").glob("*.py")}
    assert sorted(scripts) == sorted(JOBS)
    for name, text in scripts.items():
        assert f'main("{name}", sys.argv[1:])' in text
        assert len(text.splitlines()) <= 12


def test_terraform_makes_apply_changes_where_nothing_is_said() -> None:
    """Every other job needs settings that not everybody has."""
    variables = (TERRAFORM / "variables.tf").read_text()
    jobs = block(variables, 'variable "jobs" {')
    assert keys(block(jobs, "default = {")) == ["apply_changes"]


def test_the_examples_name_no_other_jobs() -> None:
    for example, expected in (("complete", sorted(JOBS)), ("minimal", ["apply_changes"])):
        text = (TERRAFORM / "examples" / example / "headrace.tfvars").read_text()
        assert keys(block(text, "\njobs = {")) == expected


def test_the_pages_name_every_job() -> None:
    for page in ("docs/architecture.md", "docs/aws.md", "docs/runbook.md"):
        text = (ROOT / page).read_text("utf-8")
        assert [job for job in JOBS if f"`{job}`" not in text] == [], page


def test_what_a_job_owns_is_what_the_contracts_say() -> None:
    default = block(block((TERRAFORM / "variables.tf").read_text(), 'variable "jobs" {'), "default = {")
    complete = block((TERRAFORM / "examples" / "complete" / "headrace.tfvars").read_text(), "\njobs = {")
    for job, jobs in [("apply_changes", default), *((job, complete) for job in JOBS)]:
        lists = re.search(r"owns += \[(.*?)\]", block(jobs, f" {job} = {{"), re.DOTALL)
        assert lists
        owned = set(re.findall(r'"([\w/.]+)"', lists[1]))
        paths = {contract.path for contract in CONTRACTS if contract.owner == job and contract is not OUTBOX}
        paths |= {OUTBOX.path.format(table=table) for table in OUTBOXES.get(job, [])}
        # What curate_dataset leaves out is in a table of its own; versions lie beside it, as files.
        paths |= {curating.EXPORTS, ERASURES.path} if job == curating.JOB else {REJECTS.path}
        if job == "apply_changes":
            paths |= {TABLES, HISTORY}
        if job == track.JOB:
            paths |= {TOMBSTONES.path.format(table=FLOORS_FOLDER).rstrip("/"), alerting.FOLDER}
        folders = {path.replace("/{table}", "").replace("{job}", job) for path in paths}
        assert folders <= owned, f"{job} writes them and Terraform does not let it"


def test_no_job_writes_the_outbox_of_another() -> None:
    complete = block((TERRAFORM / "examples" / "complete" / "headrace.tfvars").read_text(), "\njobs = {")
    assert sorted(re.findall(r'"(outbox[\w/]*)"', complete)) == ["outbox/passages", "outbox/profiles"]


def test_the_code_calls_each_job_by_one_name() -> None:
    assert {journal.JOB, replay.JOB, status.JOB, indexer.JOB, profile_batch.JOB, track.JOB, curating.JOB} == set(JOBS)
    assert {contract.owner for contract in CONTRACTS} == set(JOBS)
    assert {module.rpartition(".")[2] for module in JOBS.values()} == set(JOBS)
    assert rebuilds.FOLDER == f"requests/{indexer.JOB}"


def test_checkpoints_and_heartbeats_lie_in_folders_of_the_jobs_own_name_where_its_role_may_write() -> None:
    source = {"from": "files", "path": "in", "format": "json", "position": ["at"]}
    tables = {"bookings": {"source": "shop", "key": ["id"]}}
    settings = {"lake": "s3://b/lake", "sources": {"shop": source}, "tables": tables}
    config = Config.model_validate(settings)
    kept = {
        "apply_changes": checkpoint_folder(config, "shop"),
        "index_knowledge": feed_checkpoint(config, "policies", "uploads"),
        "build_profiles": f"{config.lake}/{profile_progress.PLACE}",
        "track_feedback": f"{config.lake}/{feedback_progress.PLACE}",
    }
    # `curate_dataset` reads no stream: the table of versions is all it remembers.
    assert set(kept) == set(JOBS) - {"curate_dataset"}
    roles = (TERRAFORM / "modules" / "jobs" / "roles.tf").read_text()
    writes = re.search(r'"WriteLake".*?\n    \},', roles, re.DOTALL)
    assert writes
    for job, folder in kept.items():
        assert folder.startswith(f"s3://b/lake/checkpoints/{job}/")
    for place in ("checkpoints/{job}/*", HEARTBEATS):
        assert f'"${{local.lake}}/{place.replace("{job}", "${job}")}"' in writes[0]


def test_what_terraform_makes_for_a_job_takes_its_name_from_the_map_alone() -> None:
    """Roles, logs, schedules, alarms, dashboard. `make terraform-test` looks at what was applied."""
    files = [TERRAFORM / "main.tf", TERRAFORM / "outputs.tf", *sorted(TERRAFORM.glob("modules/*/*.tf"))]
    told = [f"{file.relative_to(ROOT)}: {line}" for file in files for line in file.read_text().splitlines()]
    code = [line for line in told if not line.partition(": ")[2].lstrip().startswith("#")]
    assert [line for line in code if any(job in line for job in JOBS)] == []
    observability = block((TERRAFORM / "main.tf").read_text(), 'module "observability" {')
    assert "jobs = { for job, settings in var.jobs : job => {" in observability
