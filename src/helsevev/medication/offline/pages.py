"""The doors of the phone without contact: take the round, ask who is there, bring what was done."""

from __future__ import annotations

import json
from functools import cache
from hashlib import sha256
from typing import Any, Final

import msgspec
from litestar import MediaType, Request, Response, get, post
from litestar.exceptions import ClientException
from litestar.response import Redirect
from litestar.template.base import csrf_token

from helsevev.access.brought import Verb
from helsevev.access.guard import session_in, session_of_request, staff_of_request
from helsevev.access.services import Services
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication.offline import apart
from helsevev.medication.offline.arriving import MOST, Sent, take_in
from helsevev.medication.offline.envelope import Seals, Ticket
from helsevev.medication.offline.taking import horizon, offered, take
from helsevev.screens.rendering import render, render_text
from helsevev.screens.static_files import asset, built

_Request = Request[Any, Any, Any]
_PUBLIC: Final = {"decision": "public"}
_SIGNED_IN: Final = {"decision": "signed-in"}
_PAGE: Final = "medication/phone.html"
_TITLE: Final = "The round on the phone"
_SHELL: Final = "/rounds/phone"
_PARTS: Final = ("offline.js", "app.css", "early.js", "mark.svg")


@get("/rounds/phone", opt=_PUBLIC, sync_to_thread=False)
def phone(request: _Request) -> Response[str]:
    """The page that works without contact: the same for everybody, and about nobody."""
    return render(request, _PAGE, viewer=None, page_title=_(_TITLE))


@get("/rounds/worker.js", opt=_PUBLIC, sync_to_thread=False)
def worker() -> Response[bytes]:
    """What answers in our place when we cannot be reached: it keeps the page and its parts."""
    parts = json.dumps([_SHELL, *(asset(name) for name in _PARTS)])
    # A browser fetches all of it anew when a byte here is another: so words count too.
    body = f"self.parts={parts};// {_digest()}\n".encode() + built("worker.js")
    headers = {"Service-Worker-Allowed": "/rounds", "Cache-Control": "no-store"}
    return Response(body, media_type="text/javascript", headers=headers)


@get("/rounds/app.webmanifest", opt=_PUBLIC, sync_to_thread=False)
def manifest() -> Response[bytes]:
    """What the phone shows when the round is installed (https://www.w3.org/TR/appmanifest)."""
    told = {
        "name": "Helsevev",
        "short_name": "Helsevev",
        "description": _("The round on the phone"),
        "lang": "nb",
        "id": "/rounds",
        "start_url": "/rounds",
        "scope": "/rounds",
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": "#0b5a63",
        "icons": [
            {"src": asset("mark.svg"), "sizes": "any", "type": "image/svg+xml"},
            {"src": asset("icon-192.png"), "sizes": "192x192", "type": "image/png"},
            {"src": asset("icon-512.png"), "sizes": "512x512", "type": "image/png",
             "purpose": "any maskable"},
        ],
    }  # fmt: skip
    return Response(json.dumps(told).encode(), media_type="application/manifest+json")


@get("/rounds/contact", opt=_PUBLIC)
async def contact(request: _Request) -> dict[str, Any]:
    """Who is signed in on this phone, what the time is, and the token for what is sent next.

    A session that was ended, here or anywhere, is "none": then the phone forgets what it has read.
    """
    session = session_in(request)
    state = "none" if session is None else "locked" if session.locked else "open"
    who = session.actor.id if session is not None else ""
    now = f"{clock.now():%Y-%m-%dT%H:%M:%S.%fZ}"
    return {"state": state, "person": who, "now": now, "token": csrf_token({"request": request})}


