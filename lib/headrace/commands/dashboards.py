"""`headrace dashboards`: a file of saved objects to import into OpenSearch Dashboards."""

import argparse
import re
import sys
from pathlib import Path

from headrace.commands.options import config_option
from headrace.config import Config
from headrace.config_file import load
from headrace.config_publish import INDEX, OpenSearchMeasures
from headrace.conversations.dashboards import ndjson
from headrace.errors import ConfigError
from headrace.pipelines.measure_names import measures_of


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the index and where the file goes."""
    what = f"the index with the measures (default: that of feedback.publish, else {INDEX})"
    parser.add_argument("--index", metavar="NAME", help=what)
    parser.add_argument("--out", metavar="FILE", help="where it is written, such as measures.ndjson (default: stdout)")
    config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Write the file."""
    config = load(args.config)
    text = ndjson(measures_of(config).values(), _index(config, args.index))
    if args.out is None:
        sys.stdout.write(text)
        return 0
    try:
        Path(args.out).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        found, todo = f"{args.out}: {error.strerror}", "Name a file in a folder that you may write to."
        raise ConfigError(where="--out", expected="a file that can be written", found=found, todo=todo) from error
    return 0


def _index(config: Config, asked: str | None) -> str:
    if asked is not None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9_.-]{0,100}", asked):
            todo = f"For example `--index {INDEX}`."
            expected = "a name of lower-case letters, digits, _, - and ."
            raise ConfigError(where="--index", expected=expected, found=asked, todo=todo)
        return asked
    stores = config.feedback.publish.values() if config.feedback else ()
    found = sorted({one.index for one in stores if isinstance(one, OpenSearchMeasures)})
    if len(found) > 1:
        todo = f"Say which: `--index {found[0]}`."
        raise ConfigError(where="--index", expected="one index", found=", ".join(found), todo=todo)
    return found[0] if found else INDEX
