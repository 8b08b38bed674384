"""Whether SQL says something of one row alone, as a number. Sums of such numbers can be added.

There is no list of what is forbidden, only one of what is allowed: columns, numbers, texts, CASE, comparisons,
arithmetic, and a few functions of one row. So no aggregate, window or query passes, and what passes means the same in
Spark and SQLite. SQLite then parses it. What only Spark knows shows when the job starts.
"""

import math
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Literal, NamedTuple

Kind = Literal["number", "text", "flag"]
WORDS = (
    "case",
    "when",
    "then",
    "else",
    "end",
    "and",
    "or",
    "not",
    "is",
    "null",
    "in",
    "like",
    "between",
    "true",
    "false",
)
FUNCTIONS = ("abs", "coalesce", "nullif", "lower", "upper", "length", "trim")
_COMPARES = ("=", "<>", "!=", "<", "<=", ">", ">=")
_SAMPLE: dict[Kind, str] = {"number": "1.5", "text": "'a'", "flag": "1"}
_TOKEN = re.compile(
    r"(?P<number>\d+(?:\.\d+)?(?![\w.]))|(?P<text>'(?:[^'\\]|'')*')|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<sign><=|>=|<>|!=|-(?!-)|[+*/%=<>(),])"
)


class Token(NamedTuple):
    """A piece of SQL.

    Attributes:
        kind: of a value, as far as it shows; None for all else.
        literal: it stands there itself.
    """

    said: str
    kind: Kind | None
    literal: bool = False


def check(text: str, columns: Mapping[str, Kind]) -> None:
    """Raises ValueError, with what was found, for anything but SQL over one row that gives a number or a boolean."""
    tokens = list(_tokens(text, columns))
    for before, token, after in zip([None, *tokens], tokens, [*tokens[1:], None], strict=False):
        if token.said in ("/", "%") and not (after and after.literal and after.kind == "number" and float(after.said)):
            what = after.said if after else "nothing"
            raise ValueError(f"a division by {what}: take a number other than 0, as a row with 0 would end the job")
        if token.said in _COMPARES and before and after:
            _comparable(before, token, after)
    for token in tokens:
        if token.literal and token.kind == "number" and float(token.said) == math.inf:
            raise ValueError(f"a number of {len(token.said)} digits, which is larger than 1.7e308")
    if _kind(text, columns) == "text":
        raise ValueError(f"{text!r}, which gives a text")


def with_doubles(text: str) -> str:
    """The same with each number as one of double precision, in Spark and SQLite: sums of whole ones would overflow, and
    Spark ends a job then."""
    return _TOKEN.sub(lambda found: f"{found[0]}e0" if found["number"] else found[0], text)


def _tokens(text: str, columns: Mapping[str, Kind]) -> Iterator[Token]:
    place = len(text) - len(text.lstrip())
    while place < len(text):
        found = _TOKEN.match(text, place)
        if not found:
            raise ValueError(f"{text[place : place + 10]!r}, which is not taken")
        rest = text[found.end() :].lstrip()
        place = len(text) - len(rest)
        if found["word"]:
            yield _word(found[0], rest.startswith("("), columns)
        elif found["number"] or found["text"]:
            yield Token(found[0], "number" if found["number"] else "text", literal=True)
        else:
            yield Token(found[0], None)


def _word(word: str, calls: bool, columns: Mapping[str, Kind]) -> Token:
    said = word.casefold()
    if said in WORDS:
        return Token(said, "flag" if said in ("true", "false") else None)
    if calls and said in FUNCTIONS:
        return Token(said, None)
    if calls:
        raise ValueError(f"{word}(), as only {', '.join(FUNCTIONS)} are functions of one row")
    if word not in columns:
        raise ValueError(f"{word}, which is not one of {', '.join(columns)}")
    return Token(word, columns[word])


def _comparable(one: Token, sign: Token, other: Token) -> None:
    """Spark ends a job over a text that should be a number."""
    if one.kind and other.kind and one.kind != other.kind:
        raise ValueError(f"{one.said} {sign.said} {other.said}, a {one.kind} and a {other.kind}")


def _kind(text: str, columns: Mapping[str, Kind]) -> str:
    """SQLite's name for what it gives where every column has a value. Raises ValueError for wrong SQL."""
    row = ", ".join(f"{_SAMPLE[kind]} AS {name}" for name, kind in columns.items())
    try:
        with closing(sqlite3.connect(":memory:")) as parser:
            (found,) = parser.execute(f"SELECT typeof(({text})) FROM (SELECT {row})").fetchone()
    except sqlite3.Error as error:
        raise ValueError(f"{text!r}: {error}") from None
    return str(found)
