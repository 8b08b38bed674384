"""`headrace dataset`: datasets for training, from making a version to a training job on it."""

import argparse

from headrace.commands import (
    dataset_build,
    dataset_check,
    dataset_diff,
    dataset_evaluate,
    dataset_launch,
    dataset_publish,
    dataset_show,
)

_ACTIONS = {
    "build": (dataset_build, "make a version now, beside those of the schedule"),
    "show": (dataset_show, "the versions: rows, refusals, sources, places, names, and which were revoked"),
    "diff": (dataset_diff, "what two versions have that the other has not"),
    "check": (dataset_check, "check every line and the whole of a dataset in a folder, as its trainer would"),
    "publish": (dataset_publish, "copy a version to a folder or to S3, and give it a name"),
    "launch": (dataset_launch, "start a training job on a version, or show its request"),
    "evaluate": (dataset_evaluate, "ask a tuned model and its base the test split, and compare their answers"),
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be done with a dataset."""
    actions = parser.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    for name, (module, summary) in _ACTIONS.items():
        below = actions.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        below.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        module.arguments(below)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    module, _ = _ACTIONS[args.action]
    return int(module.run(args))
