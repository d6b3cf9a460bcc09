"""An order's life: prescribed, changed, paused, resumed, stopped, renewed; old versions stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from helsevev.fhir.outcome import Issue, error
from helsevev.fhir.reading import (
    amount,
    concept_text,
    mapping,
    moment,
    number,
    objects,
    start_and_end,
    text,
)
from helsevev.locale import gettext as _
from helsevev.medication.coding import (
    MULTIDOSE,
    OWN_MANAGED,
    STATUS_CHANGED,
    UNCHECKED,
    repeat_of,
    use_of,
    with_extension,
)

_ENDED: Final = frozenset({"stopped", "completed", "cancelled", "entered-in-error", "not-taken"})
_STANDING: Final = frozenset({"active", "on-hold"})
_HOW_TAKEN: Final = ("route", "site", "method", "additionalInstruction", "patientInstruction")


@dataclass(frozen=True, slots=True)
class Prescriber:
    """Who signs: a reference ("Practitioner/…") and the name to show."""

    reference: str
    name: str


class NotPrescribable(ValueError):
    """The order cannot be signed; `issues` says why, in the prescriber's words."""

    def __init__(self, issues: Sequence[Issue]) -> None:
        super().__init__("; ".join(issue.diagnostics for issue in issues))
        self.issues = tuple(issues)


def prescribe(
    medicine: Mapping[str, Any],
    dosages: Sequence[Mapping[str, Any]],
    *,
    patient_id: str,
    prescriber: Prescriber,
    at: datetime,
    reason: str = "",
    encounter: str | None = None,
    multidose: bool = False,
    own_managed: bool = False,
) -> dict[str, Any]:
    """A MedicationRequest signed at `at` (aware); `medicine` is a CodeableConcept.

    Raises NotPrescribable. http://hl7.org/fhir/R4/medicationrequest.html
    """
    order: dict[str, Any] = {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": dict(medicine),
        "subject": {"reference": f"Patient/{patient_id}"},
        "authoredOn": _stamp(at),
        "requester": _party(prescriber),
        "recorder": _party(prescriber),
        "dosageInstruction": [dict(dosage) for dosage in dosages],
    }
    if reason.strip():
        order["reasonCode"] = [{"text": reason.strip()}]
    if encounter:
        order["encounter"] = {"reference": encounter}
    for url, is_so in ((MULTIDOSE, multidose), (OWN_MANAGED, own_managed)):
        if is_so:
            order = with_extension(order, url, {"valueBoolean": True})
    _refuse(_faults(order))
    return order


def change(
    line: Mapping[str, Any],
    dosages: Sequence[Mapping[str, Any]],
    *,
    prescriber: Prescriber,
    at: datetime,
    reason: str = "",
    multidose: bool = False,
    own_managed: bool = False,
) -> dict[str, Any]:
    """The next version of an order or a statement, dosed otherwise; the medicine stays the same.

    So does what the line says of how it is taken (`_HOW_TAKEN`), where the dosages do not.
    Raises NotPrescribable, also when nothing was changed or the medicine is no longer in use.
    """
    _must_stand(line)
    element = dose_element(line)
    made = _written(line, prescriber)
    held = objects(line.get(element))
    taken = {name: each[name] for each in reversed(held) for name in _HOW_TAKEN if each.get(name)}
    made[element] = [{**taken, **dosage} for dosage in dosages]
    if reason.strip():
        made["reasonCode"] = [{"text": reason.strip()}]
    for url, is_so in ((MULTIDOSE, multidose), (OWN_MANAGED, own_managed)):
        made = with_extension(made, url, {"valueBoolean": True} if is_so else None)
    # What was said of the version before does not hold for this one.
    made = with_extension(made, UNCHECKED, None)
    if line["resourceType"] == "MedicationRequest":
        made["requester"] = _party(prescriber)
    else:
        made["dateAsserted"] = _stamp(at)
    seen = (element, "reasonCode", "extension")
    if all(made.get(name) == line.get(name) for name in seen):
        _refuse([error("business-rule", _("Nothing was changed."), element)])
    _refuse(_faults({**made, "dosageInstruction": made[element]}))
    return made


def pause(
    line: Mapping[str, Any], why: str, *, prescriber: Prescriber, at: datetime
) -> dict[str, Any]:
    """The next version, on hold until somebody resumes it. Raises NotPrescribable without why."""
    _must_stand(line)
    return _turned(line, "on-hold", why, prescriber, at)


