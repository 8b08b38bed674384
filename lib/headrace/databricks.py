"""How Databricks starts a job: a Python wheel task with the entry point `headrace-databricks`."""

import argparse
import sys
from collections.abc import Sequence
from functools import partial

from headrace.commands.hosted import hosted_settings, run_hosted
from headrace.commands.jobs import JOBS


def main(argv: Sequence[str] | None = None) -> None:
    """Run one job with the parameters of a wheel task. Returns where the job ended well.

    Args:
        argv: the job's name, `--config /Volumes/...` (required), `--name` of the deployment, `--once true`,
            `--stop /Volumes/...`, `--run-id`.

    Raises:
        SystemExit: with the exit code (`errors.exit_code`), where it is not 0: Databricks shows the run as failed. A
            value that is returned it would pass over.
    """
    parser = argparse.ArgumentParser(prog="headrace-databricks", allow_abbrev=False)
    parser.add_argument("job", choices=tuple(JOBS))
    parser.add_argument("--config", required=True)
    parser.add_argument("--name", default="")
    parser.add_argument("--once", choices=("true", "false"), default="false")
    parser.add_argument("--stop", default="")
    parser.add_argument("--run-id", default="")
    given = parser.parse_args(list(sys.argv[1:] if argv is None else argv))
    loaded = partial(hosted_settings, given.config, "databricks", given.name)
    run_hosted(given.job, loaded, given.once == "true", given.run_id, given.stop)
