"""Sign in and out: by the national logins, in the demo also as a persona, and choosing a role."""

from __future__ import annotations

import logging
import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import msgspec
from litestar import MediaType, Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER

from helsevev.access import staff
from helsevev.access.actor import Actor, actor_of
from helsevev.access.audit.refused_login import note_unless_flooded
from helsevev.access.guard import session_in, session_of_request
from helsevev.access.identity.claims import inhabitant_claims, staff_claims
from helsevev.access.identity.cookies import ATTEMPT, SESSION
from helsevev.access.identity.door import Door, door_of, local, roles_told
from helsevev.access.identity.profile import Who
from helsevev.access.identity.refusals import LoginRefused, ProviderDown
from helsevev.access.identity.relying_party import NOT_ASKED, Answer, Attempt
from helsevev.access.session import SignIn
from helsevev.locale import gettext
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_log = logging.getLogger("helsevev.sign-in")
DOWN: Final = "The national login does not answer."
ROLE_ENDED: Final = "That role is no longer active. Choose another."


@get("/sign-in", opt={"decision": "public"})
async def sign_in_page(request: _Request) -> Response[str]:
    """Who can sign in here, and where they are sent afterwards."""
    return await _sign_in(request, local(request.query_params.get("next", "/")))


async def _sign_in(
    request: _Request, page: str, problem: str = "", status_code: int = 200
) -> Response[str]:
    door = door_of(request)
    return render(
        request,
        "access/sign_in.html",
        status_code=status_code,
        personas=request.app.state.personas,
        logins=list(door.parties),
        is_down=await door.is_staff_login_down(),
        colleagues=await door.devices.colleagues(door.cookies.device(request)),
        problem=problem,
        next=page,
    )


@post("/sign-in", opt={"decision": "public", "limit": "sign-in"})
async def sign_in(request: _Request) -> Response[Any]:
    """Sign in as the chosen persona of the demo."""
    form = await request.form()
    return await _signed_in(request, str(form.get("persona", "")), str(form.get("next", "/")))


@get("/sign-in/{persona:str}", opt={"decision": "public", "limit": "sign-in"})
async def sign_in_by_link(request: _Request, persona: str, key: str = "") -> Response[Any]:
    """The login link that `make demo` prints; worthless without the key of this data folder."""
    expected = request.app.state.demo_key
    if not expected or not secrets.compare_digest(key, expected):
        services = door_of(request).services
        await note_unless_flooded(services.gate, services.limits, "A wrong sign-in link.")
        raise NotFoundException("There is no such login link.")
    return await _signed_in(request, persona, "/")


async def _signed_in(request: _Request, persona: str, page: str) -> Response[Any]:
    door = door_of(request)
    actor: Actor | None = request.app.state.personas.get(persona)
    if actor is None and request.app.state.demo_key:
        actor = await staff.actor_of_role(door.services.gate.store, persona)
    if actor is None:
        raise NotFoundException("There is no such persona.")
    is_staff = actor.kind == "practitioner"
    roles = await door.matcher.roles_of(actor.id) if is_staff else []
    actor = replace(actor, assurance="demo")
    return await door.start(request, actor, SignIn("demo", roles=roles_told(roles)), page)


@get("/sign-in/with/{who:str}", opt={"decision": "public", "limit": "sign-in"})
async def go_to_provider(request: _Request, who: Who) -> Response[Any]:
    """Begin a national login, and send the browser there."""
    door = door_of(request)
    page = local(request.query_params.get("next", "/"))
    party = door.parties.get(who)
    if party is None:
        raise NotFoundException("There is no such login.")
    redirect_uri = f"{door.origin(request)}/sign-in/callback/{who}"
    try:
        attempt, url = await party.begin(redirect_uri)
    except ProviderDown as down:
        _log.warning("%s", down)
        return await _sign_in(request, page, gettext(DOWN), 503)
    except LoginRefused as refused:
        return await _refused(request, refused, page)
    token = await door.attempts.begin("provider", {"who": who, "page": page, "attempt": attempt})
    answer = Redirect(url, status_code=HTTP_303_SEE_OTHER)
    door.cookies.set(answer, ATTEMPT, token, timedelta(minutes=10))
    return answer


@get("/sign-in/callback/{who:str}", opt={"decision": "public", "limit": "sign-in"})
async def come_from_provider(request: _Request, who: Who) -> Response[Any]:
    """Back from a national login: check what it says, and sign in whom the record knows."""
    door = door_of(request)
    kept = await door.attempts.take("provider", door.cookies.attempt(request))
    if kept is None or kept["who"] != who or who not in door.parties:
        # Not audited: anybody can open this address, and nobody has said who they are.
        return await _sign_in(request, "/", gettext(NOT_ASKED), 403)
    page = kept["page"]
    try:
        attempt = msgspec.convert(kept["attempt"], Attempt)
        answer = await door.parties[who].finish(attempt, dict(request.query_params))
        actors, sign_in = await _matched(door, who, answer)
    except ProviderDown as down:
        _log.warning("%s", down)
        return await _sign_in(request, page, gettext(DOWN), 503)
    except LoginRefused as refused:
        return await _refused(request, refused, page)
    return await door.admit(request, actors, sign_in, page)


