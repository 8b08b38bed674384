"""Values for the labelled set of personal data.

Check digits are computed here once more: the set shares no code with the rules it is to judge.
"""

import base64
import json
from collections.abc import Callable
from datetime import date, timedelta
from random import Random

NAMES = {
    "en-US": ("Emily", "Carter", "Mark", "Rose"),
    "en-GB": ("Emily", "Carter", "Mark", "Rose"),
    "de-DE": ("Jürgen", "Müller", "Klein"),
    "fr-FR": ("Élodie", "Pierre", "Dubois"),
    "es-ES": ("Ángel", "García", "Flores"),
}
"""What a profile would tell; half of each are words of the language too."""
_LOWER, _UPPER, DIGITS = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
}


def filled(kind: str, locale: str, chance: Random) -> tuple[str, str]:
    """What stands in the gap, and the personal part of it."""
    made = MADE[kind](locale, chance)
    return made if isinstance(made, tuple) else (made, made)


def some(letters: str, count: int, chance: Random) -> str:
    return "".join(chance.choice(letters) for _ in range(count))


def like(pattern: str, chance: Random) -> str:
    """`#` becomes a digit, `N` one from 2 to 9, all else stays."""
    signs = {"#": DIGITS, "N": "23456789"}
    return "".join(chance.choice(signs[one]) if one in signs else one for one in pattern)


def _email(locale: str, chance: Random) -> str:
    first, last = (chance.choice(NAMES[locale]).lower() for _ in range(2))
    plain = first if chance.random() < 0.2 else first.translate(str.maketrans("üéáí", "ueai"))
    local = chance.choice([f"{plain}.{last}", f"{plain[0]}{last}{chance.randrange(99)}", f"{plain}_{last}+trip", plain])
    host = chance.choice(
        ["mail.example", "post.example.com", "web.example.org", "uni-nord.example.net", "bücher.example"]
    )
    return f"{local}@{host}"


_PHONES = {
    "en-US": [
        "(415) 555-01##", "212-555-01##", "+1 305 555 01##", "702.555.01##", "1-617-555-01##", "+16175550###",
    ],
    "en-GB": [
        "020 7946 0###", "07700 900###", "+44 7700 900###", "0161 496 0###", "+44 (0)20 7946 0###", "07911 12####",
    ],
    "de-DE": [
        "030 90182###", "0171 234####", "+49 171 234####", "089/12 34 5#-##", "+49 (0)30 90182###", "0176-123####5",
    ],
    "fr-FR": [
        "06 12 34 ## ##", "01.42.68.##.##", "+33 6 12 34 ## ##", "0612345###", "+33 (0)1 42 68 ## ##", "07-56-78-##-##",
    ],
    "es-ES": [
        "612 34 ## ##", "91 411 1# ##", "+34 612 345 ###", "612345###", "93-411-1#-##", "+34 91 411 1# ##",
    ],
}  # fmt: skip


def _phone(locale: str, chance: Random) -> str:
    return like(chance.choice(_PHONES[locale]), chance)


def luhn(digits: str) -> int:
    """The digit that makes it a card's number."""
    total = 0
    for place, sign in enumerate(reversed(digits)):
        twice = int(sign) * (2 if place % 2 == 0 else 1)
        total += twice - 9 if twice > 9 else twice
    return -total % 10


def _card(locale: str, chance: Random) -> str:
    start, length = chance.choice(
        [("4", 16), ("51", 16), ("2221", 16), ("37", 15), ("6011", 16), ("3530", 16), ("36", 14)]
    )
    digits = start + some(DIGITS, length - 1 - len(start), chance)
    digits += str(luhn(digits))
    return grouped(digits, chance)


def grouped(digits: str, chance: Random) -> str:
    sizes = {16: (4, 4, 4, 4), 15: (4, 6, 5), 14: (4, 6, 4)}[len(digits)]
    parts, at = [], 0
    for size in sizes:
        parts.append(digits[at : at + size])
        at += size
    return chance.choice(["", "", " ", "-"]).join(parts)


