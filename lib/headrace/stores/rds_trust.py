"""AWS's certificates for Aurora, RDS and DocumentDB: where a client finds them."""

import os
from functools import cache
from hashlib import sha256
from pathlib import Path

from headrace.errors import ConfigError
from headrace.stores.aws_settings import settings_object
from headrace.stores.limiter import own_folder

BUNDLE = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
FETCH = f"Run `curl -fsSo global-bundle.pem {BUNDLE}` and name that file in `ca_file`."
"""What to do about a server that is not trusted."""


def trusted(ca_file: str) -> str:
    """The path of the file on this machine; one in S3 is fetched, once for each process.

    Raises:
        ConfigError: there is none.
        Unreachable: S3 does not answer.
    """
    if ca_file.startswith("s3://"):
        return _fetched(ca_file)
    if not Path(ca_file).is_file():
        raise ConfigError(where="ca_file", expected="a file of certificates", found=f"none at {ca_file}", todo=FETCH)
    return ca_file


@cache
def _fetched(url: str) -> str:
    # Workers of a cluster have no folder in common, and Glue hands --extra-files to the driver alone.
    content = settings_object(url).encode()
    file = own_folder() / f"{sha256(content).hexdigest()[:16]}.pem"
    if not file.exists():
        unfinished = file.with_suffix(f".{os.getpid()}")
        unfinished.write_bytes(content)
        unfinished.replace(file)
    return str(file)
