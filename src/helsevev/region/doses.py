"""Doses given: every round of medicines a ward or a service gave, most on time, some late or not.

A dose is due when its prescription says (`dosageInstruction.timing.repeat.timeOfDay`); whether it
was on time is told by the administration's own time.
"""

from __future__ import annotations

from functools import cache

from .calendar import DAY, stamp, weekday
from .catalogue import Unit
from .chance import Chance
from .demo.codes import coding, concept, hl7, volven
from .demo.medicines import ROUTES, amount_of
from .facts import facts
from .life import Life, Medicine, Service, named
from .notation import Raw, raw
from .products import PRODUCTS
from .telling.medication import medicine_code, taking
from .workforce import Worker, workforce

_WEEKDAYS = {"man": 0, "tir": 1, "ons": 2, "tor": 3, "fre": 4, "lør": 5, "søn": 6}
_CATEGORY = {
    kind: raw(concept(text, coding(hl7("medication-admin-category"), kind)))
    for kind, text in (("inpatient", "Innlagt"), ("community", "Kommunal tjeneste"))
}
_NOT_GIVEN = tuple(
    raw([concept(text)])
    for text in ("Pasienten ønsket ikke", "Ikke til stede", "Kvalm", "Sov, ikke vekket")
)
Round = tuple[int, list[Medicine]]


@cache
def _dosage(product: str, amount: str) -> Raw:
    code, text = ROUTES[PRODUCTS[product].route]
    return raw(
        {
            "route": concept(text, coding(volven(7477), code, text)),
            "dose": amount_of(amount or "1 dose"),
        }
    )


def give(life: Life, first_day: int) -> None:
    """Write every dose from a day on that a ward or a service with medicines gave."""
    services = [each for each in life.services if each.medicines]
    if not life.medicines or not (services or life.stays):
        return
    rates = facts("rates")["doses"]
    chance = Chance(life.person.seed, "doses", life.person.id)
    turns = {each.since for each in life.medicines} | {
        each.until for each in life.medicines if each.until is not None
    }
    rounds: list[Round] | None = None
    for day in range(max(first_day, life.start // DAY), life.last_day + 1):
        stays = [each for each in life.stays if each.start // DAY <= day <= each.end // DAY]
        service = _running(services, day)
        if service is None and not stays:
            rounds = None
            continue
        if rounds is None or day in turns:
            rounds = _rounds(life.medicines, day)
        for due, medicines in rounds:
            at = day * DAY + due
            ward = next((each for each in stays if each.start <= at < each.end), None)
            if ward is not None:
                _round(life, chance, rates, at, medicines, ward.unit, ward.reference)
            elif service is not None:
                _round(life, chance, rates, at, medicines, service.unit, None)


def _running(services: list[Service], day: int) -> Service | None:
    for each in services:
        if each.since <= day and (each.until is None or day < each.until):
            return each
    return None


def _rounds(medicines: list[Medicine], day: int) -> list[Round]:
    """What is due at each time of day (minutes) while the list is as it is that day."""
    due: dict[int, list[Medicine]] = {}
    for each in medicines:
        if each.request and each.dose.as_needed is None and taking(each, day):
            for hour in each.dose.hours.split():
                hours, _, minutes = hour.partition(":")
                due.setdefault(int(hours) * 60 + int(minutes or 0), []).append(each)
    return sorted(due.items())


def _round(
    life: Life,
    chance: Chance,
    rates: dict[str, float],
    due: int,
    medicines: list[Medicine],
    unit: Unit,
    stay: str | None,
) -> None:
    """One round at one bedside: one giver, a minute between medicines."""
    if chance.happens(rates["round_late"]):
        at = due + chance.whole(62, 175)
    else:
        at = due + int((chance.draw() + chance.draw() - 1) * 55)
    here = workforce()[unit.id]
    giver = _giver(chance, here)
    by = [{"actor": named(giver)}]
    today = weekday(due // DAY)
    for each in medicines:
        days = each.dose.days
        if days and today not in [_WEEKDAYS[name] for name in days.split()]:
            continue
        at += 1
        if not life.start <= at < life.end:
            continue
        when = at + (chance.whole(61, 120) if chance.happens(rates["dose_late"]) else 0)
        if when >= life.end:
            continue
        content = {
            "status": "completed",
            "category": _CATEGORY["community" if stay is None else "inpatient"],
            "medicationCodeableConcept": medicine_code(each.product),
            "subject": life.subject,
            "effectiveDateTime": stamp(when),
            "performer": by,
            "request": {"reference": each.request},
            "dosage": _dosage(each.product, each.dose.amount),
        }
        if stay is not None:
            content["context"] = {"reference": stay}
        if chance.happens(rates["not_given"]):
            content["status"] = "not-done"
            content["statusReason"] = chance.among(_NOT_GIVEN)
            del content["dosage"]
        life.put("MedicationAdministration", content)


def _giver(chance: Chance, here: dict[str, list[Worker]]) -> Worker:
    kinds = [each for each in ("nurse", "assistant-nurse", "social-educator") if each in here]
    kind = kinds[0] if len(kinds) == 1 or chance.happens(0.6) else kinds[1]
    return chance.among(here[kind])
