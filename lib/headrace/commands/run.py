"""`headrace run JOB...`."""

import argparse
from typing import get_args

from headrace.commands.jobs import JOBS, run_named
from headrace.commands.logs import Form, log_to_stderr
from headrace.commands.options import config_option
from headrace.config import Config
from headrace.config_file import load
from headrace.errors import ConfigError


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the jobs, `--once` and `--config`."""
    parser.add_argument("jobs", nargs="+", metavar="JOB", help=f"{', '.join(JOBS)}, or all")
    parser.add_argument("--once", action="store_true", help="process what is there, then stop")
    config_option(parser)
    parser.add_argument("--log", choices=get_args(Form), default="text", help="lines for people, or JSON")
    parser.add_argument("--run-id", default="", metavar="ID", help="named in JSON lines and heartbeats")
    parser.add_argument("--stop-file", metavar="PLACE", help="a file or s3://bucket/key; a stop while it is there")
    parser.epilog = "Ctrl-C or SIGTERM finishes the running micro-batch, commits and stops; a second one ends at once."


def run(args: argparse.Namespace) -> int:
    """Run the jobs; 0 when all of them ended well."""
    unknown = [name for name in args.jobs if name not in (*JOBS, "all")]
    if unknown:
        found, known = ", ".join(unknown), ", ".join([*JOBS, "all"])
        raise ConfigError(where="run", expected=f"one of the jobs {known}", found=found, todo="Name one of these.")
    config = load(args.config)
    names = _configured(config) if "all" in args.jobs else list(dict.fromkeys(args.jobs))
    log_to_stderr(args.log, args.run_id, names)
    return max(
        run_named(some, config, args.once, args.run_id, args.stop_file or "") for some in _steps(names, args.once)
    )


def _steps(names: list[str], once: bool) -> list[list[str]]:
    """The jobs that run side by side, and with `--once` after them the one that is made of what they write."""
    last = [name for name in names if once and name == "curate_dataset"]
    return [some for some in ([name for name in names if name not in last], last) if some]


def _configured(config: Config) -> list[str]:
    """The jobs the settings have something for."""
    wanted = {
        "apply_changes": bool(config.tables),
        "build_profiles": config.profiles is not None,
        "index_knowledge": config.knowledge is not None,
        "track_feedback": config.feedback is not None,
        "curate_dataset": config.datasets is not None,
    }
    return [name for name in JOBS if wanted[name]]
