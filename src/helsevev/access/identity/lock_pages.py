"""The lock screen: locks, tells nothing, and lets people back in by PIN, passkey or full login."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote, urlsplit

from litestar import MediaType, Request, Response, get, post
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER

from helsevev.access.guard import session_in, session_of_request
from helsevev.access.identity.cookies import ATTEMPT
from helsevev.access.identity.devices import Colleague
from helsevev.access.identity.door import Door, door_of, local
from helsevev.access.identity.refusals import LoginRefused
from helsevev.access.session import Method, SignIn
from helsevev.locale import gettext
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
WRONG_PIN: Final = "That is not the right PIN. Tries left: %s."
NO_TRIES: Final = (
    "Too many wrong PINs. Sign in fully on this device; other devices are not affected."
)
WRONG_PASSKEY: Final = "The passkey was not recognised."
SHIFT_OVER: Final = "Your shift on this device is over. Sign in fully."


@post("/lock", opt={"decision": "signed-in"})
async def lock(request: _Request) -> Response[Any]:
    """Lock the screen now; the page and its drafts wait."""
    door = door_of(request)
    session = session_of_request(request)
    left = urlsplit(request.headers.get("referer", ""))
    page = local(left.path + (f"?{left.query}" if left.query else ""))
    await door.lock(str(request.scope["auth"]), session, page)
    return Redirect(f"/locked?next={quote(page)}", status_code=HTTP_303_SEE_OTHER)


@get("/locked", opt={"decision": "public"})
async def locked(request: _Request) -> Response[Any]:
    """The lock screen of this device: who was here, and how each comes back."""
    door = door_of(request)
    session = session_in(request)
    page = request.query_params.get("next", "")
    if session is None:
        return Redirect("/sign-in", status_code=HTTP_303_SEE_OTHER)
    if not session.locked:
        return Redirect(local(page), status_code=HTTP_303_SEE_OTHER)
    if page:
        await door.devices.leave(session.sign_in.device, session.actor, local(page))
    return await _screen(request)


async def _screen(
    request: _Request, problem: str = "", chosen: str = "", page: str = "", status_code: int = 200
) -> Response[Any]:
    door = door_of(request)
    session = session_in(request)
    colleagues = await door.devices.colleagues(door.cookies.device(request))
    owner = session.actor.id if session is not None else ""
    shown = chosen or owner
    first = next((c for c in colleagues if c.person == shown), None)
    return render(
        request,
        "access/locked.html",
        status_code=status_code,
        viewer=None,
        owner=session.actor if session is not None else None,
        first=first,
        next=page or local(request.query_params.get("next", "")),
        others=[c for c in colleagues if c.person != shown],
        logins=list(door.parties),
        is_down=await door.is_staff_login_down(),
        problem=problem,
    )


@get("/locked/{kind:str}/{person_id:str}", opt={"decision": "public"})
async def locked_for(request: _Request, kind: str, person_id: str) -> Response[Any]:
    """The lock screen with another of the device's people in front."""
    return await _screen(request, chosen=f"{kind}/{person_id}")


@post("/unlock", opt={"decision": "public", "limit": "unlock"})
async def unlock(request: _Request) -> Response[Any]:
    """Come back by PIN or passkey: in a new session, at the page that was left."""
    door = door_of(request)
    form = await request.form()
    person, pin = str(form.get("person", "")), str(form.get("pin", ""))
    device = door.cookies.device(request)
    said = str(form.get("credential", ""))
    page = local(str(form.get("next", "/")))
    if said:
        found = await passkey_person(request, said, "passkey")
        if found is None or (person and found != person):
            await door.refuse(LoginRefused(WRONG_PASSKEY, "unlock", person=found or ""))
            return await _screen(request, gettext(WRONG_PASSKEY), person, page, 403)
        person = found
    colleague = next(iter(await door.devices.colleagues(device, person)), None)
    if colleague is None or device is None:
        return await _screen(request, gettext(SHIFT_OVER), person, page, 403)
    if not said and not await door.devices.pin_fits(device, colleague, pin):
        return await _wrong_pin(request, door, colleague, page)
    return await _back(request, door, colleague, "passkey" if said else "pin", page)


async def _back(
    request: _Request, door: Door, colleague: Colleague, method: Method, page: str
) -> Response[Any]:
    device = colleague.sign_in.device
    left = await door.devices.came_back(device, colleague.person)
    session = session_in(request)
    is_own = session is not None and session.actor.id == colleague.person
    # A tab goes on where it was; who comes back after somebody else, where they themselves were.
    page = page if is_own else left
    whose = session.sign_in if session is not None and is_own else SignIn()
    sign_in = SignIn(
        method, colleague.sign_in.ends_at, device, colleague.sign_in.roles,
        colleague.sign_in.provider_session, whose.id_token, whose.attest,
    )  # fmt: skip
    return await door.start(request, colleague.actor, sign_in, page or "/")


async def _wrong_pin(
    request: _Request, door: Door, colleague: Colleague, page: str
) -> Response[Any]:
    left = max(colleague.tries - 1, 0)
    await door.audit(colleague.actor, "login-refused", f"wrong PIN, {left} tries left", outcome=8)
    if left == 0 and colleague.tries == 1:
        told = "Used up the tries for a PIN on one device."
        await door.alarms.raise_alarm("wrong-pins", colleague.actor, told)
    problem = gettext(WRONG_PIN).replace("%s", str(left)) if left else gettext(NO_TRIES)
    return await _screen(request, problem, colleague.person, page, 403)


async def passkey_person(request: _Request, said: str, kind: Any) -> str | None:
    """Whose passkey answered the question that this browser was asked; None: nobody's."""
    door = door_of(request)
    kept = await door.attempts.take(kind, door.cookies.attempt(request))
    if kept is None:
        return None
    return await door.passkeys.person(door.origin(request), kept["challenge"], said)


@post("/passkey/question", opt={"decision": "public", "limit": "unlock"}, media_type=MediaType.JSON)
async def ask_for_passkey(request: _Request) -> Response[str]:
    """What a browser asks an authenticator, for one who comes back or in an emergency (JSON)."""
    door = door_of(request)
    asked = await door.passkeys.ask(door.origin(request))
    token = await door.attempts.begin("passkey", {"challenge": asked.challenge})
    answer = Response(asked.options, media_type=MediaType.JSON, status_code=200)
    door.cookies.set(answer, ATTEMPT, token, timedelta(minutes=10))
    return answer


@post("/session/seen", opt={"decision": "signed-in"})
async def seen() -> Response[None]:
    """Somebody is at the screen: what the middleware has noted already."""
    return Response(None, status_code=204)
