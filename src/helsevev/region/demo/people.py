"""The inhabitant and those close to them: Patient, RelatedPerson, and warnings that follow them.

Telephone numbers begin with +47 10. In the Norwegian plan that series holds only special numbers of
three to six digits, so no subscriber can have them. Street names are invented.
"""

from __future__ import annotations

from datetime import date

from .codes import (
    ADDRESS_CONFIDENTIALITY,
    COUNTRY,
    D_NUMBER,
    FAMILY_RELATION,
    LANGUAGE,
    MARITAL_STATUS,
    NATIONAL_NUMBER,
    PARENTAL_RESPONSIBILITY,
    Resource,
    coding,
    concept,
    hl7,
    hl7_concept,
    no_basis,
)
from .home import Place, address
from .national_number import synthetic_number
from .story import Story, narrative, organisation, staff

_MARRIED = {
    "gift": ("Gift", "M"),
    "ugift": ("Ugift", "S"),
    "enkeEllerEnkemann": ("Enke eller enkemann", "W"),
    "skilt": ("Skilt", "D"),
}
_FLAGS = {
    "clinical": "Klinisk",
    "drug": "Legemiddel",
    "safety": "Sikkerhet",
    "contact": "Smitte",
    "advance-directive": "Behandlingsavklaring",
    "admin": "Administrativt",
}
_LANGUAGES = {"nb": "Norsk bokmål", "pl": "Polsk"}
_RELATIONS = {
    "datter": ("Datter", "DAUC", "barn"),
    "sønn": ("Sønn", "SONC", "barn"),
    "mor": ("Mor", "MTH", "mor"),
    "far": ("Far", "FTH", "far"),
    "ektefelle": ("Ektefelle", "SPS", "ektefelleEllerPartner"),
    "samboer": ("Samboer", "DOMPART", "ektefelleEllerPartner"),
    "søster": ("Søster", "SIS", "søsken"),
    "bror": ("Bror", "BRO", "søsken"),
    "venn": ("Venn", "FRND", None),
}


def patient(
    story: Story,
    given: str,
    family: str,
    sex: str,
    born: date,
    home: Place | None,
    *,
    middle: str | None = None,
    phone: str | None = None,
    married: str | None = None,
    language: str = "nb",
    interpreter: bool = False,
    d_number: bool = False,
    citizen_of: str = "NO",
    contacts: tuple[tuple[str, str, str], ...] = (),
    protected: bool = False,
) -> None:
    """The Patient. `contacts` are (relation, name, phone); `protected` is strengt fortrolig."""
    number = synthetic_number(born, sex, story.key, d_number=d_number)
    security = [
        coding(ADDRESS_CONFIDENTIALITY, "strengtFortrolig", "Strengt fortrolig"),
        coding(hl7("v3-Confidentiality"), "V", "very restricted"),
    ]
    meta: Resource = {"profile": [no_basis("Patient")]}
    if protected:
        meta["security"] = security
    story.add(
        "Patient",
        "",
        meta=meta,
        extension=_citizenship(citizen_of) + ([_needs_interpreter()] if interpreter else []),
        identifier=[
            {
                "use": "official",
                "system": D_NUMBER if d_number else NATIONAL_NUMBER,
                "value": number,
            }
        ],
        active=True,
        name=[_name(given, middle, family)],
        telecom=_telephone(phone, "mobile"),
        gender=sex,
        birthDate=born.isoformat(),
        address=None if home is None else [address(home, secret=protected)],
        maritalStatus=None if married is None else _marital_status(married),
        contact=[_contact(*each) for each in contacts] or None,
        communication=[
            {
                "language": concept(
                    _LANGUAGES[language], coding(LANGUAGE, language, _LANGUAGES[language])
                ),
                "preferred": True,
            }
        ],
        generalPractitioner=[staff("sigrid-aune"), organisation("fjordgata-legesenter")],
    )


def related_person(
    story: Story,
    relation: str,
    given: str,
    family: str,
    phone: str,
    *,
    sex: str,
    born: date | None = None,
    next_of_kin: bool = True,
) -> str:
    """Somebody close to the inhabitant; next of kin is HL7's role N, C is another contact."""
    words, code, national = _RELATIONS[relation]
    relationships = [concept(words, coding(hl7("v3-RoleCode"), code))]
    if national is not None:
        # The national base profile allows no other coding beside its own.
        relationships.insert(0, concept(words, coding(FAMILY_RELATION, national)))
    if relation in ("mor", "far"):
        # Folkeregisteret's word for parents who have it together.
        together = coding(PARENTAL_RESPONSIBILITY, "felles", "Felles")
        relationships.append(concept("Felles foreldreansvar", together))
    role = ("N", "Nærmeste pårørende") if next_of_kin else ("C", "Kontaktperson")
    number = None if born is None else synthetic_number(born, sex, f"{story.key} {relation}")
    return story.add(
        "RelatedPerson",
        f"{relation}",
        meta={"profile": [no_basis("RelatedPerson")]},
        identifier=None if number is None else [{"system": NATIONAL_NUMBER, "value": number}],
        active=True,
        patient=story.subject(),
        relationship=[*relationships, concept(role[1], coding(hl7("v2-0131"), role[0]))],
        name=[_name(given, None, family)],
        telecom=_telephone(phone, "mobile"),
        gender=sex,
        birthDate=None if born is None else born.isoformat(),
    )


def flag(
    story: Story, slug: str, text: str, category: str, *, since: str, by: str, detail: str = ""
) -> None:
    """Critical information that every reader must see. `category` is HL7's flag-category."""
    story.add(
        "Flag",
        slug,
        text=narrative(text, detail) if detail else None,
        status="active",
        category=[hl7_concept("flag-category", category, _FLAGS[category])],
        code=concept(text),
        subject=story.subject(),
        period={"start": story.time.day(since)},
        author=staff(by),
    )


def _name(given: str, middle: str | None, family: str) -> Resource:
    found: Resource = {"use": "official"}
    if middle is not None:
        found["extension"] = [{"url": no_basis("middlename"), "valueString": middle}]
    found["family"] = family
    found["given"] = given.split(" ") + ([middle] if middle is not None else [])
    return found


def _telephone(number: str | None, use: str) -> list[Resource] | None:
    return None if number is None else [{"system": "phone", "value": number, "use": use}]


def _citizenship(country: str) -> list[Resource]:
    return [
        {
            "url": "http://hl7.org/fhir/StructureDefinition/patient-citizenship",
            "extension": [{"url": "code", "valueCodeableConcept": {"coding": [
                coding(COUNTRY, country)]}}],
        }
    ]  # fmt: skip


def _needs_interpreter() -> Resource:
    return {
        "url": "http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired",
        "valueBoolean": True,
    }


def _marital_status(code: str) -> Resource:
    words, hl7_code = _MARRIED[code]
    return concept(
        words, coding(hl7("v3-MaritalStatus"), hl7_code), coding(MARITAL_STATUS, code, words)
    )


def _contact(relation: str, name: str, phone: str) -> Resource:
    words, code, _ = _RELATIONS[relation]
    given, family = name.rsplit(" ", 1)
    return {
        "relationship": [
            concept("Nærmeste pårørende", coding(hl7("v2-0131"), "N")),
            concept(words, coding(hl7("v3-RoleCode"), code)),
        ],
        "name": {"family": family, "given": given.split(" ")},
        "telecom": _telephone(phone, "mobile"),
    }
