"""The application: pages, an API, and what stands before both."""

import logging
from collections.abc import Collection
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Scope

from headrace import __version__
from headrace.conversations.events import WrongEvent
from headrace.errors import HeadraceError
from headrace.web import api, assistant, pages, words
from headrace.web.asking import Parts
from headrace.web.guard import LOOPBACK, Guard
from headrace.web.readers import Gate, Pace
from headrace.web.refused import Refused
from headrace.web.talk import Talk
from headrace.web.world import World

_log = logging.getLogger("headrace")
_UNREADY = "Not ready. The log of the server says why."


def app(world: World, hosts: Collection[str] = LOOPBACK) -> ASGIApp:
    """The application, guard included, which needs no server to be called.

    Args:
        hosts: names that it is reached by, besides those of the settings.
    """
    settings = world.config.web
    inner = FastAPI(
        title="Headrace", version=__version__, docs_url=None, redoc_url=None, openapi_url="/v1/openapi.json"
    )
    here = Path(str(files("headrace.web")))
    templates = Jinja2Templates(here / "templates")
    words.teach(templates)
    inner.state.parts = Parts(world, Gate(settings), Pace(settings.per_minute), Talk(world, settings.answers_at_once),
                              templates)  # fmt: skip
    for router in (pages.routes, assistant.routes, api.routes):
        inner.include_router(router)
    inner.mount("/static", StaticFiles(directory=here / "static"))
    inner.add_exception_handler(Refused, _refused)
    inner.add_exception_handler(RequestValidationError, _wrong)
    inner.add_exception_handler(HTTPException, _http)
    inner.add_exception_handler(HeadraceError, _failed)
    inner.add_exception_handler(Exception, _surprised)
    _bound_questions(inner, world.config.assistant.context.question_characters)
    names = frozenset(name.lower() for name in (*hosts, *settings.hosts))

    def told(scope: Scope, status: int, said: str) -> Response:
        return _told(Request({**scope, "app": inner}), status, said)

    return Guard(inner, settings, names, told)


def _bound_questions(inner: FastAPI, most: int) -> None:
    """Have the API's description tell the settings' limit of a question."""
    described = inner.openapi

    def with_limit() -> dict[str, Any]:
        found = described()
        for body in ("QuestionBody", "AnswerBody"):
            found["components"]["schemas"][body]["properties"]["question"]["maxLength"] = most
        return found

    inner.openapi = with_limit  # type: ignore[method-assign]


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return _told(request, error.status, error.said, error.headers)


async def _wrong(request: Request, error: Exception) -> Response:
    """What does not fit, by its place; what was sent is not sent back."""
    assert isinstance(error, RequestValidationError)
    found = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
    return _told(request, 422, "; ".join(found)[:1_000])


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _told(request, error.status_code, str(error.detail), dict(error.headers or {}))


async def _failed(request: Request, error: Exception) -> Response:
    if isinstance(error, WrongEvent) or (isinstance(error, HeadraceError) and error.where == "question"):
        return _told(request, 422, str(error))
    # Its words name places of the machine.
    _log.warning("%s %s: %s", request.method, request.url.path, error)
    return _told(request, 503, _UNREADY, {"Retry-After": "5"})


async def _surprised(request: Request, error: Exception) -> Response:
    _log.error("%s %s", request.method, request.url.path, exc_info=error)
    return _told(request, 500, "Something went wrong. The log of the server says what.")


def _told(request: Request, status: int, said: str, headers: dict[str, str] | None = None) -> Response:
    if request.url.path.startswith("/v1/") or "text/html" not in request.headers.get("accept", ""):
        return JSONResponse({"error": said}, status, headers)
    return pages.problem(request, status, said, headers)
