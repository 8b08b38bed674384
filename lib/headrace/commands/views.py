"""`headrace views`: SQL that makes views over measures, turns and ratings, for the engine that people query with."""

import argparse
import re
import sys

from headrace.commands.options import config_option
from headrace.config_file import load
from headrace.conversations.views import script
from headrace.conversations.views_dialects import DIALECTS
from headrace.errors import ConfigError
from headrace.pipelines.measure_names import measures_of


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the engine and where its tables go."""
    parser.add_argument("--dialect", choices=sorted(DIALECTS), required=True, help="the engine")
    parser.add_argument("--schema", default="headrace", metavar="NAME", help="schema or database (default: headrace)")
    parser.add_argument("--lake", metavar="PLACE", help="the lake as the engine reaches it (default: the settings')")
    config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Print the statements."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", args.schema):
        todo = "For example `--schema headrace`."
        raise ConfigError(where="--schema", expected="letters, digits and _", found=args.schema, todo=todo)
    config = load(args.config)
    sys.stdout.write(script(measures_of(config), args.dialect, args.schema, args.lake or config.lake))
    return 0
