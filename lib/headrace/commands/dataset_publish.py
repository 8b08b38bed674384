"""`headrace dataset publish NAME VERSION --to PLACE`: copies a version, its manifest last, and may give it a name.

With `--json` one object: `dataset`, `version`, `places` (whether each was copied, by place), `alias`.
"""

import argparse

from headrace.commands.options import config_option, json_option
from headrace.commands.text import to_json
from headrace.config_file import load
from headrace.pipelines.dataset_publishing import publish, registry
from headrace.pipelines.dataset_versions import chosen, versions
from headrace.stores.delta_reader import DeltaReader


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the version and the place."""
    parser.add_argument("name", metavar="NAME", help="a dataset")
    parser.add_argument("version", metavar="VERSION", help="a version or how it begins, or newest")
    parser.add_argument("--to", required=True, metavar="PLACE", help="a folder or s3://bucket/folder")
    parser.add_argument("--alias", metavar="NAME", help="in MLflow, such as approved; another version loses it")
    json_option(parser)
    config_option(parser)


def run(args: argparse.Namespace) -> int:
    """Copy it."""
    config = load(args.config)
    mlflow = registry(config, args.alias)
    version = chosen(versions(DeltaReader(config.lake), args.name), args.name, args.version)
    told = publish(version, args.to)
    if mlflow is not None:
        mlflow.name(version.dataset, version.version, args.alias)
    if args.json:
        known = {"dataset": version.dataset, "version": version.version, "places": told, "alias": args.alias}
        print(to_json(known))
        return 0
    for place, copied in told.items():
        print(f"{'copied to' if copied else 'was there:'} {place}")
    if args.alias:
        print(f"{version.dataset} {version.version} is {args.alias} now")
    return 0
