"""`headrace dataset build NAME`: makes a version now, besides those that `curate_dataset` makes on its schedule.

With `--json` one object: `dataset`, `version`, `new`, `rows` by split, `refused` by step and reason, and `places`.
"""

import argparse
import json
from datetime import UTC, datetime

from headrace.commands.jobs import needs_spark
from headrace.commands.logs import log_to_stderr
from headrace.commands.options import TIMES, config_option, json_option, time_of
from headrace.commands.text import number
from headrace.config_file import load
from headrace.pipelines.dataset_versions import named
from headrace.stores.files import LakeFiles
from headrace.stores.lake_lock import only_run


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the dataset and the time."""
    parser.add_argument("name", metavar="NAME", help="a dataset of the settings")
    parser.add_argument("--as-of", metavar="TIME", help=f"of the tables as they were then: {TIMES}")
    json_option(parser)
    config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Make it."""
    config = load(args.config)
    named(config, args.name)
    as_of = time_of("--as-of", args.as_of)
    with needs_spark():
        from headrace.pipelines.curate_dataset import curator_of
        from headrace.pipelines.curating import JOB
    log_to_stderr("text", "", [JOB])
    LakeFiles(config.lake).create()
    with only_run(config.lake, JOB):
        built = curator_of(config).build(args.name, datetime.now(UTC), as_of)
    told = {
        "dataset": built.dataset, "version": built.version, "new": built.new, "rows": dict(built.rows),
        "refused": dict(built.refused), "places": dict(built.places),
    }  # fmt: skip
    if args.json:
        print(json.dumps(told, indent=2, ensure_ascii=False))
        return 0
    rows = ", ".join(f"{split} {number(count)}" for split, count in sorted(built.rows.items()))
    print(f"{built.dataset} {built.version}: {rows}; {number(sum(built.refused.values()))} refused")
    if not built.new:
        print("Nothing changed: a version with this content was there.")
    for format, place in built.places.items():
        print(f"  {format}: {place}")
    return 0
