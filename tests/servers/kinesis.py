"""Emulators of Amazon Kinesis on 127.0.0.1: kinesis-local for what calls mean, kinesalite for volume.

Neither throttles, and none is AWS: what is tested with them says nothing of AWS itself.
"""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from .jars import cache_folder
from .process import Process, ServerError, free_port, wait_until

HERE = Path(__file__).parent / "kinesis_npm"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "emulated", "AWS_SECRET_ACCESS_KEY": "not-a-real-secret", "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true",
}  # fmt: skip
"""What a client of an emulator needs; it looks at none of it."""
# kinesalite throws, and ends, when a client is killed in the middle of a request.
_LITE = "process.on('uncaughtException', (e) => { if (e.code !== 'ECONNRESET') throw e });"
_LITE += "require('kinesalite')({createStreamMs: 50, updateStreamMs: 50, shardLimit: 100}).listen(%d, '127.0.0.1')"
TOP = 2**128


class KinesisServer:
    """One emulator. Its streams live in memory and end with it.

    Args:
        kind: `local` tells the truth about time and closed shards; `lite` is ten times as fast.
    """

    def __init__(self, folder: Path, kind: Literal["local", "lite"]) -> None:
        self.folder, self.kind = folder, kind
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: Process | None = None

    def start(self) -> "KinesisServer":
        """Starts it and returns when it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        packages = npm_packages()
        node = _program("node")
        if self.kind == "lite":
            command, place, settings = [node, "-e", _LITE % self.port], packages, {}
        else:
            command, place = (
                [node, "-r", str(HERE / "loopback.js"), "main.js"],
                packages / "node_modules" / "kinesis-local",
            )
            settings = {
                "KINESIS_MOCK_PLAIN_PORT": str(self.port), "KINESIS_MOCK_TLS_PORT": str(free_port()),
                "SHARD_LIMIT": "100", "LOG_LEVEL": "ERROR",
                **{f"{name}_DURATION": "50ms" for name in ("CREATE_STREAM", "SPLIT_SHARD", "MERGE_SHARDS")},
            }  # fmt: skip
        self.process = Process(f"kinesis-{self.kind}", command, self.folder, settings, cwd=place)
        self.process.start()
        self.process.wait_ready(self._answers, 60)
        return self

    def stop(self) -> None:
        """Stops it by its own pid."""
        if self.process:
            self.process.stop(seconds=2)

    def client(self) -> Any:
        """A client of boto3."""
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=30)
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client("kinesis", region_name="eu-west-1", endpoint_url=self.url, config=config, **keys)

    def create(self, stream: str, shards: int = 1) -> None:
        """Makes a stream and returns when it can be used."""
        self.client().create_stream(StreamName=stream, ShardCount=shards)
        self.wait_active(stream)

    def wait_active(self, stream: str) -> None:
        """Returns when a change of the stream is done."""
        client = self.client()

        def active() -> bool:
            found = client.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]
            return bool(found["StreamStatus"] == "ACTIVE")

        wait_until(active, f"the stream {stream} is active", 30)

    def put(self, stream: str, records: Iterable[tuple[str, bytes]], at_once: int = 250) -> int:
        """Sends (partition key, data); returns how many there were."""
        client, count, waiting = self.client(), 0, []
        for key, data in records:
            waiting.append({"PartitionKey": key, "Data": data})
            count += 1
            if len(waiting) == at_once:
                _send(client, stream, waiting)
                waiting = []
        if waiting:
            _send(client, stream, waiting)
        return count

    def split(self, stream: str, which: int = 0) -> None:
        """Splits one of the open shards in the middle."""
        shard = self.open_shards(stream)[which]
        keys = shard["HashKeyRange"]
        middle = (int(keys["StartingHashKey"]) + int(keys["EndingHashKey"])) // 2
        self.client().split_shard(StreamName=stream, ShardToSplit=shard["ShardId"], NewStartingHashKey=str(middle))
        self.wait_active(stream)

    def merge(self, stream: str, first: int = 0) -> None:
        """Merges an open shard with its neighbour."""
        one, other = self.open_shards(stream)[first : first + 2]
        self.client().merge_shards(
            StreamName=stream, ShardToMerge=one["ShardId"], AdjacentShardToMerge=other["ShardId"]
        )
        self.wait_active(stream)

    def open_shards(self, stream: str) -> list[dict[str, Any]]:
        """The shards that take records, in order of their keys."""
        listed = self.client().list_shards(StreamName=stream)["Shards"]
        found = [one for one in listed if "EndingSequenceNumber" not in one["SequenceNumberRange"]]
        return sorted(found, key=lambda one: int(one["HashKeyRange"]["StartingHashKey"]))

    def _answers(self) -> bool:
        try:
            self.client().list_streams()
        except (BotoCoreError, ClientError):
            return False
        return True


def _send(client: Any, stream: str, records: list[dict[str, Any]]) -> None:
    if client.put_records(StreamName=stream, Records=records)["FailedRecordCount"]:
        raise ServerError("the emulator refused records")


def npm_packages() -> Path:
    """The folder with `node_modules`, fetched once with npm, which checks it against package-lock.json."""
    lock = (HERE / "package-lock.json").read_bytes()
    folder = cache_folder() / f"kinesis-{hashlib.sha256(lock).hexdigest()[:12]}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as unfinished:
            target = Path(unfinished) / "npm"
            shutil.copytree(HERE, target)
            options = ["--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund"]
            done = subprocess.run([_program("npm"), "ci", *options], cwd=target, capture_output=True, text=True)
            if done.returncode != 0:
                raise ServerError(f"npm could not fetch the packages of {HERE}:\n{done.stdout}{done.stderr}")
            target.rename(folder)
    return folder


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise ServerError(f"the Kinesis emulators need {name}; install Node.js 18 or newer")
    return found
