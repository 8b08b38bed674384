"""What needs no AWS: formatting, validation, and terraform/tests with a mocked provider."""

import pytest

from terraform.terraform import ROOT, Terraform


def test_every_file_is_formatted(plain: Terraform) -> None:
    done = plain.run("fmt", "-check", "-recursive", "-diff", str(ROOT / "terraform"))
    assert done.returncode == 0, f"run `terraform fmt -recursive terraform`\n{done.stdout}"


def test_it_is_valid(plain: Terraform) -> None:
    assert "Success" in plain.ok("validate", "-no-color")


def test_its_own_tests_pass(plain: Terraform) -> None:
    assert "0 failed" in plain.ok("test", "-no-color", seconds=800)


@pytest.mark.parametrize("example", ["complete", "minimal"])
def test_an_example_passes_its_test(plain: Terraform, example: str) -> None:
    words = (f"-test-directory=tests/{example}", f"-var-file=examples/{example}/headrace.tfvars")
    assert "1 passed, 0 failed" in plain.ok("test", "-no-color", *words)
