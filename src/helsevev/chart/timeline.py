"""The timeline: everything in the record as one list of what, when, where and who."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from helsevev.care_plan.task_shown import is_to_come
from helsevev.fhir.definitions import PATIENT_COMPARTMENT
from helsevev.fhir.reading import (
    Moment,
    concept_text,
    concept_texts,
    first,
    mapping,
    moment_of,
    objects,
    of_patient,
    reference_text,
    sort_key,
    text,
)
from helsevev.medication.dosage import doses
from helsevev.observation.reading import Part, reading
from helsevev.observation.results import category_of, pair
from helsevev.screens.formatting import unit_label

_TIMES: Final = (
    "effectiveDateTime", "effectiveInstant", "effectivePeriod", "effectiveTiming",
    "performedDateTime", "performedPeriod", "occurrenceDateTime", "occurrencePeriod",
    "occurrenceTiming", "onsetDateTime", "onsetPeriod", "period", "date", "start", "started",
    "authoredOn", "whenHandedOver", "whenPrepared", "sent", "recordedDate", "recorded",
    "dateAsserted", "startDate", "issued", "created", "createdDateTime", "dateTime",
    "identifiedDateTime", "assertedDate", "statusDate", "time", "receivedTime", "planned",
    "servicedPeriod", "billablePeriod", "expirationDate",
)  # fmt: skip
_TITLES: Final = (
    "code", "vaccineCode", "medicationCodeableConcept", "type", "serviceType", "category",
    "title", "description", "conclusion", "class",
)  # fmt: skip
_PEOPLE: Final = (
    "performer", "author", "requester", "recorder", "asserter", "participant", "actor", "sender",
    "owner", "informationSource", "careManager", "provider", "operator",
)  # fmt: skip
_PLACES: Final = (
    "serviceProvider", "managingOrganization", "custodian", "organization", "location",
)  # fmt: skip

# What the reader filters by. Types that are not here are "other"; bills are no clinical events.
KINDS: Final[Mapping[str, str]] = {
    "Encounter": "contact", "EpisodeOfCare": "contact", "Appointment": "contact",
    "Condition": "problem", "AllergyIntolerance": "warning", "Flag": "warning",
    "Observation": "result", "DiagnosticReport": "result", "ImagingStudy": "result",
    "Specimen": "result", "Media": "result",
    "MedicationRequest": "medicine", "MedicationStatement": "medicine",
    "MedicationAdministration": "dose", "MedicationDispense": "medicine",
    "Immunization": "medicine",
    "Composition": "note", "DocumentReference": "document", "QuestionnaireResponse": "document",
    "Procedure": "procedure", "Communication": "message", "CommunicationRequest": "message",
    "CarePlan": "plan", "Goal": "plan", "Task": "plan", "ServiceRequest": "plan",
    "CareTeam": "plan", "DeviceRequest": "plan", "NutritionOrder": "plan",
}  # fmt: skip
# About money, access and the record itself: nothing that happened to the patient.
NO_EVENTS: Final = frozenset({
    "Patient", "Medication", "Claim", "ClaimResponse", "ExplanationOfBenefit", "Coverage",
    "CoverageEligibilityRequest", "CoverageEligibilityResponse", "Account", "ChargeItem",
    "Invoice", "PaymentNotice", "PaymentReconciliation", "EnrollmentRequest", "Provenance",
    "AuditEvent", "Consent", "SupplyDelivery", "SupplyRequest", "Basic", "Schedule", "Person",
    "RelatedPerson", "Group", "List",
})  # fmt: skip
# Of some inhabitants five are given a day: they are shown to who asks for them.
ON_REQUEST: Final = frozenset({"dose"})
FILTERS: Final = (
    "contact", "problem", "warning", "medicine", "dose", "measure", "result", "procedure", "note",
    "document", "plan", "message", "other",
)  # fmt: skip


def types(kinds: Iterable[str] = ()) -> frozenset[str]:
    """The resource types whose entries can be of these kinds; all but `ON_REQUEST` when none."""
    wanted = _wanted(kinds)
    return frozenset(
        kind
        for kind in PATIENT_COMPARTMENT
        if kind not in NO_EVENTS
        and (KINDS.get(kind, "other") in wanted or (kind == "Observation" and "measure" in wanted))
    )


def _wanted(kinds: Iterable[str]) -> frozenset[str]:
    return frozenset(kinds) & frozenset(FILTERS) or frozenset(FILTERS) - ON_REQUEST


class Event(Struct, frozen=True):
    """One thing that happened or is planned. Empty text means that the sender did not say.

    `kind` is one of `FILTERS`; `at` is None when no time was given.
    """

    id: str
    source: str
    kind: str
    at: Moment | None
    title: str
    detail: str
    who: str
    organisation: str
    status: str
    updated: str

    @property
    def key(self) -> str:
        """ "Type/id"."""
        return f"{self.source}/{self.id}"

    @property
    def haystack(self) -> str:
        """Everything a search looks in, casefolded."""
        return "\n".join((self.title, self.detail, self.who, self.organisation)).casefold()


def timeline(
    resources: Mapping[str, Iterable[Mapping[str, Any]]],
    names: Mapping[str, str] | None = None,
) -> list[Event]:
    """All events, newest first, those without a time last. What is in NO_EVENTS is left out."""
    events = [
        event(resource, names)
        for kind, listed in resources.items()
        if kind not in NO_EVENTS
        for resource in of_patient(listed)
        if not is_to_come(resource)
    ]
    events.sort(key=lambda e: sort_key(e.at), reverse=True)
    return events


def matching(events: Sequence[Event], kinds: Iterable[str] = (), words: str = "") -> list[Event]:
    """The events of the given kinds that hold every word of the search.

    When no kind is given, all but `ON_REQUEST`.
    """
    wanted = _wanted(kinds)
    parts = words.casefold().split()
    return [e for e in events if e.kind in wanted and (not parts or _holds(e.haystack, parts))]


def _holds(haystack: str, words: Sequence[str]) -> bool:
    return all(word in haystack for word in words)


def event(resource: Mapping[str, Any], names: Mapping[str, str] | None = None) -> Event:
    """Any resource as an event; what its type does not have is left out."""
    source = text(resource.get("resourceType"))
    kind = KINDS.get(source, "other")
    title = _title(resource, names)
    if source == "Observation" and category_of(resource) == "vital-signs":
        kind = "measure"
    return Event(
        id=text(resource.get("id")),
        source=source,
        kind=kind,
        at=moment_of(resource, *_TIMES),
        title=title,
        detail=_detail(resource, source, title),
        who=_first_name(resource, _PEOPLE, names),
        organisation=_first_name(resource, _PLACES, names),
        status=text(resource.get("status")),
        updated=text(mapping(resource.get("meta")).get("lastUpdated")),
    )


def _title(resource: Mapping[str, Any], names: Mapping[str, str] | None) -> str:
    for element in _TITLES:
        value = resource.get(element)
        if value is None:
            continue
        found = text(value) or ", ".join(concept_texts(value))
        if found:
            return found
    return reference_text(resource.get("medicationReference"), names)


def _detail(resource: Mapping[str, Any], source: str, title: str) -> str:
    said = _said(resource, source)
    return "" if said == title else said


def _said(resource: Mapping[str, Any], source: str) -> str:
    if source == "Observation":
        return observed(resource)
    if source.startswith("Medication"):
        given = resource.get("dosageInstruction") or resource.get("dosage")
        return "; ".join(dose.text for dose in doses(given) if dose.text)
    if source == "Encounter":
        return ", ".join(concept_texts(resource.get("reasonCode")))
    if source == "AllergyIntolerance":
        reactions = objects(resource.get("reaction"))
        return ", ".join(t for r in reactions for t in concept_texts(r.get("manifestation")))
    if source == "CarePlan":
        activities = [mapping(a.get("detail")) for a in objects(resource.get("activity"))]
        return ", ".join(t for a in activities if (t := concept_text(a.get("code"))))
    if source == "DiagnosticReport":
        return text(resource.get("conclusion"))
    return text(resource.get("description"))


def observed(resource: Mapping[str, Any]) -> str:
    """The value of an Observation on one line, digits as sent, with a decimal comma."""
    taken = reading(resource)
    pressures = pair(taken)
    if pressures is not None:
        upper, lower = (_number(part) for part in pressures)
        unit = unit_label(pressures[0].amount.unit) if pressures[0].amount else ""
        return f"{upper}/{lower} {unit}".strip()
    if len(taken.parts) == 1:
        return _part_value(taken.parts[0])
    return ", ".join(
        f"{p.title}: {_part_value(p)}" if p.title else _part_value(p) for p in taken.parts
    )


def _part_value(part: Part) -> str:
    if part.amount is None:
        return part.words or part.absent
    return f"{part.amount.comparator}{_number(part)} {unit_label(part.amount.unit)}".strip()


def _number(part: Part) -> str:
    if part.amount is None or part.amount.value is None:
        return "–"
    return format(part.amount.value, "f").replace(".", ",")


def _first_name(
    resource: Mapping[str, Any], elements: Sequence[str], names: Mapping[str, str] | None
) -> str:
    for element in elements:
        value = resource.get(element)
        if value is None:
            continue
        found = first(value)
        for reference in (found, *(mapping(found.get(k)) for k in _INNER)):
            if named := reference_text(reference, names):
                return named
    return ""


_INNER: Final = ("individual", "actor", "member", "location", "who")
