"""One name for a job, everywhere. Plain text is compared: neither Terraform nor AWS is needed."""

import re
from pathlib import Path

from headrace.commands.jobs import JOBS
from headrace.tables import CONTRACTS, HISTORY, TABLES

ROOT = Path(__file__).parents[2]
TERRAFORM = ROOT / "terraform"


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


def test_terraform_makes_every_job() -> None:
    variables = (TERRAFORM / "variables.tf").read_text()
    jobs = block(variables, 'variable "jobs" {')
    assert keys(block(jobs, "default = {")) == sorted(JOBS)


def test_the_examples_name_no_other_jobs() -> None:
    for example, expected in (("complete", sorted(JOBS)), ("minimal", ["apply_changes"])):
        text = (TERRAFORM / "examples" / example / "headrace.tfvars").read_text()
        assert keys(block(text, "\njobs = {")) == expected


def test_the_pages_name_every_job() -> None:
    for page in ("docs/architecture.md", "docs/aws.md", "docs/runbook.md"):
        text = (ROOT / page).read_text("utf-8")
        assert [job for job in JOBS if f"`{job}`" not in text] == [], page


def test_what_a_job_owns_is_what_the_contracts_say() -> None:
    jobs = block(block((TERRAFORM / "variables.tf").read_text(), 'variable "jobs" {'), "default = {")
    for job in JOBS:
        lists = re.search(r"owns += \[(.*?)\]", block(jobs, f" {job} = {{"), re.DOTALL)
        assert lists
        owned = set(re.findall(r'"([\w/]+)"', lists[1]))
        paths = {contract.path for contract in CONTRACTS if contract.owner == job}
        if job == "apply_changes":
            paths |= {TABLES, HISTORY}
        folders = {path.replace("/{table}", "").replace("{job}", job) for path in paths}
        assert folders <= owned, f"{job} writes them and Terraform does not let it"
