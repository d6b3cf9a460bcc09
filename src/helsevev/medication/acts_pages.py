"""Changing, pausing, resuming, stopping and renewing a medicine, from its row or from its page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

from litestar import Request, Response, get, post
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from helsevev.access.entries import kept, transaction
from helsevev.access.errors import AccessError, Conflict, Refused
from helsevev.access.guard import actor_of_request
from helsevev.access.services import Services
from helsevev.content import loading
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import mapping, reference_key, text
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication import prescription
from helsevev.medication.checks import subject_of
from helsevev.medication.choosing import words_of
from helsevev.medication.opened import Opened, open_list, the_line, versions
from helsevev.medication.order_checks import Checked, Unanswered, answered, checked
from helsevev.medication.order_entry import (
    answers_of,
    fields,
    today,
    typed,
    unanswered,
    with_answers,
)
from helsevev.medication.order_form import dosages_of, of_dosages, steps_of
from helsevev.medication.panel import Medicine
from helsevev.medication.prescription import NotPrescribable, Prescriber
from helsevev.medication.taper import drawn, total
from helsevev.medication.versions import told
from helsevev.screens.rendering import render

_Request = Request[Any, Any, Any]
_RECORD: Final = {"decision": "record"}
_VERBS: Final = frozenset({"change", "pause", "resume", "stop", "renew"})
_NOTHING_MEANT: Final[Mapping[str, Any]] = {
    "words": "", "bars": (), "steps": (), "sum": None, "says": None, "missing": "", "answers": {},
}  # fmt: skip
"""What a form that nobody has changed yet shows of what it means."""
_OUTCOMES: Final = {"change": "changed", "pause": "paused", "stop": "stopped"}
"""What came after a card that was overridden, as the log has it."""
_BECOMES: Final = {"pause": "on-hold", "stop": "stopped", "resume": "active", "change": "active"}


@get("/patient/{patient_id:str}/medications/{kind:str}/{key:str}", opt=_RECORD)
async def medicine_story(request: _Request, patient_id: str, kind: str, key: str) -> Response[Any]:
    """One medicine: what it is now, and what became of it, version by version."""
    opened = await _opened(request, patient_id)
    line, resource = the_line(opened, kind, key)
    return await _story(request, opened, line, resource, {}, ())


@get("/patient/{patient_id:str}/medications/{kind:str}/{key:str}/acts", opt=_RECORD)
async def acts(request: _Request, patient_id: str, kind: str, key: str) -> Response[Any]:
    """What can be done with a medicine, to stand below its row."""
    opened = await _opened(request, patient_id)
    line, resource = the_line(opened, kind, key)
    return render(request, "medication/_acts.html", **_context(opened, line, resource, {}, ()))


@post("/patient/{patient_id:str}/medications/{kind:str}/{key:str}/meaning", opt=_RECORD,
      status_code=200)  # fmt: skip
async def meaning(request: _Request, patient_id: str, kind: str, key: str) -> Response[Any]:
    """What the change means so far, and what the checks say of it, as its form is filled in."""
    opened = await _opened(request, patient_id)
    line, resource = the_line(opened, kind, key)
    form, answers = await typed(request), await answers_of(request)
    shown: dict[str, Any] = {**_NOTHING_MEANT, "answers": answers}
    try:
        changed = _changed(resource, form, Prescriber(opened.actor.id, opened.actor.name))
        steps = steps_of(form, today()) if form["how"] == "taper" else ()
        says = await checked(
            opened.services, opened.permit, changed, hook="order-select", showing=form["key"]
        )
        words = words_of(dosages_of(form, today()), "" if len(steps) < 2 else "taper")
        a_day = len(form["at"].split()) or int(form["often"] or 1)
        shown |= {
            "words": words, "says": says, "steps": steps, "bars": drawn(steps),
            "sum": total(steps, a_day) if steps else None,
        }  # fmt: skip
    except NotPrescribable as incomplete:
        shown["missing"] = incomplete.issues[0].diagnostics
    return render(
        request, "medication/_meaning.html", meaning_id=f"meaning-{line.id}", form=form, **shown
    )


@post("/patient/{patient_id:str}/medications/{kind:str}/{key:str}/{verb:str}", opt=_RECORD,
      status_code=200)  # fmt: skip
async def act(request: _Request, patient_id: str, kind: str, key: str, verb: str) -> Response[Any]:
    """Do it, on the version that was seen; else show what stands now and why nothing was done."""
    if verb not in _VERBS:
        raise NotFoundException("There is no such thing to do with a medicine.")
    opened = await _opened(request, patient_id)
    line, resource = the_line(opened, kind, key)
    form, asked = await typed(request), clock.now()
    try:
        if form["patient"] != patient_id:
            problem = _("This form belongs to another patient. Nothing was ordered.")
            raise NotPrescribable([Issue("error", "conflict", problem)])
        if form["version"] != line.version:
            if _is_done(resource, form, verb, opened.actor.id):
                return Redirect(f"{opened.base}/medications", status_code=303)
            problem = _("Somebody changed this medicine meanwhile. See what stands now.")
            raise NotPrescribable([Issue("error", "conflict", problem)])
        made = await _made(request, opened, resource, form, verb)
        await opened.services.bundles.transact(
            opened.actor, transaction(map(kept, made)), idempotency_key=form["key"] or None
        )
        if verb in _OUTCOMES:
            why = form["other_why"].strip() or form["why"].strip()
            subjects = {subject_of(each) for each in (resource, *made)}
            await opened.services.card_log.came_after(
                opened.permit, subjects - {""}, _OUTCOMES[verb], why, asked
            )
    except (Refused, NotFoundException):
        raise
    except Conflict:
        opened = await _opened(request, patient_id)
        line, resource = the_line(opened, kind, key)
        if _is_done(resource, form, verb, opened.actor.id):
            return Redirect(f"{opened.base}/medications", status_code=303)
        problem = _("Somebody changed this medicine meanwhile. See what stands now.")
        issues: Sequence[Issue] = [Issue("error", "conflict", problem)]
        return await _story(request, opened, line, resource, form, issues)
    except (NotPrescribable, AccessError) as refusal:
        says = refusal.says if isinstance(refusal, Unanswered) else None
        return await _story(request, opened, line, resource, form, refusal.issues, says)
    return Redirect(f"{opened.base}/medications", status_code=303)


async def _made(
    request: _Request, opened: Opened, line: Mapping[str, Any], form: Mapping[str, str], verb: str
) -> list[dict[str, Any]]:
    """The next versions of a line and of the orders behind it."""
    by, at = Prescriber(opened.actor.id, opened.actor.name), clock.now()
    behind = [
        order
        for reference in line.get("basedOn", ()) if line["resourceType"] == "MedicationStatement"
        if (order := opened.resources.get(reference_key(reference))) is not None
        and order.get("status") in ("active", "on-hold")
    ]  # fmt: skip
    if verb == "renew":
        return _renewed(line, behind, by, at)
    why = form["other_why"].strip() or form["why"].strip()
    if verb in ("pause", "stop"):
        do = prescription.pause if verb == "pause" else prescription.stop
        return [do(each, why, prescriber=by, at=at) for each in (line, *behind)]
    if verb == "resume":
        paused = [each for each in behind if each.get("status") == "on-hold"]
        return [prescription.resume(each, prescriber=by, at=at) for each in (line, *paused)]
    changed = [_changed(each, form, by) for each in (line, *behind)]
    # The orders behind a line are the same medicine: one answer goes for all.
    answers = await answers_of(request)
    says = await checked(opened.services, opened.permit, changed[0], showing=form["key"])
    if unanswered(says, answers):
        raise Unanswered(says)
    await answered(opened.services, opened.permit, says, answers, changed[0])
    return [with_answers(each, says, answers) for each in changed]


def _changed(line: Mapping[str, Any], form: Mapping[str, str], by: Prescriber) -> dict[str, Any]:
    """The next version of a line as a form doses it. Raises `NotPrescribable`."""
    return prescription.change(
        line,
        dosages_of(form, today()),
        prescriber=by,
        at=clock.now(),
        reason=form["reason"],
        multidose=bool(form["multidose"]),
        own_managed=bool(form["own_managed"]),
    )


def _renewed(
    line: Mapping[str, Any], behind: Sequence[Mapping[str, Any]], by: Prescriber, at: Any
) -> list[dict[str, Any]]:
    if line["resourceType"] == "MedicationRequest":
        return list(prescription.renew(line, prescriber=by, at=at))
    made: list[dict[str, Any]] = []
    news = []
    for order in behind:
        before, new = prescription.renew(order, prescriber=by, at=at)
        news.append(f"urn:uuid:{uuid4()}")
        made += [before, {**new, "id": news[-1]}]
    if not made:
        problem = _("There is no order behind this line to renew. Prescribe it instead.")
        raise NotPrescribable([error("business-rule", problem)])
    return [*made, {**line, "basedOn": [{"reference": url} for url in news]}]


def _is_done(
    resource: Mapping[str, Any], form: Mapping[str, str], verb: str, actor_id: str
) -> bool:  # fmt: skip
    """Whether what stands is what this form already did: the same button pressed twice."""
    version = text(mapping(resource.get("meta")).get("versionId"))
    writer = resource.get("recorder") or resource.get("informationSource")
    return (
        form["version"].isdigit()
        and version == str(int(form["version"]) + 1)
        and reference_key(writer) == actor_id
        and resource.get("status") == _BECOMES.get(verb, "completed")
    )


def _context(
    opened: Opened,
    line: Medicine,
    resource: Mapping[str, Any],
    form: Mapping[str, str],
    issues: Sequence[Issue],
) -> dict[str, Any]:
    held = {
        **of_dosages(
            resource.get(prescription.dose_element(resource)) or [],
            "; ".join(dose.words for dose in line.doses),
        ),
        "reason": ", ".join(line.reasons), "multidose": "1" if line.is_multidose else "",
        "own_managed": "1" if line.is_own_managed else "",
    }  # fmt: skip
    typed_in = form if form.get("how") else {}
    filled = {**held, **typed_in, "version": line.version, "key": str(uuid4())}
    content = loading.order_sentences()
    known = {**dict.fromkeys(("how", "why", "other_why"), ""), **filled}
    return {
        "opened": opened, "medicine": line, "form": known, "stop_reasons": content.stop_reasons,
        "pause_reasons": content.pause_reasons, **_NOTHING_MEANT,
        "meaning_id": f"meaning-{line.id}",
        "can_renew": line.source == "MedicationRequest" or bool(line.based_on),
        **fields(known, issues),
    }  # fmt: skip


async def _story(
    request: _Request,
    opened: Opened,
    line: Medicine,
    resource: Mapping[str, Any],
    form: Mapping[str, str],
    issues: Sequence[Issue],
    says: Checked | None = None,
) -> Response[Any]:
    history = await versions(opened, resource)
    is_conflict = any(issue.code == "conflict" for issue in issues)
    return render(
        request, "medication/story.html",
        status_code=409 if is_conflict else 422 if issues else 200,
        told=told(history[::-1], opened.names), place="patients", page_title=line.name,
        **{**_context(opened, line, resource, form, issues), "says": says},
    )  # fmt: skip


async def _opened(request: _Request, patient_id: str) -> Opened:
    services: Services = request.app.state.services
    return await open_list(services, actor_of_request(request), patient_id, interaction="prescribe")
