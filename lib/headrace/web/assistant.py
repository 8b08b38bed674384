"""The page of the assistant: a form that works without a script, and streams with one."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

from anyio import CancelScope
from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from headrace.conversations.events import Kind
from headrace.web.asking import FORM_TOKEN, Form, OfApp, Parts, sees
from headrace.web.pages import shown
from headrace.web.readers import Who
from headrace.web.refused import Refused
from headrace.web.talk import Asked, Rated, Running, Told

routes = APIRouter(include_in_schema=False)
May = Annotated[Who, Depends(sees("assistant"))]
_STARS = {str(number): float(number) for number in range(1, 6)}


@routes.get("/assistant")
def page(request: Request, who: May, parts: OfApp, conversation: str | None = None) -> Response:
    """The page, with what was said in a conversation."""
    return _page(request, who, parts, conversation)


@routes.post("/assistant")
def asked(request: Request, who: May, fields: Form, parts: OfApp) -> Response:
    """The page with an answer, for browsers without a script."""
    running = parts.talk.ask(who, question(fields))
    try:
        for _ in running:
            pass
    finally:
        told = running.finish()
    return _page(request, who, parts, told.conversation, told)


@routes.post("/assistant/answers")
def streamed(request: Request, who: May, fields: Form, parts: OfApp) -> Response:
    """The answer as it comes, then as it is shown: events `piece` and `turn`."""
    running = parts.talk.ask(who, question(fields))

    def turn(told: Told) -> dict[str, Any]:
        made = parts.templates.get_template("_turn.html")
        html = made.render(told=told, rates=_rates(parts, told), form_token=fields.get(FORM_TOKEN, ""))
        return {"html": html, "conversation": told.conversation}

    return StreamingResponse(events(running, "turn", turn), media_type="text/event-stream")


@routes.post("/assistant/ratings")
def rated(request: Request, who: May, fields: Form, parts: OfApp) -> Response:
    """Thumbs, stars, a comment or a correction, each where it was given."""
    conversation, turn = fields.get("conversation", ""), fields.get("turn", "")
    if not turn.isascii() or not turn.isdigit() or len(turn) > 9:
        raise Refused(422, "turn: a number is expected.")
    given = list(_given(fields))
    if not given:
        raise Refused(422, "Give thumbs, stars, a comment or a correction.")
    for kind, value, text in given:
        parts.talk.rate(who, Rated(conversation, int(turn), kind, value, text))
    return shown(request, "noted.html", who, conversation=conversation)


def question(fields: dict[str, str]) -> Asked:
    """The question of a form."""
    return Asked(
        fields.get("question", ""), fields.get("conversation") or None, (fields.get("customer") or "").strip() or None
    )


def _given(fields: dict[str, str]) -> Iterator[tuple[Kind, float | None, str | None]]:
    thumbs, stars = fields.get("thumbs", ""), fields.get("stars", "")
    if thumbs in ("up", "down"):
        yield "thumbs", 1.0 if thumbs == "up" else -1.0, None
    if stars in _STARS:
        yield "stars", _STARS[stars], None
    kinds: tuple[Kind, Kind] = ("comment", "correction")
    for kind in kinds:
        if text := fields.get(kind, "").strip():
            yield kind, None, text


async def events(running: Running, last: str, of: Any) -> AsyncIterator[str]:
    """Server-sent events: `piece` for each, then one with what `of` makes of the record.

    A reader who leaves ends the answer; it is kept as far as it came.
    """
    pieces = iter(running)
    try:
        while (piece := await run_in_threadpool(next, pieces, None)) is not None:
            yield _event("piece", {"text": piece})
        told = await run_in_threadpool(running.finish)
        yield _event(last, await run_in_threadpool(of, told))
    finally:
        with CancelScope(shield=True):
            await run_in_threadpool(running.finish)


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(data, default=str)}\n\n"


def _page(request: Request, who: Who, parts: Parts, conversation: str | None, told: Told | None = None) -> Response:
    said = parts.talk.earlier(who, conversation)
    if told is not None:
        said = [one for one in said if one.turn != told.turn]
    rates = _rates(parts, told) if told else False
    return shown(request, "assistant.html", who, conversation=conversation, earlier=said, told=told, rates=rates)


def _rates(parts: Parts, told: Told) -> bool:
    """Whether ratings of it go anywhere."""
    return told.turn is not None and parts.world.assistant().sink is not None