async def _matched(door: Door, who: Who, answer: Answer) -> tuple[list[Actor], SignIn]:
    if who == "inhabitants":
        told = inhabitant_claims(answer.claims)
        sign_in = SignIn("national", provider_session=told.provider_session)
        return [await door.matcher.inhabitant(told)], sign_in
    claims = staff_claims(answer.claims, answer.details)
    found = [replace(a, assurance="high") for a in await door.matcher.staff(claims)]
    return found, SignIn(
        "national",
        roles=roles_told(found),
        provider_session=claims.provider_session,
        id_token=answer.id_token,
        attest=claims.attest,
    )


async def _refused(request: _Request, refused: LoginRefused, page: str) -> Response[str]:
    await door_of(request).refuse(refused)
    told = gettext(refused.reason).replace("%s", refused.about)
    return await _sign_in(request, page, told, 403)


@get("/sign-in/role", opt={"decision": "public"})
async def role_page(request: _Request) -> Response[Any]:
    """Which role and unit somebody with several works in now."""
    door = door_of(request)
    kept = await door.attempts.look("role", door.cookies.attempt(request))
    if kept is None:
        return Redirect("/sign-in", status_code=HTTP_303_SEE_OTHER)
    actors = [actor_of(data) for data in kept["actors"]]
    return render(request, "access/choose_role.html", name=actors[0].name, roles=roles_told(actors))


@post("/sign-in/role", opt={"decision": "public", "limit": "sign-in"})
async def choose_role(request: _Request) -> Response[Any]:
    """Begin the session in the role that was chosen."""
    door = door_of(request)
    form = await request.form()
    kept = await door.attempts.take("role", door.cookies.attempt(request))
    wanted = f"PractitionerRole/{form.get('role', '')}"
    for data in kept["actors"] if kept else ():
        actor = actor_of(data)
        if actor.practitioner_role == wanted:
            sign_in = msgspec.convert(kept["sign_in"], SignIn)  # type: ignore[index]
            return await door.start(request, actor, sign_in, kept["page"])  # type: ignore[index]
    return Redirect("/sign-in", status_code=HTTP_303_SEE_OTHER)


@post("/unit", opt={"decision": "signed-in"})
async def switch_role(request: _Request) -> Response[Any]:
    """Go on in another role or unit, without signing out."""
    door = door_of(request)
    session = session_of_request(request)
    form = await request.form()
    wanted = str(form.get("unit", ""))
    if wanted not in {role["id"] for role in session.sign_in.roles}:
        raise NotFoundException("There is no such role.")
    actor = await staff.actor_of_role(door.services.gate.store, wanted)
    if actor is None or actor.id != session.actor.id:
        return await _sign_in(request, "/", gettext(ROLE_ENDED), 403)
    actor = replace(actor, assurance=session.actor.assurance)
    return await door.switch(request, session, actor)


@post("/sign-out", opt={"decision": "public"})
async def sign_out(request: _Request) -> Response[Any]:
    """End the session on the server, then at the provider, then forget the cookie.

    Also a locked session may be ended: nobody else's is.
    """
    door = door_of(request)
    token, session = request.scope.get("auth"), session_in(request)
    if not token or session is None:
        return Redirect("/sign-in", status_code=HTTP_303_SEE_OTHER)
    form = await request.form()
    await door.end(token, session, everywhere="everywhere" in form)
    onward = None
    who: Who = "inhabitants" if session.actor.kind == "inhabitant" else "staff"
    if session.sign_in.provider_session and who in door.parties:
        back = f"{door.origin(request)}/signed-out"
        onward = await door.parties[who].logout_url(session.sign_in.id_token, back)
    if onward is None:
        answer: Response[Any] = Redirect("/sign-in", status_code=HTTP_303_SEE_OTHER)
    else:
        # By a page of our own: a form's answer may not lead a browser to another site.
        request.scope["user"] = None
        answer = render(request, "access/signed_out.html", onward=onward)
    door.cookies.clear(answer, SESSION)
    return answer


@get("/signed-out", opt={"decision": "public"})
async def signed_out(request: _Request) -> Response[str]:
    """Where the provider sends a browser once its own session has ended."""
    return render(request, "access/signed_out.html", onward="")


@post(
    "/sign-out/back-channel/{who:str}",
    opt={"decision": "token", "limit": "token", "exclude_from_csrf": True},
    media_type=MediaType.TEXT,
)  # fmt: skip
async def provider_signed_out(request: _Request, who: Who) -> Response[str]:
    """A provider says that its session has ended (Back-Channel Logout 1.0)."""
    door = door_of(request)
    form = await request.form()
    party = door.parties.get(who)
    try:
        if party is None:
            raise LoginRefused(NOT_ASKED, "no such provider")
        provider_session, _ = await party.ended(str(form.get("logout_token", "")))
    except (LoginRefused, ProviderDown) as problem:
        _log.warning("back-channel logout: %s", problem)
        return Response("", status_code=400)
    if provider_session:
        await door.end_provider_session(provider_session)
    return Response("", status_code=200)
