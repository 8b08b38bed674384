"""`headrace demo`."""

import argparse
import importlib

from headrace.commands.jobs import needs_spark


def arguments(parser: argparse.ArgumentParser) -> None:
    """The demo takes no options of its own."""


def run(args: argparse.Namespace) -> int:
    """Play the demo; its exit code."""
    with needs_spark():
        demo = importlib.import_module("headrace.pipelines.demo")
    return int(demo.main() or 0)
