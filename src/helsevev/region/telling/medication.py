"""The medication list: what is taken from when to when, and the statements that say so."""

from __future__ import annotations

from functools import cache
from typing import Any

from ..calendar import clock, iso, stamp
from ..demo.codes import coding, concept, hl7
from ..demo.medicines import Dose, code_of, dosage_of
from ..life import Life, Medicine, Tale, named
from ..notation import Raw, raw, words
from ..products import PRODUCTS
from ..workforce import Worker

__all__ = ["Dose", "change", "prescribe", "stop", "taking", "written_list"]

_USES = {"1": "Fast", "2": "Kur", "3": "Ved behov"}
_CATEGORY = {
    course: raw(concept(use, coding(hl7("medication-statement-category"), "community")))
    for course, use in _USES.items()
}
_ORDERED = {
    False: raw([concept("Resept", coding(hl7("medicationrequest-category"), "community"))]),
    True: raw(
        [
            concept(
                "Ordinasjon under opphold", coding(hl7("medicationrequest-category"), "inpatient")
            )
        ]
    ),
}


@cache
def medicine_code(product: str) -> Raw:
    """The product as a CodeableConcept, encoded once."""
    return raw(code_of(product, PRODUCTS[product]))


@cache
def _dosage(product: str, dose: Dose) -> Raw:
    return raw([dosage_of(dose, PRODUCTS[product])])


def prescribe(
    t: Tale,
    product: str,
    dose: Dose,
    since: int,
    reason: str,
    *,
    by: Worker | None = None,
    until: int | None = None,
    why: str | None = None,
    course: str = "1",
    inpatient: bool = False,
) -> Medicine:
    """Put a medicine on the list from a day; a day in `until` ends it, as a course does.

    The same product is not put on the list twice: the one there goes on.
    """
    for known in t.life.medicines:
        if known.product == product and not inpatient and taking(known, since):
            return known
    found = Medicine(
        product, dose, since, reason, by or t.gp(), course, until, why, inpatient=inpatient
    )
    t.life.medicines.append(found)
    return found


def stop(medicine: Medicine, day: int, why: str) -> None:
    """Take a medicine off the list on a day, unless it was off before."""
    if medicine.until is None or day < medicine.until:
        medicine.until, medicine.why = max(day, medicine.since), why


def change(t: Tale, medicine: Medicine, dose: Dose, day: int, why: str, by: Worker) -> Medicine:
    """Give the same medicine in another way from a day on."""
    stop(medicine, day, why)
    found = Medicine(medicine.product, dose, day, medicine.reason, by, medicine.course)
    t.life.medicines.append(found)
    return found


def taking(medicine: Medicine, day: int) -> bool:
    """Whether the medicine is on the list that day."""
    return medicine.since <= day and (medicine.until is None or day < medicine.until)


def written_list(life: Life) -> None:
    """Write the list as it came to be: a prescription and a statement for every medicine.

    What was over before the window, and what would begin after it, is left out.
    """
    for each in life.medicines:
        begins = clock(each.since, 12)
        over = each.until is not None and each.until <= life.start // 1440
        if begins >= life.end or over or each.until == each.since:
            continue
        _written(life, each)


def _written(life: Life, each: Medicine) -> None:
    last = life.end // 1440
    ended = each.until is not None and each.until <= last
    died = life.died_at is not None
    state = "active"
    if ended or died:
        state = "stopped" if each.why is not None or not ended else "completed"
    dosage = _dosage(each.product, each.dose)
    each.request = life.put(
        "MedicationRequest",
        {
            "status": "active" if state == "active" else state,
            "intent": "order",
            "category": _ORDERED[each.inpatient],
            "medicationCodeableConcept": medicine_code(each.product),
            "subject": life.subject,
            "authoredOn": stamp(clock(each.since, 12)),
            "requester": named(each.by),
            "reasonCode": [words(each.reason)],
            "dosageInstruction": dosage,
        },
    )
    if each.inpatient:
        return
    period = {"start": iso(each.since)}
    if ended or died:
        period["end"] = iso(each.until if ended and each.until is not None else last)
    statement: dict[str, Any] = {
        "basedOn": [{"reference": each.request}],
        "status": state,
        "category": _CATEGORY[each.course],
        "medicationCodeableConcept": medicine_code(each.product),
        "subject": life.subject,
        "effectivePeriod": period,
        "dateAsserted": period.get("end", period["start"]),
        "informationSource": named(each.by),
        "reasonCode": [words(each.reason)],
        "dosage": dosage,
    }
    if state == "stopped":
        statement["statusReason"] = [words(each.why or "Død")]
    life.put("MedicationStatement", statement)
