"""`headrace init`."""

import argparse
import os
import sys
from pathlib import Path

from headrace.commands.text import number
from headrace.config_file import load
from headrace.config_sources import KafkaSource, KinesisSource
from headrace.errors import ConfigError
from headrace.pipelines.init import from_files, from_kafka, from_kinesis
from headrace.stores.kafka_look import KafkaLook
from headrace.stores.kinesis_look import KinesisLook


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add where to look and where to write."""
    parser.add_argument(
        "--from", dest="take_from", choices=("files", "kafka", "kinesis"), required=True, help="what to look at"
    )
    parser.add_argument("--path", metavar="FOLDER", help="files: JSON lines, CSV or Parquet")
    parser.add_argument("--servers", metavar="HOST:PORT", help="kafka: the brokers")
    parser.add_argument("--topics", nargs="+", metavar="TOPIC", help="kafka: names, or patterns with *")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE",
                        help="kafka: an option such as kafka.security.protocol=SSL; VALUE may be env:NAME")  # fmt: skip
    parser.add_argument("--streams", nargs="+", metavar="STREAM", help="kinesis: names or ARNs")
    parser.add_argument("--region", metavar="REGION", help="kinesis: the AWS region, where an ARN does not say it")
    parser.add_argument("--endpoint", metavar="URL", help="kinesis: a VPC endpoint or an emulator")
    parser.add_argument("--out", metavar="FILE", help="write there instead of printing; an existing file is kept")
    parser.epilog = "examples:\n  headrace init --from files --path ./in --out headrace.yaml\n" + (
        "  headrace init --from kafka --servers 127.0.0.1:9092 --topics 'src.public.*'\n"
        "  headrace init --from kinesis --streams orders --region eu-west-1"
    )


def run(args: argparse.Namespace) -> int:
    """Print or write the proposed settings."""
    out = Path(args.out) if args.out else None
    if out and out.exists():
        todo = "Name another file with --out, or move this one away."
        raise ConfigError(where=str(out), expected="no such file yet", found="a file", todo=todo)
    text = _proposed(args, out.parent if out else Path())
    if out is None:
        print(text, end="")
        return 0
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("x", encoding="utf-8") as file:
        file.write(text)
    config = load(out)
    tables, sources = number(len(config.tables)), number(len(config.sources))
    print(f"{out}: {tables} tables from {sources} sources. Read it, then run:", file=sys.stderr)
    print(f"    headrace check --config {out}", file=sys.stderr)
    return 0


def _proposed(args: argparse.Namespace, folder: Path) -> str:
    if args.take_from == "files":
        if not args.path:
            raise _missing("--path", "a folder of files", "headrace init --from files --path ./in")
        return from_files(Path(args.path), folder)
    if args.take_from == "kinesis":
        return _of_streams(args)
    example = "headrace init --from kafka --servers 127.0.0.1:9092 --topics 'src.public.*'"
    if not args.servers:
        raise _missing("--servers", "host:port of the brokers", example)
    if not args.topics:
        raise _missing("--topics", "topics, or patterns with *", example)
    options = dict(_option(text) for text in args.option)
    source = {"from": "kafka", "format": "debezium", "servers": args.servers, "topics": args.topics}
    settings = KafkaSource.model_validate(source)
    return from_kafka(KafkaLook(settings.servers, options), list(settings.topics))


def _of_streams(args: argparse.Namespace) -> str:
    if not args.streams:
        example = "headrace init --from kinesis --streams orders --region eu-west-1"
        raise _missing("--streams", "Kinesis streams", example)
    place = {key: value for key in ("region", "endpoint") if (value := getattr(args, key))}
    source = {"from": "kinesis", "format": "dms", "streams": args.streams, **place}
    return from_kinesis(KinesisLook(KinesisSource.model_validate(source)), place)


def _option(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise _missing("--option", "NAME=VALUE", "--option kafka.security.protocol=SSL")
    if value.startswith("env:"):
        found = os.environ.get(value.removeprefix("env:"))
        if found is None:
            raise _missing(f"--option {name}", f"the environment variable {value.removeprefix('env:')}", "export it")
        return name, found
    return name, value


def _missing(where: str, expected: str, example: str) -> ConfigError:
    return ConfigError(where=where, expected=expected, found="nothing", todo=f"For example: {example}")
