"""Names that are known of a person."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files

from headrace.training.privacy_rules.kinds import Known, Match
from headrace.training.privacy_rules.plain import ALONE

_WORD = re.compile(r"[^\W\d_]+")
_BETWEEN = re.compile(r"[ \t]{1,2}|[-.'\u2019_]|\. ")
_NO, _PERHAPS, _SURE = 0, 1, 2
_ALONE = re.compile(f"[{ALONE}]")
_PARTICLES = frozenset(
    """
    af al am auf bin da de del della den der di do dos du el ibn la las le les of los ten ter the van vom von zu zum zur
    """.split()
)
_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "\u0131": "i"})
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})


def folded(names: Iterable[str]) -> frozenset[str]:
    """The words of names as they are compared: small letters without accents, umlauts as ue and as u.

    Single letters and particles such as `von` are left out: alone they tell nobody's name.
    """
    found = set()
    for name in names:
        for word in _WORD.findall(unicodedata.normalize("NFC", name)):
            forms = {_fold(word), _fold(word.casefold().translate(_UMLAUTS))}
            found |= {form for form in forms if (len(form) > 1 or _ALONE.match(form)) and form not in _PARTICLES}
    return frozenset(found)


def known_names(text: str, known: Known) -> Iterator[Match]:
    """Known names as whole words, whatever their case and accents, with a German or English s of the genitive.

    Neighbours are one finding: `Anna von Berg`. A name that is also a word, such as `Mark`, must have a capital
    letter or a neighbour that is a name.
    In scripts without spaces a name is found anywhere.
    """
    if not known.names:
        return
    runs: list[list[int]] = []
    for word in _WORD.finditer(text):
        told = _told(word[0], known.names)
        if told and runs and _joined(text[runs[-1][1] : word.start()]):
            runs[-1][1:] = word.end(), max(runs[-1][2], told)
        elif told:
            runs.append([word.start(), word.end(), told])
    for begin, end, told in runs:
        if told == _SURE:
            yield Match(begin, end, "NAME", " ".join(_fold(one) for one in _WORD.findall(text[begin:end])))
    for name in known.names:
        if _ALONE.match(name):
            for found in re.finditer(re.escape(name), text):
                yield Match(found.start(), found.end(), "NAME", name)


def _told(word: str, names: frozenset[str]) -> int:
    """Whether a word is a known name: surely, perhaps because it is a word as well, or not."""
    plain = _fold(word)
    if plain in names:
        return _PERHAPS if plain in common_words() and not word[0].isupper() else _SURE
    genitive = plain[-1:] == "s" and plain[:-1] in names and plain[:-1] not in common_words()
    return _SURE if genitive and (len(plain) > 4 or word[0].isupper()) else _NO


def _joined(between: str) -> bool:
    """Whether two names with this between them are one."""
    if _BETWEEN.fullmatch(between):
        return True
    words = between.split()
    return (
        0 < len(words) <= 3
        and between[0] == between[-1] == " "
        and all(word.casefold() in _PARTICLES for word in words)
    )


@cache
def _fold(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word.casefold().translate(_LETTERS))
    return "".join(sign for sign in plain if not unicodedata.combining(sign))


@cache
def common_words() -> frozenset[str]:
    """Names that are words as well."""
    lines = (
        files("headrace.training.privacy_rules").joinpath("names_that_are_words.txt").read_text("utf-8").splitlines()
    )
    return frozenset(_fold(word) for line in lines if not line.startswith("#") for word in line.split())
