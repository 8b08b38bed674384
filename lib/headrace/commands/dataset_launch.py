"""`headrace dataset launch NAME JOB`: starts a training job on a version.

With `--dry-run` one object: `service`, `operation`, `arguments`; nobody is asked for anything.
"""

import argparse
import sys

from headrace.commands.options import config_option, count_of
from headrace.commands.text import to_json
from headrace.config_file import load
from headrace.pipelines.dataset_launching import job_of, request
from headrace.pipelines.dataset_versions import NEWEST, chosen, named, versions
from headrace.stores.delta_reader import DeltaReader
from headrace.stores.training_jobs import start


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the job and the version."""
    parser.add_argument("name", metavar="NAME", help="a dataset of the settings")
    parser.add_argument("job", metavar="JOB", help="one of its training jobs (datasets.sets.NAME.launch)")
    parser.add_argument("--version", default=NEWEST, metavar="VERSION", help="a version or how it begins (newest)")
    parser.add_argument("--at", metavar="PLACE", help="where it was published; where it was written, if not given")
    what = "another number is another job on the same version (default: 1)"
    parser.add_argument("--attempt", type=count_of, default=1, metavar="N", help=what)
    parser.add_argument("--dry-run", action="store_true", help="print the request and send nothing")
    config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Start it."""
    config = load(args.config)
    one = named(config, args.name)
    job = job_of(one, args.name, args.job)
    version = chosen(versions(DeltaReader(config.lake), args.name), args.name, args.version)
    asked = request(version, one, job, args.at, args.attempt, look=not args.dry_run)
    if args.dry_run:
        print(to_json({"service": asked.service, "operation": asked.operation, "arguments": asked.arguments}))
        print("Nothing was sent, and S3 was not looked at.", file=sys.stderr)
        return 0
    print(start(asked.service, asked.operation, asked.name, asked.arguments, job.region))
    return 0
