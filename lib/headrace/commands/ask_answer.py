"""The assistant's answer on the terminal: as it comes, then what it cites and how old that is."""

import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict

from headrace.commands.text import duration, to_json
from headrace.config_assistant import Assistant
from headrace.context.answer import answer
from headrace.context.answered import Answer
from headrace.context.context import Context
from headrace.context.prompt import request
from headrace.context.template import Template
from headrace.ports_chat import Item
from headrace.stores.chat_models import answerers, close


def tell(context: Context, template: Template, settings: Assistant, *, as_json: bool) -> int:
    """Print the answer to a context's question; 0 where there is one, a refusal included, else 1."""
    models = answerers(settings)
    try:
        running = answer(models, request(context, template), settings.answers)
        for piece in running if not as_json else ():
            print(_harmless(piece), end="", flush=True)
        told = running.answer
    finally:
        close(models)
    if as_json:
        print(to_json(asdict(told) | {"context": context.to_json()}))
    else:
        _about(told, context.items)
        for gap in context.gaps:
            print(f"not read: {gap.part} ({gap.why}{gap.detail and f', {gap.detail}'})", file=sys.stderr)
    return int(told.outcome in ("failed", "empty"))


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
