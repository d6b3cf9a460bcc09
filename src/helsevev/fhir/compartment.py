"""Whose resource it is, when it happened and what it is: the keys a record is laid out by.

Which parameters place a resource in a patient's compartment is R4's own CompartmentDefinition
(http://hl7.org/fhir/R4/compartmentdefinition-patient.html).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from helsevev.fhir import search_paths
from helsevev.fhir.dates import bounds, period_bounds
from helsevev.fhir.definitions import PATIENT_COMPARTMENT, elements
from helsevev.fhir.search_parameters import PARAMETERS
from helsevev.fhir.search_paths import Key

# The parameters that say whom a resource is about come before those that say who took part.
_ABOUT = ("patient", "subject", "beneficiary", "individual", "actor", "link")
# About many people at once; no one of them owns it.
_ABOUT_MANY = frozenset({"Group"})

_DATES: dict[str, tuple[str, ...]] = {
    "AllergyIntolerance": ("recordedDate", "onsetDateTime", "onsetPeriod", "lastOccurrence"),
    "Appointment": ("start", "created"),
    "AuditEvent": ("recorded",),
    "CarePlan": ("period", "created"),
    "CareTeam": ("period",),
    "Claim": ("billablePeriod", "created"),
    "ClinicalImpression": ("effectiveDateTime", "effectivePeriod", "date"),
    "Communication": ("sent", "received"),
    "CommunicationRequest": ("occurrenceDateTime", "occurrencePeriod", "authoredOn"),
    "Condition": ("onsetDateTime", "onsetPeriod", "recordedDate"),
    "Coverage": ("period",),
    "DetectedIssue": ("identifiedDateTime", "identifiedPeriod"),
    "DeviceRequest": ("authoredOn", "occurrenceDateTime", "occurrencePeriod"),
    "DeviceUseStatement": ("timingDateTime", "timingPeriod", "recordedOn"),
    "DiagnosticReport": ("effectiveDateTime", "effectivePeriod", "issued"),
    "DocumentReference": ("date",),
    "EpisodeOfCare": ("period",),
    "ExplanationOfBenefit": ("billablePeriod", "created"),
    "Goal": ("startDate", "statusDate"),
    "Immunization": ("occurrenceDateTime", "recorded"),
    "Media": ("createdDateTime", "createdPeriod", "issued"),
    "MedicationAdministration": ("effectiveDateTime", "effectivePeriod"),
    "MedicationDispense": ("whenHandedOver", "whenPrepared"),
    "MedicationRequest": ("authoredOn",),
    "MedicationStatement": ("effectiveDateTime", "effectivePeriod", "dateAsserted"),
    "NutritionOrder": ("dateTime",),
    "Observation": ("effectiveDateTime", "effectivePeriod", "effectiveInstant", "issued"),
    "Patient": ("birthDate",),
    "Procedure": ("performedDateTime", "performedPeriod"),
    "Provenance": ("occurredDateTime", "occurredPeriod", "recorded"),
    "QuestionnaireResponse": ("authored",),
    "RiskAssessment": ("occurrenceDateTime", "occurrencePeriod"),
    "Schedule": ("planningHorizon",),
    "ServiceRequest": ("authoredOn", "occurrenceDateTime", "occurrencePeriod"),
    "Slot": ("start",),
    "Specimen": ("receivedTime",),
    "Task": ("authoredOn", "executionPeriod", "lastModified"),
}

_USUAL_DATES = (
    "date", "dateTime", "period", "started", "created", "authoredOn", "dateWritten", "recorded",
    "issued",
)  # fmt: skip

_CODES: dict[str, tuple[str, ...]] = {
    "Appointment": ("serviceType", "appointmentType"),
    "CarePlan": ("category",),
    "Communication": ("category",),
    "Consent": ("scope", "category"),
    "Encounter": ("type", "class"),
    "Goal": ("description",),
    "ImagingStudy": ("procedureCode",),
    "Immunization": ("vaccineCode",),
    "MedicationAdministration": ("medicationCodeableConcept",),
    "MedicationDispense": ("medicationCodeableConcept",),
    "MedicationRequest": ("medicationCodeableConcept",),
    "MedicationStatement": ("medicationCodeableConcept",),
    "Provenance": ("activity",),
    "QuestionnaireResponse": ("questionnaire",),
    "Schedule": ("serviceType",),
    "Slot": ("serviceType",),
}

# About somebody all the same, though R4's compartment leaves them out: never open to everyone.
_PERSONAL: dict[str, tuple[str, ...]] = {
    "Binary": (),
    "Bundle": (),
    "Contract": ("patient", "subject"),
    "Device": ("patient",),
    "GuidanceResponse": ("patient", "subject"),
    "Linkage": (),
    "MessageHeader": (),
    "Subscription": (),
}

_Find = Callable[[Any], Iterator[dict[str, Any]]]


def is_clinical(resource_type: str) -> bool:
    """True for types that tell of inhabitants: Patient, R4's Patient compartment, a few more."""
    return resource_type == "Patient" or _placing(resource_type) is not None


