"""What Terraform made is run: script, wheel and settings from the emulated bucket, with the arguments of the job there.

Records go into an emulated Kinesis, the table is Delta in the emulated S3. moto's own Kinesis cannot be read (its
sequence numbers are 1, 2, 3), so the stream is made once more in kinesis-local. Spark is the open-source one.
"""

import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest

from glue_like import start
from headrace.stores.delta_reader import DeltaReader
from servers.kinesis import KinesisServer
from terraform.aws import environment, s3a
from terraform.calls import Call, actions, allowed, record, recorded
from terraform.emulator import moto
from terraform.terraform import ROOT, Terraform, copied

NAME = "shop"
JOB = "apply_changes"
MINIMAL = ("-var-file=examples/minimal/headrace.tfvars", "-var-file=emulator.tfvars")
NOT_OURS = ("--additional-python-modules", "--python-modules-installer-option", "--conf")
"""Arguments that Glue itself acts on before the script runs."""


@dataclass(frozen=True)
class Deployed:
    """The applied example.

    Attributes:
        environ: what makes boto3, pyarrow and deltalake in this and other processes use the emulators.
        calls: what the job asked of AWS, Kinesis left out: that is another emulator.
    """

    terraform: Terraform
    kinesis: KinesisServer
    environ: dict[str, str]
    calls: set[Call] = field(default_factory=set)

    def client(self, service: str) -> Any:
        return boto3.client(service)

    def bytes_of(self, url: str) -> bytes:
        bucket, _, key = url.removeprefix("s3://").partition("/")
        return bytes(self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    wheels = list((ROOT / "dist").glob("headrace-*.whl"))
    assert len(wheels) == 1, "run `make package` first"
    folder = tmp_path_factory.mktemp("smoke")
    kinesis = KinesisServer(folder / "kinesis", "local").start()
    patched = pytest.MonkeyPatch()
    try:
        with moto(folder / "moto.log") as url:
            terraform = copied(folder, url)
            shutil.copy(wheels[0], folder / "dist" / wheels[0].name)
            terraform.ok("apply", "-auto-approve", "-input=false", "-no-color", "-parallelism=30", *MINIMAL)
            environ = environment(url, kinesis)
            for name, value in environ.items():
                patched.setenv(name, value)
            yield Deployed(terraform, kinesis, environ)
    finally:
        kinesis.stop()
        patched.undo()


def booking(number: int, status: str, second: int, operation: str = "update") -> tuple[str, bytes]:
    record = {
        "data": {"booking_id": number, "status": status},
        "metadata": {
            "commit-timestamp": f"2026-01-02T03:04:{second:02}.000000Z", "record-type": "data", "operation": operation,
            "partition-key-type": "schema-table", "schema-name": "public", "table-name": "bookings",
            "transaction-id": second, "transaction-record-id": 1,
        },
    }  # fmt: skip
    return str(number), json.dumps(record).encode()


def test_the_job_that_terraform_made_turns_a_stream_into_a_right_table(deployed: Deployed, tmp_path: Path) -> None:
    stream = f"{NAME}-changes"
    shards = deployed.client("kinesis").meta.endpoint_url
    assert shards == deployed.kinesis.url
    deployed.kinesis.create(stream)
    late = [booking(1, "PAID", 20), booking(1, "NEW", 10), booking(2, "NEW", 11), booking(3, "NEW", 12)]
    deployed.kinesis.put(stream, [*late, booking(2, "NEW", 30, "delete"), booking(2, "LATE", 15), late[0]])

    job = deployed.client("glue").get_job(JobName=f"{NAME}-{JOB}")["Job"]
    given = job["DefaultArguments"]
    script = tmp_path / "script.py"
    script.write_bytes(deployed.bytes_of(job["Command"]["ScriptLocation"]))
    wheel = tmp_path / "wheel.whl"
    wheel.write_bytes(deployed.bytes_of(given["--additional-python-modules"]))
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "installed")

    words = [word for name, value in given.items() if name not in NOT_OURS for word in (name, value)]
    record(deployed.environ["AWS_ENDPOINT_URL"])
    run = start(
        JOB, [*words, "--JOB_RUN_ID", "jr_1", "--once", "true"], tmp_path / "spark",
        conf=given["--conf"], spark=s3a(deployed.environ), s3=True, script=script,
        environ={**deployed.environ, "PYTHONPATH": str(tmp_path / "installed")},
    )  # fmt: skip
    code = run.wait(400)
    deployed.calls.update(recorded(deployed.environ["AWS_ENDPOINT_URL"]))
    log = (tmp_path / "spark" / f"{JOB}.log").read_text()
    assert code == 0, log[-5000:]
    assert '"run": "jr_1"' in log and str(tmp_path / "installed") not in log

    lake = lake_of(deployed, given["--config"])
    rows = DeltaReader(lake).query("tables/bookings", "SELECT booking_id, status FROM rows")
    assert {row["booking_id"]: row["status"] for row in rows} == {1: "PAID", 3: "NEW"}
    beats = json.loads(deployed.bytes_of(f"{lake}/heartbeats/{JOB}.json"))
    assert beats["shop"]["run"] == "jr_1"
    sent = deployed.client("cloudwatch").list_metrics(Namespace="Headrace")["Metrics"]
    applied = [one for one in sent if one["MetricName"] == "RowsApplied"]
    assert [{d["Name"]: d["Value"] for d in one["Dimensions"]} for one in applied] == [
        {"Name": NAME, "Job": JOB, "Source": "shop"}
    ]


