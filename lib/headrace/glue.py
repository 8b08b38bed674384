"""How AWS Glue starts a job: `glue_jobs/<job>.py` calls `main`; Glue's arguments become the settings of a run."""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from headrace.commands.hosted import hosted_settings, run_hosted
from headrace.config import Config
from headrace.config_metrics import CloudWatch


def main(job: str, argv: Sequence[str]) -> None:
    """Run one job with the arguments AWS Glue hands to its script. Returns where the job ended well.

    Args:
        argv: `--config s3://bucket/key` (required), `--name` of the deployment, `--metrics cloudwatch`,
            `--stop s3://bucket/key`, `--once true`; Glue's own (`--JOB_RUN_ID` and more) may stand between them.

    Raises:
        SystemExit: with the exit code (`errors.exit_code`), where it is not 0: Glue shows the run as failed.
    """
    arguments = _arguments(argv)
    loaded = partial(settings, arguments.config, arguments.name, arguments.metrics)
    run_hosted(job, loaded, arguments.once == "true", arguments.JOB_RUN_ID, arguments.stop)


def settings(file: str, name: str, metrics: str) -> Config:
    """The settings file's, with what the arguments say. Raises ConfigError."""
    config = hosted_settings(file, "glue", name)
    if metrics != "cloudwatch" or config.metrics.cloudwatch is not None:
        return config
    return config.model_copy(update={"metrics": config.metrics.model_copy(update={"cloudwatch": CloudWatch()})})


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
