"""Contacts and courses: where the patient is now, has been and is expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from helsevev.fhir.encounters import EXPECTED, ONGOING
from helsevev.fhir.reading import (
    Moment,
    codes,
    concept_text,
    concept_texts,
    mapping,
    moment_of,
    objects,
    of_patient,
    reference_text,
    sort_key,
    start_and_end,
    text,
)

# v3-ParticipationType: attender, primary performer, admitter, then anybody.
_RESPONSIBLE: Final = ("ATND", "PPRF", "ADM", "")


@dataclass(frozen=True, slots=True)
class Contact:
    """One Encounter. `class_code` is the v3-ActCode of Encounter.class (AMB, IMP, EMER …)."""

    id: str
    status: str
    class_code: str
    class_text: str
    title: str
    reasons: tuple[str, ...]
    start: Moment | None
    end: Moment | None
    place: str
    organisation: str
    responsible: str
    discharge: str


@dataclass(frozen=True, slots=True)
class Course:
    """One EpisodeOfCare: a unit that has taken on responsibility for a time."""

    id: str
    status: str
    kinds: tuple[str, ...]
    organisation: str
    manager: str
    start: Moment | None
    end: Moment | None

    @property
    def is_active(self) -> bool:
        """True while the unit is responsible."""
        return self.status in ("active", "onhold", "waitlist")


@dataclass(frozen=True, slots=True)
class Contacts:
    """Ongoing and past newest first, expected soonest first, courses active first."""

    ongoing: tuple[Contact, ...]
    expected: tuple[Contact, ...]
    past: tuple[Contact, ...]
    courses: tuple[Course, ...]


def contacts(
    encounters: Iterable[Mapping[str, Any]],
    episodes: Iterable[Mapping[str, Any]] = (),
    names: Mapping[str, str] | None = None,
    *,
    past: int | None = None,
) -> Contacts:
    """Encounter and EpisodeOfCare resources as a view; cancelled contacts are left out.

    With `past`, only the first so many past contacts are read; the resources must then come
    newest first, as the record hands them out. Ongoing and expected ones are always all there.
    """
    left = past
    kept = []
    for resource in of_patient(encounters):
        is_past = text(resource.get("status")) not in ONGOING | EXPECTED
        if is_past and left is not None:
            if left == 0:
                continue
            left -= 1
        kept.append(resource)
    found = [_contact(resource, names) for resource in kept]
    found.sort(key=lambda c: sort_key(c.start), reverse=True)
    courses = [_course(resource, names) for resource in of_patient(episodes)]
    courses.sort(key=lambda c: sort_key(c.start), reverse=True)
    courses.sort(key=lambda c: not c.is_active)
    expected = [c for c in found if c.status in EXPECTED]
    gone = ONGOING | EXPECTED | {"cancelled"}
    return Contacts(
        ongoing=tuple(c for c in found if c.status in ONGOING),
        expected=tuple(reversed(expected)),
        past=tuple(c for c in found if c.status not in gone),
        courses=tuple(c for c in courses if c.status != "cancelled"),
    )


def _contact(resource: Mapping[str, Any], names: Mapping[str, str] | None) -> Contact:
    start, end = start_and_end(resource.get("period"))
    lead = _lead_participant(resource)
    places = objects(resource.get("location"))
    current = [p for p in places if p.get("status") == "active"] or places[-1:]
    encounter_class = mapping(resource.get("class"))
    kinds = concept_texts(resource.get("type")) or concept_texts(resource.get("serviceType"))
    return Contact(
        id=text(resource.get("id")),
        status=text(resource.get("status")),
        class_code=text(encounter_class.get("code")),
        class_text=concept_text(encounter_class),
        title=", ".join(kinds),
        reasons=tuple(
            concept_texts(resource.get("reasonCode"))
            or [t for r in objects(resource.get("reasonReference")) if (t := reference_text(r))]
        ),
        start=start,
        end=end,
        place=next((t for p in current if (t := reference_text(p.get("location"), names))), ""),
        organisation=reference_text(resource.get("serviceProvider"), names),
        responsible=reference_text(lead, names),
        discharge=concept_text(
            mapping(resource.get("hospitalization")).get("dischargeDisposition")
        ),
    )


def _lead_participant(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    participants = [p for p in objects(resource.get("participant")) if p.get("individual")]
    for wanted in _RESPONSIBLE:
        for participant in participants:
            if not wanted or wanted in codes(participant.get("type")):
                return mapping(participant.get("individual"))
    return {}


def _course(resource: Mapping[str, Any], names: Mapping[str, str] | None) -> Course:
    start, end = start_and_end(resource.get("period"))
    return Course(
        id=text(resource.get("id")),
        status=text(resource.get("status")),
        kinds=tuple(concept_texts(resource.get("type"))),
        organisation=reference_text(resource.get("managingOrganization"), names),
        manager=reference_text(resource.get("careManager"), names),
        start=start or moment_of(resource, "period"),
        end=end,
    )