_ACCOUNTS = {"en-US": "GB", "en-GB": "GB", "de-DE": "DE", "fr-FR": "FR", "es-ES": "ES"}
_ACCOUNT = {
    "GB": "BARC##############", "DE": "##################", "FR": "##########A##########1##",
    "ES": "####################",
}  # fmt: skip


def iban(locale: str, chance: Random, wrong: int = 0) -> str:
    country = chance.choice([_ACCOUNTS[locale], _ACCOUNTS[locale], *_ACCOUNT])
    # FR has 23 characters after its check digits.
    account = like(_ACCOUNT[country], chance)[: {"GB": 18, "DE": 18, "FR": 23, "ES": 20}[country]]
    number = "".join(str(int(one, 36)) for one in f"{account}{country}00")
    check = (98 - int(number) % 97 + wrong - 2) % 97 + 2 if wrong else 98 - int(number) % 97
    whole = f"{country}{check:02}{account}"
    if chance.random() < 0.5:
        return whole
    return " ".join(whole[at : at + 4] for at in range(0, len(whole), 4))


def _ssn(locale: str, chance: Random) -> str:
    area = chance.choice([one for one in range(1, 900) if one != 666])
    plain = f"{area:03}", f"{chance.randrange(1, 100):02}", f"{chance.randrange(1, 10000):04}"
    return chance.choice(["-", "-", " ", ""]).join(plain)


def _national(locale: str, chance: Random) -> str:
    return {"en": _nino, "de": _steuer, "fr": _nir, "es": _dni}[locale[:2]](chance)


def _nino(chance: Random) -> str:
    parts = [
        chance.choice(["AB", "JK", "PW", "SC"]),
        *(some(DIGITS, 2, chance) for _ in range(3)),
        chance.choice("ABCD"),
    ]
    return chance.choice([" ", ""]).join(parts)


def _steuer(chance: Random) -> str:
    digits = [int(one) for one in "1234567890"]
    chance.shuffle(digits)
    digits[0] = digits[0] or 3
    digits[9] = digits[4]
    product = 10
    for one in digits:
        total = (one + product) % 10 or 10
        product = total * 2 % 11
    plain = "".join(map(str, digits)) + str((11 - product) % 10)
    return chance.choice([plain, f"{plain[:2]} {plain[2:5]} {plain[5:8]} {plain[8:]}"])


def _nir(chance: Random) -> str:
    plain = like(
        f"{chance.choice('12')}{chance.randrange(40, 99)}{chance.randrange(1, 13):02}{chance.randrange(1, 95):02}"
        "######",
        chance,
    )
    key = f"{97 - int(plain) % 97:02}"
    spaced = f"{plain[0]} {plain[1:3]} {plain[3:5]} {plain[5:7]} {plain[7:10]} {plain[10:]} {key}"
    return chance.choice([plain + key, spaced])


def _dni(chance: Random) -> str:
    number = chance.randrange(10_000_000, 99_999_999)
    letter = "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23]
    return chance.choice([f"{number}{letter}", f"{number}-{letter}"])


def _passport(locale: str, chance: Random) -> str:
    shape = {"en-US": ["#########", "A########"], "en-GB": ["#########"], "fr-FR": ["14AB#####", "##CK#####"],
             "es-ES": ["AAB######", "XDC######"], "de-DE": ["C01X0####", "L8FK#T##4", "CH#K#L##9"]}  # fmt: skip
    return like(chance.choice(shape[locale]), chance)


def _ip(locale: str, chance: Random) -> str:
    if chance.random() < 0.3:
        groups = [f"{chance.randrange(1, 65536):x}" for _ in range(6)]
        return ":".join(["2a02", "8108", *groups]) if chance.random() < 0.5 else f"2001:db8:{groups[0]}::{groups[1]}"
    return ".".join(str(chance.randrange(2, 254)) for _ in range(4))


