"""The pages that are read: sign in, freshness, measures, a person."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse

from headrace.config_web import EVERY_PAGE
from headrace.web.asking import COOKIE, Fields, Form, OfApp, Reader, known, parts, sees
from headrace.web.feeds import freshness_of, measured
from headrace.web.measured import WINDOWS
from headrace.web.people import read
from headrace.web.plot import HEIGHT, LEFT, RIGHT, WIDTH, number_of, plot, with_interval
from headrace.web.readers import SESSION_SECONDS, Who
from headrace.web.refused import Refused, no_token, too_many

routes = APIRouter(include_in_schema=False)


@routes.get("/")
def home(who: Reader) -> Response:
    """The first page that this reader may see."""
    first = next((page for page in EVERY_PAGE if page in who.sight.pages), None)
    if first is None:
        raise Refused(403, "The settings let you see no page.")
    return RedirectResponse(f"/{first}", 303)


@routes.get("/sign-in")
def sign_in_page(request: Request) -> Response:
    """The form for a token."""
    return shown(request, "sign_in.html", None)


@routes.post("/sign-in")
async def sign_in(request: Request, fields: Fields, parts: OfApp) -> Response:
    """Change a token for a cookie."""
    if seconds := parts.pace.wait(f"@{request.client.host if request.client else 'nobody'}"):
        raise too_many(seconds)
    found = parts.gate.by_token(fields.get("token", "").strip())
    if found is None:
        raise no_token()
    answer = RedirectResponse("/", 303)
    secure = parts.world.config.web.https
    answer.set_cookie(COOKIE, parts.gate.session(found), SESSION_SECONDS, httponly=True, samesite="strict",
                      secure=secure)  # fmt: skip
    return answer


@routes.post("/sign-out")
async def sign_out(fields: Form) -> Response:
    """Forget the cookie."""
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


@routes.get("/freshness")
def freshness(request: Request, who: Annotated[Who, Depends(sees("freshness"))], parts: OfApp) -> Response:
    """Each source, job, table and store."""
    return shown(request, "freshness.html", who, found=freshness_of(parts.world))


@routes.get("/measures")
def measures(
    request: Request,
    who: Annotated[Who, Depends(sees("measures"))],
    parts: OfApp,
    measure: Annotated[str, Query(max_length=100)] = "",
    by: Annotated[str, Query(max_length=100)] = "",
    window: Annotated[str, Query(max_length=10)] = "24h",
) -> Response:
    """One measure over time."""
    found = measured(parts.world, who, measure or None, by or None, window)
    since, until = found.now - WINDOWS[window][0], found.now
    drawn = plot(found.series, found.measure.kind, since, until, WINDOWS[window][1])
    size = {"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": RIGHT}
    return shown(request, "measures.html", who, found=found, plot=drawn, windows=list(WINDOWS), window=window, by=by,
                 size=size, says=with_interval, number_of=number_of)  # fmt: skip


@routes.get("/person")
def person_page(request: Request, who: Annotated[Who, Depends(sees("person"))]) -> Response:
    """The form that asks whom."""
    return shown(request, "person.html", who, person=None, whom="")


@routes.post("/person")
def person(request: Request, who: Annotated[Who, Depends(sees("person"))], fields: Form, parts: OfApp) -> Response:
    """One person. Posted, so that an e-mail address stands in no address and no log."""
    whom = fields.get("who", "").strip()
    if not whom or len(whom) > 500:
        raise Refused(422, "Name a person's id, or an identifier of at most 500 characters.")
    return shown(request, "person.html", who, person=read(parts.world, who, whom), whom=whom)


def shown(request: Request, template: str, who: Who | None, status: int = 200, **values: Any) -> Response:
    """A page."""
    found = parts(request)
    common = {
        "who": who,
        "pages": [page for page in EVERY_PAGE if who and page in who.sight.pages],
        "here": request.url.path.strip("/").partition("/")[0],
        "form_token": found.gate.form_token(who) if who else "",
        "signs_in": found.gate.local is None,
        "has_people": found.world.has_people,
        "most_characters": found.world.config.assistant.context.question_characters,
    }
    return found.templates.TemplateResponse(request, template, {**common, **values}, status_code=status)


def problem(request: Request, status: int, said: str, headers: dict[str, str] | None = None) -> Response:
    """The page of a request that got nothing else."""
    try:
        who = known(request)
    except Refused:
        who = None
    template = "sign_in.html" if status == 401 else "problem.html"
    answer = shown(request, template, who, status, said=said)
    # A browser would ask for a name and a password of its own.
    answer.headers.update({name: value for name, value in (headers or {}).items() if name != "WWW-Authenticate"})
    return answer
