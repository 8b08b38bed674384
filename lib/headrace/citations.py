"""Citations in an answer: `[p1]` stands for the item `p1`. Those of items that were not given are taken out."""

import re
from collections.abc import Iterable

LONGEST = 80
"""Characters between the brackets, for a citation."""

_BRACKETS = re.compile(rf"(?<![ \t])[ \t]*[\[【]([^\[\]【】\n]{{1,{LONGEST}}})[\]】]")
_ID = re.compile(r"([A-Za-z]{1,8})([0-9]{1,6})")
_OPEN = ("[", "\u3010")
_BETWEEN = re.compile(r"[\s,;]+")
_USUAL = frozenset({"p", "f", "r"})
"""Letters that ids begin with, as models make them up: `[p9]` is a citation also where only `r1` was given."""


class Citations:
    """Checks the pieces of one answer as they come.

    Attributes:
        valid: ids that were cited and given, in the order of their first citation.
        invalid: ids that were cited and not given.
    """

    def __init__(self, given: Iterable[str]) -> None:
        self._given = {one.casefold(): one for one in given}
        self._letters = _USUAL | {found[1] for one in self._given if (found := _ID.fullmatch(one))}
        self._held, self._bracket = "", ""
        self._valid: dict[str, None] = {}
        self._invalid: dict[str, None] = {}

    @property
    def valid(self) -> tuple[str, ...]:
        return tuple(self._valid)

    @property
    def invalid(self) -> tuple[str, ...]:
        return tuple(self._invalid)

    def shown(self, piece: str) -> str:
        """What may be shown now: all that came, but for an end that may yet become a citation."""
        self._held += piece
        cut = _undecided(self._held)
        ready, self._held = self._held[:cut], self._held[cut:]
        shown = _BRACKETS.sub(self._checked, ready)
        self._bracket = _last_bracket(ready) or self._bracket
        return shown

    def rest(self) -> str:
        """What was held back, at the end of the answer."""
        ready, self._held = self._held, ""
        return _BRACKETS.sub(self._checked, ready)

    def _checked(self, found: re.Match[str]) -> str:
        ids = self._ids(found[1])
        if not ids:
            return found[0]
        kept = []
        for one in ids:
            known = self._given.get(one.casefold())
            if known is None:
                self._invalid.setdefault(one)
            else:
                self._valid.setdefault(known)
                kept.append(f"[{known}]")
        space = found[0][: len(found[0]) - len(found[0].lstrip())]
        if kept:
            return space + "".join(kept)
        # Within open brackets, as in `[p[p9]9]`, what is left would close up to another citation.
        before = _last_bracket(found.string[: found.start()]) or self._bracket
        return "(?)" if before in _OPEN else ""

    def _ids(self, inside: str) -> list[str]:
        """The ids in the brackets; none where they hold anything else."""
        parts = [part for part in _BETWEEN.split(inside) if part]
        return parts if all(map(self._is_id, parts)) else []

    def _is_id(self, text: str) -> bool:
        shaped = _ID.fullmatch(text)
        return text.casefold() in self._given or (shaped is not None and shaped[1].casefold() in self._letters)


def _last_bracket(text: str) -> str:
    return text[max(map(text.rfind, "[]\u3010\u3011"))] if any(sign in text for sign in "[]\u3010\u3011") else ""


def looks_cited(text: str) -> bool:
    """Whether a text holds something in the shape of a citation."""
    return any(all(map(_ID.fullmatch, _BETWEEN.split(one[1].strip()))) for one in _BRACKETS.finditer(text))


def _undecided(text: str) -> int:
    """Where the end begins that the next piece may turn into a citation."""
    cut = max(text.rfind("["), text.rfind("【"))
    tail = text[cut:] if cut >= 0 else ""
    if not tail or len(tail) > LONGEST + 2 or any(sign in tail for sign in "]】\n"):
        cut = len(text)
    while cut and text[cut - 1] in " \t":
        cut -= 1
    return cut
