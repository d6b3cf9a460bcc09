"""Sign in and out. In the demo, a persona is chosen; national logins take this place later."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlsplit

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER

from helsevev.access import staff
from helsevev.access.actor import Actor
from helsevev.access.guard import COOKIE
from helsevev.access.session import SHIFT
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]


@get("/sign-in", opt={"decision": "public"})
async def sign_in_page(request: _Request) -> Response[str]:
    """Who can sign in here, and where they are sent afterwards."""
    personas = request.app.state.personas
    page = request.query_params.get("next", "/")
    return render(request, "access/sign_in.html", personas=personas, next=_local(page))


@post("/sign-in", opt={"decision": "public"})
async def sign_in(request: _Request) -> Response[None]:
    """Sign in as the chosen persona of the demo."""
    form = await request.form()
    return await _signed_in(request, str(form.get("persona", "")), str(form.get("next", "/")))


@get("/sign-in/{persona:str}", opt={"decision": "public"})
async def sign_in_by_link(request: _Request, persona: str, key: str = "") -> Response[None]:
    """The login link that `make demo` prints; worthless without the key of this data folder."""
    expected = request.app.state.demo_key
    if not expected or not secrets.compare_digest(key, expected):
        raise NotFoundException("There is no such login link.")
    return await _signed_in(request, persona, "/")


@post("/sign-out", opt={"decision": "signed-in"})
async def sign_out(request: _Request) -> Response[None]:
    """End the session on the server, then forget the cookie."""
    await request.app.state.services.credentials.end_session(request.scope["auth"])
    answer = Redirect("/sign-in", status_code=HTTP_303_SEE_OTHER)
    answer.delete_cookie(COOKIE)
    return answer


async def _signed_in(request: _Request, persona: str, next_page: str) -> Response[None]:
    actor: Actor | None = request.app.state.personas.get(persona)
    if actor is None and request.app.state.demo_key:
        actor = await staff.actor_of_role(request.app.state.services.gate.store, persona)
    if actor is None:
        raise NotFoundException("There is no such persona.")
    token = await request.app.state.services.credentials.start_session(actor)
    answer = Redirect(_landing(actor, next_page), status_code=HTTP_303_SEE_OTHER)
    answer.set_cookie(
        key=COOKIE, value=token, max_age=int(SHIFT.total_seconds()), httponly=True,
        secure=request.url.scheme == "https", samesite="lax", path="/",
    )  # fmt: skip
    return answer


def _landing(actor: Actor, next_page: str) -> str:
    if actor.kind == "inhabitant" and actor.patient:
        return f"/patient/{actor.patient.removeprefix('Patient/')}"
    return _local(next_page)


def _local(page: str) -> str:
    """The page, when it is one of ours: a link must not lead a signed-in person elsewhere."""
    parts = urlsplit(page)
    ours = page.startswith("/") and not page.startswith(("//", "/\\"))
    return page if ours and not parts.scheme and not parts.netloc else "/"
