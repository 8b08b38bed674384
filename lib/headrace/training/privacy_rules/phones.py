"""Phone numbers."""

import importlib
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from headrace.errors import MissingDependency
from headrace.training.privacy_rules.kinds import Known, Match
from headrace.training.privacy_rules.plain import SIGN

_RUN = re.compile(rf"(?<![#$€£¥@.&=?%])(?<!{SIGN})(?<!\d[-/_,:.])(?:\+ ?|\()?\d+(?:\)?[ \t]?[-./]?[ \t]?\(?\d+)*")
_GROUP = re.compile(r"(?:\+ ?)?\(?\d+\)?")
_GOES_ON = re.compile(rf"{SIGN}|[%€£$@]|[.,:/-]\d")
_MOST_GROUPS = 10
_ABROAD = re.compile(r"00 ?[1-9](?:.*?\d){8}")
_DATE = re.compile(r"(?:\d{4}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2(?:\d{4}|\d\d))(?![-/.]?\d)")
_FRACTION = re.compile(r"0\.\d")
_COUNTED = re.compile("0?123456789?0?|0?9876543210?")
_NO_PHONE = re.compile(r"\d{3}-\d{10}|(?:\d{4} )+\d{1,4}")
"""A ticket of an airline, groups of four."""
_SHAPES = {
    "US": re.compile(r"(?:1[-. ])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[-. ])\d{3}[-. ]\d{4}"),
    "ES": re.compile(r"[6-9]\d{2}([-. ])\d{3}\1\d{3}|[6-9]\d{2}(?:[-. ]\d\d){3}|9\d[-. ]\d{3}(?:[-. ]\d\d){2}"),
}
"""The usual groups where a national number has no trunk 0."""
_TEN = re.compile(r"\d{9,10}(?!\d)")
_SAID = re.compile(
    r"\b(?:phone|tel|call|cell|mobile|whats ?app|ring|te?xt (?:me|us)|fax|reach|contact (?:no|num)|dial|sms|handy|"
    r"telefon|mobil|anruf|ruf|erreich|festnetz|t[eé]l[eé]phone|portable|appel|joign|fixe|m[oó]vil|ll[aá]m|tel[eé]fono|"
    r"tfno|fijo|telefone|cellulare|телефон|тел)|電話|☎|📞",
    re.IGNORECASE,
)
_OTHER = re.compile(
    r"\b(?:order|booking|ref|reference|invoice|ticket|confirmation|tracking|customer|client|case|flight|id|zip|isbn|vat|"
    r"company|bestell|buchung|rechnung|auftrag|sendung|kunden|vorgang|commande|r[eé]servation|facture|billet|dossier|"
    r"suivi|siret|pedido|reserva|factura|env[ií]o|expediente|localizador|cuenta|konto|compte|iban|account)[\w-]*"
    r"[^\w\n]{0,5}(?:(?:no|nr|num\w*|number|id|n|is|was|ist|war|est|es|era|de|vom|du)\b[^\w\n]{0,3}){0,3}$",
    re.IGNORECASE,
)
_LOOK_BACK = 40
_SAID_AFTER = re.compile(
    r"[\s,(-]{1,3}(?:mobile|cell|fax|office|home|work|mobil|privat|geschäftlich|bureau|domicile|móvil|oficina)\b",
    re.IGNORECASE,
)
_EXTENSION = re.compile(r" ?(?:x|ext\.? ?|extension )\d{1,6}(?!\w)", re.IGNORECASE)


def phones(text: str, known: Known) -> Iterator[Match]:
    """Numbers that can be ones where they say they are, or in one of the regions.

    Without a country's prefix a number needs its trunk 0, its region's usual groups, or a word such as `call` before;
    and right after a word such as `order` it is none, unless there is also a word such as `call`.
    """
    for run in _RUN.finditer(text):
        if sum(sign.isdigit() for sign in run[0]) >= 7:
            yield from _in_run(text, run.start(), run[0], known)


def _in_run(text: str, start: int, run: str, known: Known) -> Iterator[Match]:
    groups = [one.span() for one in _GROUP.finditer(run)]
    at = 0
    while at < len(groups):
        found = _longest(text, start, run, groups[at : at + _MOST_GROUPS], known)
        if found is None:
            at += 1
            continue
        count, end, value = found
        yield Match(start + groups[at][0], end, "PHONE", value)
        at += count


def _longest(
    text: str, start: int, run: str, groups: list[tuple[int, int]], known: Known
) -> tuple[int, int, str] | None:
    """Of the longest number that begins with the first of these groups: of how many it is, where it ends with its
    extension, and how E.164 has it."""
    begin = groups[0][0]
    first = run[begin]
    if begin and run[begin - 1] not in " \t(":
        return None
    before = text[max(0, start + begin - _LOOK_BACK) : start + begin]
    said = bool(_SAID.search(before))
    if first != "+" and not said:
        if _OTHER.search(before) or before[-2:-1].isdigit():
            return None
        if first not in "0(" and not any(shape.match(run, begin) for shape in (*_SHAPES.values(), _TEN)):
            return None
    for count in range(len(groups), 0, -1):
        end = groups[count - 1][1]
        told = run[begin:end]
        digits = sum(sign.isdigit() for sign in told)
        extension = _EXTENSION.match(text, start + end)
        after = extension.end() if extension else start + end
        if not 7 <= digits <= 15 or _GOES_ON.match(text, after):
            continue
        if number := _number(told, said or bool(_SAID_AFTER.match(text, after)), known):
            return count, after, number
    return None


def _number(told: str, said: bool, known: Known) -> str | None:
    if told[0] == "+":
        return _valid(told, None)
    if (
        _DATE.match(told)
        or _FRACTION.match(told)
        or _COUNTED.fullmatch(told)
        or (_NO_PHONE.fullmatch(told) and not said)
    ):
        return None
    if _ABROAD.match(told):
        return _valid("+" + told.lstrip("0 "), None)
    for region in known.regions:
        shape = _SHAPES.get(region)
        likely = (
            bool(shape.fullmatch(told)) or (said and " " not in told) if shape else told.lstrip("(")[0] == "0" or said
        )
        shaped = bool(shape and shape.fullmatch(told))
        if likely and (number := _valid(told, region, shaped)):
            return number
    return None


@lru_cache(maxsize=4096)
def _valid(told: str, region: str | None, shaped: bool = False) -> str | None:
    """The number as E.164 has it, where there can be one like it; of any country with a plus sign before.

    What is shaped as a number, or has a plus sign, is meant as one, so that new and reserved ranges are no errors.
    """
    phonenumbers = _phonenumbers()
    try:
        number = phonenumbers.parse(told, region)
    except phonenumbers.NumberParseException:
        return None
    if region is None or shaped:
        fits = phonenumbers.is_possible_number(number)
    else:
        regions = phonenumbers.region_codes_for_country_code(number.country_code)
        fits = phonenumbers.is_valid_number(number) and region in regions
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)) if fits else None


def _phonenumbers() -> Any:
    try:
        return importlib.import_module("phonenumbers")
    except ModuleNotFoundError as error:
        todo = "Run `pip install 'headrace[training]'`."
        raise MissingDependency(
            expected="the package phonenumbers", found="no such package", todo=todo, where="training.privacy"
        ) from error
