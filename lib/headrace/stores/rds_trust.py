"""AWS's certificates for Aurora, RDS and DocumentDB: where a client finds them."""

from pathlib import Path

from headrace.errors import ConfigError

BUNDLE = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
FETCH = f"Run `curl -fsSo global-bundle.pem {BUNDLE}` and name that file in `ca_file`."
"""What to do about a server that is not trusted."""


def trusted(ca_file: str) -> str:
    """The file's path. Raises ConfigError where there is none."""
    if not Path(ca_file).is_file():
        raise ConfigError(where="ca_file", expected="a file of certificates", found=f"none at {ca_file}", todo=FETCH)
    return ca_file
