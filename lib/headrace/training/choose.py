"""Turns and ratings of a conversation -> examples of one kind, and what was left out with its reason."""

import hmac
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256

from headrace.citations import Citations
from headrace.config_datasets import Dataset
from headrace.erasure import ERASED
from headrace.training.example import Example, Kind, Message, example_id
from headrace.training.refused import Refused
from headrace.training.verdict import Rated, Verdict, verdict

STEP = "choose"
Hashed = Callable[[str], str]
"""A person's id as a keyed hash."""


def hashed_by(key: bytes) -> Hashed:
    """Keyed hashes of persons: 32 hexadecimal digits."""
    return lambda person: hmac.new(key, b"person\0" + person.encode(), sha256).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Said:
    """A turn, as the table `turns` holds it.

    Attributes:
        items: JSON.
        allowed: whether the person agrees to training.
        erased: it is an erased person's.
        names: what the person is called.
    """

    turn: int
    at: datetime
    question: str | None
    answer: str | None
    outcome: str | None = None
    ended: str | None = None
    regenerates: int | None = None
    items: str | None = None
    person: str | None = None
    tenant: str | None = None
    channel: str | None = None
    language: str | None = None
    intent: str | None = None
    model: str | None = None
    allowed: bool = True
    names: tuple[str, ...] = ()
    erased: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that somebody judged or replaced. `row`: the prompt it was given to, without completion."""

    row: Example
    text: str
    said: Said
    verdict: Verdict

    def example(self, part: str, origin: str, **filled: str | bool) -> Example:
        """An example of it. `part`: what tells it from others of the same turn, whatever its ratings are."""
        identity = example_id(self.row.kind, self.row.conversation, self.said.turn, part)
        return replace(self.row, id=identity, origin=origin, **filled)  # type: ignore[arg-type]


Chosen = Example | Refused


def answers(
    conversation: str, turns: Sequence[Said], ratings: Sequence[Rated], wanted: Dataset, hashed: Hashed
) -> Iterator[Answer | Refused]:
    """Every answer of a conversation that says something about good and bad, in order.

    Args:
        turns: all of the conversation, in any order.
        ratings: of its turns; those of the whole conversation are left aside.
    """
    by_turn: dict[int, list[Rated]] = {}
    for one in ratings:
        if one.turn is not None:
            by_turn.setdefault(one.turn, []).append(one)
    known = {one.turn: one for one in sorted(turns, key=lambda one: one.turn)}
    stars = (wanted.stars.bad, wanted.stars.good)
    verdicts = {turn: verdict(by_turn.get(turn, ()), wanted.raters, stars) for turn in known}
    again = {one.regenerates for one in known.values()}
    for turn, said in known.items():
        found = verdicts[turn]
        if not _asked_for(said, wanted):
            continue
        if found.score is None and found.correction is None and said.regenerates not in known and turn not in again:
            continue
        if reason := _unfit(said, wanted):
            yield Refused(example_id(wanted.kind, conversation, turn), STEP, reason)
            continue
        history = _history(said, known, verdicts, wanted.history)
        yield Answer(_row(conversation, said, history, wanted, hashed), _plain(said.answer, wanted), said, found)


def examples(found: Sequence[Answer], wanted: Dataset) -> Iterator[Chosen]:
    """What the answers of one conversation teach by themselves; pairs over conversations are of `pairs`."""
    yield from _BY_KIND[wanted.kind](found)


def _good(found: Sequence[Answer]) -> Iterator[Chosen]:
    for one in found:
        if one.verdict.correction is not None:
            yield one.example("correction", "correction", completion=one.verdict.correction)
        elif one.verdict.good:
            fault = fault_of(one.said)
            whole = one.example("answer", one.verdict.origin, completion=one.text)
            yield Refused(whole.id, STEP, fault) if fault else whole


def _labelled(found: Sequence[Answer]) -> Iterator[Chosen]:
    for one in found:
        if one.verdict.correction is not None:
            yield one.example("correction", "correction", completion=one.verdict.correction, label=True)
        if not (one.verdict.good or one.verdict.bad):
            continue
        origin = one.verdict.origin or "corrected"
        whole = one.example("answer", origin, completion=one.text, label=one.verdict.good)
        fault = fault_of(one.said) if one.verdict.good or not one.text else None
        yield Refused(whole.id, STEP, fault) if fault else whole


def _bettered(found: Sequence[Answer]) -> Iterator[Chosen]:
    by_turn = {one.said.turn: one for one in found}
    for one in found:
        right = one.verdict.correction
        if right is not None and differ(right, one.text):
            yield one.example("correction", "correction", chosen=right, rejected=one.text)
        before = by_turn.get(one.said.regenerates or 0)
        if before is None or not _kept(one, found) or not _better(one, before) or not differ(one.text, before.text):
            continue
        pair = before.example(f"regenerated {one.said.turn}", "regenerated", chosen=one.text, rejected=before.text)
        fault = fault_of(one.said)
        yield Refused(pair.id, STEP, fault) if fault else pair


def fault_of(said: Said) -> str | None:
    """Why an answer cannot be an example of a good one, however it was rated."""
    if not (said.answer or "").strip():
        return "no_answer"
    if said.outcome not in (None, "answered"):
        return "not_answered"
    return "cut_off" if said.ended == "length" else None


def _kept(one: Answer, found: Sequence[Answer]) -> bool:
    """Whether nobody asked for yet another answer, nor put it right."""
    return one.verdict.correction is None and all(other.said.regenerates != one.said.turn for other in found)


def _better(one: Answer, before: Answer) -> bool:
    """Asking again speaks for the answer that was kept, unless ratings say otherwise; their tie decides nothing."""
    mine, other = one.verdict.score, before.verdict.score
    if mine is not None and other is not None:
        return mine > other
    return not one.verdict.bad and not before.verdict.good


def differ(one: str, other: str) -> bool:
    """Whether both say something, and not the same but for white space."""
    return bool(one.strip() and other.strip()) and one.split() != other.split()


_BY_KIND: dict[Kind, Callable[[Sequence[Answer]], Iterator[Chosen]]] = {
    "sft": _good,
    "kto": _labelled,
    "dpo": _bettered,
}


def _asked_for(said: Said, wanted: Dataset) -> bool:
    if wanted.since is not None and said.at.astimezone(UTC).date() < wanted.since:
        return False
    return all(not values or getattr(said, name) in values for name, values in wanted.where)


def _unfit(said: Said, wanted: Dataset) -> str | None:
    if said.erased:
        return ERASED
    if not said.allowed:
        return "no_consent"
    if not (said.question or "").strip():
        return "no_question"
    if wanted.context and any(item.get("text") is None for item in json.loads(said.items or "[]")):
        return "context_not_kept"
    return None


def _row(conversation: str, said: Said, history: Sequence[Message], wanted: Dataset, hashed: Hashed) -> Example:
    context = None
    if wanted.context:
        context = "\n\n".join(f"[{one['id']}] {one['text']}" for one in json.loads(said.items or "[]")) or None
    return Example(
        id="", kind=wanted.kind, conversation=conversation, turn=said.turn, at=said.at, origin="",
        messages=(*history, Message("user", (said.question or "").strip())), system=wanted.system, context=context,
        person=None if said.person is None else hashed(said.person), tenant=said.tenant, channel=said.channel,
        language=said.language, intent=said.intent, model=said.model,
    )  # fmt: skip


def _history(said: Said, known: dict[int, Said], verdicts: dict[int, Verdict], most: int) -> list[Message]:
    """What was said before: answers that were replaced are left out, and all up to the last one that was bad.

    Most trainers learn from every answer in a row: one that somebody disliked must not be among them.
    """
    end = said.turn
    asked = said
    while asked.regenerates in known and asked.regenerates < end:
        end = asked.regenerates
        asked = known[end]
    replaced = {one.regenerates for turn, one in known.items() if turn < end}
    pairs: list[Message] = []
    for turn in [turn for turn in known if turn < end and turn not in replaced][::-1]:
        before = known[turn]
        fit = before.outcome in (None, "answered") and (before.question or "").strip() and (before.answer or "").strip()
        if len(pairs) == 2 * most or verdicts[turn].bad or not fit or not before.allowed or before.erased:
            break
        pairs = [Message("user", (before.question or "").strip()), Message("assistant", _shown(before.answer)), *pairs]
    return pairs


def _plain(answer: str | None, wanted: Dataset) -> str:
    """The answer; without its citations where the dataset does not show what they stand for."""
    return (answer or "").strip() if wanted.context else _shown(answer)


def _shown(answer: str | None) -> str:
    citations = Citations(())
    return (citations.shown(answer or "") + citations.rest()).strip()