def subject_of(resource: dict[str, Any]) -> str | None:
    """`Patient/<id>` of the inhabitant the resource is about, for Patient the resource itself.

    The reference must be relative. None for reference data, for resources about no patient or
    about a group, and for a Patient without id.
    """
    resource_type = resource["resourceType"]
    if resource_type == "Patient":
        return f"Patient/{resource['id']}" if "id" in resource else None
    if resource_type == "Binary":
        # What decides who may read it (http://hl7.org/fhir/R4/binary.html#security).
        return _patient(resource.get("securityContext") or {})
    plain, finders = _subject_finders(resource_type)
    if plain:
        reference = resource.get(plain)
        if reference is not None:
            return _patient(reference)
    for find in finders:
        for reference in find(resource):
            patient = _patient(reference)
            if patient is not None:
                return patient
    return None


def patient_references(resource: dict[str, Any]) -> set[str]:
    """Every `Patient/<id>` that places the resource in a compartment, itself when a Patient."""
    resource_type = resource["resourceType"]
    found = {
        patient
        for find in _finders(resource_type, _placing(resource_type) or ())
        for reference in find(resource)
        if (patient := _patient(reference)) is not None
    }
    if resource_type == "Patient" and "id" in resource:
        found.add(f"Patient/{resource['id']}")
    return found


def main_date(resource: dict[str, Any]) -> int | None:
    """The start of the type's leading date in µs since 1970: when it happened, else was written.

    None when the resource has no such date.
    """
    for name in main_date_elements(resource["resourceType"]):
        value = resource.get(name)
        if type(value) is str:
            found = bounds(value)
        elif type(value) is dict:
            found = period_bounds(value.get("start") or value.get("end"), None)
        else:
            continue
        if found is not None:
            return found[0]
    return None


def main_code(resource: dict[str, Any]) -> list[tuple[str | None, str | None]]:
    """`(system, code)` of the type's leading element, the leading code first; may be empty."""
    for name in main_code_elements(resource["resourceType"]):
        value = resource.get(name)
        if value is not None:
            found = [pair for item in _as_list(value) for pair in _codings(item)]
            if found:
                return found
    return []


@cache
def main_date_elements(resource_type: str) -> tuple[str, ...]:
    """JSON names of the type's dates, the leading one first."""
    if resource_type in _DATES:
        return _DATES[resource_type]
    known = elements(resource_type)
    return tuple(name for name in _USUAL_DATES if name in known)


@cache
def main_code_elements(resource_type: str) -> tuple[str, ...]:
    """JSON names of the elements that say what the resource is, the leading one first."""
    if resource_type in _CODES:
        return _CODES[resource_type]
    known = elements(resource_type)
    return tuple(
        name
        for name in ("code", "type", "category")
        if name in known and known[name].types[0].name in ("CodeableConcept", "Coding")
    )


def _as_list(value: Any) -> list[Any]:
    return value if type(value) is list else [value]


def _codings(value: Any) -> list[tuple[str | None, str | None]]:
    if type(value) is str:
        return [(None, value.partition("|")[0])]
    codings = value.get("coding", [value])
    return [
        (coding.get("system"), coding.get("code"))
        for coding in codings
        if "code" in coding or "system" in coding
    ]


def _placing(resource_type: str) -> Sequence[str] | None:
    """The parameters that place the type in a patient's compartment; None for reference data."""
    names = PATIENT_COMPARTMENT.get(resource_type)
    return _PERSONAL.get(resource_type) if names is None else names


def _patient(reference: Any) -> str | None:
    if type(reference) is not dict:
        return None
    text = reference.get("reference")
    if type(text) is str and text.startswith("Patient/"):
        return text.partition("/_history/")[0]
    return None


@cache
def _subject_finders(resource_type: str) -> tuple[str, tuple[_Find, ...]]:
    """The one element that says whom the type is about, if one does, and the ways to look on."""
    names = _placing(resource_type)
    if not names or resource_type in _ABOUT_MANY:
        return "", ()
    ordered = sorted(names, key=lambda name: _ABOUT.index(name) if name in _ABOUT else len(_ABOUT))
    first = _paths(resource_type, ordered[0])
    finders = _finders(resource_type, ordered)
    if len(first) == 1 and len(first[0]) == 1 and not first[0][0].repeats:
        return first[0][0].name, finders
    return "", finders


@cache
def _paths(resource_type: str, parameter: str) -> list[tuple[Key, ...]]:
    expression = PARAMETERS[resource_type][parameter].expression
    return [
        path.keys
        for part in search_paths.union(expression)
        for path in search_paths.resolve(part, resource_type)
    ]


def _finders(resource_type: str, parameters: Any) -> tuple[_Find, ...]:
    return _cached_finders(resource_type, tuple(parameters))


@cache
def _cached_finders(resource_type: str, parameters: tuple[str, ...]) -> tuple[_Find, ...]:
    return tuple(
        _finder(keys) for parameter in parameters for keys in _paths(resource_type, parameter)
    )


def _finder(keys: tuple[Key, ...]) -> _Find:
    names = tuple(key.name for key in keys)

    def find(element: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
        if type(element) is list:
            for item in element:
                yield from find(item, depth)
        elif depth == len(names):
            yield element
        elif type(element) is dict and names[depth] in element:
            yield from find(element[names[depth]], depth + 1)

    return find
