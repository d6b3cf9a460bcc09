"""Takes over one row of the national list: the medicine, its dose, or that it was stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NoReturn
from uuid import UUID

from helsevev.access.entries import created, replaced, transaction
from helsevev.fhir.outcome import error
from helsevev.fhir.reading import mapping, objects, reference_key, text
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication import prescription
from helsevev.medication.national_list import incoming
from helsevev.medication.national_list.comparing import Row
from helsevev.medication.national_list.exchange import Desk
from helsevev.medication.order_checks import Unanswered, answered, checked
from helsevev.medication.order_entry import unanswered, with_answers
from helsevev.medication.prescription import NotPrescribable, Prescriber

Act = Literal["add", "dose", "stop"]
Resource = dict[str, Any]
_FITS: Final[Mapping[str, Act]] = {
    "only-theirs": "add", "differs": "dose", "stopped-theirs": "stop",
}  # fmt: skip


def act_of(row: Row) -> Act | None:
    """What can be taken over of a row; None when there is nothing."""
    paused = row.ours is not None and row.ours.group == "paused"
    if row.kind == "differs" and (row.is_other_product or paused):
        return None  # To be prescribed anew, or resumed: no dose says it.
    return _FITS.get(row.kind)


async def take_over(
    desk: Desk, key: str, seen: str, row_key: str, answers: Mapping[str, str]
) -> None:
    """Have our list say what the national one does in one row, as it was seen.

    A medicine or dose is checked as any order is. Raises `NotPrescribable` (`Unanswered` with the
    warnings) and `AccessError`; then nothing is changed.
    """
    if not desk.opened.may_prescribe:
        _refuse(_("Only those who prescribe take medicines over."))
    if desk.state.fetched is None or desk.state.fetched.id != seen:
        _refuse(_("The national list was fetched anew meanwhile. See what it says now."))
    row = next((each for each in desk.rows if each.key == row_key), None)
    act = act_of(row) if row is not None else None
    if row is None or act is None:
        _refuse(_("This was taken over meanwhile."))
    made = _made(desk, row, act)
    if act != "stop":
        says = await checked(desk.opened.services, desk.opened.permit, _as_order(made[0]))
        if unanswered(says, answers):
            raise Unanswered(says)
        made = [with_answers(each, says, answers) for each in made]
        await _write(desk, made, key)
        await answered(desk.opened.services, desk.opened.permit, says, answers, _as_order(made[0]))
        return
    await _write(desk, made, key)


async def take_allergy(desk: Desk, key: str, seen: str, number: str) -> None:
    """Have our record tell an allergy that the national list tells, as it was seen.

    Raises `NotPrescribable` and `AccessError`; then nothing is written.
    """
    if desk.state.fetched is None or desk.state.fetched.id != seen or desk.national is None:
        _refuse(_("The national list was fetched anew meanwhile. See what it says now."))
    found = [each for each in desk.national.allergies if incoming.allergy_key(each) == number]
    if not found or any(incoming.is_same_allergy(found[0], each) for each in desk.allergies):
        _refuse(_("This was taken over meanwhile."))
    await _write(desk, [incoming.allergy(found[0], desk.opened.patient_id)], key)


def _made(desk: Desk, row: Row, act: Act) -> list[Resource]:
    by, at = Prescriber(desk.opened.actor.id, desk.opened.actor.name), clock.now()
    assert row.theirs is not None
    if act == "add":
        return [_added(desk, row)]
    assert row.ours is not None
    line = desk.opened.resources[row.ours.key]
    together = [line, *_behind(desk, line)]
    if act == "stop":
        why = row.theirs.stopped_because or _("Stopped in the national list.")
        return [prescription.stop(each, why, prescriber=by, at=at) for each in together]
    return [
        prescription.change(
            each, row.theirs.dosages, prescriber=by, at=at, multidose=row.ours.is_multidose,
            own_managed=row.ours.is_own_managed,
        )
        for each in together
    ]  # fmt: skip


def _added(desk: Desk, row: Row) -> Resource:
    assert row.theirs is not None
    assert desk.national is not None
    assert desk.state.fetched is not None
    people = {text(e.get("fullUrl")): mapping(e.get("resource"))
              for e in objects(desk.national.bundle.get("entry"))}  # fmt: skip
    made = incoming.statement(row.theirs, desk.opened.patient_id, people)
    source = {"reference": f"DocumentReference/{desk.state.fetched.message}"}
    return {**made, "derivedFrom": [source]}


def _behind(desk: Desk, line: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The orders behind a line of the list, which are changed with it."""
    if line["resourceType"] != "MedicationStatement":
        return []
    found = (desk.opened.resources.get(reference_key(each)) for each in objects(
        line.get("basedOn")))  # fmt: skip
    return [each for each in found if each and each.get("status") in ("active", "on-hold")]


def _as_order(made: Mapping[str, Any]) -> Resource:
    """A line as the checks read it: as an order of the same medicine and dose."""
    if made["resourceType"] == "MedicationRequest":
        return dict(made)
    kept = {k: v for k, v in made.items() if k in (
        "id", "subject", "medicationCodeableConcept", "medicationReference", "contained",
        "reasonCode", "extension", "basedOn",
    )}  # fmt: skip
    place = text(mapping(made.get("medicationReference")).get("reference")).removeprefix("#")
    inner = {text(each.get("id")): each for each in objects(made.get("contained"))}
    if place in inner:
        kept["medicationCodeableConcept"] = inner[place].get("code")
        del kept["medicationReference"], kept["contained"]
    return {**kept, "resourceType": "MedicationRequest", "status": "active", "intent": "order",
            "dosageInstruction": made.get("dosage")}  # fmt: skip


async def _write(desk: Desk, made: Sequence[Resource], key: str) -> None:
    named = str(UUID(key))[:-1]
    bundle = transaction(
        replaced(resource) if resource.get("id") else created(resource, f"urn:uuid:{named}{number}")
        for number, resource in enumerate(made)
    )
    await desk.opened.services.bundles.transact(desk.opened.actor, bundle, idempotency_key=key)


def _refuse(words: str) -> NoReturn:
    raise NotPrescribable([error("business-rule", words)])
