"""Dates of birth."""

import re
from collections.abc import Iterator

from headrace.training.privacy_rules.kinds import Known, Match

_MONTH = (
    r"(?:jan(?:uary|uar|vier)?|ene(?:ro)?|feb(?:ruary|ruar|rero)?|fév(?:rier)?|fevr?ier|mar(?:ch|s|zo)?|märz|"
    r"apr(?:il)?|avr(?:il)?|abr(?:il)?|may|mai|mayo|june?|juni?|juin|junio|july?|juli?|juil(?:let)?|julio|aug(?:ust)?|août|aout|ago(?:sto)?|"
    r"sep(?:t(?:ember|embre|iembre)?)?|o[ck]t(?:ober|obre|ubre)?|nov(?:ember|embre|iembre)?|"
    r"d[eé][cz](?:ember|embre)?|dic(?:iembre)?)"
)
_YEAR = r"(?:19|20)\d\d"
_DAY = re.compile(
    rf"(?<![\w.])(?:{_YEAR}[-/.]\d\d?[-/.]\d\d?|\d\d?([-/.]) ?\d\d?\1 ?(?:{_YEAR}|\d\d)|"
    rf"\d\d?(?:st|nd|rd|th|er|\.)?[ ](?:of |de |d')?{_MONTH}\.?,?[ ](?:de |del )?{_YEAR}|"
    rf"{_MONTH}\.?[ ]\d\d?(?:st|nd|rd|th)?,?[ ]{_YEAR})(?![\w])(?![-/.]\d)",
    re.IGNORECASE,
)
_BORN = re.compile(
    r"\b(?:born|birth\w*|turn(?:s|ed) \d+|f(?:echa)?\.? ?(?:de )?nac|d\.?o\.?b|geboren|geb|geburt\w*|"
    r"née?|naissance|anniversaire|naci\w*|nací|nació|cumpleaños|nato|nata|nascita|nascid[oa]|nascimento)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[.!?\n]\s")
_BORN_ASKED = re.compile(rf"{_BORN.pattern}[^.!?\n]{{0,20}}[.!?:]?\s{{1,2}}[^.!?\n]{{0,12}}$", re.IGNORECASE)
_BORN_AFTER = re.compile(
    r"^\W{1,3}(?:[\w']+ ){0,4}(?:born|geboren|née?\b|nacid[oa]|birthday|geburtstag|anniversaire|cumpleaños)",
    re.IGNORECASE,
)


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
