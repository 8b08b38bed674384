"""What makes two identifiers equal."""

import pytest

from headrace.config_identifiers import Identifier
from headrace.identifiers.normalise import Normaliser, TooLong

KINDS = {
    "email": Identifier(normalise="email"),
    "phone": Identifier(normalise="phone", region="DE"),
    "name": Identifier(normalise="name", links=False),
    "born": Identifier(normalise="date", links=False, unique=True),
    "number": Identifier(normalise="digits", deny=("12-34",)),
    "account": Identifier(normalise="exact"),
    "who": Identifier(of=("name", "born")),
}
ONE = Normaliser(KINDS, b"0123456789abcdef")


@pytest.mark.parametrize(
    ("kind", "text", "plain"),
    [
        ("email", " Anna.Müller@Example.COM ", "anna.müller@example.com"),
        ("email", "mailto:anna@example.com", "anna@example.com"),
        ("email", "anna@example.com", "anna@example.com"),
        ("email", "anna@example", ""),
        ("email", "anna at example.com", ""),
        ("email", "a@b@example.com", ""),
        ("email", "info@example.com", ""),
        ("email", "noreply+17@example.com", ""),
        ("email", "anna@shop.test", ""),
        ("email", "unknown", ""),
        ("phone", "030 901820", "+4930901820"),
        ("phone", "+49 (30) 90 18 20", "+4930901820"),
        ("phone", "0049 30 901820", "+4930901820"),
        ("phone", "+1 212-736-5000", "+12127365000"),
        ("phone", "000000000", ""),
        ("phone", "0123456789", ""),
        ("phone", "+1 555 0000000", ""),
        ("phone", "call me", ""),
        ("phone", "12", ""),
        ("name", " Zoë  O'Neill-Åkesson", "zoeoneillakesson"),
        ("name", "N/A", ""),
        ("born", "1980-02-29", "1980-02-29"),
        ("born", "19800229", "1980-02-29"),
        ("born", "1980-02-29T00:00:00Z", "1980-02-29"),
        ("born", "1981-02-29", ""),
        ("born", "29.02.1980", ""),
        ("born", "1900-01-01", ""),
        ("number", "DE 12 345-6", "de123456"),
        ("number", "0000", ""),
        ("number", "1-2-3-4", ""),
        ("account", " B7 ", " B7 "),
        ("account", "", ""),
        ("account", "null", ""),
    ],
)
def test_a_value_is_compared_by(kind: str, text: str, plain: str) -> None:
    assert ONE.plain(kind, text) == plain


def everything(kind: str) -> bool:
    return True


def test_a_kind_made_of_others_needs_all_of_them() -> None:
    kinds = {value.kind for value in ONE.values({"name": "Anna", "born": "1980-02-29"}, everything)}
    assert kinds == {"name", "born", "who"}
    assert {value.kind for value in ONE.values({"name": "Anna", "born": "?"}, everything)} == {"name"}


def test_only_kinds_of_use_are_kept() -> None:
    assert [value.kind for value in ONE.values({"name": "Anna", "born": "1980-02-29"}, {"who"}.__contains__)] == ["who"]


def test_a_hash_says_nothing_without_its_key_and_differs_by_kind() -> None:
    other = Normaliser(KINDS, b"another key of 16")
    assert ONE.hashed("email", "a@b.de") != other.hashed("email", "a@b.de")
    assert ONE.hashed("email", "a") != ONE.hashed("account", "a")
    assert "0123456789abcdef" not in repr(ONE)


def test_a_value_may_not_be_endless() -> None:
    with pytest.raises(TooLong, match="email"):
        ONE.values({"email": "a" * 1_000_000}, everything)
