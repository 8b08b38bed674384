"""The event of an answer: what was asked, what was said, from what, and what it took.

It reads an `Answer` and a `Context`; their package is another flow, which only a type checker looks into.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

from headrace.conversations.events import GivenItem, MissingPart, ModelCall, Turn

if TYPE_CHECKING:
    from headrace.context.answered import Answer
    from headrace.context.context import Context

UNREMEMBERED = "unremembered-"
"""What the conversation of such a turn begins with."""


def turn_event(
    answer: "Answer",
    context: "Context",
    conversation: str,
    turn: int,
    *,
    prompt: str | None = None,
    tenant: str | None = None,
    channel: str | None = None,
    language: str | None = None,
    intent: str | None = None,
    purposes: Collection[str] = (),
    regenerates: int | None = None,
    texts: bool = False,
) -> Turn:
    """The turn that this answer to this context's question is.

    Args:
        prompt: the version of the prompt's template.
        purposes: what the person had agreed to.
        regenerates: the turn whose answer this one was asked to better.
        texts: keep the items' texts, which may be a person's.
    """
    return Turn(
        conversation=conversation,
        turn=turn,
        at=answer.started_at,
        person=context.person,
        tenant=tenant,
        channel=channel,
        language=language,
        intent=intent,
        question=context.question,
        answer=answer.text,
        outcome=answer.outcome,
        ended=answer.ended,
        regenerates=regenerates,
        citations=answer.citations,
        invalid_citations=answer.invalid_citations,
        items=_items(context, texts),
        gaps=tuple(MissingPart(gap.part, gap.source, gap.why) for gap in context.gaps),
        provider=answer.provider,
        model=answer.model,
        fallback=answer.fallback,
        prompt=prompt,
        input_tokens=answer.input_tokens,
        output_tokens=answer.output_tokens,
        cached_tokens=answer.cached_tokens,
        cost=answer.cost,
        currency=answer.currency,
        price_as_of=answer.price_as_of,
        seconds=answer.seconds,
        seconds_to_first=answer.seconds_to_first,
        tries=tuple(ModelCall(one.provider, one.model, one.seconds, one.failure) for one in answer.tries),
        purposes=tuple(sorted(purposes)),
    )


def unremembered(turn: Turn) -> Turn:
    """The event of a turn that the conversation store did not take, so that it is counted all the same.

    Its number may be the next turn's, and its conversation may have been erased: it is in a conversation of its own,
    without the person and what was said.
    """
    return replace(
        turn, conversation=f"{UNREMEMBERED}{uuid4().hex}", turn=1, person=None, question="", answer="", items=(),
        regenerates=None,
    )  # fmt: skip


def _items(context: "Context", texts: bool) -> tuple[GivenItem, ...]:
    return tuple(
        GivenItem(one.id, one.kind, one.source, one.key, one.version, one.position, one.age, one.stale,
                  one.text if texts else None)
        for one in context.items
    )  # fmt: skip
