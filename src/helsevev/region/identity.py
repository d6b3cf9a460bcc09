"""Who an inhabitant is, in FHIR: the Patient and those close to them."""

from __future__ import annotations

from datetime import date
from typing import Any

from .calendar import iso, stamp
from .demo.codes import (
    ADDRESS_CONFIDENTIALITY,
    COUNTRY,
    D_NUMBER,
    FAMILY_RELATION,
    LANGUAGE,
    MARITAL_STATUS,
    NATIONAL_NUMBER,
    PARENTAL_RESPONSIBILITY,
    coding,
    concept,
    hl7,
    no_basis,
)
from .demo.home import Place, address
from .life import Life, at_unit, named
from .notation import Raw, raw
from .person import Person, Relative
from .workforce import Worker

_PROFILE = {"profile": [no_basis("Patient")]}
_SECRET = {
    "profile": [no_basis("Patient")],
    "security": [
        coding(ADDRESS_CONFIDENTIALITY, "strengtFortrolig", "Strengt fortrolig"),
        coding(hl7("v3-Confidentiality"), "V", "very restricted"),
    ],
}
_COUNTRIES = {"pl": "PL", "ar": "SY", "uk": "UA", "ti": "ER", "so": "SO", "lt": "LT", "fa": "AF",
              "th": "TH"}  # fmt: skip
_INTERPRETER = {
    "url": "http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired",
    "valueBoolean": True,
}
_MARITAL = {
    status: raw(concept(text, coding(hl7("v3-MaritalStatus"), code),
                        coding(MARITAL_STATUS, status, text)))
    for status, text, code in (
        ("gift", "Gift", "M"), ("ugift", "Ugift", "S"), ("enkeEllerEnkemann",
                                                         "Enke eller enkemann", "W"),
    )
}  # fmt: skip
_RELATIONS = {"mor": ("Mor", "MTH", "mor"), "far": ("Far", "FTH", "far"),
              "ektefelle": ("Ektefelle", "SPS", "ektefelleEllerPartner")}  # fmt: skip
_RESPONSIBLE = concept("Felles foreldreansvar", coding(PARENTAL_RESPONSIBILITY, "felles", "Felles"))
_NEXT_OF_KIN = concept("Nærmeste pårørende", coding(hl7("v2-0131"), "N"))


def introduce(life: Life, gp: Worker) -> None:
    """Write the Patient, and one RelatedPerson for each adult of the household."""
    person = life.person
    life.put("Patient", _patient(life, person, gp), suffix="")
    for relative in person.relatives:
        if relative.born <= life.until:
            life.put("RelatedPerson", _relative(life, relative))


def _patient(life: Life, person: Person, gp: Worker) -> dict[str, Any]:
    country = "NO" if person.language is None else _COUNTRIES[person.language[0]]
    extension: list[Any] = [_citizenship(country)]
    if person.language is not None:
        extension.append(_INTERPRETER)
    content: dict[str, Any] = {
        "meta": _SECRET if person.protected else _PROFILE,
        "extension": extension,
    }
    if person.number is not None:
        system = D_NUMBER if person.d_number else NATIONAL_NUMBER
        content["identifier"] = [{"use": "official", "system": system, "value": person.number}]
    content["active"] = life.died_at is None
    content["name"] = [_name(person.given, person.family)]
    if person.age(life.until) >= 12 and not person.protected:
        content["telecom"] = [{"system": "phone", "value": person.phone, "use": "mobile"}]
    content["gender"] = person.sex
    content["birthDate"] = iso(person.born)
    if life.died_at is not None:
        content["deceasedDateTime"] = stamp(life.died_at)
    home = person.municipality
    content["address"] = [
        address(
            Place(person.street, home.postal_code, home.postal_place, home.code, home.name),
            secret=person.protected,
        )
    ]
    if person.age(life.until) >= 18:
        content["maritalStatus"] = _marital(person, life.until)
    code, text = person.language or ("nb", "Norsk bokmål")
    content["communication"] = [
        {"language": concept(text, coding(LANGUAGE, code, text)), "preferred": True}
    ]
    content["generalPractitioner"] = [named(gp), at_unit(person.unit("general-practice"))]
    return content


def _marital(person: Person, until: int) -> Raw:
    if person.partnered:
        return _MARITAL["gift"]
    return _MARITAL["enkeEllerEnkemann" if person.age(until) > 76 else "ugift"]


def _relative(life: Life, relative: Relative) -> dict[str, Any]:
    text, code, national = _RELATIONS[relative.relation]
    content: dict[str, Any] = {"meta": {"profile": [no_basis("RelatedPerson")]}}
    if relative.number is not None:
        content["identifier"] = [{"system": NATIONAL_NUMBER, "value": relative.number}]
    return {
        **content,
        "active": True,
        "patient": life.subject,
        "relationship": [
            # The national base profile allows no other coding beside its own.
            concept(text, coding(FAMILY_RELATION, national)),
            concept(text, coding(hl7("v3-RoleCode"), code)),
            _NEXT_OF_KIN,
            *([_RESPONSIBLE] if relative.relation in ("mor", "far") else ()),
        ],
        "name": [_name(*relative.name)],
        "telecom": [{"system": "phone", "value": relative.phone, "use": "mobile"}],
        "gender": "female" if relative.woman else "male",
        "birthDate": date.fromordinal(relative.born).isoformat(),
    }


def _name(given: str, family: str) -> dict[str, Any]:
    return {"use": "official", "family": family, "given": given.split(" ")}


def _citizenship(country: str) -> dict[str, Any]:
    return {
        "url": "http://hl7.org/fhir/StructureDefinition/patient-citizenship",
        "extension": [
            {"url": "code", "valueCodeableConcept": {"coding": [coding(COUNTRY, country)]}}
        ],
    }
