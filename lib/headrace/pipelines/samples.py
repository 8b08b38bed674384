"""The first records of a folder, of Kafka topics or of Kinesis streams, as `headrace init` looks at them."""

import bz2
import csv
import gzip
import itertools
import json
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headrace.changes.envelope import Message
from headrace.changes.formats.avro import avro_library
from headrace.changes.formats.wrapped import unwrapped
from headrace.errors import ConfigError, Unreachable
from headrace.pipelines.lag import data_files, dead_links
from headrace.stores.kafka_look import KafkaLook
from headrace.stores.kinesis_look import KinesisLook

MOST_FILES, MOST_RECORDS = 40, 500


@dataclass(frozen=True, slots=True)
class Sample:
    """One record. `stream` is its file or topic; `key` the message's key, where it has one."""

    stream: str
    key: bytes | None
    value: bytes | None


def of_folder(path: Path, most: int = MOST_RECORDS) -> list[Sample]:
    """Up to `most` records of the newest files and as many of the oldest, in the order the files arrived.

    Raises:
        ConfigError: there is no such folder, or no file in it.
    """
    if not path.is_dir():
        found = "a file" if path.exists() else "no such folder"
        raise ConfigError(where=str(path), expected="a folder of files", found=found, todo="Correct --path.")
    for link in dead_links(path):
        print(f"headrace: passed over {link}, a link to nothing", file=sys.stderr)
    files = sorted(data_files(path), key=lambda file: (file.stat().st_mtime_ns, str(file)))
    if not files:
        todo = "Put a few files there, or correct --path."
        raise ConfigError(where=str(path), expected="files", found="an empty folder", todo=todo)
    chosen = files if len(files) <= MOST_FILES else [*files[: MOST_FILES // 2], *files[-MOST_FILES // 2 :]]
    each = max(most // len(chosen), 10)
    return [sample for file in chosen for sample in itertools.islice(_records(file), each)]


def of_topics(look: KafkaLook, patterns: list[str], most: int = MOST_RECORDS) -> list[Sample]:
    """The oldest records of every topic that matches, up to `most` of each.

    Raises:
        ConfigError: no topic matches, or none holds a record.
        Unreachable: no broker answers.
    """
    topics = look.topics(patterns)
    if not topics:
        known = ", ".join(name for name in look.topics(["*"]) if not name.startswith("_")) or "none"
        found, todo = f"none; the cluster has {known}", "Correct --topics."
        raise ConfigError(where="--topics", expected=f"topics matching {', '.join(patterns)}", found=found, todo=todo)
    samples = [
        Sample(record.topic, record.key, record.value)
        for records in look.sample(topics, most).values()
        for record in records
    ]
    if not samples:
        todo = "Wait until something has been sent."
        raise ConfigError(where=", ".join(topics), expected="records to look at", found="empty topics", todo=todo)
    return samples


def of_streams(look: KinesisLook, most: int = MOST_RECORDS) -> list[Sample]:
    """The oldest records of every stream, up to `most` of each.

    Raises:
        ConfigError: none holds a record.
        Fatal, Retryable: Kinesis refuses, or does not answer.
    """
    samples = [Sample(stream, record.key.encode(), record.data) for stream, record in look.sample(most)]
    if not samples:
        names, todo = ", ".join(place.name for place in look.places), "Wait until something has been sent."
        raise ConfigError(where=names, expected="records to look at", found="empty streams", todo=todo)
    return samples


def _records(file: Path) -> Iterator[Sample]:
    name = file.name.lower().removesuffix(".gz").removesuffix(".bz2")
    if name.endswith((".csv", ".tsv")):
        read = _csv
    else:
        read = _parquet if name.endswith(".parquet") else _avro if name.endswith(".avro") else _lines
    try:
        for value in read(file):
            message = unwrapped(Message(None, value))
            yield Sample(str(file), message.key, message.value)
    except (OSError, EOFError, ValueError, csv.Error, zlib.error) as error:
        # ValueError: wrong UTF-8, and what pyarrow says of a file that is not Parquet.
        todo = "Move it elsewhere, or repair it."
        raise Unreachable(where=str(file), expected="a readable file", found=str(error), todo=todo) from error


def _lines(file: Path) -> Iterator[bytes]:
    with _opened(file) as lines:
        for line in lines:
            if line.strip():
                yield bytes(line).rstrip(b"\r\n")


def _csv(file: Path) -> Iterator[bytes]:
    with _opened(file) as lines:
        text = (bytes(line).decode("utf-8-sig") for line in lines)
        for row in csv.DictReader(text, delimiter="\t" if ".tsv" in file.name.lower() else ","):
            yield _as_json({name: value or None for name, value in row.items() if name is not None})


def _parquet(file: Path) -> Iterator[bytes]:
    import pyarrow.parquet as parquet

    for batch in parquet.ParquetFile(file).iter_batches(batch_size=MOST_RECORDS):
        for row in batch.to_pylist():
            yield _as_json(row)


def _avro(file: Path) -> Iterator[bytes]:
    with file.open("rb") as content:
        for row in avro_library().reader(content):
            yield _as_json(row)


def _as_json(row: dict[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False, default=str).encode("utf-8", "surrogatepass")


def _opened(file: Path) -> Any:
    if file.suffix == ".gz":
        return gzip.open(file, "rb")
    return bz2.open(file, "rb") if file.suffix == ".bz2" else file.open("rb")
