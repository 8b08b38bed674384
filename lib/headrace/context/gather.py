"""Everything a context may be made of, asked for side by side; a source that does not answer leaves a gap."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar

from headrace.config_context import Context as Settings
from headrace.config_context import PartName
from headrace.context import asks
from headrace.context.asks import Ask
from headrace.context.lookup import Answer, Lookups
from headrace.context.profile import Known, Profile, Profiles
from headrace.context.profile_consent import Shown, shown
from headrace.context.retrieve import Found, retrieve
from headrace.context.side_by_side import Busy, Lane, Late, Pending
from headrace.errors import HeadraceError, Retryable
from headrace.ports import Embedder, Filters, PassageReader

T = TypeVar("T")
Why = Literal["slow", "busy", "unavailable", "failed", "unknown person"]
MOST_ASKS = 20
_NO_TABLE = Lane("unknown")
"""For look-ups of a table that is not served: they fail at once."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that should be in a context and could not be asked for.

    Attributes:
        part: what is missing.
        source: which table; empty for the whole part.
        why: `slow`, `busy` (earlier calls have not come back), `unavailable` (it may answer later), `failed`
            (trying again does not help), `unknown person`.
        detail: the kind of error. Its words may name places, and stay in the log of who runs it.
    """

    part: PartName
    source: str
    why: Why
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the sources said. `not_asked`: look-ups beyond the most that are made."""

    profile: Profile | None = None
    shown: Shown | None = None
    answers: tuple[Answer, ...] = ()
    passages: tuple[Found, ...] = ()
    gaps: tuple[Gap, ...] = ()
    not_asked: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """What a context is for.

    Attributes:
        filters: whose passages may be found.
        purposes: what the profile is used for; None for all that the person agreed to.
        rows: look-ups the application wants besides those that question and profile lead to.
    """

    question: str
    person: str | None
    filters: Filters
    purposes: Collection[str] | None
    rows: Sequence[Ask]
    now: datetime


class Sources:
    """The sources there are; each may be missing. They belong to who made them.

    Args:
        embedder: of the passages' index; not needed with `mode: words`.
    """

    def __init__(
        self,
        profiles: Profiles | Known | None = None,
        lookups: Lookups | None = None,
        passages: PassageReader | None = None,
        embedder: Embedder | None = None,
    ) -> None:
        self._profiles, self._lookups, self._passages, self._embedder = profiles, lookups, passages, embedder
        self._lanes = {name: Lane(name) for name in ("profile", "passages")}
        # One for each table: a slow one keeps no other waiting.
        self._tables = {table: Lane(table) for table in (lookups.tables if lookups else ())}

    def gather(self, asked: Asked, settings: Settings) -> Gathered:
        """What they say. Look-ups that the profile leads to begin when it is there; all else begins at once."""
        gaps: list[Gap] = []
        profile = self._start_profile(asked, settings)
        passages = self._start_passages(asked, settings)
        wanted = list(asked.rows)
        if self._lookups:
            wanted += asks.in_question(self._lookups.tables, asked.question)
        rows = self._start_rows(wanted[:MOST_ASKS], asked, settings)
        person = _of(profile, "profile", "", gaps) if profile else None
        if profile and person is None and not gaps:
            gaps.append(Gap("profile", "", "unknown person"))
        seen = None if person is None else _tried(lambda: shown(person.document, asked.purposes, asked.now), gaps)
        if self._lookups and seen:
            sure = [one for one in wanted if one.step != "alone"]
            more = [one for one in asks.in_profile(self._lookups.tables, seen) if one not in sure]
            rows += self._start_rows(more[: max(0, MOST_ASKS - len(wanted))], asked, settings)
            wanted += more
        answers = [answer for table, pending in rows for answer in _of(pending, "rows", table, gaps) or ()]
        found = _of(passages, "passages", "", gaps) if passages else None
        return Gathered(
            person if seen else None,
            seen,
            tuple(answers),
            tuple(found or ()),
            tuple(dict.fromkeys(gaps)),
            _not_asked(wanted, answers) if self._lookups else 0,
        )

    def _start_profile(self, asked: Asked, settings: Settings) -> Pending[Profile | None] | None:
        profiles, person = self._profiles, asked.person
        if profiles is None or person is None:
            return None
        seconds = settings.profile.timeout.total_seconds()
        return self._lanes["profile"].start(lambda: profiles.of(person), seconds)

    def _start_passages(self, asked: Asked, settings: Settings) -> Pending[list[Found]] | None:
        reader = self._passages
        if reader is None:
            return None

        def ask() -> list[Found]:
            most, mode = settings.most_passages, settings.mode
            return retrieve(reader, self._embedder, asked.question, asked.filters, most, mode, asked.now)

        return self._lanes["passages"].start(ask, settings.passages.timeout.total_seconds())

    def _start_rows(
        self, wanted: Sequence[Ask], asked: Asked, settings: Settings
    ) -> list[tuple[str, Pending[list[Answer]]]]:
        """Look-ups under way, those of one table one after the other."""
        lookups = self._lookups
        if lookups is None:
            return []
        by_table: dict[str, list[Ask]] = {}
        for ask in wanted:
            by_table.setdefault(ask.table, []).append(ask)

        def asking(several: Sequence[Ask]) -> Callable[[], list[Answer]]:
            return lambda: _answers(lookups, several, asked.now)

        seconds = settings.rows.timeout.total_seconds()
        return [
            (table, self._tables.get(table, _NO_TABLE).start(asking(several), seconds))
            for table, several in by_table.items()
        ]


def _answers(lookups: Lookups, several: Sequence[Ask], now: datetime) -> list[Answer]:
    """What one table answers, look-up after look-up."""
    found: list[Answer] = []
    for ask in several:
        if ask.step != "alone" or ask.table not in _settled(several, found):
            found.append(lookups.lookup(ask.table, ask.filters, now=now))
    return found


def _settled(wanted: Sequence[Ask], answers: Sequence[Answer]) -> set[str]:
    """The tables where values of a question together found a row."""
    together = [one for one in wanted if one.step == "together"]
    return {one.table for one in answers if one.rows and Ask(one.table, one.filters) in together}


def _not_asked(wanted: Sequence[Ask], answers: Sequence[Answer]) -> int:
    """The look-ups beyond the most that would have been made."""
    settled = _settled(wanted, answers)
    return sum(one.step != "alone" or one.table not in settled for one in wanted[MOST_ASKS:])


def _of(pending: Pending[T], part: PartName, source: str, gaps: list[Gap]) -> T | None:
    """What came; None, and a gap, where nothing did."""
    try:
        return pending.result()
    except Late:
        gaps.append(Gap(part, source, "slow"))
    except Busy:
        gaps.append(Gap(part, source, "busy"))
    except Exception as error:
        gaps.append(_failed(error, part, source))
    return None


def _tried(work: Callable[[], T], gaps: list[Gap]) -> T | None:
    try:
        return work()
    except HeadraceError as error:
        gaps.append(_failed(error, "profile", ""))
        return None


def _failed(error: Exception, part: PartName, source: str) -> Gap:
    return Gap(part, source, "unavailable" if isinstance(error, Retryable) else "failed", type(error).__name__)
