"""What needs no AWS: formatting, validation, and terraform/tests with a mocked provider."""

from terraform.terraform import ROOT, Terraform


def test_every_file_is_formatted(plain: Terraform) -> None:
    done = plain.run("fmt", "-check", "-recursive", "-diff", str(ROOT / "terraform"))
    assert done.returncode == 0, f"run `terraform fmt -recursive terraform`\n{done.stdout}"


def test_it_is_valid(plain: Terraform) -> None:
    assert "Success" in plain.ok("validate", "-no-color")


def test_its_own_tests_pass(plain: Terraform) -> None:
    said = plain.ok("test", "-no-color", seconds=400)
    assert "0 failed" in said
    print(said)
