"""What the routes have in common: who asks, what they may, and how a form is read."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from fastapi.templating import Jinja2Templates

from headrace.config_web import PageName
from headrace.web.readers import Gate, Pace, Who
from headrace.web.refused import Refused, no_token, not_yours, too_many
from headrace.web.talk import Talk
from headrace.web.world import World

COOKIE = "headrace"
FORM_TOKEN = "form_token"
_MOST_FIELDS = 50


@dataclass(frozen=True, slots=True)
class Parts:
    """What an application is made of; `request.app.state.parts`."""

    world: World
    gate: Gate
    pace: Pace
    talk: Talk
    templates: Jinja2Templates


def parts(request: Request) -> Parts:
    """Those of the application that got the request."""
    found: Parts = request.app.state.parts
    return found


def known(request: Request) -> Who | None:
    """Who asks; None for nobody known. Raises Refused for a token that nobody has."""
    gate = parts(request).gate
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme:
        found = gate.by_token(token.strip()) if scheme.lower() == "bearer" else None
        if found is None and gate.local is None:
            raise no_token()
        return found or gate.local
    return gate.local or gate.by_session(request.cookies.get(COOKIE, ""))


async def reader(request: Request) -> Who:
    """Who asks. Raises Refused: nobody known, or too often."""
    pace, address = parts(request).pace, request.client.host if request.client else "nobody"
    try:
        found = known(request)
    except Refused:
        found = None
    if seconds := pace.wait(found.name if found else f"@{address}"):
        raise too_many(seconds)
    if found is None:
        raise no_token()
    return found


Reader = Annotated[Who, Depends(reader)]
OfApp = Annotated[Parts, Depends(parts)]


def sees(page: PageName) -> Callable[[Who], Awaitable[Who]]:
    """A dependency: who asks, and may see this page."""

    async def allowed(who: Reader) -> Who:
        if page not in who.sight.pages:
            raise not_yours(f"see the page {page}")
        return who

    return allowed


async def form(request: Request) -> dict[str, str]:
    """The fields of a form that was posted, without a look at who did. Raises Refused."""
    if media_type(request) != "application/x-www-form-urlencoded":
        raise Refused(415, "A form is sent as application/x-www-form-urlencoded.")
    try:
        text = (await request.body()).decode("utf-8")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except (ValueError, UnicodeDecodeError):
        raise Refused(422, "This is no form.") from None
    return dict(pairs)


Fields = Annotated[dict[str, str], Depends(form)]


async def genuine(request: Request, who: Reader, fields: Fields) -> dict[str, str]:
    """The fields of a form that this reader's page made. Raises Refused."""
    # A program with its token in a header has no page, and no browser sends that header by itself.
    by_header = "authorization" in request.headers and bool(parts(request).gate.local is None)
    if not by_header and not parts(request).gate.genuine(who, fields.get(FORM_TOKEN, "")):
        raise Refused(403, "This form is not from this page, or too old. Load the page again.")
    return fields


Form = Annotated[dict[str, str], Depends(genuine)]


async def json_only(request: Request) -> None:
    """Refuse a body that is not said to be JSON: a form of another site cannot say so."""
    if request.method in ("POST", "PUT", "PATCH") and media_type(request) != "application/json":
        raise Refused(415, "Send JSON, as application/json.")


def media_type(request: Request) -> str:
    """Of the body, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
