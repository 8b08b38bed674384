"""The assistant's answer on the terminal: as it comes, then what it cites and how old that is."""

import sys
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any

from headrace.commands.text import duration, to_json
from headrace.config_assistant import Assistant
from headrace.context.answer import answer
from headrace.context.answered import Answer
from headrace.context.context import Context
from headrace.context.prompt import request
from headrace.context.template import Template
from headrace.errors import HeadraceError
from headrace.pipelines.conversing import Conversing
from headrace.ports_chat import Item
from headrace.stores.chat_models import answerers, close


def tell(
    context: Context,
    template: Template,
    settings: Assistant,
    conversing: Conversing,
    *,
    as_json: bool,
    purposes: Collection[str] = (),
) -> int:
    """Print the answer to a context's question; 0 where there is one, a refusal included, else 1.

    Args:
        purposes: what the person who asks had agreed to.
    """
    models = answerers(settings)
    try:
        asked = request(context, template, metadata=conversing.metadata())
        running = answer(models, asked, settings.answers)
        for piece in running if not as_json else ():
            print(_harmless(piece), end="", flush=True)
        told = running.answer
    finally:
        close(models)
    kept = _kept(told, context, template, conversing, purposes)
    if as_json:
        print(to_json(asdict(told) | kept | {"context": context.to_json()}))
    else:
        _about(told, context.items)
        for gap in context.gaps:
            print(f"not read: {gap.part} ({gap.why}{gap.detail and f', {gap.detail}'})", file=sys.stderr)
    return int(told.outcome in ("failed", "empty"))


def _kept(
    told: Answer, context: Context, template: Template, conversing: Conversing, purposes: Collection[str]
) -> dict[str, Any]:
    """Where the turn is found again; an answer that is there is shown, whatever becomes of its memory."""
    try:
        kept = conversing.keep(told, context, prompt=template.version, purposes=purposes)
    except HeadraceError as error:
        print(f"not remembered: {error}", file=sys.stderr)
        return {}
    return asdict(kept) if kept else {}


def _about(told: Answer, items: Sequence[Item]) -> None:
    print("\n" if told.text else "", end="")
    known = {item.id: item for item in items}
    for one in map(known.__getitem__, told.citations):
        age = f", {duration(one.age)} old" if one.age is not None else ""
        print(f"\n[{one.id}] {_harmless(one.title or one.key)} ({_harmless(one.source)}{age})", end="")
    print("\n" if told.citations else "", end="")
    tokens = f", {told.input_tokens} tokens in, {told.output_tokens} out" if told.output_tokens else ""
    price = f", {told.cost:.6f} {told.currency}" if told.cost is not None else ""
    who = f"{told.provider} {told.model}" if told.provider != told.model else told.model
    print(f"\n{told.outcome} by {who or 'nobody'} in {duration(told.seconds)}{tokens}{price}")
    if told.invalid_citations:
        print(f"left out citations of what was not given: {_harmless(', '.join(told.invalid_citations))}")
    for one_try in told.tries:
        if one_try.error:
            print(f"{one_try.provider} {one_try.model}: {_harmless(one_try.error)}", file=sys.stderr)


def _harmless(text: str) -> str:
    """The text without what steers a terminal."""
    return "".join(sign if sign in "\n\t" or unicodedata.category(sign) != "Cc" else " " for sign in text)
