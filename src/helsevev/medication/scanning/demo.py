"""Scanning in the demo: some weeks of counts at its wards, and stops with what came after them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.scan_counts import DOSE, MEDICINE, PATIENT, RIGHT
from helsevev.access.services import Services
from helsevev.fhir.reading import OSLO, objects
from helsevev.kit import clock
from helsevev.medication.administration import Signer
from helsevev.medication.catalogue import demo
from helsevev.medication.scanning import fitting, judging, stops
from helsevev.medication.scanning.fitting import fit, ordered_of
from helsevev.medication.scanning.judging import Verdict
from helsevev.medication.scanning.words import told_of

_PERSONAS: Final = ("ward-nurse", "nursing-home-nurse")
_SCANNED: Final = (61, 64, 63, 70, 74, 73, 81, 86)
"""Of a hundred doses, by week, the oldest first."""
_WHY: Final = (
    ("no-code", "Natriumklorid inf 9 mg/ml", 5), ("unreadable", "Selo-Zok depottab 50 mg", 3),
    ("no-wristband", "Furix tab 40 mg", 2),
)  # fmt: skip
"""Why the others were not, in parts of ten."""
_UNKNOWN: Final = "07038319999992"
_PATIENTS: Final = ("demo-kare", "demo-aslaug")
_AFTER: Final = ((timedelta(minutes=2), stops.CHANGED), (timedelta(minutes=4), stops.NOT_GIVEN))


async def load_scans(services: Services, people: Mapping[str, Actor]) -> int:
    """Count some weeks at the wards of the demo, unless something is counted; gives how many."""
    today = clock.now().astimezone(OSLO).date()
    monday = today - timedelta(days=today.weekday())
    counts, filled = services.scan_counts, 0
    for persona in _PERSONAS:
        actor = people[persona]
        if await counts.of_units(actor.unit, monday - timedelta(weeks=len(_SCANNED))):
            continue
        for day, (means, what, outcome, product, times) in _weeks(monday):
            await counts.add(
                actor, day, what, outcome, means=means, product=product, times=times
            )  # fmt: skip
        filled += 1
    if filled:
        await _stop_some(services, people["ward-nurse"], clock.now() - timedelta(days=1))
    return filled


def _weeks(monday: date) -> Iterator[tuple[date, tuple[str, str, str, str, int]]]:
    """A day in each week before this one, and what is counted of it."""
    for place, scanned in enumerate(_SCANNED):
        day = monday - timedelta(weeks=len(_SCANNED) - place)
        yield day, ("camera", DOSE, RIGHT, "", scanned)
        yield day, ("camera", PATIENT, RIGHT, "", scanned // 3)
        yield day, ("camera", MEDICINE, RIGHT, "", scanned)
        for reason, name, part in _WHY:
            yield day, ("", DOSE, reason, name, (100 - scanned) * part // 10)
        yield day, ("camera", MEDICINE, judging.UNKNOWN, _UNKNOWN, 1 + place % 3)
        yield day, ("camera", MEDICINE, fitting.WRONG_STRENGTH, "", 1 + place % 2)
        if place % 3 == 0:
            yield day, ("camera", PATIENT, judging.WRONG_PATIENT, "", 1)


async def _stop_some(services: Services, nurse: Actor, at: datetime) -> None:
    """A package of the wrong strength at some bedsides, and what came after it."""
    by = Signer(nurse.id, nurse.name)
    for patient, (later, act) in zip(_PATIENTS, _AFTER, strict=True):
        found = await services.searcher.match(
            SYSTEM, "MedicationRequest", f"patient=Patient/{patient}&status=active", 50
        )
        wrong = next(filter(None, map(_wrong, (each.resource for each in found))), None)
        if wrong is None:
            continue
        unit = (nurse.unit[0], nurse.unit_name)
        stop = stops.stop_of(wrong, patient, by, unit, at, told_of(wrong).text)
        kept = stops.answered(stop, act, by, at + later)
        await services.writer.write(SYSTEM, {**(kept or stop), "id": f"{patient}-stop"})


def _wrong(order: dict[str, Any]) -> Verdict | None:
    """The stop of another strength of what is ordered; None where the demo has none."""
    ordered, dosage = ordered_of(order, {}), next(iter(objects(order["dosageInstruction"])), {})
    for product, _package in demo.packed():
        if fit(product, ordered, dosage).problem == fitting.WRONG_STRENGTH:
            return Verdict(kind=fitting.WRONG_STRENGTH, product=product, expected=(order,))
    return None