def test_the_jobs_role_allows_every_call_it_made_and_little_more(deployed: Deployed) -> None:
    assert deployed.calls, "the run before this test is what is looked at"
    policy = deployed.client("iam").get_role_policy(RoleName=f"headrace-{NAME}-{JOB}", PolicyName="job")
    document = policy["PolicyDocument"]
    refused = sorted(call for call in deployed.calls if not allowed(call, document))
    assert refused == [], refused
    used = {call.action for call in deployed.calls} | kinesis_actions()
    assert actions(document) - used - UNUSED.keys() == set()
    assert kinesis_actions() <= actions(document)


UNUSED = {
    "kms:Decrypt": "S3 asks for it on the job's behalf", "kms:DescribeKey": "the same", "kms:Encrypt": "the same",
    "kms:GenerateDataKey": "the same",
    "logs:AssociateKmsKey": "Glue itself writes the log", "logs:CreateLogGroup": "the same",
    "logs:CreateLogStream": "the same", "logs:PutLogEvents": "the same",
    "glue:GetDatabase": "Spark on Glue looks into the catalog", "glue:GetDatabases": "the same",
    "glue:GetTable": "the same", "glue:GetTables": "the same",
    "s3:AbortMultipartUpload": "files of many MB are written in parts", "s3:ListMultipartUploadParts": "the same",
    "s3:ListBucketMultipartUploads": "the same", "s3:GetBucketLocation": "clients of other regions ask",
}  # fmt: skip
"""What a role allows and this run did not ask for, with the reason."""


def kinesis_actions() -> set[str]:
    """What Headrace's source asks of Kinesis, read from its code."""
    text = (ROOT / "lib" / "headrace" / "stores" / "kinesis" / "api.py").read_text()
    names = re.findall(r'_call\("((?:describe|get|list)_\w+)"', text)
    return {f"kinesis:{''.join(part.title() for part in name.split('_'))}" for name in names}


def test_a_stop_file_where_terraform_says_keeps_the_job_from_running(deployed: Deployed, tmp_path: Path) -> None:
    given = deployed.client("glue").get_job(JobName=f"{NAME}-{JOB}")["Job"]["DefaultArguments"]
    bucket, _, key = given["--stop"].removeprefix("s3://").partition("/")
    deployed.client("s3").put_object(Bucket=bucket, Key=key, Body=b"")
    words = [word for name, value in given.items() if name not in NOT_OURS for word in (name, value)]
    run = start(JOB, [*words, "--JOB_RUN_ID", "jr_2"], tmp_path / "spark", environ=deployed.environ)
    assert run.wait(120) == 0
    assert "nothing is run until it is removed" in (tmp_path / "spark" / f"{JOB}.log").read_text()


def lake_of(deployed: Deployed, config: str) -> str:
    text = deployed.bytes_of(config).decode()
    return next(line.partition(": ")[2] for line in text.splitlines() if line.startswith("lake: ")).strip('"')
