"""What the text of terraform/ must hold; `make terraform-test` runs it."""

import re
from pathlib import Path

import pytest

from docs.markdown import anchors, links
from headrace.config_file import load

ROOT = Path(__file__).parents[2]
TERRAFORM = ROOT / "terraform"
MODULES = sorted(path for path in (TERRAFORM / "modules").iterdir() if path.is_dir())
FILES = sorted(TERRAFORM.rglob("*.tf"))
# *: everything; iam:*: everything of a service; es:ESHttp*: what begins so.
WIDE = re.compile(r'Action\s*=\s*"[\w-]*:?\w*\*"|Resource\s*=\s*"\*"|"[\w-]+:\w*\*"\s*[,\]]|"\*"')


def test_every_module_has_the_five_files() -> None:
    wanted = {"main.tf", "variables.tf", "outputs.tf", "versions.tf", "README.md"}
    assert {module.name: wanted - {file.name for file in module.iterdir()} for module in MODULES} == {
        module.name: set() for module in MODULES
    }


def test_every_module_of_the_design_is_there() -> None:
    assert {module.name for module in MODULES} - {"bucket"} == {
        "streams", "capture", "lake", "catalog", "profile_store", "vector_store", "knowledge_sources", "jobs",
        "schedules", "training", "observability", "network", "security",
    }  # fmt: skip


def test_every_star_in_a_permission_has_its_reason_beside_it() -> None:
    bare = []
    for file in FILES:
        for number, line in enumerate(file.read_text().splitlines(), 1):
            code, _, comment = line.partition("#")
            permission = re.search(r"\b(Action|Resource)\b|^\s+\"[\w-]+:", code)
            if permission and WIDE.search(code) and "why:" not in comment:
                bare.append(f"{file.relative_to(ROOT)}:{number}: {line.strip()}")
    assert bare == []


def test_the_pattern_of_stars_finds_stars() -> None:
    for line in ('Action = "s3:*"', 'Resource = "*"', '"logs:Put*",', 'Action = ["s3:*"]'):
        assert WIDE.search(line), line
    for line in ('Resource = "${aws_s3_bucket.this.arn}/*"', 'Action = "s3:GetObject"', '"arn:aws:logs:x:log-group:*"'):
        assert not WIDE.search(line), line


def test_every_check_that_is_skipped_says_why() -> None:
    skips = [line for file in FILES for line in file.read_text().splitlines() if "checkov:skip" in line]
    assert skips
    assert [line.strip() for line in skips if not re.search(r"checkov:skip=CKV2?_AWS_\d+: \w.{20,}", line)] == []


def test_every_variable_and_output_is_described() -> None:
    for file in FILES:
        blocks = re.findall(r'^(variable|output) "(\w+)" {\n(.*?)^}', file.read_text(), re.MULTILINE | re.DOTALL)
        for kind, name, body in blocks:
            assert "description" in body, f"{kind} {name} of {file.relative_to(ROOT)}"


def test_glue_is_pinned_and_nothing_names_this_machine() -> None:
    jobs = (TERRAFORM / "modules" / "jobs" / "main.tf").read_text()
    assert re.search(r'glue_version\s+= "6\.0"', jobs)
    assert re.search(r"max_concurrent_runs = 1\b", jobs)
    assert re.search(r'execution_class\s+= "STANDARD"', jobs)
    kinds = (".tf", ".md", ".hcl", ".tfvars", ".yaml")
    # What `terraform init` leaves is hidden, and not in git.
    files = [file for file in TERRAFORM.rglob("[!.]*") if file.suffix in kinds and ".terraform" not in file.parts]
    text = "\n".join(file.read_text("utf-8") for file in files)
    assert not re.search(r"(?<![\w}])/(opt|root|tmp)/|registry\.", text)


def test_every_alarm_has_its_place_in_the_runbook_and_no_other_is_there() -> None:
    alarms = (TERRAFORM / "modules" / "observability" / "alarms.tf").read_text()
    kinds = set(re.findall(r'"([a-z-]+)/\$\{', alarms)) | {"job-ended"}
    kinds |= set(re.findall(r"^\s+([a-z]+-cpu)\s+= \{ id", alarms, re.MULTILINE))
    kinds |= set(re.findall(r"([a-z]+-[a-z]+) = var\.\w+", alarms))
    runbook = (ROOT / "docs" / "runbook.md").read_text("utf-8")
    headings = re.findall(r"^## ([a-z-]+)$", runbook, re.MULTILINE)
    assert {"lag", "heartbeat", "opensearch-red", "documentdb-cpu", "missed-start", "dms-latency"} <= kinds
    assert sorted(headings) == sorted(kinds)
    for section in re.split(r"^## ", runbook, flags=re.MULTILINE)[1:]:
        name = section.splitlines()[0]
        assert [part for part in ("**Means**", "**Look**", "**Do**") if part not in section] == [], name


def test_links_of_its_pages_lead_somewhere() -> None:
    broken = []
    for page in (file for file in TERRAFORM.rglob("*.md") if ".terraform" not in file.parts):
        for file, anchor in links(page):
            target = (page.parent / file).resolve() if file else page
            if not target.exists() or (anchor and anchor not in anchors(target)):
                broken.append(f"{page.relative_to(ROOT)}: {file}#{anchor}")
    assert broken == []


def test_the_dashboard_and_the_alarms_use_metrics_that_are_sent() -> None:
    sent = {"LagSeconds", "BatchSeconds", "RowsApplied", "RowsStale", "RowsRejected", "FreshnessSeconds", "Heartbeat"}
    text = "\n".join(file.read_text() for file in (TERRAFORM / "modules" / "observability").glob("*.tf"))
    ours = re.findall(r'namespace = "Headrace", metric = "(\w+)"', text) + re.findall(r'{ metric = "(\w+)"', text)
    assert len(ours) == 10
    assert set(ours) <= sent
    assert re.findall(r"Name = var\.context\.name, Job = job, Source = source", text)


@pytest.mark.parametrize("example", ["complete", "minimal"])
def test_the_settings_of_an_example_load_once_terraform_has_filled_them_in(
    example: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("headrace.config_file.secret_value", lambda name: f"the value of {name}")
    file = TERRAFORM / "examples" / example / "headrace.yaml"
    filled = {
        "NAME": "shop", "REGION": "eu-west-1", "LAKE": "s3://shop-lake/lake", "DOCUMENTS": "s3://shop-documents",
        "OPENSEARCH": "https://search.example", "ALARMS": "arn:aws:sns:eu-west-1:123456789012:headrace-shop-alarms",
    }  # fmt: skip
    assert load(file, filled).tables
