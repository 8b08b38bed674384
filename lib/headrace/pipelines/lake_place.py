"""Where a lake may lie on a platform."""

import os

from headrace.errors import ConfigError
from headrace.pipelines.runtime import Runtime

LAKE_ANYWHERE = "HEADRACE_LAKE_ANYWHERE"
"""An environment variable; `1` lets tests run a platform's job on this machine, with a lake in a folder."""


def check_lake(lake: str, runtime: Runtime) -> None:
    """Raise ConfigError where a platform's workers cannot keep a lake at this place."""
    if runtime == "local" or lake.startswith(("s3://", "s3a://")) or os.environ.get(LAKE_ANYWHERE) == "1":
        return
    raise ConfigError(
        expected=f"a bucket, s3://..., with runtime {runtime}",
        found=lake,
        todo="Write lake: s3://my-bucket/lake. Elsewhere Headrace's own clients do not find the tables, or each worker "
        "has a folder of its own.",
        where="lake",
    )
