"""How AWS Glue starts a job: `glue_jobs/<job>.py` calls `main`; Glue's arguments become the settings of a run."""

import argparse
import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from headrace.commands.jobs import load_jobs, run_jobs
from headrace.commands.logs import log_to_stderr
from headrace.commands.stop_file import StopFile
from headrace.config import Config
from headrace.config_file import load
from headrace.config_metrics import CloudWatch
from headrace.errors import ConfigError, HeadraceError
from headrace.pipelines.watch import telemetry


def main(job: str, argv: Sequence[str]) -> None:
    """Run one job with the arguments AWS Glue hands to its script. Returns where the job ended well.

    Args:
        argv: `--config s3://bucket/key` (required), `--name` of the deployment, `--metrics cloudwatch`,
            `--stop s3://bucket/key`, `--once true`; Glue's own (`--JOB_RUN_ID` and more) may stand between them.

    Raises:
        SystemExit: with 2 for wrong arguments or settings, 1 for what failed: Glue shows the run as failed.
    """
    arguments = _arguments(argv)
    log_to_stderr("json", arguments.JOB_RUN_ID, [job])
    try:
        config = settings(arguments)
        stop = StopFile(arguments.stop) if arguments.stop else None
        watched = telemetry(config, arguments.JOB_RUN_ID)
        code = run_jobs(load_jobs([job]), config, arguments.once == "true", watched, stop)
    except HeadraceError as error:
        # Not raised: Glue's log would show a trace, and the reason far above its end.
        print(f"headrace: {error}", file=sys.stderr)
        code = 2 if isinstance(error, ConfigError) else 1
    except Exception:
        traceback.print_exc()
        code = 1
    if code:
        sys.exit(code)


def settings(arguments: Any) -> Config:
    """The settings file's, with what the arguments say. Raises ConfigError."""
    config = load(arguments.config)
    metrics = config.metrics
    if arguments.name:
        metrics = metrics.model_copy(update={"name": arguments.name})
    if arguments.metrics == "cloudwatch" and metrics.cloudwatch is None:
        metrics = metrics.model_copy(update={"cloudwatch": CloudWatch()})
    return config.model_copy(update={"runtime": "glue", "metrics": metrics})


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    # Glue mixes its own arguments in, and more of them with every version.
    parser = argparse.ArgumentParser(prog="glue job", allow_abbrev=False)
    parser.add_argument("--config", required=True)
    parser.add_argument("--name", default="")
    parser.add_argument("--metrics", choices=("cloudwatch", "none"), default="none")
    parser.add_argument("--stop", default="")
    parser.add_argument("--once", choices=("true", "false"), default="false")
    parser.add_argument("--JOB_RUN_ID", default=f"local-{datetime.now(UTC):%Y%m%dT%H%M%S}")
    known, _ = parser.parse_known_args(list(argv))
    return known
