"""One's own ways of signing in: PIN, passkeys, one-time codes, and where one is signed in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from litestar import MediaType, Request, Response, get, post
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER

from helsevev.access.guard import session_of_request
from helsevev.access.identity.cookies import ATTEMPT
from helsevev.access.identity.door import door_of
from helsevev.access.identity.one_time_codes import Enrolment
from helsevev.access.session import FULL, Session
from helsevev.kit import clock
from helsevev.locale import gettext
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
PAGE: Final = "/me/sign-in"
FULL_FIRST: Final = "Sign in fully before you change how you sign in."
FRESH: Final = timedelta(minutes=15)
"""How long ago a full login may be for changing how one signs in: a screen that somebody left open
must not become a way in for whoever passes by (OWASP ASVS 3.7.1)."""

PINS_DIFFER: Final = "The two PINs are not the same."
PASSKEY_FAILED: Final = "The passkey could not be added. Nothing was changed."
CODE_WRONG: Final = "That code is not right. Scan the drawing anew and try the next code."


@get(PAGE, opt={"decision": "signed-in"})
async def own_sign_in(request: _Request) -> Response[str]:
    """What I sign in with, and where I am signed in."""
    return await _page(request)


async def _page(
    request: _Request,
    problem: str = "",
    *,
    done: str = "",
    enrolment: Enrolment | None = None,
    status_code: int = 200,
) -> Response[str]:
    door, session = door_of(request), session_of_request(request)
    person = session.actor.id
    return render(
        request,
        "access/own_sign_in.html",
        status_code=status_code,
        is_staff=session.actor.kind == "practitioner",
        may_change=_may_change(session),
        again=f"/sign-in?next={PAGE}",
        digits=await door.devices.pin_digits(person),
        passkeys=await door.passkeys.of(person),
        has_codes=await door.codes.is_ready(person),
        sessions=await door.services.credentials.sessions_of(person),
        here=session.id,
        has_emergency="staff" in door.parties,
        problem=problem,
        done=done,
        enrolment=enrolment,
    )


def _may_change(session: Session) -> bool:
    """Only who has just proved by a full login who they are may add other ways in."""
    proved = session.sign_in.proved_at
    is_fresh = proved is not None and clock.now() - proved < FRESH
    is_full = session.sign_in.method in FULL
    return is_full and is_fresh and session.actor.kind == "practitioner"


@post("/me/pin", opt={"decision": "signed-in", "limit": "unlock"})
async def set_pin(request: _Request) -> Response[Any]:
    """Set or change the PIN, or remove it."""
    door, session = door_of(request), session_of_request(request)
    form = await request.form()
    if not _may_change(session):
        return await _page(request, gettext(FULL_FIRST), status_code=403)
    if "remove" in form:
        await door.devices.remove_pin(session.actor.id)
        await door.audit(session.actor, "change-sign-in", "removed the PIN")
        return _done()
    pin = str(form.get("new-pin", ""))
    if pin != str(form.get("again", "")):
        return await _page(request, gettext(PINS_DIFFER), status_code=422)
    if problem := await door.devices.set_pin(session.actor.id, pin):
        return await _page(request, gettext(problem), status_code=422)
    await door.audit(session.actor, "change-sign-in", "set a PIN")
    return _done()


@post(
    "/me/passkey/question",
    opt={"decision": "signed-in", "limit": "unlock"},
    media_type=MediaType.JSON,
)
async def ask_for_new_passkey(request: _Request) -> Response[str]:
    """What a browser asks an authenticator to make (JSON)."""
    door, session = door_of(request), session_of_request(request)
    if not _may_change(session):
        return Response("{}", media_type=MediaType.JSON, status_code=403)
    actor = session.actor
    asked = await door.passkeys.ask_new(door.origin(request), actor.id, actor.name)
    remembered = {"challenge": asked.challenge, "person": actor.id}
    token = await door.attempts.begin("new-passkey", remembered)
    answer = Response(asked.options, media_type=MediaType.JSON, status_code=200)
    door.cookies.set(answer, ATTEMPT, token, timedelta(minutes=10))
    return answer


@post("/me/passkey", opt={"decision": "signed-in", "limit": "unlock"})
async def change_passkeys(request: _Request) -> Response[Any]:
    """Add the passkey that was made, or remove one."""
    door, session = door_of(request), session_of_request(request)
    form = await request.form()
    if not _may_change(session):
        return await _page(request, gettext(FULL_FIRST), status_code=403)
    if "remove" in form:
        await door.passkeys.remove(session.actor.id, str(form["remove"]))
        await door.audit(session.actor, "change-sign-in", "removed a passkey")
        return _done()
    kept = await door.attempts.take("new-passkey", door.cookies.attempt(request))
    name = str(form.get("name", "")).strip() or gettext("Passkey")
    said = str(form.get("credential", ""))
    # The device is shared: a colleague may have asked, and gone.
    if (
        kept is None
        or kept["person"] != session.actor.id
        or not await door.passkeys.add(
            door.origin(request), session.actor.id, name, kept["challenge"], said
        )
    ):
        return await _page(request, gettext(PASSKEY_FAILED), status_code=422)
    await door.audit(session.actor, "change-sign-in", "added a passkey")
    return _done()


@post("/me/codes", opt={"decision": "signed-in", "limit": "code"})
async def change_codes(request: _Request) -> Response[Any]:
    """Begin with one-time codes (shows the drawing to scan), confirm with one, or remove them."""
    door, session = door_of(request), session_of_request(request)
    form = await request.form()
    person = session.actor.id
    if not _may_change(session):
        return await _page(request, gettext(FULL_FIRST), status_code=403)
    if "remove" in form:
        await door.codes.remove(person)
        await door.audit(session.actor, "change-sign-in", "removed the one-time codes")
        return _done()
    if "code" in form:
        if not await door.codes.fits(person, str(form["code"]), confirming=True):
            return await _page(request, gettext(CODE_WRONG), status_code=422)
        await door.audit(session.actor, "change-sign-in", "set up one-time codes")
        return _done()
    return await _page(request, enrolment=await door.codes.enrol(person, session.actor.name))


def _done() -> Response[Any]:
    return Redirect(PAGE, status_code=HTTP_303_SEE_OTHER)
