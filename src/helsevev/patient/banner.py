"""The identity banner: who this is, what is dangerous, where they are and who is responsible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from helsevev.fhir.reading import (
    Moment,
    chosen_name,
    codes,
    codings,
    concept_text,
    full_name,
    mapping,
    moment,
    objects,
    text,
    texts,
)
from helsevev.patient.allergies import Allergies, allergies
from helsevev.patient.contacts import Contact, Contacts, contacts
from helsevev.patient.flags import FlagLine, active_flags
from helsevev.patient.responsibility import Responsible, responsible_now

# NORWAY.md 1.1: national number, D-number, common emergency number, in order of strength.
NATIONAL_NUMBERS: Final = {
    "urn:oid:2.16.578.1.12.4.1.4.1": "national",
    "urn:oid:2.16.578.1.12.4.1.4.2": "d-number",
    "urn:oid:2.16.578.1.12.4.1.4.3": "emergency",
}
# The population register's grades of address protection, and HL7's for anybody else's records.
PROTECTED: Final = {
    "klientadresse": "confidential",
    "fortrolig": "confidential",
    "strengtFortrolig": "strictly-confidential",
    "V": "strictly-confidential",
}


@dataclass(frozen=True, slots=True)
class Banner:
    """What stays on the screen while the chart is open. Empty text means unknown.

    `sex` is the administrative-gender code. `number` is the national number as stored.
    `protection` is "", "confidential" or "strictly-confidential"; then `address` and `phone`
    are empty whatever the resource holds.
    """

    patient_id: str
    name: str
    family: str
    given: str
    birth: Moment | None
    sex: str
    number: str
    number_kind: str
    is_deceased: bool
    died: Moment | None
    protection: str
    address: str
    phone: str
    languages: tuple[str, ...]
    needs_interpreter: bool
    allergies: Allergies
    flags: tuple[FlagLine, ...]
    whereabouts: Contact | None
    responsible: tuple[Responsible, ...]

    @property
    def where_text(self) -> str:
        """Where the patient is now; the unit is not said twice when the place names it."""
        if self.whereabouts is None:
            return ""
        place, unit = self.whereabouts.place, self.whereabouts.organisation
        return place if unit in place else ", ".join(part for part in (place, unit) if part)

    @property
    def people(self) -> tuple[Responsible, ...]:
        """Those responsible, each of them once, by their nearest part."""
        nearest: dict[str, Responsible] = {}
        for one in self.responsible:
            nearest.setdefault(one.name or one.organisation, one)
        return tuple(nearest.values())

    def age_reference(self, today: date) -> date:
        """The day that the age is counted on: today, or the day of death."""
        return self.died.day if self.died is not None else today


def banner(
    resources: Mapping[str, Sequence[Mapping[str, Any]]],
    now: datetime,
    names: Mapping[str, str] | None = None,
    found: Contacts | None = None,
) -> Banner:
    """The banner from the slices of one patient, by type.

    Reads Patient, AllergyIntolerance, Flag, Encounter, EpisodeOfCare and CareTeam; any of them
    may be missing. `found` spares reading the contacts twice.
    """
    patient = next(iter(resources.get("Patient", ())), {})
    if found is None:
        found = contacts(resources.get("Encounter", ()), resources.get("EpisodeOfCare", ()), names)
    number, kind = national_number(patient)
    chosen = chosen_name(patient.get("name"))
    protection = address_protection(patient)
    died = moment(patient.get("deceasedDateTime"))
    spoken = objects(patient.get("communication"))
    return Banner(
        patient_id=text(patient.get("id")),
        name=full_name(patient.get("name")),
        family=text(chosen.get("family")),
        given=" ".join(texts(chosen.get("given"))),
        birth=moment(patient.get("birthDate")),
        sex=text(patient.get("gender")),
        number=number,
        number_kind=kind,
        is_deceased=died is not None or patient.get("deceasedBoolean") is True,
        died=died,
        protection=protection,
        address="" if protection else home_address(patient),
        phone="" if protection else phone_number(patient),
        languages=tuple(t for c in spoken if (t := concept_text(c.get("language")))),
        needs_interpreter=_needs_interpreter(patient),
        allergies=allergies(resources.get("AllergyIntolerance", ()), names),
        flags=active_flags(resources.get("Flag", ()), now, names),
        whereabouts=found.ongoing[0] if found.ongoing else None,
        responsible=responsible_now(patient, found, resources.get("CareTeam", ()), names),
    )


def national_number(patient: Mapping[str, Any]) -> tuple[str, str]:
    """(number, kind): kind is "national", "d-number", "emergency", "other" or "" for none."""
    listed = [i for i in objects(patient.get("identifier")) if i.get("use") != "old"]
    by_system = {text(i.get("system")): text(i.get("value")) for i in reversed(listed)}
    for system, kind in NATIONAL_NUMBERS.items():
        if by_system.get(system):
            return by_system[system], kind
    for identifier in listed:
        if "MR" in codes(identifier.get("type")) and text(identifier.get("value")):
            return text(identifier.get("value")), "other"
    return "", ""


def address_protection(patient: Mapping[str, Any]) -> str:
    """ "", "confidential" or "strictly-confidential", from labels or the address' own grade."""
    labels = {
        c for s in objects(mapping(patient.get("meta")).get("security")) for _, c in codings(s)
    }
    for address in objects(patient.get("address")):
        for extension in objects(address.get("extension")):
            for inner in (extension, *objects(extension.get("extension"))):
                if "confidentiality" in text(inner.get("url")).lower():
                    labels.add(text(inner.get("valueCode")))
    grades = {PROTECTED[label] for label in labels if label in PROTECTED}
    if "strictly-confidential" in grades:
        return "strictly-confidential"
    return "confidential" if grades else ""


def home_address(patient: Mapping[str, Any]) -> str:
    """The home address on one line."""
    listed = [a for a in objects(patient.get("address")) if a.get("use") != "old"]
    home = next((a for a in listed if a.get("use") == "home"), next(iter(listed), {}))
    town = " ".join(t for t in (text(home.get("postalCode")), text(home.get("city"))) if t)
    parts = [*texts(home.get("line")), town]
    return ", ".join(part for part in parts if part) or text(home.get("text"))


def phone_number(patient: Mapping[str, Any]) -> str:
    """The mobile number, else any telephone."""
    phones = [t for t in objects(patient.get("telecom")) if t.get("system") == "phone"]
    phones = [t for t in phones if t.get("use") != "old"]
    mobile = next((t for t in phones if t.get("use") == "mobile"), next(iter(phones), {}))
    return text(mobile.get("value"))


def _needs_interpreter(patient: Mapping[str, Any]) -> bool:
    return any(
        text(e.get("url")).endswith("patient-interpreterRequired") and e.get("valueBoolean") is True
        for e in objects(patient.get("extension"))
    )