@post("/rounds/take", opt=_SIGNED_IN, status_code=200)
async def take_round(request: _Request) -> dict[str, Any]:
    """The round for the phone, with what seals and what proves who did what is done with it."""
    services, actor = _services(request), staff_of_request(request)
    session = session_of_request(request)
    now = clock.now()
    taken = await take(services, actor)
    seals: Seals = request.app.state.seals
    ticket = Ticket(actor.as_data(), session.id, now, session.expires_at)
    return {
        "person": actor.id,
        "name": actor.name,
        "unit": actor.unit_name or actor.organisation_name,
        "now": f"{clock.now():%Y-%m-%dT%H:%M:%S.%fZ}",
        "takenAt": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "until": f"{session.expires_at:%Y-%m-%dT%H:%M:%SZ}",
        "horizon": f"{horizon(now):%Y-%m-%dT%H:%M:%SZ}",
        "lockAfter": int(services.credentials.lock_after.total_seconds()),
        "seal": seals.public,
        "ticket": seals.ticket(ticket),
        "content": offered(actor),
        "patients": taken.patients,
        "leftOut": taken.left_out,
    }


@post("/rounds/sync", opt=_SIGNED_IN, status_code=200)
async def sync(request: _Request) -> Response[bytes]:
    """Record what a phone brings, each act by itself. Answers 400 to what is no such list.

    What somebody else has left on the phone is taken in too; its answers tell nothing of it.
    """
    try:
        sent = msgspec.json.decode(await request.body(), type=Sent)
    except msgspec.MsgspecError as problem:
        raise ClientException(str(problem)) from problem
    if len(sent.items) > MOST:
        raise ClientException(f"At most {MOST} acts at once.")
    answers = await take_in(
        _services(request), _verbs(request), request.app.state.seals,
        staff_of_request(request), sent.items,
    )  # fmt: skip
    body = msgspec.json.encode({"answers": answers, "now": f"{clock.now():%Y-%m-%dT%H:%M:%S.%fZ}"})
    return Response(body, media_type=MediaType.JSON)


@get("/rounds/brought", opt=_SIGNED_IN)
async def brought(request: _Request) -> Response[str]:
    """What phones have brought that the record did not take: each awaits a person."""
    listed = await apart.waiting(_services(request), staff_of_request(request))
    return render(
        request, "medication/brought.html", waiting=listed, problem="", place="rounds",
        page_title=_("Brought by phones"),
    )  # fmt: skip


@get("/rounds/brought/waiting", opt=_SIGNED_IN)
async def brought_count(request: _Request) -> Response[str]:
    """How much awaits a person, for the list of rounds; nothing where nothing does."""
    listed = await apart.waiting(_services(request), staff_of_request(request))
    return render(request, "medication/_brought_count.html", count=len(listed))


@get("/rounds/brought/{patient_id:str}", opt={"decision": "record"})
async def brought_of(request: _Request, patient_id: str) -> Response[str]:
    """What phones have brought about one patient, for the page of the doses."""
    actor = staff_of_request(request)
    listed = await apart.waiting_for(_services(request), actor, patient_id)
    return render(request, "medication/_brought.html", waiting=listed)


@post("/rounds/brought/{task_id:str}", opt={"decision": "record"}, status_code=200)
async def settle_brought(request: _Request, task_id: str) -> Response[Any]:
    """Enter what was brought in the record after all, or say why it is left out."""
    services, actor = _services(request), staff_of_request(request)
    form = await request.form()
    enters = form.get("decision") == "enter"
    words = str(form.get("words", ""))[:500]
    problem = await apart.settle(
        services, _verbs(request), actor, task_id, enters=enters, words=words
    )
    if not problem:
        return Redirect("/rounds/brought", status_code=303)
    return render(
        request, "medication/brought.html", waiting=await apart.waiting(services, actor),
        problem=problem, place="rounds", page_title=_("Brought by phones"), status_code=422,
    )  # fmt: skip


ROUTES: Final = (
    phone, worker, manifest, contact, take_round, sync, brought, brought_count,
    brought_of,    settle_brought,
)  # fmt: skip


@cache
def _digest() -> str:
    """What the page says, in short."""
    return sha256(render_text(_PAGE, page_title=_(_TITLE)).encode()).hexdigest()[:16]


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services


def _verbs(request: _Request) -> dict[str, Verb]:
    verbs: dict[str, Verb] = request.app.state.brought
    return verbs
