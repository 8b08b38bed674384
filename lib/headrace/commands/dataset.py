"""`headrace dataset`: datasets for training. `check` says whether a trainer would take one."""

import argparse

from headrace.commands import dataset_check

_ACTIONS = {"check": (dataset_check, "check every line and the whole of a dataset in a folder, as its trainer would")}


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
