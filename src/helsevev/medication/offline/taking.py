"""The round that a phone takes along: what a round needs, and never where somebody lives."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from msgspec import Struct

from helsevev.access.actor import Actor
from helsevev.access.errors import Refused
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.content import loading
from helsevev.fhir.reading import mapping, objects, reference_key, text
from helsevev.kit import clock
from helsevev.locale import gettext as _
from helsevev.medication.administration import GIVES, moment_given, substance_codes
from helsevev.medication.administration_rules import most_doses, shortest_interval
from helsevev.medication.dosage import plain
from helsevev.medication.panel import medicines
from helsevev.medication.round import AHEAD, AsNeeded, Row
from helsevev.medication.round_opening import OpenedRound, open_round
from helsevev.medication.round_times import earliest, on_time
from helsevev.observation.results import Series, results
from helsevev.patient.banner import Banner, banner
from helsevev.screens.formatting import age, clinical_date, clinical_time

MOST: Final = 60
"""Patients that one round takes along."""
_AT_ONCE: Final = 4
_SLICES: Final = (
    Slice("Patient", 1), Slice("AllergyIntolerance", 100), Slice("Flag", 50),
    Slice("Encounter", 20), Slice("Observation", 100), Slice("MedicationRequest", 300),
    Slice("MedicationStatement", 100), Slice("MedicationAdministration", 100),
)  # fmt: skip
_SHOWN: Final = 10


class Taken(Struct, frozen=True):
    """A round: patients as plain data, and how many more there were than a phone takes."""

    patients: tuple[dict[str, Any], ...]
    left_out: int


async def take(services: Services, actor: Actor) -> Taken:
    """The round of those whom the actor treats, each opened, decided and audited by itself.

    Those with doses first. Raises `Refused` for inhabitants.
    """
    mine = [each for each in await services.people.mine(actor) if each.may_open]
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(patient_id: str) -> dict[str, Any] | None:
        async with turns:
            try:
                return await _patient(services, actor, patient_id)
            except Refused:
                return None  # It was closed while the round was gathered.

    found = await asyncio.gather(*(one(each.patient_id) for each in mine[:MOST]))
    patients = [each for each in found if each is not None]
    patients.sort(key=_urgency)
    return Taken(tuple(patients), max(0, len(mine) - MOST))


def _urgency(patient: dict[str, Any]) -> tuple[str, str]:
    """By the first dose that nobody has signed; those without any come last."""
    unsigned = [dose["at"] for dose in patient["doses"] if not dose["state"]]
    return min(unsigned, default="~"), patient["name"].casefold()


async def _patient(services: Services, actor: Actor, patient_id: str) -> dict[str, Any]:
    opened = await open_round(services, actor, patient_id)
    found = await services.gate.open_slices(opened.permit, _SLICES, interaction="take-round")
    now = clock.now()
    given = found["MedicationAdministration"]
    told = banner(found, now)
    listed = medicines(
        found["MedicationRequest"], found["MedicationStatement"], now=now, with_stopped=False
    )
    return {
        "id": patient_id,
        "name": opened.name,
        "about": _about(opened.birth_date, now),
        "where": opened.room or told.where_text,
        **_dangers(told),
        "doses": [_dose(row, opened) for row in opened.round.rows if not row.is_infusion],
        # They are started, changed and ended with contact: what runs is not for one phone to say.
        "infusions": sorted({row.name for row in opened.round.rows if row.is_infusion}),
        "needed": [_needed(each, given) for each in opened.round.as_needed],
        "unread": [{"name": name, "text": said} for name, said in opened.round.unread],
        "medicines": [
            {"name": each.name, "dose": each.dose_text, "group": each.group}
            for each in (*listed.in_use, *listed.paused, *listed.uncertain)
        ],
        "measurements": [_measurement(each) for each in _vital(found["Observation"])],
    }


def _about(birth_date: str, now: datetime) -> str:
    """Age and date of birth, as they are said."""
    if not birth_date:
        return ""
    told = _("%(age)s, born %(day)s")
    return told % {"age": age(birth_date, now), "day": clinical_date(birth_date)}


def _dangers(told: Banner) -> dict[str, Any]:
    """What must be seen before anything is given. No address and no telephone number is read."""
    return {
        "allergyStatus": told.allergies.status,
        "allergies": [
            {"substance": a.substance, "reactions": list(a.reactions), "danger": a.is_dangerous}
            for a in told.allergies.active
        ],
        "critical": [flag.text for flag in told.flags],
    }


def _dose(row: Row, opened: OpenedRound) -> dict[str, Any]:
    same = [r for r in opened.round.rows if r.order.get("id") == row.order.get("id")]
    apart = next((row.at - r.at for r in reversed(same) if r.at < row.at), None)
    limit = on_time(substance_codes(row.order), apart)
    missed = max(limit, timedelta(minutes=loading.rounds().tolerance.missed))
    return {
        **_ordered(row.order, row.dosage),
        "key": row.key,
        "at": _moment(row.at),
        "earliest": _moment(row.at - earliest(apart)),
        "late": _moment(row.at + limit),
        "missed": _moment(row.at + missed),
        # As the record has it: too soon after the dose before is less than this share of the plan.
        "gap": (apart * loading.rounds().tolerance.share).total_seconds() if apart else 0,
        "name": row.name,
        "amount": row.amount,
        "route": row.route,
        "two": row.needs_two,
        "state": row.state if row.signed or row.state == "away" else "",
        "signedBy": row.signed_by if row.signed else "",
        "signedAt": _moment(row.signed_at) if row.signed_at else "",
        "whyNot": row.why_not,
    }


def _needed(each: AsNeeded, given: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    least = shortest_interval(each.dosage)
    most = most_doses(each.dosage)
    own = f"MedicationRequest/{each.order.get('id')}"
    taken = [
        _moment(at)
        for one in given
        if reference_key(one.get("request")) == own
        and one.get("status") in GIVES
        and (at := moment_given(one)) is not None
    ]
    return {
        **_ordered(each.order, each.dosage),
        "key": f"{each.order.get('id')}.{each.place}",
        "name": each.name,
        "amount": each.amount,
        "reason": each.reason,
        "gap": least.total_seconds() if least else 0,
        "taken": taken,
        "checked": each.is_checked,
        "most": {"doses": most[0], "seconds": most[1].total_seconds()} if most else None,
    }


def _ordered(order: Mapping[str, Any], dosage: Mapping[str, Any]) -> dict[str, Any]:
    """By which order, version of it and dosage: what the phone says when it brings the dose."""
    listed = objects(order.get("dosageInstruction"))
    return {
        "order": text(order.get("id")),
        "version": int(text(mapping(order.get("meta")).get("versionId")) or 1),
        "place": next((n for n, each in enumerate(listed) if each == dosage), 0),
    }


def _vital(observations: Sequence[Mapping[str, Any]]) -> list[Series]:
    return [s for s in results(observations) if s.category == "vital-signs"][:_SHOWN]


def _measurement(series: Series) -> dict[str, Any]:
    latest = series.latest
    values = [part.words or plain(part.amount.value if part.amount else None)
              for part in latest.parts]  # fmt: skip
    said = "/".join(each for each in values if each)
    at = clinical_time(latest.at.text) if latest.at else ""
    return {"name": series.title, "value": f"{said} {series.unit}".strip(), "at": at}


def offered(actor: Actor) -> dict[str, Any]:
    """The content that the phone needs: reasons, measurements with their limits, kinds of note."""
    rounds, table = loading.rounds(), loading.news2()
    return {
        "notGiven": [{"code": r.code, "label": r.label} for r in rounds.not_given],
        "notScanned": [{"code": r.code, "label": r.label} for r in rounds.not_scanned],
        "signs": [
            {
                "key": part.key, "label": part.label, "unit": part.unit, "decimals": part.decimals,
                "lowest": float(part.lowest), "highest": float(part.highest),
                "refused": part.refused,
            }
            for sign in loading.vital_signs().sign
            for part in sign.parts
        ],
        "consciousness": [{"code": a.key, "label": a.label} for a in table.consciousness],
        "noteTypes": [
            {"code": t.key, "label": t.label}
            for t in loading.note_types().for_profession(actor.profession)
        ],
    }  # fmt: skip


def horizon(now: datetime) -> datetime:
    """Until when the doses are taken along."""
    return now + AHEAD


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
