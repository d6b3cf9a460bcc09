"""Who is to be told that somebody's medicines changed: read from who treats them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from helsevev.fhir.encounters import EXPECTED
from helsevev.fhir.reading import codes, mapping, objects, of_patient, reference_key, text

Resource = Mapping[str, Any]


class Receiver(Struct, frozen=True):
    """A unit that is told: "Organization/…", its name, and how the record knows of it.

    `known_by` is "next-stay", "course", "team", "referral", "general-practitioner", or "chosen" by
    who signs.
    """

    reference: str
    name: str
    known_by: str


def receivers(
    patient: Resource,
    found: Mapping[str, Sequence[Resource]],
    own: Collection[str],
    names: Mapping[str, str],
) -> tuple[Receiver, ...]:
    """The units that treat the patient besides one's `own`, each once."""
    told: dict[str, Receiver] = {}
    for reference, known_by in _named(patient, found):
        key = reference_key(reference)
        if key.startswith("Organization/") and key not in own and key not in told:
            name = text(mapping(reference).get("display")) or names.get(key, "")
            told[key] = Receiver(key, name, known_by)
    return tuple(told.values())


def _named(
    patient: Resource, found: Mapping[str, Iterable[Resource]]
) -> Iterator[tuple[object, str]]:  # fmt: skip
    for coming in of_patient(found.get("Encounter", ())):
        if text(coming.get("status")) in EXPECTED and "IMP" in codes(coming.get("class")):
            yield coming.get("serviceProvider"), "next-stay"
    for episode in of_patient(found.get("EpisodeOfCare", ())):
        if text(episode.get("status")) in ("active", "onhold"):
            yield episode.get("managingOrganization"), "course"
    for team in of_patient(found.get("CareTeam", ())):
        if text(team.get("status")) not in ("", "active"):
            continue
        for managing in objects(team.get("managingOrganization")):
            yield managing, "team"
        for participant in objects(team.get("participant")):
            if not mapping(participant.get("period")).get("end"):
                yield participant.get("member"), "team"
                yield participant.get("onBehalfOf"), "team"
    for order in of_patient(found.get("ServiceRequest", ())):
        if text(order.get("status")) == "active":
            for performer in objects(order.get("performer")):
                yield performer, "referral"
    for named in objects(patient.get("generalPractitioner")):
        yield named, "general-practitioner"


def told_at(known: Sequence[Receiver], at: str) -> tuple[Receiver, ...]:
    """Who of them is told at a transition: within a stay, the ward that takes over."""
    return tuple(each for each in known if at != "transfer" or each.known_by == "next-stay")