def stop(
    line: Mapping[str, Any], why: str, *, prescriber: Prescriber, at: datetime
) -> dict[str, Any]:
    """The next version, stopped for good. Raises NotPrescribable without why."""
    _must_stand(line)
    made = _turned(line, "stopped", why, prescriber, at)
    if line["resourceType"] == "MedicationStatement":
        period = {**mapping(line.get("effectivePeriod")), "end": _stamp(at)}
        if moment_at := text(made.pop("effectiveDateTime", None)):
            period.setdefault("start", moment_at)
        made["effectivePeriod"] = period
    return made


def resume(line: Mapping[str, Any], *, prescriber: Prescriber, at: datetime) -> dict[str, Any]:
    """The next version, in use again after a pause."""
    if text(line.get("status")) != "on-hold":
        _refuse([error("business-rule", _("It is not on hold."), "status")])
    made = _written(line, prescriber)
    made.pop("statusReason", None)
    return _dated({**made, "status": "active"}, at)


def complete(line: Mapping[str, Any], *, prescriber: Prescriber, at: datetime) -> dict[str, Any]:
    """The next version, ended as it was meant to. Raises NotPrescribable for what has ended."""
    _must_stand(line)
    made = {**_written(line, prescriber), "status": "completed"}
    made.pop("statusReason", None)
    return _dated(made, at)


