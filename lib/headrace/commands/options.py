"""Options that several verbs share."""

import argparse


def config_option(parser: argparse.ArgumentParser) -> None:
    """Add `--config`."""
    parser.add_argument(
        "--config", default="headrace.yaml", metavar="FILE", help="the settings file (default: headrace.yaml)"
    )


def json_option(parser: argparse.ArgumentParser) -> None:
    """Add `--json`."""
    parser.add_argument("--json", action="store_true", help="print JSON for machines")
