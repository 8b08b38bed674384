"""Personal data: recall on sentences and values that are not Headrace's own.

    pip install faker
    python scripts/personal_data_others.py TEMPLATES

TEMPLATES is `presidio_evaluator/data_generator/raw_data/templates.txt` of github.com/microsoft/presidio-research (MIT,
English); Faker makes the values, in five locales. Neither is part of Headrace, and no rule was made with either.
"""

import re
import sys
from collections import Counter
from pathlib import Path

from faker import Faker

from headrace.training.privacy import Privacy, replaced
from headrace.training.privacy_rules.kinds import Kind

LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "es_ES")
TIMES = 5
PRIVACY = Privacy(b"a key for the benchmark only")
KINDS: dict[str, Kind] = {
    "credit_card_number": "CARD", "iban": "IBAN", "phone_number": "PHONE", "email": "EMAIL", "ip_address": "IP",
    "ssn": "SSN", "date_of_birth": "BIRTH_DATE",
}  # fmt: skip
_NAMES = ("person", "name", "first_name", "last_name")
OTHERS = {
    "organization": "company", "nationality": "country", "nation_woman": "country", "nation_plural": "country",
    "zipcode": "postcode", "secondary_address": "building_number", "state_abbr": "country_code",
    "us_driver_license": "license_plate",
}  # fmt: skip
_GAP = re.compile(r"\{\{(\w+)\}\}")


def made(gap: str, locale: str, fake: Faker, american: Faker) -> tuple[Kind | None, str]:
    """What fills a gap, and the kind where it is personal data that rules look for."""
    if gap.startswith(_NAMES):
        return (
            "NAME",
            fake.last_name()
            if "last" in gap
            else fake.first_name()
            if "first" in gap
            else f"{fake.first_name()} {fake.last_name()}",
        )
    if gap == "date_of_birth":
        return KINDS[gap], fake.date_of_birth().strftime("%m/%d/%Y" if locale == "en_US" else "%d.%m.%Y")
    if gap == "ip_address":
        return KINDS[gap], fake.ipv4()
    if gap == "age":
        return None, str(fake.random_int(1, 99))
    if gap in ("ssn", "iban"):
        return KINDS[gap], american.ssn() if gap == "ssn" else fake.iban()
    maker = fake if hasattr(fake, OTHERS.get(gap, gap)) else american
    return KINDS.get(gap), str(getattr(maker, OTHERS.get(gap, gap))()).replace("\n", ", ")


def filled(template: str, locale: str, fake: Faker, american: Faker) -> tuple[str, list[tuple[int, int, Kind, str]]]:
    """A text, and where in it what stands."""
    text, spans, at = "", [], 0
    for gap in _GAP.finditer(template):
        text += template[at : gap.start()]
        at = gap.end()
        kind, value = made(gap[1], locale, fake, american)
        if kind:
            spans.append((len(text), len(text) + len(value), kind, value))
        text += value
    return text + template[at:], spans


def main() -> None:
    """Prints, by kind and locale, the share of labels that are gone whole; and findings that touch no label."""
    templates = [line for line in Path(sys.argv[1]).read_text("utf-8", "replace").splitlines() if line.strip()]
    Faker.seed(8)
    american = Faker("en_US")
    gone: Counter[tuple[str, str]] = Counter()
    labels: Counter[tuple[str, str]] = Counter()
    stray: Counter[str] = Counter()
    found_all = 0
    for locale in LOCALES:
        fake = Faker(locale)
        for template in templates * TIMES:
            text, spans = filled(template, locale, fake, american)
            names = [value for *_, kind, value in spans if kind == "NAME"]
            found = replaced(text, PRIVACY, names)[1]
            taken = {at for one in found for at in range(one.begin, one.end)}
            for begin, end, kind, value in spans:
                labels[kind, locale] += 1
                whole = all(at in taken for at in range(begin, end) if text[at].isalnum())
                gone[kind, locale] += whole
                if not whole and "--show" in sys.argv and kind != "NAME":
                    print(kind, repr(value), repr(text[max(0, begin - 40) : end + 10]))
            found_all += len(found)
            for one in found:
                if not any(begin < one.end and one.begin < end for begin, end, *_ in spans):
                    stray[one.kind] += 1
                    if "--show" in sys.argv:
                        print(
                            "STRAY",
                            one.kind,
                            text[one.begin : one.end],
                            repr(text[max(0, one.begin - 30) : one.end + 10]),
                        )
    print(f"| kind | labels | gone whole | {' | '.join(LOCALES)} |\n|---|---|---|---|---|---|---|---|")
    for kind in sorted({kind for kind, _ in labels}):
        cells = [f"{gone[kind, one] / labels[kind, one]:.2f}" for one in LOCALES]
        total, right = (sum(count for (one, _), count in some.items() if one == kind) for some in (labels, gone))
        print(f"| {kind} | {total} | {right / total:.2f} | {' | '.join(cells)} |")
    print(f"\n{found_all:,} findings, of which {sum(stray.values())} touch no label: {dict(stray)}")


if __name__ == "__main__":
    main()
