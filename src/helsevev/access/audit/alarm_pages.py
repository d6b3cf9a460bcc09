"""The page of alarms: emergency logins, too many wrong codes, and what was done about them."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect
from litestar.status_codes import HTTP_303_SEE_OTHER

from helsevev.access.audit.answering import AlarmBook
from helsevev.access.errors import Invalid
from helsevev.access.guard import actor_of_request
from helsevev.locale import gettext as _
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}


@get("/alarms", opt=_RECORD)
async def alarms_page(request: _Request) -> Response[str]:
    """What has to be acted on, and what was done about the rest."""
    return await _page(request)


@post("/alarms/{number:int}", opt=_RECORD)
async def answer_alarm(request: _Request, number: int) -> Response[Any]:
    """Answer one alarm: by name, with what was done."""
    words = str((await request.form()).get("words", ""))
    if not 0 <= number < 2**63:
        raise NotFoundException("There is no such alarm.")
    try:
        await _book(request).answer(actor_of_request(request), number, words)
    except Invalid:
        return await _page(request, wrong=number)
    return Redirect(f"/alarms#alarm-{number}", status_code=HTTP_303_SEE_OTHER)


async def _page(request: _Request, wrong: int = -1) -> Response[str]:
    listed = await _book(request).listed(actor_of_request(request))
    return render(
        request, "access/alarms.html", open=[each for each in listed if each.seen_at is None],
        answered=[each for each in listed if each.seen_at is not None], wrong=wrong,
        kinds=_kinds(), place="alarms", page_title=_("Alarms"),
        status_code=422 if wrong >= 0 else 200,
    )  # fmt: skip


def _kinds() -> dict[str, tuple[str, str]]:
    """What each kind is called, and what to do about it."""
    return {
        "emergency-login": (
            _("Emergency login"),
            _("Ask the person, or their leader, whether it was them. Look at what they opened."),
        ),
        "wrong-pins": (
            _("Too many wrong PINs"),
            _("Ask the person whether it was them. If not, look at who was at the device."),
        ),
        "wrong-codes": (
            _("Too many wrong codes"),
            _("Ask the person whether it was them. If not, sign them out everywhere."),
        ),
    }


def _book(request: _Request) -> AlarmBook:
    return AlarmBook(request.app.state.services.gate)


ROUTES: Final = (alarms_page, answer_alarm)
