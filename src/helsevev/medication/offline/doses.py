"""Doses that were signed without contact: what was given stays given, whatever happened meanwhile.

The record's rules decide as at every door. What they refuse of a dose that was given is kept beside
the plan with a task to who prescribes; a second word about a dose is kept, to be settled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal
from urllib.parse import urlencode
from uuid import uuid4

import msgspec
from msgspec import Struct

from helsevev.access.actor import Actor
from helsevev.access.brought import Act, NotTaken, Outcome, keep_once
from helsevev.access.errors import Gone, Unprocessable
from helsevev.access.services import Services
from helsevev.fhir.outcome import Issue
from helsevev.fhir.reading import OSLO, mapping, objects, reference_key, text
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication import administration
from helsevev.medication.administration import ANSWERS, DUE, Refusal, Signer
from helsevev.medication.administration_rules import DUPLICATE
from helsevev.medication.outside_plan import Outside, as_given, owner_of, task_to_acknowledge
from helsevev.medication.round import name_of
from helsevev.medication.round_signing import count_scan, effect_task
from helsevev.medication.shelf.supplies import taken_from_shelf
from helsevev.medication.timing import is_planned

KNOWN_LATE: Final = "http://helsevev.no/fhir/StructureDefinition/change-known-late"
"""valueString: what was changed in the order before anybody knew that the dose had been given."""
_MOST_WORDS: Final = 10
_Kind = Literal["stopped", "other-time"]


class _Said(Struct, frozen=True, kw_only=True):
    """What is said of a dose: by which version of the order it was given, and by which dosage."""

    order: str
    version: int
    place: int = 0
    due: str = ""
    name: str = ""
    amount: str = ""
    scan: str = ""
    reason: str = ""


class _Dose(Struct, frozen=True, kw_only=True):
    """A dose that somebody signed, the order as they saw it, and as it is now ({}: deleted)."""

    act: Act
    said: _Said
    order: Mapping[str, Any]
    now: Mapping[str, Any]
    dosage: Mapping[str, Any]

    @property
    def name(self) -> str:
        return name_of(self.order)

    @property
    def by(self) -> Signer:
        return Signer(*self.act.by)


async def given(services: Services, actor: Actor, act: Act) -> Outcome:
    """Record a planned dose that was given. Raises `AccessError`."""
    dose = await _read(services, actor, act)
    made = administration.given(
        dose.order, dose.dosage, dose.by, act.at, due=dose.said.due, not_scanned=dose.said.scan
    )
    made = await taken_from_shelf(services, actor, dose.order, made)
    return await _keep(services, actor, dose, made, ())


async def withheld(services: Services, actor: Actor, act: Act) -> Outcome:
    """Record that a planned dose was not given, and why. Raises `AccessError`."""
    dose = await _read(services, actor, act)
    try:
        made = administration.not_given(
            dose.order, dose.by, act.at, due=dose.said.due, reason=dose.said.reason
        )
    except Refusal as refusal:
        raise NotTaken(str(refusal)) from refusal
    return await _keep(services, actor, dose, made, ())


async def needed(services: Services, actor: Actor, act: Act) -> Outcome:
    """Record an as-needed dose, and the task to see how it worked. Raises `AccessError`."""
    dose = await _read(services, actor, act)
    made = administration.given(
        dose.order, dose.dosage, dose.by, act.at, reason=dose.said.reason[:500],
        not_scanned=dose.said.scan,
    )  # fmt: skip
    made = await taken_from_shelf(services, actor, dose.order, made)
    url = f"urn:uuid:{uuid4()}"
    effect = effect_task(made, url, dose.by, actor, act.at)
    return await _keep(services, actor, dose, made, [(f"urn:uuid:{uuid4()}", effect)], url)


BROUGHT: Final = {"given": given, "withheld": withheld, "needed": needed}


def known_late(made: Mapping[str, Any]) -> str:
    """What was changed before it was known that this dose had been given; "" for nothing."""
    listed = objects(made.get("extension"))
    return next((text(e.get("valueString")) for e in listed if e.get("url") == KNOWN_LATE), "")


async def _read(services: Services, actor: Actor, act: Act) -> _Dose:
    """The order as it was seen, and as it is. Raises `AccessError`."""
    said = msgspec.convert(act.said, _Said)
    # The record is opened first: to whom it is closed it is closed, whatever the order says.
    await services.gate.open_chart(actor, act.patient, interaction="round")
    seen = await services.gate.open_version(actor, "MedicationRequest", said.order, said.version)
    order = seen.resource
    if reference_key(order.get("subject")) != f"Patient/{act.patient}":
        raise NotTaken(_("The order is another patient's."))
    dosages = objects(order.get("dosageInstruction"))
    if not 0 <= said.place < len(dosages):
        raise NotTaken(_("The order does not say such a dose."))
    try:
        now = (await services.gate.open_resource(actor, "MedicationRequest", said.order)).resource
    except Gone:
        now = {}
    return _Dose(act=act, said=said, order=order, now=now, dosage=dosages[said.place])


async def _keep(
    services: Services,
    actor: Actor,
    dose: _Dose,
    made: dict[str, Any],
    beside: Sequence[tuple[str, Mapping[str, Any]]],
    url: str = "",
) -> Outcome:
    """Store a dose and what belongs to it, and say what somebody has to settle."""
    url = url or f"urn:uuid:{uuid4()}"
    why = "" if made["status"] == "not-done" else _changed_since(dose)
    entries = [(url, made), *beside]
    if why:
        late = {"url": KNOWN_LATE, "valueString": why}
        entries[0] = url, {**made, "extension": [*objects(made.get("extension")), late]}
        entries.append(await _told(services, actor, dose, url, "stopped", why))
    try:
        await keep_once(services, actor, entries, dose.act.key)
    except Unprocessable as problem:
        words = " ".join(issue.diagnostics for issue in problem.issues)
        if _is(problem.issues, DUPLICATE):
            return await _contradict(services, actor, dose, made, words)
        if not _is(problem.issues, "business-rule") or made["status"] != "completed":
            raise
        return await _outside(services, actor, dose, beside, url, words)
    await count_scan(services, actor, dose.name, made)
    return Outcome(status="conflict" if why else "stored", name=dose.name, why=why)


async def _contradict(
    services: Services, actor: Actor, dose: _Dose, made: dict[str, Any], words: str
) -> Outcome:
    """Keep the second word about a dose, to be settled by a person."""
    query = urlencode({"identifier": f"{DUE}|{dose.said.due}"})
    stored = await services.searcher.match(actor, "MedicationAdministration", query, _MOST_WORDS)
    first = next((s.resource for s in stored if s.resource.get("status") in ANSWERS), None)
    if first is None:
        # It is withheld from who asks, or was taken back at this moment.
        raise NotTaken(words)
    kept = administration.contradicting(made, first)
    await keep_once(services, actor, [(f"urn:uuid:{uuid4()}", kept)], dose.act.key)
    why = words + " " + _("What you signed is kept, and has to be settled.")
    return Outcome(status="conflict", name=dose.name, why=why)


async def _outside(
    services: Services,
    actor: Actor,
    dose: _Dose,
    beside: Sequence[tuple[str, Mapping[str, Any]]],
    url: str,
    words: str,
) -> Outcome:
    """Keep what was given against the plan as it was by then, and tell who prescribes."""
    kind: _Kind = "other-time" if is_planned(dose.now) else "stopped"
    words = _changed_since(dose) or words
    told = _outside_of(dose, kind, words)
    made = await taken_from_shelf(services, actor, dose.order, as_given(told, dose.by))
    if dose.said.reason and "reasonCode" not in made:
        made["reasonCode"] = [{"text": dose.said.reason[:500]}]
    task = await _told(services, actor, dose, url, kind, words)
    await keep_once(services, actor, [(url, made), *beside, task], dose.act.key)
    why = words + " " + _("The dose is kept as given, and who prescribes is told.")
    return Outcome(status="conflict", name=dose.name, why=why)


async def _told(
    services: Services, actor: Actor, dose: _Dose, focus: str, kind: _Kind, words: str
) -> tuple[str, dict[str, Any]]:
    given_so = _outside_of(dose, kind, words)
    owner = await owner_of(services, actor, given_so)
    task = task_to_acknowledge(given_so, focus, dose.by, owner, clock.now())
    return f"urn:uuid:{uuid4()}", task


def _outside_of(dose: _Dose, kind: _Kind, words: str) -> Outside:
    return Outside(
        patient=dose.act.patient, at=dose.act.at, kind=kind, words=words, order=dose.order,
        dosage=dose.dosage, due=dose.said.due, not_scanned=dose.said.scan,
    )  # fmt: skip


def _changed_since(dose: _Dose) -> str:
    """What became of the order after the phone had seen it, when doses of it are no longer due."""
    if is_planned(dose.now):
        return ""
    stamp = text(mapping(dose.now.get("meta")).get("lastUpdated"))
    when = _clock(stamp) if stamp else "–"
    said = _("The order was stopped or paused at %(time)s, before anybody knew of this dose.")
    return said % {"time": when}


def _clock(stamp: str) -> str:
    return f"{datetime.fromisoformat(stamp).astimezone(OSLO):%d.%m. %H:%M}"


def _is(issues: Sequence[Issue], code: str) -> bool:
    return any(issue.code == code for issue in issues)
