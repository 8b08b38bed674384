"""Numbers that a state gives to people."""

import re
from collections.abc import Iterator

from headrace.training.privacy_rules.kinds import Kind, Known, Match

_SSN = re.compile(r"(?<![\w-])(?!000|666|9)(\d{3})([- ]?)(?!00)(\d\d)\2(?!0000)(\d{4})(?![\w-])")
_SSN_SAID = re.compile(r"\b(?:ssn|social(?: security)?|soc\.? sec|seguro social|sozialversicherung)\b", re.IGNORECASE)


def social_security(text: str, known: Known) -> Iterator[Match]:
    """Numbers of the US Social Security that can have been given: in groups, or with a word for it before."""
    for found in _SSN.finditer(text):
        if found[2] or _SSN_SAID.search(text[max(0, found.start() - 40) : found.start()]):
            yield Match(found.start(), found.end(), "SSN", found[1] + found[3] + found[4])


_NINO = re.compile(r"(?<!\w)[A-Z]{2}( ?)\d\d\1\d\d\1\d\d\1[A-D](?!\w)", re.IGNORECASE)
_NO_NINO = re.compile(r"[DFIQUV]|.[DFIQUVO]|BG|GB|KN|NK|NT|TN|ZZ", re.IGNORECASE)
_NINO_SAID = re.compile(r"national insurance|\bn\.?i\.? (?:no|num)|\bnino\b", re.IGNORECASE)
_NHS = re.compile(r"(?<![\d-])\d{3}([ -]?)\d{3}\1\d{4}(?![\d-])")
_NHS_SAID = re.compile(r"\bnhs\b", re.IGNORECASE)
_STEUER = re.compile(r"(?<!\d)[1-9]\d( ?)\d{3}\1\d{3}\1\d{3}(?!\d)")
_STEUER_SAID = re.compile(r"steuer|\bid-?nr|identifikationsnummer|\btax id|\btin\b", re.IGNORECASE)
_NIR = re.compile(
    r"(?<!\d)[12]( ?)\d\d\1(?:0[1-9]|1[0-2]|[2-9]\d)\1(?:\d\d|2[AB])\1\d{3}\1\d{3}\1\d\d(?!\d)", re.IGNORECASE
)
_DNI = re.compile(r"(?<!\w)([XYZ]?)[- ]?(\d{7,8})[- ]?([TRWAGMYFPDXBNJZSQVHLCKE])(?!\w)", re.IGNORECASE)


def national_ids(text: str, known: Known) -> Iterator[Match]:
    """UK National Insurance and NHS, German tax id, French NIR, Spanish DNI and NIE.

    Where there is a check digit it must be right. Those of digits alone but NIR need a word for them before.
    """
    for found in _NINO.finditer(text):
        if not _NO_NINO.match(found[0]) or _NINO_SAID.search(_before(text, found)):
            yield _id(found)
    for found in _NHS.finditer(text):
        if _NHS_SAID.search(_before(text, found)) and _nhs(_digits(found[0])):
            yield _id(found)
    for found in _STEUER.finditer(text):
        if _STEUER_SAID.search(_before(text, found)) and _iso_7064(_digits(found[0])):
            yield _id(found)
    for found in _NIR.finditer(text):
        if _nir(found[0]):
            yield _id(found)
    for found in _DNI.finditer(text):
        if _dni(found[1].upper(), found[2], found[3].upper()):
            yield _id(found)


def _id(found: re.Match[str], kind: Kind = "NATIONAL_ID") -> Match:
    return Match(found.start(), found.end(), kind, re.sub(r"[\s-]", "", found[0]).upper())


def _before(text: str, found: re.Match[str], signs: int = 40) -> str:
    return text[max(0, found.start() - signs) : found.start()]


def _digits(told: str) -> str:
    return re.sub(r"\D", "", told)


def _nhs(digits: str) -> bool:
    total = sum(int(sign) * (10 - place) for place, sign in enumerate(digits[:9]))
    return (11 - total % 11) % 11 == int(digits[9])


def _iso_7064(digits: str) -> bool:
    """Whether the last digit is right by ISO/IEC 7064, MOD 11,10."""
    product = 10
    for sign in digits[:-1]:
        product = ((int(sign) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(digits[-1])


def _nir(told: str) -> bool:
    plain = re.sub(r"\s", "", told).upper().replace("2A", "19").replace("2B", "18")
    return plain.isdigit() and 97 - int(plain[:13]) % 97 == int(plain[13:])


def _dni(kind: str, digits: str, letter: str) -> bool:
    if len(digits) != (7 if kind else 8):
        return False
    number = int({"": "", "X": "0", "Y": "1", "Z": "2"}[kind] + digits)
    return "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23] == letter


_PASSPORT = re.compile(
    r"(?:(?<!boarding )(?<!lounge )(?<!rail )(?<!city )(?<!day )(?<!ski)(?<!ski )pass\b|"
    r"passport|reisepass|personalausweis|perso\b|ausweis|passeport|pasaporte|passaporto|passnummer|"
    r"travel document|identity card|id card|carte (?:nationale )?d.identité|\bcni\b|documento|pass lautet)"
    r"[\w.-]{0,8}[\"'`]?"
    r"(?:[\s:=#,\"'`(°º.?-]{1,4}(?!order|flight|vol\b|vuelo)(?:[^\W\d_]{1,10})){0,8}?"
    r"[\s:=#,\"'`(°º.?-]{1,5}"
    r"(?<![\w-])((?=[A-Z0-9]*\d)[A-Z0-9]{7,12})(?![\w-])(?!\.\d)",
    re.IGNORECASE,
)
_MRZ = re.compile(
    r"P[A-Z<][A-Z<]{3}[A-Z<]{39}(?:\s?[A-Z0-9<]{44})?|(?<![A-Z0-9<])[A-Z0-9<]{9}\d[A-Z]{3}\d{7}[MFX<]\d{7}[A-Z0-9<]{14}\d\d"
)
_NEAR, _MORE = 90, 50
_TOKEN = re.compile(r"(?<![\w-])[A-Z0-9]{7,12}(?![\w-])", re.IGNORECASE)


def passports(text: str, known: Known) -> Iterator[Match]:
    """Numbers of passports and identity cards right after a word for them, and others like the first soon after it."""
    for found in _PASSPORT.finditer(text):
        digits = len(_digits(found[1]))
        if found.end() - found.start() < _NEAR and (digits >= 3 or (digits == 2 and len(found[1]) >= 9)):
            yield Match(found.start(1), found.end(1), "PASSPORT", found[1].upper())
            for other in _TOKEN.finditer(text, found.end(), found.end() + _MORE):
                if _shape(other[0]) == _shape(found[1]):
                    yield Match(other.start(), other.end(), "PASSPORT", other[0].upper())


def _shape(token: str) -> str:
    """What digits and letters have in common: a second passport looks like the first."""
    return re.sub(r"\d", "9", re.sub(r"[A-Z]", "A", token.upper()))


def machine_lines(text: str, known: Known) -> Iterator[Match]:
    """The lines of a passport that machines read."""
    if "<" in text:
        for found in _MRZ.finditer(text):
            yield Match(found.start(), found.end(), "PASSPORT", found[0])
