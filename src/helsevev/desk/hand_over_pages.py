"""The shift's hand-over: everybody of the unit as ISBAR, completed and signed, and received."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect
from msgspec import Struct

from helsevev.access.actor import Actor
from helsevev.access.errors import AccessError
from helsevev.access.guard import staff_of_request
from helsevev.access.permit import Permit
from helsevev.access.policy import may_write
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.content.loading import ward
from helsevev.desk.isbar import Isbar, isbar, last_of, plain
from helsevev.desk.ward import Resident, everyone, resident
from helsevev.documentation.note import Author, NoteType, NotSignable, sign_note, signature_of
from helsevev.documentation.panel import composition
from helsevev.fhir.reading import objects, reference_key, text
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_SIGNED_IN: Final = {"decision": "signed-in"}
_RECORD: Final = {"decision": "record"}
_SLICES: Final = (
    Slice("AllergyIntolerance", 100), Slice("Condition", 100), Slice("Flag", 50),
    Slice("Observation", 120), Slice("Composition", 20), Slice("Task", 50),
    Slice("Appointment", 30), Slice("CarePlan", 20),
)  # fmt: skip
_INTERACTION: Final = "hand-over"
_WORDS: Final = ("assessment", "recommendation")
_LONGEST: Final = 20_000
_RECEIVED: Final = "professional"
"""Composition.attester.mode of who has received the hand-over."""


class Handed(Struct, frozen=True):
    """One patient's hand-over as the list and the page show it."""

    who: Resident
    made: Isbar
    last: Mapping[str, Any]

    @property
    def signed_by(self) -> str:
        """Who signed this shift's, "" when nobody has."""
        return ", ".join(composition(self.made.last).authors) if self.made.last else ""

    @property
    def received_by(self) -> str:
        """Who has said that they received this shift's."""
        return ", ".join(
            text((each.get("party") or {}).get("display"))
            for each in objects(self.made.last.get("attester"))
            if each.get("mode") == _RECEIVED
        )

    @property
    def words(self) -> Mapping[str, str]:
        """What was said in the last one, by heading, for who hands over next."""
        return {each.title: each.text for each in composition(self.last).sections}

    @property
    def news(self) -> int:
        """How many facts are new since the last."""
        return sum(line.is_new for part in self.made.parts for line in part.lines)


@get("/hand-over", opt=_SIGNED_IN)
async def hand_over_page(request: _Request) -> Response[Any]:
    """Everybody of the unit, to be handed over one by one, or read and received."""
    services, actor = _services(request), staff_of_request(request)
    people = await everyone(services, actor, _SLICES, _INTERACTION)
    staying = [each for each in people if each.stay] or people
    return render(
        request, "desk/hand_over.html", listed=[_handed(each) for each in staying],
        unit=actor.unit_name, may_sign=may_write(actor.profession, "Composition"),
        place="my-day", live_url="/desk/live", page_title=_("Hand-over"),
    )  # fmt: skip


@get("/hand-over/{patient_id:str}", opt=_RECORD)
async def hand_over_one(request: _Request, patient_id: str) -> Response[Any]:
    """One patient's hand-over, to be completed and signed."""
    services, actor = _services(request), staff_of_request(request)
    who = await resident(services, actor, patient_id, _SLICES, _INTERACTION)
    permit = await _begun(services, actor, patient_id)
    kept = await services.drafts.one(permit, _INTERACTION, patient_id)
    typed = {name: str(kept.content.get(name, "")) for name in _WORDS} if kept else {}
    return _one(request, actor, _handed(who), typed, "", kept.updated_at if kept else None)


@post("/hand-over/{patient_id:str}/draft", opt=_RECORD, status_code=200)
async def keep_hand_over(request: _Request, patient_id: str) -> Response[str]:
    """Keep what is written so far, for its author alone. 409 when the form is about another."""
    services, form = _services(request), await request.form()
    if form.get("patient") != patient_id:
        return Response("", status_code=409)
    permit = await _begun(services, staff_of_request(request), patient_id)
    content = {name: str(form.get(name, ""))[:_LONGEST] for name in _WORDS}
    if not any(words.strip() for words in content.values()):
        await services.drafts.discard(permit, _INTERACTION, patient_id)
        return Response("")
    await services.drafts.keep(permit, _INTERACTION, patient_id, content)
    return Response("")


