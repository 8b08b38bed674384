"""The API: what the pages show as JSON, under /v1, described by /v1/openapi.json."""

import time
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from headrace.web.asking import OfApp, Reader, json_only, sees
from headrace.web.assistant import events
from headrace.web.feeds import freshness_of, measured, take
from headrace.web.measured import plain
from headrace.web.people import read
from headrace.web.readers import Who
from headrace.web.talk import Asked, Rated, Told

routes = APIRouter(prefix="/v1", dependencies=[Depends(json_only)])
May = Annotated[Who, Depends(sees("assistant"))]
_REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"description": said}
    for status, said in {
        401: "No token, or none that is known.", 403: "The settings do not let this reader.", 404: "Not there.",
        413: "Too large.", 415: "Not JSON.", 429: "Too often; see Retry-After.", 503: "Not ready.",
    }.items()
}  # fmt: skip


class Body(BaseModel):
    """Base: what is not known is refused; tenant and audience come from the settings only."""

    model_config = ConfigDict(extra="forbid")


class QuestionBody(Body):
    """A question."""

    question: Annotated[str, Field(min_length=1)]
    conversation: Annotated[str, Field(max_length=200, description="To go on with; a new one where not given.")] = ""
    customer: Annotated[str, Field(max_length=500, description="Whose profile takes part; needs the page person.")] = ""

    def asked(self) -> Asked:
        """The question."""
        return Asked(self.question, self.conversation or None, self.customer or None)


class AnswerBody(QuestionBody):
    """A question to answer."""

    stream: Annotated[bool, Field(description="As server-sent events: piece, then answer.")] = False


class RatingBody(Body):
    """What somebody thinks of a turn, or of a whole conversation."""

    conversation: Annotated[str, Field(max_length=200)]
    turn: Annotated[int | None, Field(ge=1, le=10**9, description="null for the whole conversation.")]
    kind: Literal["thumbs", "stars", "comment", "correction", "regenerate", "copy", "abandon", "hand_off"]
    value: Annotated[float | None, Field(description="-1 or 1 of thumbs, 1 to 5 of stars.")] = None
    text: Annotated[str | None, Field(max_length=32_000)] = None
    withdrawn: Annotated[bool, Field(description="Take back what was sent before; without value and text.")] = False


class WhoBody(Body):
    """Whom to look for: an id, now or earlier, or an identifier."""

    who: Annotated[str, Field(min_length=1, max_length=500)]


class MeasureQuery(Body):
    """Which measure, how."""

    measure: Annotated[str, Field(max_length=100)]
    by: Annotated[str | None, Field(max_length=100)] = None
    window: Annotated[str, Field(max_length=10)] = "24h"


@routes.get("/health")
async def health() -> dict[str, str]:
    """Whether the process answers. Anybody may ask."""
    return {"status": "ok"}


@routes.post("/context", responses=_REFUSALS)
def context(body: QuestionBody, who: May, parts: OfApp, response: Response) -> dict[str, Any]:
    """What an answer would be made of (docs/context-schema.md). `Server-Timing` says how long that took."""
    began = time.perf_counter()
    found = parts.talk.context(who, body.asked())
    response.headers["Server-Timing"] = f"context;dur={1000 * (time.perf_counter() - began):.1f}"
    return found.to_json()


@routes.post("/answers", responses=_REFUSALS, response_model=None)
def answers(body: AnswerBody, who: May, parts: OfApp) -> dict[str, Any] | Response:
    """An answer with its record, the context and where to rate it."""
    running = parts.talk.ask(who, body.asked())
    if body.stream:
        return StreamingResponse(events(running, "answer", told_of), media_type="text/event-stream")
    try:
        for _ in running:
            pass
    finally:
        told = running.finish()
    return told_of(told)


@routes.post("/ratings", status_code=202, responses={**_REFUSALS, 409: {"description": "No stream of events."}})
def ratings(body: RatingBody, who: May, parts: OfApp) -> dict[str, str]:
    """Send a rating. A later one of the same kind takes its place, or takes it back."""
    return {"rating_id": parts.talk.rate(who, Rated(**body.model_dump()))}


@routes.get("/freshness", responses=_REFUSALS)
def freshness(who: Annotated[Who, Depends(sees("freshness"))], parts: OfApp) -> dict[str, Any]:
    """Each source, job, table and store, and refused rows by reason."""
    return asdict(freshness_of(parts.world))


@routes.get("/measures", responses=_REFUSALS)
def measures(
    who: Annotated[Who, Depends(sees("measures"))],
    parts: OfApp,
    query: Annotated[MeasureQuery, Query()],
) -> dict[str, Any]:
    """A measure over time, by the values of a dimension. `hidden`: from readers of a tenant, as it is of all."""
    found = measured(parts.world, who, query.measure, query.by, query.window)
    one = found.measure
    about = {"measure": one.name, "kind": one.kind, "unit": one.unit, "definition": one.definition}
    return {
        **about,
        "by": query.by,
        "window": query.window,
        "hidden": found.hidden,
        "series": list(plain(found.series)),
    }


@routes.post("/people", responses={**_REFUSALS, 409: {"description": "Several people share the identifier."}})
def people(body: WhoBody, who: Annotated[Who, Depends(sees("person"))], parts: OfApp) -> dict[str, Any]:
    """One person's record: what they agreed to, where it comes from, and why they are one. Each call is audited."""
    return read(parts.world, who, body.who).as_dict()


@routes.post("/events/{source}", status_code=202, responses=_REFUSALS)
async def webhook(source: str, request: Request, who: Reader, parts: OfApp) -> dict[str, int]:
    """Take one event or a list of them for a source of the settings (`web.webhooks`)."""
    body = await request.body()
    return {"taken": await run_in_threadpool(take, parts.world, who, source, body)}


def told_of(told: Told) -> dict[str, Any]:
    """An answer as JSON values."""
    return {
        **asdict(told.answer), "conversation": told.conversation, "turn": told.turn, "context": told.context.to_json(),
    }  # fmt: skip
