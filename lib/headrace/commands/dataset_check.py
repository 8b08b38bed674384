"""`headrace dataset check FOLDER`: prints what is wrong, and ends with 1 where something is.

With `--json` one object: `ok`, `format`, `problems` (how many), `by_rule`, and `shown`: a list of {rule, file, line,
at, expected, found, todo}. With `--second-opinion` also `second_opinion`: a list of {file, line, seen}, and `seen` one
of {place, kind, begin, end, score}; it never holds a text.
"""

import argparse
import json
from collections import Counter
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from headrace.commands.options import at_most, json_option, limit_option
from headrace.commands.text import number, to_json
from headrace.errors import ConfigError
from headrace.pipelines import dataset_audit
from headrace.pipelines.dataset_audit import Opinion
from headrace.training.formats import FORMATS, format_named
from headrace.training.layout import MANIFEST
from headrace.training.limits import Limits, limits_of
from headrace.training.validate import problems


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the folder, the format and the limits."""
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="one version of a dataset: it holds train and more")
    parser.add_argument("--format", metavar="NAME", help=f"as the manifest says, or one of {', '.join(FORMATS)}")
    what = "another value for a limit of the format, such as tokens=4096, or none to drop it; may be given often"
    parser.add_argument("--set", action="append", default=[], metavar="LIMIT=VALUE", help=what)
    what = "ask Amazon Comprehend what is personal in texts of this language, en or es; it costs, and decides nothing"
    parser.add_argument("--second-opinion", metavar="LANGUAGE", help=what)
    what = "lines of train that it is asked about (default: 50)"
    parser.add_argument("--sample", type=int, default=50, metavar="N", help=what)
    limit_option(parser)
    json_option(parser)


def run(args: argparse.Namespace) -> int:
    """Check; 1 where something is wrong."""
    if not args.folder.is_dir():
        todo = "Name the folder of one version, which holds `train` and `validation`."
        raise ConfigError(where="FOLDER", expected="a folder", found=str(args.folder), todo=todo)
    format = format_named(args.format or _told(args.folder), "--format")
    limits = _limits(format.name, args.set)
    found = problems(args.folder, format, limits)
    shown, rules = [], Counter[str]()
    for one in islice(found, at_most(args.limit)):
        rules[one.rule] += 1
        shown.append(asdict(one))
        if not args.json:
            print(one, flush=True)
    rules.update(one.rule for one in found)
    opinions = _opinions(args.folder, args.second_opinion, args.sample) if args.second_opinion else None
    if args.json:
        told = {"ok": not rules, "format": format.name, "problems": rules.total(), "by_rule": dict(rules)}
        seen = {} if opinions is None else {"second_opinion": [_told_of(one) for one in opinions]}
        print(to_json({**told, "shown": shown, **seen}))
    else:
        print(_summary(format.name, rules, len(shown)))
        if opinions is not None:
            _tell(opinions)
    return 1 if rules else 0


def _opinions(folder: Path, language: str, most: int) -> list[Opinion]:
    finder = dataset_audit.finder()
    try:
        return list(dataset_audit.opinions(folder, finder, language, most))
    finally:
        finder.close()


def _told_of(one: Opinion) -> dict[str, Any]:
    return {"file": one.file, "line": one.line, "seen": [each._asdict() for each in one.seen]}


def _tell(opinions: list[Opinion]) -> None:
    for one in opinions:
        for seen in one.seen:
            print(f"{one.file}:{one.line} text {seen.place + 1}, {seen.begin}-{seen.end}: {seen.kind} {seen.score:.2f}")
    kinds = Counter(seen.kind for one in opinions for seen in one.seen)
    what = ", ".join(f"{kind} {number(count)}" for kind, count in kinds.most_common()) or "nothing"
    print(f"second opinion on {number(len(opinions))} lines: {what}")


def _told(folder: Path) -> str:
    try:
        return str(json.loads((folder / MANIFEST).read_bytes())["format"])
    except (OSError, ValueError, KeyError, TypeError):
        todo = "Say which: `--format NAME`."
        found = f"neither --format nor a {MANIFEST} that names one"
        raise ConfigError(where="--format", expected=" or ".join(FORMATS), found=found, todo=todo) from None


def _limits(name: str, texts: list[str]) -> Limits:
    overrides: dict[str, Any] = {}
    for one in texts:
        limit, sign, value = one.partition("=")
        if not sign:
            raise ConfigError(where="--set", expected="LIMIT=VALUE", found=one, todo="For example `--set tokens=4096`.")
        try:
            overrides[limit.strip()] = yaml.safe_load("null" if value.strip() == "none" else value)
        except yaml.YAMLError:
            todo = "For example `--set tokens=4096` or `--set 'reserved=[\"User:\"]'`."
            raise ConfigError(where="--set", expected="a value", found=value, todo=todo) from None
    return limits_of(name, overrides)


def _summary(name: str, rules: Counter[str], shown: int) -> str:
    if not rules:
        return f"ok: a dataset for {name}"
    more = f" ({shown} are shown; --limit 0 shows all)" if shown < rules.total() else ""
    counts = ", ".join(f"{rule} {number(count)}" for rule, count in rules.most_common())
    return f"\n{number(rules.total())} problem{'s' * (rules.total() != 1)}{more}: {counts}"
