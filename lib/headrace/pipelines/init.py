"""`headrace init`: looks at a folder, at topics or at streams and writes the settings it would use."""

import os
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from headrace.pipelines import samples
from headrace.pipelines.proposal import Proposal, TableProposal, propose
from headrace.pipelines.samples import Sample
from headrace.stores.kafka_look import KafkaLook
from headrace.stores.kinesis_look import KinesisLook

_PLAIN = re.compile(r"[A-Za-z_./][A-Za-z0-9_./-]*")
_WORDS = ("true", "false", "null", "yes", "no", "on", "off", "y", "n", "~")
_EVENT_FORMATS = ("debezium", "dms", "dynamodb", "objects")

Sources = dict[str, tuple[dict[str, Any], Proposal]]
"""Name -> (where it is, what it holds)."""


def from_files(path: Path, out_folder: Path) -> str:
    """The settings, as YAML, for a folder of files. `out_folder` is where they will stand; paths are relative to it.

    Raises ConfigError and Unreachable, see `samples.of_folder`.
    """
    found = samples.of_folder(path)
    whole = propose(found, name=path.resolve().name, untyped=_is_csv(found))
    groups = {path: found}
    if whole.settings["format"] not in _EVENT_FORMATS:
        groups = _by_folder(path, found)
    sources: Sources = {}
    for folder, own in groups.items():
        proposal = whole if own is found else propose(own, name=folder.resolve().name, untyped=_is_csv(own))
        place = {"from": "files", "path": _relative(folder, out_folder)}
        sources[_free(folder.resolve().name, sources)] = (place, proposal)
    return render(sources, f"{len(found)} records of {path}")


def from_kafka(look: KafkaLook, topics: list[str]) -> str:
    """The settings, as YAML, for the topics that match.

    Raises ConfigError and Unreachable, see `samples.of_topics`.
    """
    found = samples.of_topics(look, topics)
    return _from_topics(found, topics, {"from": "kafka", "servers": look.servers}, "topics", look.servers)


def from_kinesis(look: KinesisLook, place: Mapping[str, str]) -> str:
    """The settings, as YAML, for the streams.

    Args:
        place: the settings beside `streams`, such as the region.

    Raises ConfigError and what `samples.of_streams` raises.
    """
    found = samples.of_streams(look)
    names = [one.name for one in look.places]
    region = next((one.own_region for one in look.places if one.own_region), None)
    named = {"region": region} if region else {}
    return _from_topics(found, names, {"from": "kinesis", **named, **place}, "streams", "Kinesis")


def _from_topics(found: list[Sample], topics: list[str], place: Mapping[str, Any], key: str, where: str) -> str:
    """As Kafka's topics, so Kinesis' streams: those of one format become one source, but for rows."""
    by_topic: dict[str, list[Sample]] = defaultdict(list)
    for sample in found:
        by_topic[sample.stream].append(sample)
    formats = {topic: str(propose(own, name=topic).settings["format"]) for topic, own in by_topic.items()}
    sources: Sources = {}
    for format in dict.fromkeys(formats.values()):
        named = [topic for topic in by_topic if formats[topic] == format]
        if format not in _EVENT_FORMATS:
            # Rows do not name their table, so every topic is a source of its own.
            for topic in named:
                name = _free(topic.rpartition(".")[2], sources)
                sources[name] = ({**place, key: [topic]}, propose(by_topic[topic], name=name))
            continue
        every = topics if len(named) == len(by_topic) else named
        own = [sample for topic in named for sample in by_topic[topic]]
        sources[_free(named[0].partition(".")[0], sources)] = ({**place, key: every}, propose(own, name=named[0]))
    return render(sources, f"{len(found)} records of {len(by_topic)} {key} at {where}")


def render(sources: Sources, seen: str) -> str:
    """The proposal as YAML; it loads as it is."""
    lines = [
        f"# Proposed by `headrace init` from {seen}.",
        "# Check it, then run `headrace check`.",
        "",
        "lake: ./lake",
    ]
    lines += ["", "sources:"]
    taken: dict[str, str] = {}
    tables: list[tuple[str, TableProposal]] = []
    for name, (place, proposal) in sources.items():
        lines.append(f"  {name}:")
        lines += _settings({**place, **proposal.settings}, proposal.remarks)
        tables += [(name, table) for table in proposal.tables]
    lines += ["", "tables:" if tables else "tables: {}"]
    for source, table in tables:
        name = _free(table.name, taken)
        taken[name] = source
        lines.append(f"  {name}:")
        lines += _settings({"source": source, **table.settings}, table.remarks)
    return "\n".join(lines) + "\n"


def _settings(settings: Mapping[str, Any], remarks: Mapping[str, str]) -> list[str]:
    lines = []
    for key, value in settings.items():
        line = f"    {key}: {_flow(value)}"
        lines.append(f"{line}  # {remarks[key]}" if key in remarks else line)
    return lines


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    return _scalar(str(value))


def _scalar(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS and not re.fullmatch(r"[.\d]*", text):
        return text
    escaped = "".join(_character(one) for one in text.replace("${", "$${"))
    return f'"{escaped}"'


def _character(one: str) -> str:
    if one in '"\\':
        return "\\" + one
    if one.isprintable() and ord(one) < 0xFFFE:
        return one
    return f"\\U{ord(one):08x}"


def _by_folder(path: Path, found: Sequence[Sample]) -> dict[Path, list[Sample]]:
    """Rows do not name their table, so every folder directly below `path` is a source of its own."""
    groups: dict[Path, list[Sample]] = defaultdict(list)
    for sample in found:
        below = Path(sample.stream).relative_to(path).parts
        groups[path / below[0] if len(below) > 1 else path].append(sample)
    # A source reads its folder with all below it: one that holds files and folders stays whole.
    return {path: list(found)} if path in groups else dict(groups)


def _is_csv(found: Sequence[Sample]) -> bool:
    return all(".csv" in sample.stream.lower() or ".tsv" in sample.stream.lower() for sample in found)


def _relative(folder: Path, start: Path) -> str:
    relative = os.path.relpath(folder.resolve(), start.resolve())
    return relative if relative.startswith("..") else f"./{relative}".removesuffix("/.")


def _free(wanted: str, taken: Mapping[str, Any]) -> str:
    plain = re.sub(r"[^A-Za-z0-9_]+", "_", wanted).strip("_")[:90] or "feed"
    plain = plain if re.match(r"[A-Za-z_]", plain) else f"s_{plain}"
    name, suffix = plain, 2
    while name in taken:
        name, suffix = f"{plain}_{suffix}", suffix + 1
    return name
