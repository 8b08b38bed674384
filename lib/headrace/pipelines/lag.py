"""How far the jobs are behind a source: what the source holds less what the newest checkpoint has taken."""

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlparse

from headrace.config import Config
from headrace.config_sources import ApiSource, FilesSource, KafkaSource, KinesisSource, Source
from headrace.errors import HeadraceError
from headrace.pipelines import asked
from headrace.stores.files import LakeFiles
from headrace.stores.kafka_look import KafkaLook
from headrace.stores.kinesis_look import KinesisLook

Unit = Literal["messages", "files", "seconds", "keys"]


@dataclass(frozen=True, slots=True)
class Lag:
    """Messages or files not yet taken, keys not yet asked for, or the age of Kinesis' oldest message.

    None where unknown; `why` says why, or what holds up an API.
    """

    behind: int | None
    unit: Unit
    why: str = ""


def lag(config: Config, source: str, readers: Sequence[str] = ()) -> Lag:
    """The lag of one source, of its slowest reader. Never raises for a source or checkpoint that does not answer.

    Args:
        readers: folders of the checkpoints to look at; those of all its readers where none is given.
    """
    settings = config.sources[source]
    unit = _unit(settings)
    try:
        checkpoints = [Checkpoint(folder) for folder in readers or _checkpoints(config, source)]
        match settings:
            case KafkaSource():
                return Lag(_kafka(settings, checkpoints), unit)
            case KinesisSource():
                return _kinesis(settings, checkpoints)
            case FilesSource():
                return _folder(settings, checkpoints)
            case ApiSource():
                return _api(config, source)
    except HeadraceError as error:
        return Lag(None, unit, str(error))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return Lag(None, unit, f"the checkpoint cannot be read ({type(error).__name__}: {error})")


def _unit(settings: Source) -> Unit:
    match settings:
        case KafkaSource():
            return "messages"
        case KinesisSource():
            return "seconds"
        case FilesSource():
            return "files"
        case ApiSource():
            return "keys"


class Checkpoint:
    """What a stream's checkpoint says of the batches that are committed."""

    def __init__(self, folder: str) -> None:
        self._files = LakeFiles(folder)

    def committed(self) -> int | None:
        """Number of the newest committed batch; None before the first."""
        return max((int(name) for name in self._files.names("commits") if name.isdigit()), default=None)

    def offsets(self) -> dict[str, dict[str, int]]:
        """Next offsets by topic and partition, after the newest committed batch; empty before the first."""
        found: list[dict[str, dict[str, int]]] = self._of_sources()
        return found[0] if found else {}

    def shards(self) -> list[dict[str, str]]:
        """How far each Kinesis stream was read, by shard, after the newest committed batch; empty before the first."""
        return [one["shards"] for one in self._of_sources()]

    def _of_sources(self) -> list[dict[str, Any]]:
        batch = self.committed()
        text = None if batch is None else self._files.read_text(f"offsets/{batch}")
        # Line 1 is the version, line 2 the batch's own facts, then one line for each source of the query.
        return [json.loads(line) for line in text.splitlines()[2:]] if text else []

    def taken(self) -> set[str]:
        """Paths of the files in committed batches."""
        batch = self.committed()
        return set() if batch is None else {entry["path"] for entry in self._entries() if entry["batchId"] <= batch}

    def _entries(self) -> Iterator[dict[str, Any]]:
        for query in self._files.folders("sources"):
            for name in self._files.names(f"sources/{query}"):
                if re.fullmatch(r"\d+(\.compact)?", name):
                    text = self._files.read_text(f"sources/{query}/{name}") or ""
                    yield from (json.loads(line) for line in text.splitlines() if line.startswith("{"))


def checkpoint_folder(config: Config, source: str, job: str = "apply_changes") -> str:
    """Where a job keeps the checkpoint of one source."""
    root = config.checkpoints or f"{config.lake.rstrip('/')}/checkpoints"
    return f"{root.rstrip('/')}/{job}/{source}"


def feed_checkpoint(config: Config, feed: str, source: str) -> str:
    """Where `index_knowledge` keeps the checkpoint of a feed: another one for each source it is given."""
    return checkpoint_folder(config, f"{feed}/{source}", "index_knowledge")


def _checkpoints(config: Config, source: str) -> list[str]:
    """The checkpoints of all that read a source."""
    feeds = config.knowledge.readers(source) if config.knowledge else []
    found = [feed_checkpoint(config, feed, source) for feed in feeds]
    if config.feedback and source in config.feedback.sources:
        found.append(checkpoint_folder(config, source, "track_feedback"))
    return found if found and not config.tables_of(source) else [checkpoint_folder(config, source), *found]


def _kafka(source: KafkaSource, checkpoints: list[Checkpoint]) -> int:
    look = KafkaLook(source.servers, source.options, source.auth)
    held = look.offsets(look.topics(source.topics))
    return max(messages_behind(source, held, checkpoint.offsets()) for checkpoint in checkpoints)


def _kinesis(source: KinesisSource, checkpoints: list[Checkpoint]) -> Lag:
    if source.reader != "headrace":
        return Lag(None, "seconds", f"the checkpoint of reader: {source.reader} is its platform's own")
    look = KinesisLook(source)
    slowest = max(look.behind(checkpoint.shards()) for checkpoint in checkpoints)
    return Lag(-(-slowest // 1000), "seconds")


def messages_behind(
    source: KafkaSource, held: dict[str, dict[int, tuple[int, int]]], taken: dict[str, dict[str, int]]
) -> int:
    """Messages that are held and not taken."""
    behind = 0
    for topic, partitions in held.items():
        for partition, (first, end) in partitions.items():
            start = first if source.first_position == "earliest" else end
            behind += max(0, end - max(first, taken.get(topic, {}).get(str(partition), start)))
    return behind


def _folder(source: FilesSource, checkpoints: list[Checkpoint]) -> Lag:
    if "://" in source.path:
        return Lag(None, "files", "only local folders are listed")
    if not os.path.isdir(source.path):
        return Lag(None, "files", f"no folder {source.path}")
    there = files_in(source) or set()
    return Lag(max(len(there - files_taken(one)) for one in checkpoints), "files")


def files_in(source: FilesSource) -> set[str] | None:
    """The files of a local folder; None where it is none."""
    if "://" in source.path or not os.path.isdir(source.path):
        return None
    return {str(file.resolve()) for file in data_files(Path(source.path))}


def files_taken(checkpoint: Checkpoint) -> set[str]:
    """Local paths of the files in committed batches."""
    return {_local(path) for path in checkpoint.taken()}


def _api(config: Config, source: str) -> Lag:
    found = [asked.read(LakeFiles(config.lake), table) for table in config.tables_of(source)]
    if not found or not found[0].day:
        return Lag(None, "keys", "nothing was asked for yet")
    how = found[0]
    counts = f"{how.keys:,} keys, {how.failed:,} failed, {how.calls:,} calls on {how.day}"
    return Lag(how.waiting, "keys", "; ".join(filter(None, [counts, how.said])))


def data_files(folder: Path) -> Iterator[Path]:
    """Files below a folder, as Spark would list them: without links to nothing and names that begin with `.` or `_`."""
    return (file for file in _named(folder) if file.exists())


def dead_links(folder: Path) -> Iterator[Path]:
    """Links to nothing where a data file could be."""
    return (file for file in _named(folder) if not file.exists())


def _named(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        for name in sorted(names):
            if not name.startswith((".", "_")):
                yield Path(place) / name


def _local(path: str) -> str:
    plain = unquote(urlparse(path).path) if path.startswith("file:") else path
    return str(Path(plain).resolve())
