"""E-mail addresses."""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from headrace.training.privacy_rules.kinds import Known, Match
from headrace.training.privacy_rules.network import USER
from headrace.training.privacy_rules.plain import ALONE, SIGN

_AT = r"(?:@| @ |%40|\\u0040|&#64;|&\#x40;|&commat;|[ ]?[\[({][ ]?at[ ]?[\])}][ ]?)"
_DOT = r"(?:\.|[ ]?[\[({][ ]?dot[ ]?[\])}][ ]?)"
_LETTER, _TOP = rf"[^\W_{ALONE}]", rf"[^\W\d_{ALONE}]"
_EMAIL = re.compile(
    rf"(?<![.+-])(?<!{SIGN})(?:{SIGN}|[+-])(?:{SIGN}|[.+-]|(?<=\w)'(?=\w)){{0,253}}?"
    rf"{_AT}(?:{_LETTER}(?:(?:{SIGN}|-){{0,61}}{_LETTER})?{_DOT}){{1,8}}(?:xn--[a-z0-9-]+|{_TOP}{{2,63}})"
    rf"(?!{SIGN}|@)",
    re.IGNORECASE,
)
_SPELLED = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64} at ((?:[\w-]+ dot ){1,3})(com|net|org|edu|info|de|fr|es|co|uk|eu)\b", re.I
)
_HINT = re.compile(r"@|%40|u0040|&#|&comm|\bat\b", re.IGNORECASE)
_IMAGE = re.compile(r"@[1-4]x\.(?:png|jpe?g|webp|gif|svg|avif)$", re.IGNORECASE)


def emails(text: str, known: Known) -> Iterator[Match]:
    """Addresses, in URLs and as `anna (at) mail (dot) example` too. `git@` a host and `icon@2x.png` are none."""
    if not _HINT.search(text):
        return
    users = {found.end(1) for found in USER.finditer(text)} if "://" in text else ()
    for found in _EMAIL.finditer(text):
        of_url = found.start() + found[0].find("@") in users
        if not of_url and not _IMAGE.search(found[0]) and not found[0].startswith("git@"):
            yield Match(found.start(), found.end(), "EMAIL", _address(found[0]))
    for found in _SPELLED.finditer(text):
        yield Match(found.start(), found.end(), "EMAIL", _address(found[0].replace(" at ", "@").replace(" dot ", ".")))


def _address(found: str) -> str:
    at = re.sub(_AT, "@", found, count=1, flags=re.IGNORECASE)
    return unquote(re.sub(_DOT, ".", at, flags=re.IGNORECASE)).casefold()
