"""Giving a power of attorney: an inhabitant lets somebody act for them, so far and so long.

Helsepersonelloven § 22 and pasient- og brukerrettighetsloven § 4-3: from 16 the inhabitant decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from helsevev.access.acting.choosing import own
from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.gate import author_of
from helsevev.access.representing import (
    POWER_OF_ATTORNEY,
    SCOPE_URL,
    SCOPES,
    representations,
)
from helsevev.access.slices import Slice
from helsevev.access.writing import Writer
from helsevev.fhir import dates
from helsevev.fhir.identifiers import person_number_fault, system_of
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.record import keys
from helsevev.record.audit import audit_row
from helsevev.record.rows import token_hash

GIVE: Final = "give-representation"
_ROLE: Final = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
_LONGEST_NAME: Final = 200
_MOST: Final = 100


class NotGiven(Exception):
    """Nothing was given; `problems` says what is wrong with which field of the form."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(problems.values()))
        self.problems = problems


async def may_give(writer: Writer, actor: Actor) -> bool:
    """Whether a rule lets the inhabitant give anybody a power of attorney."""
    me = own(actor)
    patient = keys.patient_key(me.id.removeprefix("Patient/"))
    return (await writer.gate.permits.verdict(me, patient, GIVE)).decision.allowed


async def give(writer: Writer, actor: Actor, form: Mapping[str, str]) -> None:
    """Let the one with the national number in `form` act for the inhabitant from now on.

    `form` holds `name`, `number`, `scope` (one of `SCOPES`), `until` (the last day, ISO 8601, or
    nothing for no end) and `key`, which makes a second press of the same button the first.
    Whether anybody here has the number is not told. Raises `NotGiven` or `Refused` (audited).
    """
    gate, me = writer.gate, own(actor)
    patient_id = me.id.removeprefix("Patient/")
    patient = keys.patient_key(patient_id)
    verdict = await gate.permits.verdict(me, patient, GIVE)
    if not verdict.decision.allowed:
        await gate.refuse(me, patient, verdict.decision, GIVE, action="write")
    number = "".join(form.get("number", "").split())
    name, scope, until = (form.get(key, "").strip() for key in ("name", "scope", "until"))
    if problems := _problems(name, number, scope, until):
        raise NotGiven(problems)
    slices = [Slice("RelatedPerson", _MOST), Slice("Patient", 1)]
    _permit, held = await gate.open_chart_at(me, patient_id, slices, interaction=GIVE)
    system = str(system_of(number))
    if any(
        (each.get("system"), each.get("value")) == (system, number)
        for person in held["Patient"]
        for each in person.get("identifier", ())
    ):
        raise NotGiven({"number": _("This is your own number.")})
    now, theirs = dates.microseconds(clock.now()), token_hash("identifier", system, number)
    last = dates.period_bounds(None, until or None)
    for person in held["RelatedPerson"]:
        for who, kind, how_far, _start, end in representations(person):
            if who != theirs or now >= end:
                continue
            if (kind, how_far, end) == (POWER_OF_ATTORNEY, scope, last[1] if last else dates.MAX):
                return  # The same button, pressed again.
            raise NotGiven({"number": _("This person acts for you already.")})
    period = {"start": clock.now().astimezone(dates.LOCAL).date().isoformat()}
    tie = {
        "resourceType": "RelatedPerson", "active": True,
        "extension": [{"url": SCOPE_URL, "valueCode": scope}],
        "identifier": [{"system": system, "value": number}],
        "patient": {"reference": me.id}, "name": [{"text": name}],
        "relationship": [{"coding": [{"system": _ROLE, "code": "POWATT"}]}],
        "period": period | ({"end": until} if until else {}),
    }  # fmt: skip
    author = author_of(me, GIVE, verdict.purpose, basis=verdict.why)
    await gate.trail.keep(audit_row(patient, 0, clock.now(), author, me.id, action="write"))
    # The register of persons is kept by the program; the row above says on whose word.
    key = f"{GIVE} {me.id} {form.get('key', '')}"
    await writer.write(SYSTEM, tie, create=True, idempotency_key=key)


def _problems(name: str, number: str, scope: str, until: str) -> dict[str, str]:
    problems = {}
    if not name or len(name) > _LONGEST_NAME:
        problems["name"] = _("Write the full name.")
    if person_number_fault(number) or system_of(number) is None:
        problems["number"] = _("This is not a national number: 11 digits, with the right last two.")
    if scope not in SCOPES:
        problems["scope"] = _("Choose how far.")
    if until and not _is_to_come(until):
        problems["until"] = _("Write a day to come, or nothing.")
    return problems


def _is_to_come(until: str) -> bool:
    try:
        return date.fromisoformat(until) >= clock.now().astimezone(dates.LOCAL).date()
    except ValueError:
        return False
