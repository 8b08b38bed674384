"""One copy of the project for what needs no AWS, one with an emulated AWS for the rest."""

import shutil
from collections.abc import Iterator

import pytest

from terraform.emulator import moto
from terraform.terraform import Terraform, copied


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    """Terraform without any AWS."""
    assert shutil.which("terraform"), "Terraform 1.11 or newer is needed, and is not in the PATH"
    return copied(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="session")
def emulated(tmp_path_factory: pytest.TempPathFactory, plain: Terraform) -> Iterator[Terraform]:
    """Terraform with an emulated AWS."""
    folder = tmp_path_factory.mktemp("emulated")
    with moto(folder / "moto.log") as url:
        yield copied(folder, url)