def renew(
    order: Mapping[str, Any], *, prescriber: Prescriber, at: datetime
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the order before, completed; a new one like it that names it as its prior).

    The new one lacks an id. Raises NotPrescribable for what is no order, or has ended otherwise.
    """
    if order.get("resourceType") != "MedicationRequest":
        _refuse([error("business-rule", _("Only an order can be renewed."), "resourceType")])
    if text(order.get("status")) not in {*_STANDING, "completed"}:
        _refuse([error("business-rule", _("It is no longer in use."), "status")])
    before = _dated({**_written(order, prescriber), "status": "completed"}, at)
    before.pop("statusReason", None)
    left = {"id", "meta", "identifier", "groupIdentifier", "statusReason", "encounter", "text"}
    made = {name: value for name, value in order.items() if name not in left}
    for url in (STATUS_CHANGED, UNCHECKED):
        made = with_extension(made, url, None)
    made |= {
        "status": "active",
        "authoredOn": _stamp(at),
        "requester": _party(prescriber),
        "recorder": _party(prescriber),
        "priorPrescription": {"reference": f"MedicationRequest/{order['id']}"},
    }
    _refuse(_faults(made))
    return before, made


def mark_unchecked(order: Mapping[str, Any], why: str) -> dict[str, Any]:
    """The order saying that decision support could not check it, and why; "" takes it away."""
    return with_extension(order, UNCHECKED, {"valueString": why} if why else None)


def dose_element(line: Mapping[str, Any]) -> str:
    """Where an order or a statement has its Dosage."""
    return "dosage" if line.get("resourceType") == "MedicationStatement" else "dosageInstruction"


def check(order: Mapping[str, Any]) -> list[Issue]:
    """The rules of a MedicationRequest, whichever door it comes through.

    No dose is negative or nothing, and no step ends before it begins, whoever ordered it. An order
    that says its use as the national model does (sfm-use) is whole: each dosage has a dose and a
    time, or a reason and a maximum as needed, or is a text; a stop and a pause say why.
    """
    dosages = objects(order.get("dosageInstruction"))
    found = [issue for place, d in enumerate(dosages) for issue in _impossible(d, place)]
    if text(order.get("intent")) == "order" and any(use_of(dosage) for dosage in dosages):
        found += _faults(order)
        if text(order.get("status")) in ("stopped", "on-hold") and not concept_text(
            order.get("statusReason")
        ):
            found.append(_without_why("MedicationRequest.statusReason"))
    return found


def _faults(order: Mapping[str, Any]) -> list[Issue]:
    """What an order lacks that is to be carried out."""
    found: list[Issue] = []
    concept = order.get("medicationCodeableConcept")
    if not concept_text(concept) and not order.get("medicationReference"):
        found.append(error("required", _("Choose the medicine."), "MedicationRequest.medication"))
    dosages = objects(order.get("dosageInstruction"))
    if not dosages:
        problem = _("Say the dose and when it is taken.")
        found.append(error("required", problem, "MedicationRequest.dosageInstruction"))
    for place, dosage in enumerate(dosages):
        found += _impossible(dosage, place) + _incomplete(dosage, place)
    return found


def _impossible(dosage: Mapping[str, Any], place: int) -> list[Issue]:
    at = f"MedicationRequest.dosageInstruction[{place}]"
    found = []
    for given in objects(dosage.get("doseAndRate")):
        for name in ("doseQuantity", "rateQuantity"):
            said = number(mapping(given.get(name)).get("value"))
            if said is not None and (said < 0 or (said == 0 and name == "doseQuantity")):
                problem = _("A dose is more than nothing.")
                found.append(error("value", problem, f"{at}.doseAndRate.{name}"))
    start, end = start_and_end(repeat_of(dosage).get("boundsPeriod"))
    if start is not None and end is not None and end.end < start.at:
        found.append(error(
            "value", _("It ends before it begins."), f"{at}.timing.repeat.boundsPeriod"
        ))  # fmt: skip
    most = amount(mapping(dosage.get("maxDosePerPeriod")).get("numerator"))
    if most is not None and most.value is not None and most.value <= 0:
        problem = _("A maximum is more than nothing.")
        found.append(error("value", problem, f"{at}.maxDosePerPeriod"))
    return found


def _incomplete(dosage: Mapping[str, Any], place: int) -> list[Issue]:
    at = f"MedicationRequest.dosageInstruction[{place}]"
    if text(dosage.get("text")):
        return []
    found = []
    given = next(iter(objects(dosage.get("doseAndRate"))), {})
    if not any(given.get(name) for name in (
        "doseQuantity", "doseRange", "rateQuantity", "rateRatio", "rateRange"
    )):  # fmt: skip
        found.append(error("required", _("Say how much each time."), f"{at}.doseAndRate"))
    if dosage.get("asNeededBoolean") is True or dosage.get("asNeededCodeableConcept"):
        if not concept_text(dosage.get("asNeededCodeableConcept")):
            problem = _("Say what it is taken for when needed.")
            found.append(error("required", problem, f"{at}.asNeeded"))
        if not dosage.get("maxDosePerPeriod"):
            problem = _("Say the most in 24 hours.")
            found.append(error("required", problem, f"{at}.maxDosePerPeriod"))
        found += _below_one_dose(dosage, given, at)
    elif not dosage.get("timing") and not any(n.startswith("rate") for n in given):
        found.append(error("required", _("Say when it is taken."), f"{at}.timing"))
    return found


def _below_one_dose(
    dosage: Mapping[str, Any], given: Mapping[str, Any], at: str
) -> list[Issue]:  # fmt: skip
    once = amount(given.get("doseQuantity"))
    most = amount(mapping(dosage.get("maxDosePerPeriod")).get("numerator"))
    if once is None or most is None or once.unit != most.unit:
        return []
    if (most.value or Decimal(0)) < (once.value or Decimal(0)):
        problem = _("The most in 24 hours is less than one dose.")
        return [error("value", problem, f"{at}.maxDosePerPeriod")]
    return []


def _turned(
    line: Mapping[str, Any], status: str, why: str, prescriber: Prescriber, at: datetime
) -> dict[str, Any]:
    if not why.strip():
        _refuse([_without_why("why")])
    reason = {"text": why.strip()}
    is_order = line["resourceType"] == "MedicationRequest"
    made = {**_written(line, prescriber), "status": status}
    made["statusReason"] = reason if is_order else [reason]
    return _dated(made, at)


def _written(line: Mapping[str, Any], prescriber: Prescriber) -> dict[str, Any]:
    """A copy for the next version, by whom it is written; its narrative would tell the old one."""
    made = {name: value for name, value in line.items() if name != "text"}
    if line["resourceType"] == "MedicationRequest":
        made["recorder"] = _party(prescriber)
    else:
        made["informationSource"] = _party(prescriber)
    return made


def _dated(made: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    if made["resourceType"] == "MedicationRequest":
        return with_extension(made, STATUS_CHANGED, {"valueDateTime": _stamp(at)})
    return {**made, "dateAsserted": _stamp(at)}


def changed_at(line: Mapping[str, Any]) -> str:
    """When the status became what it is, where that is said; "" otherwise."""
    for each in objects(line.get("extension")):
        if each.get("url") == STATUS_CHANGED and moment(each.get("valueDateTime")):
            return text(each.get("valueDateTime"))
    return ""


def _must_stand(line: Mapping[str, Any]) -> None:
    if text(line.get("status")) in _ENDED:
        _refuse([error("business-rule", _("It is no longer in use."), "status")])


def _without_why(place: str) -> Issue:
    return error("required", _("Say why."), place)


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


def _party(prescriber: Prescriber) -> dict[str, Any]:
    named = {"display": prescriber.name} if prescriber.name else {}
    return {"reference": prescriber.reference, **named}


def _refuse(issues: Sequence[Issue]) -> None:
    if issues:
        raise NotPrescribable(issues)
