"""Who is responsible for the patient now, in which unit and since when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from helsevev.fhir.reading import (
    Moment,
    concept_texts,
    objects,
    of_patient,
    reference_key,
    reference_text,
    start_and_end,
    text,
)
from helsevev.patient.contacts import Contacts


@dataclass(frozen=True, slots=True)
class Responsible:
    """A person or a unit with a part in the care. `kind` says how the record knows.

    `kind` is "contact", "course", "team" or "general-practitioner".
    """

    kind: str
    name: str
    role: str
    organisation: str
    since: Moment | None


def responsible_now(
    patient: Mapping[str, Any],
    found: Contacts,
    teams: Iterable[Mapping[str, Any]] = (),
    names: Mapping[str, str] | None = None,
) -> tuple[Responsible, ...]:
    """Those responsible, the nearest first: ongoing contact, active course, team, regular GP."""
    listed = [
        Responsible("contact", c.responsible, "", c.organisation or c.place, c.start)
        for c in found.ongoing
        if c.responsible or c.organisation
    ]
    listed += [
        Responsible("course", c.manager, ", ".join(c.kinds), c.organisation, c.start)
        for c in found.courses
        if c.is_active and (c.manager or c.organisation)
    ]
    for team in of_patient(teams):
        if text(team.get("status")) in ("", "active"):
            listed += _members(team, names)
    listed += [
        Responsible("general-practitioner", name, "", "", None)
        for gp in objects(patient.get("generalPractitioner"))
        if (name := reference_text(gp, names))
    ]
    return tuple(dict.fromkeys(listed))


def _members(team: Mapping[str, Any], names: Mapping[str, str] | None) -> list[Responsible]:
    organisation = next(
        (t for o in objects(team.get("managingOrganization")) if (t := reference_text(o, names))),
        "",
    )
    since, _until = start_and_end(team.get("period"))
    found = []
    for participant in objects(team.get("participant")):
        member = participant.get("member")
        if reference_key(member).split("/", 1)[0] not in ("Practitioner", "PractitionerRole"):
            continue
        started, ended = start_and_end(participant.get("period"))
        name = reference_text(member, names)
        if name and ended is None:
            found.append(
                Responsible(
                    "team",
                    name,
                    ", ".join(concept_texts(participant.get("role"))),
                    reference_text(participant.get("onBehalfOf"), names)
                    or organisation
                    or text(team.get("name")),
                    started or since,
                )
            )
    return found
