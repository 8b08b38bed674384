"""What the address of a PostgreSQL server must be for a login with Aurora's IAM tokens."""

from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qs, urlsplit

from headrace.config_base import Contradiction

_URL = "url: postgresql://headrace@shop.cluster-c1.eu-central-1.rds.amazonaws.com:5432/shop"
_CA = "ca_file: ./global-bundle.pem"


def check_iam_url(url: str, ca_file: str | None) -> None:
    """Raises Contradiction, without a word of the address, where it does not fit."""
    parts = _split(url)
    said = parse_qs(parts.query)
    if parts.password or "password" in said:
        raise Contradiction("url", "no password with auth: iam, which signs a token instead", "one", _URL)
    if said.keys() & {"host", "hostaddr", "port", "user"}:
        found = "some of them after the question mark"
        raise Contradiction("url", "user, host and port before the path, as a token is signed for them", found, _URL)
    if not parts.username:
        raise Contradiction("url", "the database user the token is for", "none", _URL)
    if is_loopback(str(parts.hostname)):
        return
    mode = said.get("sslmode", ["verify-full"])[-1]
    if mode != "verify-full":
        expected = "sslmode=verify-full with auth: iam, or anybody in between could take the token"
        raise Contradiction("url", expected, f"sslmode={mode}", _URL)
    if not ca_file:
        expected = "the file of AWS's certificates with auth: iam, so that only the right server sees the token"
        raise Contradiction("ca_file", expected, "none", _CA)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("postgresql", "postgres") and parts.hostname and "," not in parts.netloc
        port: int | None = parts.port
    except ValueError:  # the port is no number, or a bracket is left open
        fits, port = False, None
    if not fits or port == 0:
        expected = "one address postgresql://user@host:port/database with auth: iam"
        raise Contradiction("url", expected, "another form", _URL)
    return parts


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine's own."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
