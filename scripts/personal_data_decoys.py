"""Values for the labelled set of personal data that only look so."""

import re
from datetime import date, timedelta
from random import Random

from personal_data_values import DIGITS, grouped, iban, like, luhn, some

_ORDERS = ("##########", "2026-######", "N##-#######-#######", "########", "RE#########", "N###########")


def _dollars(chance: Random) -> str:
    return f"USD {chance.randrange(1, 9)},{chance.randrange(100, 999)}.00"


def decoy(gap: re.Match[str], locale: str, chance: Random) -> str:
    day = date(2024, 1, 1) + timedelta(days=chance.randrange(1500))
    price = f"{chance.randrange(10, 2000)},{chance.randrange(100):02}"
    digits = "4" + some(DIGITS, 14, chance)
    wrong = (luhn(digits) + chance.randrange(1, 10)) % 10
    made = {
        "FLIGHT": lambda: chance.choice(["LH", "BA ", "AF", "IB ", "UA"]) + str(chance.randrange(10, 9999)),
        "DATE": lambda: chance.choice([day.isoformat(), f"{day:%d.%m.%Y}", f"{day:%d/%m/%Y}", f"{day:%m/%d/%y}"]),
        "TIME": lambda: f"{chance.randrange(24):02}:{chance.randrange(60):02}",
        "GATE": lambda: f"{chance.randrange(1, 60)}{chance.choice('ABCDEF')}",
        "PNR": lambda: some("ABCDEFGHJKLMNPQRSTUVWXYZ23456789", 6, chance),
        "ORDER": lambda: like(chance.choice(_ORDERS), chance),
        "PRICE": lambda: chance.choice([f"{price} €", f"€{price.replace(',', '.')}", _dollars(chance)]),
        "VERSION": lambda: ".".join(str(chance.randrange(0, 30)) for _ in range(4)),
        "BADCARD": lambda: grouped(digits + str(wrong), chance),
        "BADIBAN": lambda: iban(locale, chance, wrong=chance.randrange(1, 90)),
        "ETICKET": lambda: like("0##-##########", chance),
        "COUNT": lambda: str(chance.randrange(2, 20)),
        "UUID": lambda: "-".join(some("0123456789abcdef", size, chance) for size in (8, 4, 4, 4, 12)),
        "HASH": lambda: some("0123456789abcdef", chance.choice([40, 64]), chance),
        "COORD": lambda: ", ".join(f"{chance.randrange(one)}.{some(DIGITS, 6, chance)}" for one in (60, 20)),
    }  # fmt: skip
    return made[gap[1]]()
