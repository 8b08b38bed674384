"""Settings of identifiers, and the rules that come with Headrace."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from headrace.config_base import Contradiction, Names, Positive, Settings, Values


class Identifier(Settings):
    """One kind of identifier: what makes two of its values equal, and what an equal value means.

    Attributes:
        normalise: what two values are compared by. `email` and `phone` (E.164) also refuse what is none; `sound` is how
            a name sounds in English (Soundex).
        region: of phone numbers without a country code, e.g. DE.
        of: it is made of other kinds, all of which a record must have, e.g. [family_name, born, postcode].
        links: records that share a value are one person. Without, it is only compared, or is a part of others.
        unique: a person has one: records with two values of it are never one person.
        priority: of links that cannot all hold, the higher one does.
        agree: kinds in which two records must agree for a shared value to link them, e.g. [given_name].
        unless: kinds in which two records may not differ, where both have one, e.g. [born].
        hub: records that share one value before it links nobody; `profiles.hub` where not given.
        limit: the most values a person may have; further ones do not link.
        deny: values that say nothing, beside the list that comes with Headrace.
    """

    normalise: Literal["email", "phone", "name", "sound", "text", "digits", "date", "exact"] = "text"
    region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    of: Names = ()
    links: bool = True
    unique: bool = False
    priority: Annotated[int, Field(ge=0, le=1000)] = 50
    agree: Names = ()
    unless: Names = ()
    hub: Annotated[int, Field(ge=2)] | None = None
    limit: Positive | None = None
    deny: Values = ()

    @model_validator(mode="after")
    def _fits(self) -> "Identifier":
        if self.region and self.normalise != "phone":
            raise Contradiction("region", "normalise: phone beside it", self.normalise, "normalise: phone")
        if self.of and "normalise" in self.model_fields_set:
            expected = "none, as its parts have theirs"
            raise Contradiction("normalise", expected, self.normalise, "of: [family_name, born]")
        if len(self.of) == 1:
            raise Contradiction("of", "at least two kinds", self.of[0], "of: [family_name, born]")
        if not self.links and (self.agree or self.unless):
            key = "agree" if self.agree else "unless"
            raise Contradiction(key, "links: true beside it", "links: false", "links: true")
        return self


def _part(**settings: object) -> Identifier:
    return Identifier(links=False, **settings)  # type: ignore[arg-type]


def _all_of(*parts: str, priority: int, **settings: object) -> Identifier:
    return Identifier(of=parts, priority=priority, **settings)  # type: ignore[arg-type]


STANDARD: Mapping[str, Identifier] = {
    "given_name": _part(normalise="sound"),
    "family_name": _part(normalise="sound"),
    "born": _part(normalise="date"),
    "postcode": _part(normalise="digits"),
    "street": _part(normalise="name"),
    "national_id": _part(normalise="digits"),
    "national_id_born": _all_of("national_id", "born", priority=80),
    "national_id_family_name": _all_of("national_id", "family_name", priority=80),
    "national_id_given_name": _all_of("national_id", "given_name", priority=80),
    "national_id_postcode": _all_of("national_id", "postcode", priority=75),
    "names_born": _all_of("given_name", "family_name", "born", priority=70),
    "email": Identifier(normalise="email", priority=60, agree=("given_name",), unless=("born",), hub=20),
    "phone": Identifier(normalise="phone", priority=40, agree=("given_name",), unless=("born",), hub=10),
    "given_name_born_postcode": _all_of("given_name", "born", "postcode", priority=50),
    "names_street_postcode": _all_of(
        "given_name", "family_name", "street", "postcode", priority=30, unless=("born",)
    ),
}  # fmt: skip
"""`rules: standard`. Nothing alone makes two records one person: a family shares an e-mail address, a number is given
away again, twins share all but the given name. Chosen on FEBRL data set 1 (docs/profiles.md)."""


def default(kind: str) -> Identifier:
    """What a kind of identifier is that the settings only name, without `rules`."""
    if kind == "email":
        return Identifier(normalise="email", priority=60)
    return Identifier(normalise="phone", priority=40) if kind == "phone" else Identifier()
