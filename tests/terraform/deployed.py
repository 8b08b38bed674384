"""The jobs of the example `complete`, applied to an emulated AWS as cheaply as `minimal`, and run from there.

moto's own Kinesis cannot be read (its sequence numbers are 1, 2, 3), so each stream is made once more in kinesis-local.
Spark is the open-source one.
"""

import re
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from glue_like import start
from headrace.pipelines.runtime import INTERPRETED
from servers.kinesis import KinesisServer
from terraform.aws import environment, s3a
from terraform.calls import Call, record, recorded
from terraform.emulator import moto
from terraform.recording import Recording, recording
from terraform.terraform import COMPLETE, ROOT, Terraform, copied

NAME = "shop"
RUN = ("apply_changes", "build_profiles", "curate_dataset", "index_knowledge", "track_feedback")
"""The jobs that are run."""
STREAMS = ("changes", "documents", "embeddings", "events")
_FILES = ("-var-file=examples/minimal/headrace.tfvars", "-var-file=emulator.tfvars", "-var-file=smoke.tfvars")
_NOT_OURS = ("--additional-python-modules", "--python-modules-installer-option", "--conf")
"""Arguments that Glue itself acts on before the script runs."""
_OPENSEARCH = re.compile(r"^    search: \{store: opensearch, .*$", re.MULTILINE)
_PUBLISH = re.compile(r"^  publish:\n    board: \{store: opensearch, .*\n", re.MULTILINE)
_SECRET = re.compile(r"arn:aws:secretsmanager:[\w:-]+:secret:travel-profiles-\w+")
"""What every job reads at its start: the keys of the hashes."""
_KEYS = '{"hash_key": "of sixteen signs", "dataset_key": "another of sixteen"}'
_STREAM = '    search: {store: kinesis, stream: "${NAME}-embeddings", region: "${REGION}"}'


@dataclass(frozen=True)
class Deployed:
    """What was applied.

    Attributes:
        environ: what makes boto3, pyarrow and deltalake in this and other processes use the emulators.
        calls: what each job asked of AWS.
        secrets: ARNs by name.
    """

    terraform: Terraform
    kinesis: KinesisServer
    between: Recording
    environ: dict[str, str]
    installed: Path
    secrets: dict[str, str]
    calls: dict[str, set[Call]] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        return boto3.client(service)

    def bytes_of(self, url: str) -> bytes:
        bucket, _, key = url.removeprefix("s3://").partition("/")
        return bytes(self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())

    def settings(self, job: str) -> dict[str, Any]:
        """The settings file Terraform filled in."""
        return dict(yaml.safe_load(self.bytes_of(self.arguments(job)["--config"])))

    def job(self, job: str) -> dict[str, Any]:
        return dict(self.client("glue").get_job(JobName=f"{NAME}-{job}")["Job"])

    def arguments(self, job: str) -> dict[str, str]:
        return dict(self.job(job)["DefaultArguments"])

    def run(self, job: str, folder: Path, *more: str, seconds: float = 800) -> tuple[int | None, str]:
        """Run a job as Glue would; its exit code and log. Its calls are kept."""
        given = self.arguments(job)
        script = folder / f"{job}.py"
        script.write_bytes(self.bytes_of(self.job(job)["Command"]["ScriptLocation"]))
        words = [word for name, value in given.items() if name not in _NOT_OURS for word in (name, value)]
        environ = {**self.environ, "PYTHONPATH": str(self._wheel(given["--additional-python-modules"]))}
        environ |= dict.fromkeys(("AWS_ENDPOINT_URL_KINESIS", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"), self.between.url)
        record(self.environ["AWS_ENDPOINT_URL"])
        self.between.taken()
        run = start(
            job, [*words, *more], folder / "spark",
            conf=given["--conf"], spark={**s3a(self.environ), **INTERPRETED}, s3=True, script=script, environ=environ,
        )  # fmt: skip
        code = run.wait(seconds)
        asked = recorded(self.environ["AWS_ENDPOINT_URL"], self.secrets)
        self.calls.setdefault(job, set()).update(asked, self.between.taken())
        return code, (folder / "spark" / f"{job}.log").read_text()

    def _wheel(self, url: str) -> Path:
        if not self.installed.exists():
            file = self.installed.with_suffix(".whl")
            file.write_bytes(self.bytes_of(url))
            with zipfile.ZipFile(file) as packed:
                packed.extractall(self.installed)
        return self.installed


@contextmanager
def deployment(folder: Path) -> Iterator[Deployed]:
    """Applied until the block ends; this process uses it too."""
    wheels = list((ROOT / "dist").glob("headrace-*.whl"))
    assert len(wheels) == 1, "run `make package` first"
    kinesis = KinesisServer(folder / "kinesis", "local").start()
    patched = pytest.MonkeyPatch()
    try:
        with moto(folder / "moto.log") as url, recording(kinesis.url) as between:
            terraform = copied(folder, url)
            shutil.copy(wheels[0], folder / "dist" / wheels[0].name)
            environ = environment(url, kinesis)
            for name, value in environ.items():
                patched.setenv(name, value)
            secrets = {"travel-profiles": _secret("travel-profiles")}
            _chosen(terraform.folder, secrets["travel-profiles"])
            terraform.ok("apply", "-auto-approve", "-input=false", "-no-color", "-parallelism=30", *_FILES)
            for stream in STREAMS:
                kinesis.create(f"{NAME}-{stream}")
            yield Deployed(terraform, kinesis, between, environ, folder / "installed", secrets)
    finally:
        kinesis.stop()
        patched.undo()


def _secret(name: str) -> str:
    """Make the secret with the keys of the hashes; its ARN."""
    made = boto3.client("secretsmanager").create_secret(Name=name, SecretString=_KEYS)
    return str(made["ARN"])


def _chosen(folder: Path, secret: str) -> None:
    """Into a copy of terraform/: jobs and settings of `complete`, its index a stream and its measures in the lake
    alone, as none emulates OpenSearch."""
    text = (folder / COMPLETE).read_text()
    jobs = re.search(r"^jobs = \{\n.*?^\}\n", text, re.MULTILINE | re.DOTALL)
    tables = re.search(r"^dynamodb = \{\n.*?^\}\n", text, re.MULTILINE | re.DOTALL)
    assert jobs and tables
    streams = ", ".join(f"{stream} = {{ shards = 1 }}" for stream in STREAMS)
    chosen = f'config_file = "smoke.yaml"\nstreams = {{ {streams} }}\ndocuments = {{ bucket = true, events = false }}\n'
    readable, secrets = _SECRET.subn(secret, jobs[0])
    (folder / "smoke.tfvars").write_text(chosen + tables[0] + readable)
    settings, replaced = _OPENSEARCH.subn(_STREAM, (folder / COMPLETE).with_suffix(".yaml").read_text())
    settings, published = _PUBLISH.subn("", settings)
    assert (replaced, published, secrets) == (1, 1, len(RUN))
    (folder / "smoke.yaml").write_text(settings)