@post("/hand-over/{patient_id:str}", opt=_RECORD, status_code=200)
async def sign_hand_over(request: _Request, patient_id: str) -> Response[Any]:
    """Sign the hand-over: what the record says now, and the words of who hands over."""
    services, actor = _services(request), staff_of_request(request)
    form = await request.form()
    typed = {name: str(form.get(name, ""))[:_LONGEST] for name in (*_WORDS, "key")}
    who = await resident(services, actor, patient_id, _SLICES, _INTERACTION)
    handed = _handed(who)
    if form.get("patient") != patient_id:
        problem = _("This form belongs to another patient. Nothing was signed.")
        return _one(request, actor, handed, typed, problem)
    if not typed["assessment"].strip() and not typed["recommendation"].strip():
        problem = _("Say how you see it, or what is to be done.")
        return _one(request, actor, handed, typed, problem)
    try:
        note = _note(actor, handed, typed["assessment"], typed["recommendation"])
        await services.writer.write(actor, note, idempotency_key=typed["key"][:64] or None)
    except NotSignable as refused:
        return _one(request, actor, handed, typed, " ".join(i.diagnostics for i in refused.issues))
    except AccessError as refused:
        return _one(request, actor, handed, typed, " ".join(i.diagnostics for i in refused.issues))
    permit = await _begun(services, actor, patient_id)
    await services.drafts.discard(permit, _INTERACTION, patient_id)
    return Redirect(f"/hand-over?{urlencode({'done': patient_id})}", status_code=303)


@post("/hand-over/{patient_id:str}/received", opt=_RECORD, status_code=200)
async def receive_hand_over(request: _Request, patient_id: str) -> Response[Any]:
    """Say that one has received the newest hand-over of a patient."""
    services, actor = _services(request), staff_of_request(request)
    form = await request.form()
    who = await resident(services, actor, patient_id, _SLICES, _INTERACTION)
    note = last_of(who.found.get("Composition", ()))
    if not note or form.get("note") != note.get("id"):
        raise NotFoundException("There is no such hand-over.")
    known = {reference_key(each.get("party")) for each in objects(note.get("attester"))}
    if actor.id not in known:
        received = signature_of(_author(actor), clock.now(), _RECEIVED)
        after = {**note, "attester": [*objects(note.get("attester")), received]}
        await services.writer.write(actor, after, if_match=int(note["meta"]["versionId"]))
    return Redirect("/hand-over", status_code=303)


async def _begun(services: Services, actor: Actor, patient_id: str) -> Permit:
    """The permit by which what is begun about somebody is kept."""
    return await services.gate.open_chart(actor, patient_id, interaction="draft")


def _handed(who: Resident) -> Handed:
    return Handed(who, isbar(who, clock.now()), last_of(who.found.get("Composition", ())))


def _note(actor: Actor, handed: Handed, assessment: str, recommendation: str) -> dict[str, Any]:
    """The Composition, each part with references to what it was composed of."""
    rules = ward().hand_over
    stay = handed.who.stay
    note = sign_note(
        plain(handed.made, assessment, recommendation), patient_id=handed.who.patient_id,
        kind=NoteType(rules.system, rules.code, rules.display), author=_author(actor),
        at=clock.now(), encounter=f"Encounter/{stay['id']}" if stay else None,
        headings=rules.headings,
    )  # fmt: skip
    sources = {part.heading: part.lines for part in handed.made.parts}
    for section in note["section"]:
        named = dict.fromkeys(
            line.source for line in sources.get(section["title"], ()) if line.source
        )
        if named:
            section["entry"] = [{"reference": each} for each in named]
    return {**note, "title": rules.label}


def _author(actor: Actor) -> Author:
    return Author(actor.id, actor.name, actor.unit[0] if actor.unit else "", actor.unit_name)


def _one(
    request: _Request, actor: Actor, handed: Handed, typed: Mapping[str, str], problem: str,
    saved_at: datetime | None = None,
) -> Response[Any]:  # fmt: skip
    return render(
        request, "desk/hand_over_one.html", status_code=422 if problem else 200, handed=handed,
        typed=typed, problem=problem, saved_at=saved_at, rules=ward().hand_over,
        may_sign=may_write(actor.profession, "Composition"), place="my-day",
        page_title=_("Hand-over"),
    )  # fmt: skip


def _services(request: _Request) -> Services:
    services: Services = request.app.state.services
    return services


ROUTES: Final = (
    hand_over_page, hand_over_one, keep_hand_over, sign_hand_over, receive_hand_over,
)  # fmt: skip
