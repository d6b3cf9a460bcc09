"""A dose that was given though no plan holds it: kept as what happened, and told the prescriber.

This is a door of its own beside the round (`round_signing`), whose refusals it does not lift: what
comes through here is marked and says why, and somebody who prescribes has to acknowledge it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import uuid4

from msgspec import Struct

from helsevev.access.actor import Actor
from helsevev.access.entries import created, transaction
from helsevev.access.errors import AccessError, Conflict, Unprocessable
from helsevev.access.policy import may_write
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.content import loading
from helsevev.fhir.encounters import ONGOING
from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import codes, mapping, objects, reference_key, reference_text, text
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication import administration
from helsevev.medication.administration import REASONS, Signer
from helsevev.medication.administration_rules import DUPLICATE
from helsevev.medication.outside_shown import OUTSIDE
from helsevev.medication.round import name_of
from helsevev.medication.round_signing import PRESSED, Signed, words_of_refusal
from helsevev.medication.shelf.supplies import taken_from_shelf

AGREED: Final = "agreed"
DISAGREED: Final = "disagreed"
_AHEAD: Final = timedelta(minutes=5)
"""How far ahead of ours the clock of a phone may be."""
_SHORTEST: Final = 3
_ATTEMPTS: Final = 3
_LEADS: Final = ("ATND", "PPRF")


class Outside(Struct, frozen=True, kw_only=True):
    """What was given outside the plan: to whom (`patient` is an id), when, how much and why.

    `order` is the MedicationRequest that it was given by, in force or not; where nobody has written
    one it is empty, and `medicine` is the CodeableConcept. `dosage` is the R4 Dosage that was
    given, with `doseAndRate` and `route`. `kind` is a code of the content (`outside_plan`), `words`
    why, in the words of who gave it. `due` names the planned dose that it was meant to answer, if
    any. `prescriber` is (reference, name) of who has to acknowledge it; empty: who wrote the order,
    else who is responsible for the stay, else the unit.
    """

    patient: str
    at: datetime
    kind: str
    words: str
    order: Mapping[str, Any] = {}
    medicine: Mapping[str, Any] = {}
    dosage: Mapping[str, Any] = {}
    due: str = ""
    not_scanned: str = ""
    prescriber: tuple[str, str] = ("", "")


def faults(given: Outside, now: datetime) -> list[Issue]:
    """What is missing before it can be kept; each issue names the field it is about."""
    found = []
    if given.kind not in {each.code for each in loading.rounds().outside_plan}:
        found.append(error("required", _("Choose why it was given outside the plan."), "kind"))
    if len(given.words.strip()) < _SHORTEST:
        found.append(error("required", _("Say in words why it was given."), "words"))
    if not given.order and not given.medicine:
        found.append(error("required", _("Choose the medicine."), "order"))
    if given.at > now + _AHEAD:
        found.append(error("value", _("A dose cannot have been given in the future."), "at"))
    subject = reference_key(given.order.get("subject")) if given.order else ""
    if subject and subject != f"Patient/{given.patient}":
        found.append(error("conflict", _("The order is another patient's."), "order"))
    return found


def as_given(given: Outside, by: Signer) -> dict[str, Any]:
    """The MedicationAdministration: completed, whatever signatures the medicine asks for."""
    order = given.order or {
        "subject": {"reference": f"Patient/{given.patient}"},
        "medicationCodeableConcept": given.medicine,
    }
    return administration.given(
        order, given.dosage, by, given.at, due=given.due, not_scanned=given.not_scanned,
        outside_plan=given.words.strip(), outside_kind=given.kind,
    )  # fmt: skip


def responsible(encounters: Iterable[Mapping[str, Any]]) -> tuple[str, str]:
    """(reference, name) of the doctor who is responsible for the stay; ("", "") when none is."""
    for encounter in encounters:
        if encounter.get("status") not in ONGOING:
            continue
        people = objects(encounter.get("participant"))
        for wanted in _LEADS:
            for person in people:
                who = mapping(person.get("individual"))
                if wanted in codes(person.get("type")) and (key := reference_key(who)):
                    return key, reference_text(who)
    return "", ""


def task_to_acknowledge(
    given: Outside, focus: str, by: Signer, owner: tuple[str, str], now: datetime
) -> dict[str, Any]:
    """The Task to who prescribes; without an owner it awaits anybody who does."""
    ends = now + timedelta(hours=loading.rounds().acknowledge_hours)
    name = name_of(given.order) if given.order else text(given.medicine.get("text"))
    task: dict[str, Any] = {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "code": {
            "coding": [{"system": REASONS, "code": OUTSIDE}],
            "text": _("Acknowledge a dose given outside the plan"),
        },
        "description": f"{name}: {given.words.strip()}",
        "focus": {"reference": focus},
        "for": {"reference": f"Patient/{given.patient}"},
        "authoredOn": _written(now),
        "requester": {"reference": by.id, "display": by.name},
        "restriction": {"period": {"end": _written(ends)}},
    }
    return task | ({"owner": {"reference": owner[0], "display": owner[1]}} if owner[0] else {})


def acknowledged(
    task: Mapping[str, Any], by: Signer, at: datetime, verdict: str, words: str = ""
) -> dict[str, Any]:
    """The task as it is when somebody who prescribes has said what they think of the dose."""
    said: dict[str, Any] = {"coding": [{"system": REASONS, "code": verdict}]}
    if words:
        said["text"] = words
    output = {
        "type": {"coding": [{"system": REASONS, "code": OUTSIDE}]},
        "valueCodeableConcept": said,
    }
    return {
        **task,
        "status": "completed",
        "lastModified": _written(at),
        "owner": {"reference": by.id, "display": by.name},
        "output": [output],
    }


def is_awaiting(task: Mapping[str, Any]) -> bool:
    """Whether somebody who prescribes still has to acknowledge a dose."""
    return task.get("status") == "requested" and OUTSIDE in codes(task.get("code"))


def may_acknowledge(actor: Actor) -> bool:
    """Whether the actor's profession prescribes."""
    return may_write(actor.profession, "MedicationRequest")


