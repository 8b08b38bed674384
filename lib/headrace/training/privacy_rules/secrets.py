"""API keys, tokens, private keys and passwords."""

import math
import re
from collections import Counter
from collections.abc import Iterator

from headrace.training.privacy_rules.kinds import Known, Match

_KEY = re.compile(
    r"""(?<![A-Za-z0-9])(?:
    (?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])
    |gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255}|glpat-[\w-]{20,}
    |xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[\w-]{10,}
    |[rsp]k_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{20,}
    |sk-(?:[a-z]{2,10}[0-9]{0,2}-)?[A-Za-z0-9_-]{20,}
    |AIza[\w-]{35}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,}
    |hf_[A-Za-z0-9]{30,}|npm_[A-Za-z0-9]{36}|pypi-[\w-]{40,}|dckr_pat_[\w-]{20,}
    |SG\.[\w-]{16,}\.[\w-]{16,}|key-[0-9a-f]{32}|(?:AC|SK)[0-9a-f]{32}|dapi[0-9a-f]{32}|dop_v1_[0-9a-f]{64}
    |\d{8,10}:AA[\w-]{33}
    )""",
    re.VERBOSE,
)
_KEY_HINT = re.compile(
    "AKIA|ASIA|ABIA|ACCA|gh[pousr]_|github_pat|glpat|xox|xapp|k_live|k_test|whsec|sk-|AIza|ya29|GOCSPX|hf_|npm_|pypi-|"
    "dckr|SG|key-|AC|SK|dapi|dop_v1|:AA"
)
_HOOK = re.compile(r"hooks\.slack\.com/(?:services|workflows)/([\w/]{20,})")
_JWT = re.compile(r"(?<![A-Za-z0-9_-])eyJ[\w-]{8,}\.eyJ[\w-]{4,}(?:\.[\w-]*)?")
_PEM = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:[\s\S]{0,20000}?-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----|[A-Za-z0-9+/=\s\\:,-]*)"
)


def keys(text: str, known: Known) -> Iterator[Match]:
    """Keys that show by their beginning whose they are, JWTs, and private keys in PEM, cut off ones too."""
    if _KEY_HINT.search(text):
        for found in _KEY.finditer(text):
            yield Match(found.start(), found.end(), "API_KEY", found[0])
        for found in _HOOK.finditer(text):
            yield Match(found.start(1), found.end(1), "API_KEY", found[1])
    if "eyJ" in text:
        for found in _JWT.finditer(text):
            yield Match(found.start(), found.end(), "JWT", found[0])
    if "-----BEGIN" in text:
        for found in _PEM.finditer(text):
            value = found[0].rstrip()
            yield Match(found.start(), found.start() + len(value), "PRIVATE_KEY", "".join(value.split()))


_WORDS = (
    r"pass[ _-]?words?|passwd|passphrase|pwd|pw|passwort|kennwort|losung|mots? de passe|mdp|contraseñas?|contrasenas?|"
    r"clave|senha|пароль|パスワード|pass(?!\w)"
)
_OTHERS = (
    r"(?:api|access|secret|private|auth|account|encryption|signing|consumer|client)[ _-]?(?:key|secret|token)|secret|"
    r"token|bearer|credential|schlüssel|schluessel|clé|cle|jeton|llave"
)
_IS = r"(?:is|was|to|ist|war|lautet|est|était|c'est|es|era|auf)\s(?:still\s|now\s)?(?:[:=]\s?)?"
_LINK = (
    r"[\"'`]?(?:\s[\w-]{1,14}){0,2}?\s{0,3}(?:(?:[:=]|=>|:=)\s{0,3}|'s\s"
    rf"|(?:(?:[\w-]{{1,12}}\s){{0,3}}?{_IS}))"
)
_SECRET = re.compile(rf"(?<![^\W_])(?:({_WORDS})|{_OTHERS}){_LINK}([\"'`]?)([^\s\"'`<>]{{6,200}})", re.IGNORECASE)
_BARE = re.compile(rf"(?<![^\W_])({_WORDS})\s([\"'`]?)(?=\S*\d)([^\s\"'`<>]{{6,200}})", re.IGNORECASE)
_CODE = re.compile(
    r"^[$%<({\[]|\w\([^)]*\)|\w\[[^\]]*\]|\$\{|^(?:https?|os|env|process|config|settings|None|null|true|false)\b[.:]?|^\*+$|^x+$|^\.+$|^your",
    re.IGNORECASE,
)

_HEADER = re.compile(r"\bauthorization[\"']?\s?[:=]\s?[\"']?(?:basic|bearer|token)\s+([\w+/=.~-]{8,})", re.IGNORECASE)
_PARAMETER = re.compile(r"[?&#;][\w-]*$")


def passwords(text: str, known: Known) -> Iterator[Match]:
    """What is said to be a password, key or token: it has a digit or sign among letters, or looks like chance."""
    for rule in (_SECRET, _BARE):
        for found in rule.finditer(text):
            value = found[3].rstrip(".,;:)]}" if not found[2] else "")
            value = (
                value.partition("&")[0]
                if _PARAMETER.search(text[max(0, found.start() - 30) : found.start()])
                else value
            )
            if len(value) >= 6 and not _CODE.search(value) and _secret(value, found[1]):
                yield Match(found.start(3), found.start(3) + len(value), "PASSWORD", value)
    for found in _HEADER.finditer(text):
        yield Match(found.start(1), found.end(1), "PASSWORD", found[1])


def _secret(value: str, word: str | None) -> bool:
    """Whether it looks chosen or made by chance; behind words that tell of other things too it must look so more."""
    strict = word is None
    kinds = sum(bool(re.search(one, value)) for one in ("[a-zà-ÿ]", "[A-ZÀ-Þ]", r"\d", r"[^\w]|_"))
    if not re.search(r"\d", value) and (kinds < 3 or strict):
        return False
    if strict:
        return len(value) >= 16 and _entropy(value) >= 3.0
    return kinds >= (3 if word and word.lower() == "pass" else 2) and not re.fullmatch(r"[\d.,/:-]+", value)


def _entropy(value: str) -> float:
    """Bits for each sign."""
    return -sum(one / len(value) * math.log2(one / len(value)) for one in Counter(value).values())
