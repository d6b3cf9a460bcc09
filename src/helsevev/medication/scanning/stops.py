"""Stops of a scan as facts: a DetectedIssue each, with what came after it as its mitigation. Pure.

http://hl7.org/fhir/R4/detectedissue.html. It stands in the record of the patient at whose bedside
it was scanned. `evidence` is what was scanned, `implicated` the orders that something else was
expected by, `detail` what was told. Whose the wrong wristband was is not in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from helsevev.content import loading
from helsevev.fhir import dates
from helsevev.fhir.reading import codings, objects, reference_key, text
from helsevev.medication.administration import Signer, moment_given
from helsevev.medication.catalogue.product import system_of
from helsevev.medication.catalogue.resources import GTIN
from helsevev.medication.scanning.fitting import WRONG_FORM, WRONG_MEDICINE, WRONG_STRENGTH
from helsevev.medication.scanning.judging import (
    EXPIRED,
    NOT_DUE,
    PAUSED,
    SIGNED,
    STOPPED,
    WRONG_PATIENT,
    Verdict,
)

STOPS: Final = "http://helsevev.no/fhir/CodeSystem/scan-stop"
"""Code system of stops: the codes of `judging.STOPS`."""
ACTS: Final = "http://helsevev.no/fhir/CodeSystem/scan-stop-act"
"""Code system of what came after a stop (content medication/scanning)."""
UNIT: Final = "http://helsevev.no/fhir/StructureDefinition/stopped-at"
"""valueReference: the unit where it was scanned."""
CHANGED: Final = "changed"
NOT_GIVEN: Final = "not-given"
MEDICINE_OR_DOSE: Final = frozenset({WRONG_MEDICINE, WRONG_FORM, WRONG_STRENGTH})
"""Stops of a wrong medicine or a wrong dose, which indicator M2 counts."""
_GRAVE: Final = frozenset({WRONG_PATIENT, *MEDICINE_OR_DOSE, EXPIRED, STOPPED})
_LESSER: Final = frozenset({PAUSED, NOT_DUE, SIGNED})


def stop_of(
    verdict: Verdict, patient_id: str, by: Signer, unit: tuple[str, str], at: datetime, told: str
) -> dict[str, Any]:
    """The DetectedIssue of a stop; `unit` is (reference, name), `told` what was said.

    Raises ValueError for a verdict that stops nothing.
    """
    if verdict.kind not in _GRAVE | _LESSER:
        raise ValueError(f"{verdict.kind} is no stop")
    made: dict[str, Any] = {
        "resourceType": "DetectedIssue",
        "status": "final",
        "code": {"coding": [{"system": STOPS, "code": verdict.kind}]},
        "severity": "high" if verdict.kind in _GRAVE else "moderate",
        "patient": {"reference": f"Patient/{patient_id}"},
        "identifiedDateTime": _written(at),
        "author": {"reference": by.id, "display": by.name},
        "detail": told,
    }
    if unit[0]:
        reference = {"reference": unit[0], "display": unit[1]}
        made["extension"] = [{"url": UNIT, "valueReference": reference}]
    if verdict.expected:
        made["implicated"] = [
            {"reference": f"MedicationRequest/{order['id']}"} for order in verdict.expected
        ]
    if evidence := _evidence(verdict):
        made["evidence"] = [{"code": [evidence]}]
    return made


def answered(
    stop: Mapping[str, Any], act: str, by: Signer, at: datetime
) -> dict[str, Any] | None:  # fmt: skip
    """The stop with what came after it; None when that stands there already.

    Raises ValueError for an act that the content does not know.
    """
    known = next((each for each in loading.scanning().act if each.code == act), None)
    if known is None:
        raise ValueError(act)
    before = objects(stop.get("mitigation"))
    if any((ACTS, act) in codings(each.get("action")) for each in before):
        return None
    coding = {"system": ACTS, "code": act, "display": known.label}
    came = {
        "action": {"coding": [coding], "text": known.label},
        "date": _written(at),
        "author": {"reference": by.id, "display": by.name},
    }
    return {**stop, "mitigation": [*before, came]}


def stop_code(stop: Mapping[str, Any]) -> str:
    """Which stop a DetectedIssue is; "" for an issue of another kind."""
    return next((code for system, code in codings(stop.get("code")) if system == STOPS), "")


def stopped_at(stop: Mapping[str, Any]) -> datetime | None:
    """When it was stopped."""
    return _moment(stop.get("identifiedDateTime"))


def is_acted_on(
    stop: Mapping[str, Any], administrations: Iterable[Mapping[str, Any]] = ()
) -> bool:  # fmt: skip
    """Whether the dose was not given, or another was found, soon enough after the stop.

    Of the patient's `administrations`, those count that say of an order which something else was
    expected by that its dose was not given.
    """
    at, within = stopped_at(stop), timedelta(minutes=loading.scanning().acted_within_minutes)
    for came in objects(stop.get("mitigation")):
        acts = {code for system, code in codings(came.get("action")) if system == ACTS}
        then = _moment(came.get("date"))
        if acts & {CHANGED, NOT_GIVEN} and at and then and timedelta(0) <= then - at <= within:
            return True
    expected = _expected(stop)
    withheld = (
        moment_given(each)
        for each in administrations
        if each.get("status") == "not-done" and reference_key(each.get("request")) in expected
    )
    return any(at and then and timedelta(0) <= then - at <= within for then in withheld)


def is_open(stop: Mapping[str, Any], order: str, now: datetime) -> bool:
    """Whether a scan of the right thing for an order is what came after this stop."""
    at, within = stopped_at(stop), timedelta(minutes=loading.scanning().acted_within_minutes)
    if not stop_code(stop) or at is None or not timedelta(0) <= now - at <= within:
        return False
    expected = _expected(stop)
    return not expected or f"MedicationRequest/{order}" in expected


def _expected(stop: Mapping[str, Any]) -> set[str]:
    return {reference_key(each) for each in objects(stop.get("implicated"))}


def _evidence(verdict: Verdict) -> dict[str, Any]:
    product, pack = verdict.product, verdict.pack
    if product is None:
        return {}
    coding = [{"system": system_of(product.id), "code": product.id, "display": product.name}]
    if pack is not None and pack.gtin:
        coding.append({"system": GTIN, "code": pack.gtin})
    return {"coding": coding, "text": product.name}


def _moment(value: object) -> datetime | None:
    found = dates.bounds(text(value))
    return dates.moment(found[0]) if found else None


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
