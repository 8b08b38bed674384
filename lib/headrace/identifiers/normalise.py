"""What makes two values of an identifier equal, and which values say nothing."""

import hashlib
import hmac
import importlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from headrace.config_identifiers import Identifier
from headrace.config_profiles import Profiles
from headrace.errors import MissingDependency

LONGEST = 1_000
"""Characters; a longer value identifies nobody."""
_HASH_BYTES = 16
_EMAIL = re.compile(r"[^@\s\"(),:;<>\[\]\\]{1,64}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]{0,61}")
_EXAMPLE = re.compile(r"@(?:.*\.)?(?:test|invalid|localhost)$")
_ISO_DATE = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)(?:[T ].*)?")


class Value(NamedTuple):
    """A value of an identifier, as it is kept: its kind and its keyed hash."""

    kind: str
    hash: str


class TooLong(ValueError):
    """A value of more than `LONGEST` characters."""


@dataclass(frozen=True, slots=True)
class Normaliser:
    """Makes the identifiers of a record out of its columns.

    Attributes:
        kinds: those of the settings.
        hash_key: the key of the hashes.
    """

    kinds: Mapping[str, Identifier]
    hash_key: bytes = field(repr=False)

    def values(self, texts: Mapping[str, str | None], kept: Callable[[str], bool]) -> list[Value]:
        """The identifiers that a record has.

        Args:
            texts: by kind, what its column holds.
            kept: whether a kind is of use beside being a part of others.

        Raises:
            TooLong: names the kind.
        """
        plain = {kind: found for kind, text in texts.items() if (found := self.plain(kind, text))}
        for kind, one in self.kinds.items():
            if one.of and all(part in plain for part in one.of):
                plain[kind] = "\0".join(plain[part] for part in one.of)
        return [Value(kind, self.hashed(kind, text)) for kind, text in sorted(plain.items()) if kept(kind)]

    def plain(self, kind: str, text: str | None) -> str:
        """What two values are compared by; empty where the value says nothing. Raises TooLong."""
        if text is None:
            return ""
        if len(text) > LONGEST:
            raise TooLong(kind)
        settings = self.kinds[kind]
        found = _HOW[settings.normalise](text, settings)
        if not found or found in _denied(settings) or as_text(text, settings) in junk():
            return ""
        return found

    def hashed(self, kind: str, plain: str) -> str:
        """The keyed hash of a value: HMAC-SHA-256, cut to 128 bits, as 32 hexadecimal digits."""
        told = f"{kind}\0{plain}".encode()
        return hmac.new(self.hash_key, told, hashlib.sha256).digest()[:_HASH_BYTES].hex()


def as_text(text: str, settings: Identifier) -> str:
    """Compared without regard to case, to how characters are composed, and to how many spaces there are."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def as_name(text: str, settings: Identifier) -> str:
    """Letters and digits alone, without accents."""
    plain = unicodedata.normalize("NFKD", as_text(text, settings))
    return "".join(letter for letter in plain if letter.isalnum())


def as_sound(text: str, settings: Identifier) -> str:
    """How a name sounds in English: its Soundex code; of names in other letters than a to z the name itself."""
    found = as_name(text, settings)
    return _jellyfish().soundex(found) if found.isascii() and found.isalpha() else found


def as_digits(text: str, settings: Identifier) -> str:
    """Digits and letters alone; empty where all are the same, as in 000000."""
    found = "".join(letter for letter in as_text(text, settings) if letter.isalnum())
    return "" if len(set(found)) == 1 and len(found) > 1 else found


def as_date(text: str, settings: Identifier) -> str:
    """An ISO 8601 date, without its time; empty for what is none, and for 1 January 1900 and 1970, which mean null."""
    found = _ISO_DATE.fullmatch(text.strip())
    if not found:
        return ""
    try:
        day = date(int(found[1]), int(found[2]), int(found[3])).isoformat()
    except ValueError:
        return ""
    return "" if day in ("1900-01-01", "1970-01-01", "0001-01-01", "9999-12-31") else day


def as_email(text: str, settings: Identifier) -> str:
    """An address without regard to case; empty for what is none, and for mailboxes of a role."""
    found = unicodedata.normalize("NFKC", text).strip().casefold().removeprefix("mailto:")
    if not _EMAIL.fullmatch(found) or _EXAMPLE.search(found):
        return ""
    return "" if found.partition("@")[0].partition("+")[0] in role_mailboxes() else found


def as_phone(text: str, settings: Identifier) -> str:
    """A number in E.164; empty for what cannot be one, and for numbers such as 555 000 0000."""
    phonenumbers = _phonenumbers()
    try:
        number = phonenumbers.parse(text, settings.region)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number) or number.extension:
        return ""
    digits = str(number.national_number)
    if len(set(digits[3:])) == 1 or digits in "01234567890" or digits in "09876543210":
        return ""
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def as_it_is(text: str, settings: Identifier) -> str:
    """Every character counts."""
    return text


_HOW: Mapping[str, Callable[[str, Identifier], str]] = {
    "email": as_email, "phone": as_phone, "name": as_name, "sound": as_sound, "text": as_text,
    "digits": as_digits, "date": as_date, "exact": as_it_is,
}  # fmt: skip


def normaliser(settings: Profiles) -> Normaliser:
    """What makes identifiers comparable and hashes them. Raises MissingDependency where a kind needs a package."""
    kinds = settings.kinds()
    used = {one.normalise for one in kinds.values() if not one.of}
    if "phone" in used:
        _phonenumbers()
    if "sound" in used:
        _jellyfish()
    return Normaliser(kinds, settings.hash_key.get_secret_value().encode())


@cache
def junk() -> frozenset[str]:
    """Values that say nothing, whatever they should be."""
    return _lines("junk.txt")


@cache
def role_mailboxes() -> frozenset[str]:
    """What stands before the @ of mailboxes that several people read."""
    return _lines("role_mailboxes.txt")


@cache
def _denied(settings: Identifier) -> frozenset[str]:
    return frozenset(_HOW[settings.normalise](value, settings) for value in settings.deny)


def _lines(name: str) -> frozenset[str]:
    lines = files("headrace.identifiers").joinpath(name).read_text("utf-8").splitlines()
    return frozenset(line for line in lines if line and not line.startswith("# "))


def _phonenumbers() -> Any:
    return _package("phonenumbers")


def _jellyfish() -> Any:
    return _package("jellyfish")


def _package(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise MissingDependency(
            expected=f"the package {name}",
            found="no such package",
            todo="Run `pip install 'headrace[profiles]'`.",
            where="profiles.identifiers",
        ) from error
