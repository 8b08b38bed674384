"""Payment cards and bank accounts."""

import re
from collections.abc import Iterator

from headrace.training.privacy_rules.kinds import Known, Match

_CARD = re.compile(
    r"(?<!\d)(?<!\d[.,])(?<!\d[A-Za-z])(?=("
    r"\d{13,19}(?!\d)|\d{4}([ -])\d{4}\2\d{4}\2\d{4}(?:\2\d{3})?(?!\d)|\d{4}([ -])\d{6}\3\d{4,5}(?!\d)"
    r"))"
)
_SAID = re.compile(
    r"card|karte|carte|tarjeta|\bcc\b|\bpan\b|visa|master|maestro|amex|american express|diners|discover", re.IGNORECASE
)
_NEXT = re.compile(r"\D{0,30}?(?<!\d[.,])(\d+(?:[ .-]{1,2}\d+){0,9})(?!\d)")
_VISA, _AMEX, _DINERS = (13, 16, 19), (15,), (14, 16, 17, 18, 19)
_LONG = (16, 17, 18, 19)
_PREFIXES: tuple[tuple[int, int, tuple[int, ...]], ...] = (
    (400000, 499999, _VISA), (340000, 349999, _AMEX), (370000, 379999, _AMEX), (510000, 559999, (16,)),
    (222100, 272099, (16,)), (300000, 305999, _DINERS), (309500, 309599, _DINERS), (360000, 369999, _DINERS),
    (380000, 399999, _DINERS), (352800, 358999, _LONG), (601100, 601199, _LONG), (620000, 629999, _LONG),
    (644000, 659999, _LONG), (500000, 509999, _LONG), (560000, 589999, _LONG), (630000, 639999, _LONG),
    (670000, 679999, _LONG),
)  # fmt: skip
"""The first six digits, from and to, and the lengths that are issued: Visa, American Express, Mastercard, Diners Club,
JCB, Discover, UnionPay, Maestro (from 16 digits on)."""


def cards(text: str, known: Known) -> Iterator[Match]:
    """Numbers in the usual groups with a right check digit, and with a known beginning and a length that goes with it.

    Soon after a word such as `card` any beginning and any groups will do.
    """
    for found in _CARD.finditer(text):
        digits = _digits(found[1])
        if luhn(digits) and _issued(digits):
            yield Match(found.start(1), found.end(1), "CARD", digits)
    for word in _SAID.finditer(text):
        number = _NEXT.match(text, word.end())
        end = number and _right(text, number.start(1), number.end(1))
        if number and end:
            yield Match(number.start(1), end, "CARD", _digits(text[number.start(1) : end]))


def _right(text: str, begin: int, end: int) -> int | None:
    """Where the longest run of groups with a right check digit ends: all of them, or some that are issued."""
    for group in reversed(list(re.finditer(r"\d+", text[begin:end]))):
        last = begin + group.end()
        digits = _digits(text[begin:last])
        if 12 <= len(digits) <= 19 and luhn(digits) and (last == end or _issued(digits)):
            return last
    return None


def _digits(told: str) -> str:
    return re.sub(r"\D", "", told)


def _issued(digits: str) -> bool:
    start = int(digits[:6])
    return any(low <= start <= high and len(digits) in lengths for low, high, lengths in _PREFIXES)


def luhn(digits: str) -> bool:
    """Whether the last digit is the one that the others ask for (ISO/IEC 7812-1)."""
    total = 0
    for place, sign in enumerate(reversed(digits)):
        told = int(sign) * (1 + place % 2)
        total += told - 9 if told > 9 else told
    return total % 10 == 0


_IBAN = re.compile(r"(?<![A-Za-z0-9])(?=([A-Za-z]{2}[ -]?\d\d[ -]?[A-Za-z0-9]))")
_LENGTHS = {
    one[:2]: int(one[2:])
    for one in """
    AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24
    FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32
    LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24
    RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30
    """.split()
}
"""How long an account is in each country (SWIFT's IBAN registry)."""


def ibans(text: str, known: Known) -> Iterator[Match]:
    """Account numbers as long as their country has them and with right check digits, in groups or not."""
    for found in _IBAN.finditer(text):
        length = _LENGTHS.get(found[1][:2].upper())
        end = _after(text, found.start(1), length) if length else None
        if end is not None:
            value = re.sub(r"[ -]", "", text[found.start(1) : end]).upper()
            if _mod_97(value):
                yield Match(found.start(1), end, "IBAN", value)


def _after(text: str, begin: int, count: int) -> int | None:
    """Where so many letters and digits end, with at most one space or hyphen between two; None where they do not."""
    at = begin
    while count:
        if at < len(text) and text[at].isascii() and text[at].isalnum():
            at, count = at + 1, count - 1
        elif at + 1 < len(text) and text[at] in " -" and text[at + 1].isascii() and text[at + 1].isalnum():
            at += 1
        else:
            return None
    return None if at < len(text) and text[at].isascii() and text[at].isalnum() else at


def _mod_97(value: str) -> bool:
    return int("".join(str(int(sign, 36)) for sign in value[4:] + value[:4])) % 97 == 1
