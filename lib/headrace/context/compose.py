"""One context of what the sources said. Pure: the same inputs give the same context."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from headrace.config_context import Context as Settings
from headrace.config_context import PartName
from headrace.context.budget import Counter, Room, items_that_fit, turns_that_fit
from headrace.context.context import Context, LeftOut, Tokens
from headrace.context.gather import Asked, Gathered
from headrace.context.items import Candidate, of_passages, of_profile, of_rows
from headrace.context.profile_text import rows_beyond_the_limit
from headrace.context.turns import earlier
from headrace.ports_chat import ChatMessage, Item


@dataclass(frozen=True, slots=True)
class _Kept:
    items: list[Candidate]
    left_out: list[LeftOut]


def composed(
    asked: Asked,
    conversation: Sequence[ChatMessage],
    gathered: Gathered,
    settings: Settings,
    count: Counter,
    fixed: int,
) -> Context:
    """The context.

    Args:
        count: tokens of a text.
        fixed: tokens that template and question take.
    """
    room = Room(count, settings.tokens - fixed)
    candidates = _candidates(asked, gathered, settings)
    items: list[Candidate] = []
    turns: tuple[ChatMessage, ...] = ()
    left_out = list(_never_there(gathered))
    for part in settings.order:
        limit = settings.part(part).limit(settings.tokens)
        if part == "conversation":
            turns, missing = turns_that_fit(earlier(conversation), settings.turns, limit, room)
            left_out += missing
            continue
        wanted = _wanted(part, candidates[part], settings)
        kept, missing = items_that_fit(wanted.items, part, limit, room)
        items += kept
        left_out += [*wanted.left_out, *missing]
    return Context(
        question=asked.question,
        now=asked.now,
        person=gathered.profile.person if gathered.profile else None,
        items=tuple(one.item for one in items),
        turns=turns,
        suspicions={one.item.id: one.suspicions for one in items if one.suspicions},
        left_out=tuple(left_out),
        gaps=gathered.gaps,
        tokens=Tokens(settings.tokens, fixed, {part: room.taken.get(part, 0) for part in settings.order}),
    )


def _candidates(asked: Asked, gathered: Gathered, settings: Settings) -> dict[PartName, Iterable[Candidate]]:
    profile, shown, stale = gathered.profile, gathered.shown, settings.stale_after
    return {
        "rows": of_rows(gathered.answers, asked.now),
        "profile": of_profile(profile, shown, stale, asked.now) if profile and shown else (),
        "passages": of_passages(gathered.passages, stale),
    }


def _wanted(part: PartName, candidates: Iterable[Candidate], settings: Settings) -> _Kept:
    """Those that the settings do not leave out."""
    kept = _Kept([], [])
    texts: set[str] = set()
    for one in candidates:
        why = _unwanted(one.item, settings)
        same = " ".join(one.item.text.casefold().split())
        if why is None and part == "passages" and same in texts:
            why = LeftOut(part, "duplicate", 1, one.item.source, one.item.key)
        if why is not None:
            kept.left_out.append(why)
            continue
        texts.add(same)
        kept.items.append(one)
    return kept


def _unwanted(item: Item, settings: Settings) -> LeftOut | None:
    part: PartName = {"row": "rows", "profile": "profile", "passage": "passages"}[item.kind]  # type: ignore[assignment]
    if settings.drop_stale and item.stale:
        return LeftOut(part, "stale", 1, item.source, item.key)
    if settings.drop_suspicious and item.suspicious:
        return LeftOut(part, "suspicious", 1, item.source, item.key)
    return None


def _never_there(gathered: Gathered) -> Iterator[LeftOut]:
    """What was not even a candidate. Of what was not agreed to, only how much: a name would tell already."""
    if gathered.shown:
        if gathered.shown.without_consent:
            yield LeftOut("profile", "consent", gathered.shown.without_consent)
        if gathered.shown.not_asked:
            yield LeftOut("profile", "purpose", gathered.shown.not_asked)
        if beyond := rows_beyond_the_limit(gathered.shown):
            yield LeftOut("profile", "limit", beyond)
    for answer in gathered.answers:
        if answer.more:
            yield LeftOut("rows", "limit", None, answer.table)
    if gathered.not_asked:
        yield LeftOut("rows", "limit", gathered.not_asked)
    yield LeftOut("passages", "audience", None)