async def give_outside_plan(services: Services, actor: Actor, given: Outside, key: str) -> Signed:
    """Keep a dose that was given outside the plan, and the task to the prescriber: both or neither.

    Decided and audited as any write. `key` (a UUID of the form or of the phone) makes what is sent
    twice one. Gives `Signed` with the administration's id, or with the problem in words. A planned
    dose (`given.due`) that a colleague has signed meanwhile is not given twice by this: the second
    word is kept as a contradiction, which a person settles on the round.
    """
    name = name_of(given.order) if given.order else text(given.medicine.get("text"))
    now = clock.now()
    if not key:
        raise ValueError("A dose outside the plan is sent under a key.")
    if issues := faults(given, now):
        return Signed(name, " ".join(issue.diagnostics for issue in issues))
    try:
        owner = await owner_of(services, actor, given)
        for _again in range(_ATTEMPTS):
            try:
                return await _kept(services, actor, given, owner, key)
            except Conflict:
                continue  # Somebody signed a dose of this order at the same moment.
        return await _kept(services, actor, given, owner, key)
    except AccessError as problem:
        return Signed(name, words_of_refusal(problem))


async def _kept(
    services: Services, actor: Actor, given: Outside, owner: tuple[str, str], key: str
) -> Signed:
    """The dose, kept as the dose or as the second's word about it."""
    by = Signer(actor.id, actor.name)
    made = as_given(given, by)
    made = await taken_from_shelf(services, actor, given.order or made, made)
    name = name_of(made)
    try:
        return Signed(name, id=await _keep(services, actor, made, given, owner, key))
    except Unprocessable as problem:
        if not any(issue.code == DUPLICATE for issue in problem.issues):
            raise
        first = await _first_of(services, actor, given.due)
        if first is None:
            raise
        if by.id in administration.performers(first):
            return Signed(name, id=text(first.get("id")))  # One's own word, sent again.
        second = administration.contradicting(made, first)
        kept = await _keep(services, actor, second, given, owner, key)
        settle = _("What you signed is kept, and has to be settled.")
        return Signed(name, f"{words_of_refusal(problem)} {settle}", id=kept)


async def acknowledge(
    services: Services, actor: Actor, task: Mapping[str, Any], verdict: str, words: str
) -> Signed:
    """Acknowledge a dose, or say that one does not agree with it and why. Decided and audited."""
    name = text(task.get("description"))
    if not may_acknowledge(actor):
        return Signed(name, _("Only those who prescribe acknowledge doses given outside the plan."))
    if not is_awaiting(task):
        return Signed(name, _("It has been acknowledged already."))
    if verdict not in (AGREED, DISAGREED):
        return Signed(name, _("Choose what you think of the dose."))
    if verdict == DISAGREED and len(words.strip()) < _SHORTEST:
        return Signed(name, _("Say why you do not agree."))
    made = acknowledged(task, Signer(actor.id, actor.name), clock.now(), verdict, words.strip())
    version = int(text(mapping(task.get("meta")).get("versionId")) or 0)
    try:
        await services.writer.write(actor, made, if_match=version)
    except AccessError as problem:
        return Signed(name, words_of_refusal(problem))
    return Signed(name)


async def _keep(
    services: Services,
    actor: Actor,
    made: Mapping[str, Any],
    given: Outside,
    owner: tuple[str, str],
    key: str,
) -> str:
    """The id of the administration; a press that is repeated finds what the first one made."""
    url = f"urn:uuid:{uuid4()}"
    by, now = Signer(actor.id, actor.name), clock.now()
    task = task_to_acknowledge(given, url, by, owner, now)
    if owner[0] in actor.person and may_acknowledge(actor):
        # Who orders it and gives it needs not be told.
        task = acknowledged(task, by, now, AGREED)
    pressed = {"system": PRESSED, "value": key}
    only_once = {"identifier": f"{PRESSED}|{key}"}
    entries = [
        created(
            {**resource, "identifier": [*objects(resource.get("identifier")), pressed]},
            full_url, only_once=only_once,
        )
        for full_url, resource in ((url, made), ("", task))
    ]  # fmt: skip
    answer = await services.bundles.transact(actor, transaction(entries))
    location: str = answer["entry"][0]["response"]["location"]
    return location.split("/")[1]


async def owner_of(services: Services, actor: Actor, given: Outside) -> tuple[str, str]:
    """(reference, name) of who has to acknowledge it. Raises `Refused`."""
    if given.prescriber[0]:
        return given.prescriber
    requester = mapping(given.order.get("requester"))
    if reference_key(requester).startswith(("Practitioner/", "PractitionerRole/")):
        return reference_key(requester), reference_text(requester)
    _permit, found = await services.gate.open_chart_at(
        actor, given.patient, (Slice("Encounter", 20),), interaction="round"
    )
    doctor = responsible(found["Encounter"])
    if doctor[0]:
        return doctor
    return (actor.unit[0], actor.unit_name) if actor.unit else ("", "")


async def _first_of(services: Services, actor: Actor, due: str) -> Mapping[str, Any] | None:
    """What answers a planned dose."""
    query = urlencode({"identifier": f"{administration.DUE}|{due}"})
    stored = await services.searcher.match(actor, "MedicationAdministration", query, 10)
    return next(
        (s.resource for s in stored if s.resource.get("status") in administration.ANSWERS), None
    )


def _written(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
