"""How pages say numbers, values, ages and answers."""

import re
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from fastapi.templating import Jinja2Templates

from headrace.context.plain import ago, on_one_line, value
from headrace.pipelines.explained import happened, known_by

_CITED = re.compile(r"\[([rfp][0-9]{1,3}(?:, ?[rfp][0-9]{1,3})*)\]")


class Piece(NamedTuple):
    """Part of an answer: text, or the id of an item that it cites."""

    text: str
    cites: bool = False


def pieces(answer: str, ids: Collection[str]) -> Iterator[Piece]:
    """An answer in parts; only items that are there are cited."""
    for number, part in enumerate(_CITED.split(answer)):
        if number % 2 == 0:
            if part:
                yield Piece(part)
            continue
        for one in part.replace(" ", "").split(","):
            yield Piece(one, True) if one in ids else Piece(f"[{one}]")


def link(url: str | None) -> str | None:
    """The address where a browser may be sent there; None for scripts and other schemes."""
    try:
        found = urlsplit(url or "")
    except ValueError:
        return None
    return url if found.scheme in ("http", "https") and found.netloc else None


def age(seconds: float | None) -> str:
    """`5 min ago`."""
    return "nobody knows when" if seconds is None else ago(seconds)


def counted(number: int, things: str) -> str:
    """`1 file`, `2 files`."""
    return f"{number:,} {things.removesuffix('s') if number == 1 else things}"


def said(one: Any) -> str:
    """A value of a profile: a text as it is, all else as JSON."""
    return on_one_line(one) if isinstance(one, str) else value(one)


def teach(templates: Jinja2Templates) -> None:
    """Let templates use these."""
    templates.env.filters.update(age=age, link=link, said=said, happened=happened, known_by=known_by)
    templates.env.globals.update(pieces=pieces, counted=counted)
    templates.env.trim_blocks = templates.env.lstrip_blocks = True