_ALNUM = _LOWER + _UPPER + DIGITS
_KEYS: tuple[tuple[str, str, int], ...] = (
    ("AKIA", _UPPER + "234567", 16), ("ghp_", _ALNUM, 36), ("github" + "_pat_", _ALNUM, 60), ("xoxb-", DIGITS, 24),
    ("sk" + "_live_", _ALNUM, 24), ("rk" + "_test_", _ALNUM, 24), ("sk-", _ALNUM, 48), ("sk-proj-", _ALNUM, 64),
    ("AIza", _ALNUM + "_-", 35), ("glpat-", _ALNUM, 20), ("hf_", _LOWER + _UPPER, 34), ("npm_", _ALNUM, 36),
)  # fmt: skip


def _key(locale: str, chance: Random) -> str:
    start, letters, count = chance.choice(_KEYS)
    return start + some(letters, count, chance)


def _base64(told: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")


def _jwt(locale: str, chance: Random) -> str:
    head = _base64({"alg": chance.choice(["HS256", "RS256"]), "typ": "JWT"})
    return f"{head}.{_base64({'sub': chance.randrange(10**9), 'exp': 1_800_000_000})}.{some(_ALNUM + '_-', 43, chance)}"


def _pem(locale: str, chance: Random) -> str:
    name = chance.choice(["RSA ", "EC ", "", "OPENSSH "]) + "PRIVATE KEY"
    body = "\n".join(some(_ALNUM + "+/", 64, chance) for _ in range(chance.randrange(3, 9)))
    return f"-----BEGIN {name}-----\n{body}\n-----END {name}-----"


def _password(locale: str, chance: Random) -> str:
    word = chance.choice(["Winter", "sonne", "Voyage", "playa", "Dragon", "qwert"])
    return chance.choice(
        [
            f"{word}{chance.randrange(10, 9999)}!",
            some(_ALNUM + "!$%", 12, chance) + "7x",
            f"{word}_{chance.randrange(100)}",
        ]
    )


def _url_secret(locale: str, chance: Random) -> tuple[str, str]:
    secret = some(_ALNUM, chance.randrange(12, 40), chance)
    user = f"{chance.choice(['app', 'reader', 'emily'])}:{some(_ALNUM, 10, chance)}"
    return chance.choice([
        (f"https://files.example/d/77?token={secret}&v=2", secret),
        (f"https://b.example/o.pdf?X-Amz-Date=20261101&X-Amz-Signature={secret}", secret),
        (f"https://portal.example/cb#access_token={secret}", secret),
        (f"https://api.example/v1/rooms?api_key={secret}", secret),
        (f"postgres://{user}@db.example:5432/rooms", user),
        (f"https://{user}@files.example/x", user),
    ])  # fmt: skip


def _name(locale: str, chance: Random) -> str:
    first, last = chance.sample(NAMES[locale], 2)
    return chance.choice([first, f"{first} {last}", f"{first} {last}", f"{first} {last}".upper(), last])


def _birth(locale: str, chance: Random) -> str:
    day = date(1935, 1, 1) + timedelta(days=chance.randrange(30_000))
    month = _MONTHS[locale[:2]].split()[day.month - 1]
    shapes = {
        "en-US": [f"{day:%m/%d/%Y}", f"{month} {day.day}, {day.year}", day.isoformat()],
        "en-GB": [f"{day:%d/%m/%Y}", f"{day.day} {month} {day.year}", f"{day:%d.%m.%y}"],
        "de-DE": [f"{day:%d.%m.%Y}", f"{day.day}. {month} {day.year}", f"{day.day}.{day.month}.{day:%y}"],
        "fr-FR": [f"{day:%d/%m/%Y}", f"{day.day} {month} {day.year}"],
        "es-ES": [f"{day:%d/%m/%Y}", f"{day.day} de {month} de {day.year}"],
    }
    return chance.choice(shapes[locale])


MADE: dict[str, Callable[[str, Random], str | tuple[str, str]]] = {
    "EMAIL": _email, "PHONE": _phone, "CARD": _card, "IBAN": iban, "SSN": _ssn, "NATIONAL_ID": _national,
    "PASSPORT": _passport, "IP": _ip, "API_KEY": _key, "JWT": _jwt, "PRIVATE_KEY": _pem, "PASSWORD": _password,
    "URL_SECRET": _url_secret, "NAME": _name, "BIRTH_DATE": _birth,
}  # fmt: skip
