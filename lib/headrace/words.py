"""Text as words and as sentences, in any script, without a model."""

import re
import unicodedata
from collections.abc import Iterator

_ALONE = "\u3040-\u30ff\u3400-\u9fff"
"""Kana and Han: written without spaces, so each letter counts as a word."""

_WORD = re.compile(rf"[{_ALONE}]|[^\W_{_ALONE}]+")

_BLOCK = re.compile(r"[ \t]*\n[ \t]*(?:\n\s*|(?=[-*+#|>•]|\d{1,3}[.)]\s))")
"""What ends a sentence though no sign says so: an empty line, or a line that begins a heading, an item or a row."""

_STOP = re.compile(r"[.!?\u2026]+[\"'\u201d\u2019\u00bb)\]]*(?=\s)|[\u3002\uff01\uff1f]+[\u300d\u300f\u201d\uff09]*")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"'])(?:[^\W\d_]|[^\W\d_]\.[^\W\d_]|approx|art|bzw|ca|cf|dr|etc|fig|max|min|mr|mrs|ms|no|nr|nos|prof|sr|"
    r"sra|st|tel|vgl|vs)\.$",
    re.IGNORECASE,
)

_SMALL = frozenset(
    """
    a about after all also am an and any are as at be been before but by can could did do does for from get give
    had has have he her here his how i if in into is it its may me more most must my no not of on one only or our
    out over shall she should so some tell than that the their them then there these they this those to too under
    up us was we were what when where whether which who whom whose why will with would you your
    aber als am an auch auf aus bei bin bis da das dass dem den der des die doch durch ein eine einem einen einer
    es fur gibt habe haben hat ich ihr im in ist ja kann konnen man mein meine mich mir mit muss nach nicht noch
    nur oder ob sein sich sie sind so uber um und uns unser vom von vor wann war warum was wenn wer werden wie
    wieviel wir wird wo wurde zu zum zur
    au aux avec c ce ces cette comment d dans de des du elle en est et etre il ils j je l la le les leur ma mes
    mon n ne nous on ou par pas peut pour pourquoi qu quand que quel quelle quelles quels qui quoi sa se ses son
    sont sur t un une vos votre vous y
    al como con cual cuando cuanto de del donde el ella en es esta este hay la las lo los me mi mis no o para pero
    por porque puede puedo que quien se ser si sin sobre son su sus un una y yo
    a ao aos as da das do dos e em essa esse eu foi isso ja mas meu minha na nas no nos o os ou pela pelo posso
    quais qual quanto sao se sem sua seu tem um uma voce
    che chi ci come con cosa da dei del della di dove e gli ho il io la le lo mi nel nella non per perche posso
    quale quali quando quanto si sono su un una
    aan als bij dat de die dit door een en er het hoe ik in is je kan maar met mijn naar niet of om ook op te tot
    uit van voor waar waarom wat we wie wij worden zijn
    """.split()
)
"""What questions are put together with, in seven languages, without accents."""


def telling(question: str) -> list[str]:
    """The different words of a question that say what it is about; all of them where none does."""
    asked = list(dict.fromkeys(words(question)))
    return [word for word in asked if word not in _SMALL] or asked


def words(text: str) -> list[str]:
    """The words in small letters without accents, in their order."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    return _WORD.findall(plain.casefold())


def sentences(text: str) -> list[str]:
    """Its sentences in their order, each as it stands in the text, without the space around it.

    A title, an item of a list and a row of a table are sentences of their own.
    """
    return [one for block in _BLOCK.split(text) for one in _of_block(block) if one]


def _of_block(text: str) -> Iterator[str]:
    begin = 0
    for stop in _STOP.finditer(text):
        if _ends(text, stop):
            yield text[begin : stop.end()].strip()
            begin = stop.end()
    yield text[begin:].strip()


def _ends(text: str, stop: re.Match[str]) -> bool:
    """Whether a sentence ends there, and not an abbreviation, a number, or a name such as `Yahoo!`."""
    follows = text[stop.end() :].lstrip()[:1]
    if stop[0][0] in "\u3002\uff01\uff1f":
        return True
    if follows.islower():
        return False
    if stop[0][0] != ".":
        return True
    return not follows.isdigit() and not _ABBREVIATION.search(text[max(0, stop.start() - 12) : stop.start() + 1])
