"""Runs Terraform in a copy of the project, with an emulated AWS or none."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
COMPLETE = "examples/complete/headrace.tfvars"
EMULATOR = ("-var-file=" + COMPLETE, "-var-file=emulator.tfvars")
PARALLEL = "-parallelism=30"

# Says where the emulator's buckets are and gives up soon where it lacks something; only ever in the copy.
_PROVIDER = """provider "aws" {
  region            = "eu-west-1"
  max_retries       = 2
  s3_use_path_style = true
}
"""


@dataclass(frozen=True)
class Terraform:
    """Terraform in one folder.

    Attributes:
        folder: the copy's terraform/.
        environ: what is set for every command.
    """

    folder: Path
    environ: Mapping[str, str]

    def run(self, *words: str, seconds: float = 600) -> subprocess.CompletedProcess[str]:
        """Run a command, whatever comes of it."""
        command, environ = ["terraform", *words], dict(self.environ)
        return subprocess.run(command, cwd=self.folder, env=environ, capture_output=True, text=True, timeout=seconds)

    def ok(self, *words: str, seconds: float = 600) -> str:
        """Run a command that must end well; what it printed."""
        done = self.run(*words, seconds=seconds)
        assert done.returncode == 0, f"terraform {words[0]} ended with {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def state(self) -> dict[str, Any]:
        """The values of everything there is."""
        shown = json.loads(self.ok("show", "-json"))
        return dict(shown.get("values", {}).get("root_module", {}))


NOWHERE = "http://127.0.0.1:9"


def copied(folder: Path, emulated: str = NOWHERE) -> Terraform:
    """A copy of terraform/ with what it reads, initialised: state and plugins never lie in the project itself.

    Args:
        emulated: the URL of an emulator that takes every call; without one each call fails at once.
    """
    for part in ("terraform", "glue_jobs"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    (folder / "dist").mkdir()
    for name in ("headrace-0.1.0-py3-none-any.whl", "headrace-0.1.0.gluewheels.zip"):
        (folder / "dist" / name).write_text("only its name and content count here\n")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
    environ |= {"AWS_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true"}
    environ |= {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1"} | _plugins(folder)
    environ |= {"AWS_ENDPOINT_URL": emulated, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    (folder / "terraform" / "emulated.tf").write_text(_PROVIDER)
    if emulated != NOWHERE:
        _without_stores(folder / "terraform" / COMPLETE)
    terraform = Terraform(folder / "terraform", environ)
    terraform.ok("init", "-no-color", "-input=false")
    return terraform


def _without_stores(example: Path) -> None:
    """In the copy: a job may not name a store that emulator.tfvars switches off, nor the settings its address."""
    text, stores = re.subn(r"^    stores +=.*\n", "", example.read_text(), flags=re.MULTILINE)
    settings = example.with_suffix(".yaml")
    changed, hosts = re.subn(r"\$\{OPENSEARCH\}", "${OPENSEARCH:-https://search.example}", settings.read_text())
    assert (stores, hosts) == (3, 2)
    example.write_text(text)
    settings.write_text(changed)


def _plugins(folder: Path) -> dict[str, str]:
    """The settings of this machine's Terraform; where it has none, a provider that lies in a usual place."""
    if (own := os.environ.get("TF_CLI_CONFIG_FILE")) and Path(own).exists():
        return {"TF_CLI_CONFIG_FILE": own}
    if (Path.home() / ".terraformrc").exists():
        return {}
    mirror = next(_mirrors(), None)
    if mirror is None:
        return {}
    settings = folder / "terraform.rc"
    settings.write_text(f'provider_installation {{\n  filesystem_mirror {{ path = "{mirror}" }}\n}}\n')
    return {"TF_CLI_CONFIG_FILE": str(settings)}


def _mirrors() -> Iterator[Path]:
    """Folders laid out as <host>/hashicorp/aws/<version>: the one named, else those beside programs."""
    named = os.environ.get("TERRAFORM_PROVIDERS")
    places = [Path(named)] if named else [*Path("/opt").glob("*"), *Path("/usr/local/share").glob("terraform/*")]
    for place in places:
        if any(place.glob("*/hashicorp/aws/5.*")):
            yield place


def resources(module: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every resource of a state, data left out."""
    yield from (one for one in module.get("resources", []) if one["mode"] == "managed")
    for child in module.get("child_modules", []):
        yield from resources(child)
