"""Numbers that a state gives to people, and dates of birth."""

import re
from collections.abc import Iterator

from headrace.training.privacy_rules.kinds import Kind, Known, Match

_SSN = re.compile(r"(?<![\w-])(?!000|666|9)(\d{3})([- ]?)(?!00)(\d\d)\2(?!0000)(\d{4})(?![\w-])")
_SSN_SAID = re.compile(r"\b(?:ssn|social(?: security)?|soc\.? sec|seguro social|sozialversicherung)\b", re.IGNORECASE)


def social_security(text: str, known: Known) -> Iterator[Match]:
    """Numbers of the US Social Security that can have been given: with hyphens, or with a word for it before."""
    for found in _SSN.finditer(text):
        if found[2] == "-" or _SSN_SAID.search(text[max(0, found.start() - 40) : found.start()]):
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
        said = _NINO_SAID.search(_before(text, found))
        if said or (found[1] and not _NO_NINO.match(found[0])):
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
    r"(?:pass(?:port)?s?\b|passport|reisepass|personalausweis|perso\b|ausweis|passeport|pasaporte|passaporto|passnummer|"
    r"travel document|identity card|id card|carte (?:nationale )?d.identité|documento|pass lautet)"
    r"[\w.-]{0,8}[\"'`]?"
    r"(?:[\s:=#,\"'`(°º.?-]{1,4}(?!booking|order|flight|buchung|vol\b|vuelo)(?:[^\W\d_]{1,10})){0,8}?"
    r"[\s:=#,\"'`(°º.?-]{1,5}"
    r"(?<![\w-])((?=[A-Z0-9]*\d)[A-Z0-9]{7,10})(?![\w-])(?!\.\d)",
    re.IGNORECASE,
)
_MRZ = re.compile(
    r"P[A-Z<][A-Z<]{3}[A-Z<]{39}(?:\s?[A-Z0-9<]{44})?|(?<![A-Z0-9<])[A-Z0-9<]{9}\d[A-Z]{3}\d{7}[MFX<]\d{7}[A-Z0-9<]{14}\d\d"
)
_NEAR = 90


def passports(text: str, known: Known) -> Iterator[Match]:
    """Numbers of passports and identity cards right after a word for them."""
    for found in _PASSPORT.finditer(text):
        digits = len(_digits(found[1]))
        if found.end() - found.start() < _NEAR and (digits >= 3 or (digits == 2 and len(found[1]) >= 9)):
            yield Match(found.start(1), found.end(1), "PASSPORT", found[1].upper())


def machine_lines(text: str, known: Known) -> Iterator[Match]:
    """The lines of a passport that machines read."""
    if "<" in text:
        for found in _MRZ.finditer(text):
            yield Match(found.start(), found.end(), "PASSPORT", found[0])


_MONTH = (
    r"(?:jan(?:uary|uar|vier)?|ene(?:ro)?|feb(?:ruary|ruar|rero)?|fév(?:rier)?|fevr?ier|mar(?:ch|s|zo)?|märz|apr(?:il)?|avr(?:il)?|"
    r"abr(?:il)?|may|mai|mayo|june?|juni?|juin|junio|july?|juli?|juil(?:let)?|julio|aug(?:ust)?|août|aout|ago(?:sto)?|"
    r"sep(?:t(?:ember|embre|iembre)?)?|o[ck]t(?:ober|obre|ubre)?|nov(?:ember|embre|iembre)?|d[eé][cz](?:ember|embre)?|dic(?:iembre)?)"
)
_YEAR = r"(?:19|20)\d\d"
_DAY = re.compile(
    rf"(?<![\w.])(?:{_YEAR}[-/.]\d\d?[-/.]\d\d?|\d\d?([-/.]) ?\d\d?\1 ?(?:{_YEAR}|\d\d)|"
    rf"\d\d?(?:st|nd|rd|th|er|\.)?[ ](?:of |de |d')?{_MONTH}\.?,?[ ](?:de |del )?{_YEAR}|"
    rf"{_MONTH}\.?[ ]\d\d?(?:st|nd|rd|th)?,?[ ]{_YEAR})(?![\w])(?![-/.]\d)",
    re.IGNORECASE,
)
_BORN = re.compile(
    r"\b(?:born|birth\w*|d\.?o\.?b|geboren|geb|geburt\w*|née?|naissance|anniversaire|naci\w*|nací|nació|nacimiento|cumpleaños|"
    r"nato|nata|nascita|nascid[oa]|nascimento)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[.!?\n]\s")
_BORN_ASKED = re.compile(rf"{_BORN.pattern}[^.!?\n]{{0,20}}[.!?:]?\s{{1,2}}[^.!?\n]{{0,12}}$", re.IGNORECASE)
_BORN_AFTER = re.compile(r"^\W{1,3}(?:\w+ ){0,3}(?:born|geboren|née?\b|nacid[oa])", re.IGNORECASE)


def birth_dates(text: str, known: Known) -> Iterator[Match]:
    """Whole dates near a word for birth."""
    if not _BORN.search(text):
        return
    for found in _DAY.finditer(text):
        before = text[max(0, found.start() - 40) : found.start()]
        if (
            _BORN.search(_SENTENCE.split(before)[-1])
            or _BORN_ASKED.search(before)
            or _BORN_AFTER.search(text[found.end() : found.end() + 30])
        ):
            yield Match(found.start(), found.end(), "BIRTH_DATE", found[0].casefold())
