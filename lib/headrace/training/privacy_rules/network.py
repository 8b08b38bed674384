"""IP addresses, and secrets in URLs."""

import ipaddress
import re
from collections.abc import Iterator

from headrace.training.privacy_rules.kinds import Known, Match

_PART = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_V4 = re.compile(rf"(?<![\d.])(?<!\d,){_PART}(?:\.{_PART}){{3}}(?!\d|\.\d)")
_VERSION = re.compile(
    r"(?:\b(?:v|ver|version|versión|versi[oó]n|release|build|app|section|sections|abschnitt|kapitel|chapter|chapitre|"
    r"article|art|alin[eé]a|secci[oó]n|apartado|update|firmware|patch)\.?[ :=]{0,2}|§ ?|[=~]=)$",
    re.IGNORECASE,
)
_V6 = re.compile(
    r"(?<![A-Za-z0-9_:.])[0-9A-Fa-f]{1,4}(?:::?[0-9A-Fa-f]{1,4}){0,7}(?:::)?(?![A-Za-z0-9_]|:(?!\d{1,5}\b))"
)
_FIRST = re.compile(r"[23f][0-9a-f]{3}:", re.IGNORECASE)


def addresses(text: str, known: Known) -> Iterator[Match]:
    """IPv4 and IPv6 addresses.

    Loopback, unspecified and netmasks stay, and four numbers right after a word such as `version`. Of short
    IPv6 forms only those of networks in use (2000::/3, fc00::/6) count: `a::b` is a name in code.
    """
    for found in _V4.finditer(text) if text.count(".") >= 3 else ():
        if _somebodys(found[0]) and not _VERSION.search(text[max(0, found.start() - 14) : found.start()]):
            yield Match(found.start(), found.end(), "IP", found[0])
    for found in _V6.finditer(text) if text.count(":") >= 2 else ():
        if found[0].count(":") >= 2 and (found[0].count(":") == 7 or _FIRST.match(found[0])) and _somebodys(found[0]):
            yield Match(found.start(), found.end(), "IP", str(ipaddress.ip_address(found[0])))


def _somebodys(told: str) -> bool:
    try:
        address = ipaddress.ip_address(told)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or told.startswith("255."))


USER = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://([^\s/@:'\"<>]{1,100}:[^\s/@'\"<>]{1,200})@", re.IGNORECASE)
_VALUE = re.compile(
    r"[?&#;](?:amp;)?(?:x-amz-(?:signature|credential|security-token)|awsaccesskeyid|(?:access_?|id_?|refresh_?|auth_?|"
    r"csrf_?|reset_?|session_?)?token|api[_-]?key|apikey|subscription-key|sig|signature|secret|client_secret|password|"
    r"passwd|pwd|pass|auth|session(?:_?id)?|sid|jwt|otp|key|code|magic|hmac)=([^\s&#;'\"<>`\])|]{6,})",
    re.IGNORECASE,
)
_LONG_ONLY = re.compile(r"[?&#;](?:amp;)?(?:key|code)=", re.IGNORECASE)
_LONG = 16
_STOPS = ".,:!?"


def url_secrets(text: str, known: Known) -> Iterator[Match]:
    """`user:password` before a host, and the values of parameters such as `token` or `signature`."""
    if "://" in text:
        for found in USER.finditer(text):
            yield Match(found.start(1), found.end(1), "URL_SECRET", found[1])
    if "=" not in text:
        return
    for found in _VALUE.finditer(text):
        value = found[1].rstrip(_STOPS)
        if value[0] in "{$%[" or len(value) < (_LONG if _LONG_ONLY.match(found[0]) else 6):
            continue
        yield Match(found.start(1), found.start(1) + len(value), "URL_SECRET", value)
