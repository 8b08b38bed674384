"""checkov finds nothing in either example but what the text says, with its reason, to pass over."""

import json
import subprocess

import pytest

from terraform.terraform import ROOT, Terraform

CHECKOV = ROOT / ".venv" / "checkov" / "bin" / "checkov"


@pytest.mark.parametrize("example", ["complete", "minimal"])
def test_checkov_finds_nothing(plain: Terraform, example: str) -> None:
    assert CHECKOV.exists(), "there is no checkov; run `make terraform-test`, which installs it"
    words = ["-d", ".", "--framework", "terraform", "--var-file", f"examples/{example}/headrace.tfvars"]
    command = [CHECKOV, *words, "--skip-download", "--compact", "--quiet", "-o", "json"]
    done = subprocess.run(command, cwd=plain.folder, capture_output=True, text=True, timeout=200)
    found = json.loads(done.stdout)
    failed = [f"{one['check_id']} {one['resource']}" for one in found["results"]["failed_checks"]]
    print(f"{example}: {found['summary']}")
    assert failed == []
    assert found["summary"]["passed"] > 80
