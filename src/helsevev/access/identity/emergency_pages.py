"""Emergency login, while the national login is down: a passkey, then a one-time code; alarmed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER

from helsevev.access.identity.cookies import ATTEMPT
from helsevev.access.identity.door import Door, door_of, local, roles_told, somebody
from helsevev.access.identity.lock_pages import WRONG_PASSKEY, passkey_person
from helsevev.access.identity.refusals import LoginRefused
from helsevev.access.session import SignIn
from helsevev.locale import gettext
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
NOT_DOWN: Final = "The national login answers. Sign in there."
NOT_ENROLLED: Final = (
    "You have no one-time codes for emergency login. Set them up when you are signed in."
)
WRONG_CODE: Final = "That code is not right, or was used already. Wait for the next."
NO_ROLE: Final = "You have no active role here any longer."


@get("/sign-in/emergency", opt={"decision": "public"})
async def emergency_page(request: _Request) -> Response[Any]:
    """The first step: a passkey."""
    page = local(request.query_params.get("next", "/"))
    if not await door_of(request).is_staff_login_down():
        return _to_ordinary()
    return _step(request, "passkey", page)


@post("/sign-in/emergency", opt={"decision": "public", "limit": "code"})
async def emergency_passkey(request: _Request) -> Response[Any]:
    """A passkey was used; the second step is a code."""
    door = door_of(request)
    form = await request.form()
    page = local(str(form.get("next", "/")))
    if not await door.is_staff_login_down():
        return _to_ordinary()
    person = await passkey_person(request, str(form.get("credential", "")), "passkey")
    if person is None:
        await door.refuse(LoginRefused(WRONG_PASSKEY, "emergency login"))
        return _step(request, "passkey", page, gettext(WRONG_PASSKEY), 403)
    if not await door.codes.is_ready(person):
        await door.refuse(LoginRefused(NOT_ENROLLED, "emergency login", person=person))
        return _step(request, "passkey", page, gettext(NOT_ENROLLED), 403)
    token = await door.attempts.begin("emergency", {"person": person, "page": page})
    answer = _step(request, "code", page)
    door.cookies.set(answer, ATTEMPT, token, timedelta(minutes=10))
    return answer


@post("/sign-in/emergency/code", opt={"decision": "public", "limit": "code"})
async def emergency_code(request: _Request) -> Response[Any]:
    """The code was given: sign in, and raise the alarm."""
    door = door_of(request)
    form = await request.form()
    token = door.cookies.attempt(request)
    kept = await door.attempts.look("emergency", token)
    if kept is None or not await door.is_staff_login_down():
        return _to_ordinary()
    person, page = kept["person"], kept["page"]
    is_right, left = await door.codes.tried(person, str(form.get("code", "")))
    if not is_right:
        if left == 0:
            await _raise_wrong_codes(door, person)
        await door.refuse(LoginRefused(WRONG_CODE, "emergency login", person=person))
        return _step(request, "code", page, gettext(WRONG_CODE), 403)
    await door.attempts.take("emergency", token)
    actors = [replace(a, assurance="local") for a in await door.matcher.roles_of(person)]
    if not actors:
        await door.refuse(LoginRefused(NO_ROLE, "emergency login", person=person))
        return _step(request, "passkey", page, gettext(NO_ROLE), 403)
    told = "Signed in by the emergency login, while the national login did not answer."
    await door.alarms.raise_alarm("emergency-login", actors[0], told)
    return await door.admit(request, actors, SignIn("emergency", roles=roles_told(actors)), page)


async def _raise_wrong_codes(door: Door, person: str) -> None:
    known = await door.matcher.roles_of(person)
    who = known[0] if known else somebody(person)
    await door.alarms.raise_alarm("wrong-codes", who, "Used up the tries for a one-time code.")


def _step(
    request: _Request, step: str, page: str, problem: str = "", status_code: int = 200
) -> Response[str]:
    return render(
        request, "access/emergency_sign_in.html", status_code=status_code,
        step=step, next=page, problem=problem,
    )  # fmt: skip


def _to_ordinary() -> Response[Any]:
    return Redirect("/sign-in", status_code=HTTP_303_SEE_OTHER)
