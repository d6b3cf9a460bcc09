"""What the record did not take from a phone: listed until a person enters it or says why not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from helsevev.access.actor import Actor
from helsevev.access.brought import APART, CODES, MadeAlready, Verb, act_in, is_apart
from helsevev.access.errors import AccessError
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.content import loading
from helsevev.fhir.reading import full_name, mapping, reference_key, reference_text, text
from helsevev.kit import clock
from helsevev.locale import gettext as _

_MOST: Final = 100
_SHORTEST: Final = 3


class Waiting(Struct, frozen=True):
    """One thing that was done: to whom, by whom and when, in words, and why it was not taken."""

    task_id: str
    patient_id: str
    patient: str
    by: str
    unit: str
    at: datetime | None
    what: str
    why: str
    can_enter: bool


async def waiting(services: Services, actor: Actor) -> list[Waiting]:
    """All that awaits somebody who may open the record, the oldest first. Decided and audited.

    Raises `Refused` for those whose role opens no record.
    """
    asked = [("code", f"{CODES}|{APART}"), ("status", "requested"), ("_count", str(_MOST))]
    query = await services.searcher.read("Task", asked, strict=True, base="")
    tasks = [stored.resource for stored in (await services.searcher.search(actor, query)).matches]
    whom = {("Patient", _patient_of(task)) for task in tasks} - {("Patient", "")}
    people = await services.gate.open_many(actor, whom, interaction="round")
    names = {place[1]: full_name(found.get("name")) for place, found in people.items()}
    return _listed(tasks, names)


async def waiting_for(services: Services, actor: Actor, patient_id: str) -> list[Waiting]:
    """What awaits somebody about one patient. Raises `Refused`."""
    _permit, found = await services.gate.open_chart_at(
        actor, patient_id, (Slice("Task", 100),), interaction="round"
    )
    return _listed(found["Task"], {})


async def settle(
    services: Services,
    verbs: Mapping[str, Verb],
    actor: Actor,
    task_id: str,
    *,
    enters: bool,
    words: str,
) -> str:
    """Enter it in the record, or leave it out and say why; what is wrong in words, else "".

    Raises `NotFound` or `Refused`.
    """
    task = (await services.gate.open_resource(actor, "Task", task_id)).resource
    if not is_apart(task):
        return _("It has been settled already.")
    act = act_in(task)
    if not enters and len(words.strip()) < _SHORTEST:
        return _("Say why it is left out.")
    try:
        if enters:
            if act is None or act.kind not in verbs:
                return _("It cannot be read: write what happened by hand, and leave it out here.")
            with suppress(MadeAlready):
                await verbs[act.kind](services, actor, act)
        done = _settled(task, actor, "entered" if enters else "left-out", words.strip())
        version = int(text(mapping(task.get("meta")).get("versionId")) or 0)
        await services.writer.write(actor, done, if_match=version)
    except AccessError as problem:
        return " ".join(_(issue.diagnostics) for issue in problem.issues)
    return ""


def _settled(task: Mapping[str, Any], actor: Actor, how: str, words: str) -> dict[str, Any]:
    output: dict[str, Any] = {"type": {"coding": [{"system": CODES, "code": how}]}}
    output["valueString"] = words or how
    return {
        **task,
        "status": "completed",
        "lastModified": f"{clock.now():%Y-%m-%dT%H:%M:%SZ}",
        "owner": {"reference": actor.id, "display": actor.name},
        "output": [output],
    }


def _listed(tasks: Iterable[Mapping[str, Any]], names: Mapping[str, str]) -> list[Waiting]:
    found = [_waiting(task, names) for task in tasks if is_apart(task)]
    return sorted(found, key=lambda each: each.task_id)


def _waiting(task: Mapping[str, Any], names: Mapping[str, str]) -> Waiting:
    act = act_in(task)
    patient = _patient_of(task)
    return Waiting(
        task_id=text(task.get("id")),
        patient_id=patient,
        patient=names.get(patient, ""),
        by=reference_text(task.get("requester")),
        unit=reference_text(task.get("owner")),
        at=act.at if act else None,
        what=_words(act.kind, act.said) if act else "",
        why=text(task.get("description")),
        can_enter=act is not None and bool(act.kind),
    )


def _words(kind: str, said: Mapping[str, Any]) -> str:
    """What was done, as the list says it."""
    name, amount = text(said.get("name")), text(said.get("amount"))
    if kind == "measured":
        labels = {p.key: p.label for sign in loading.vital_signs().sign for p in sign.parts}
        values = mapping(said.get("values"))
        return ", ".join(f"{labels.get(key, key)} {value}" for key, value in values.items())
    if kind == "noted":
        return text(said.get("text"))
    given = f"{name} {amount}".strip()
    if kind == "withheld":
        reasons = {each.code: each.label for each in loading.rounds().not_given}
        why = reasons.get(text(said.get("reason")), "")
        return _("Not given: %(name)s (%(why)s)") % {"name": given, "why": why}
    return _("Given: %(name)s") % {"name": given}


def _patient_of(task: Mapping[str, Any]) -> str:
    return reference_key(task.get("for")).removeprefix("Patient/")
