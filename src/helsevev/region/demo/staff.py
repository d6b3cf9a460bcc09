"""The people who work in the demo, and the personas one can sign in as.

Their HPR numbers are nine digits beginning with 9990. The register has issued seven-digit numbers
so far, so none of these can be a real person's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from .codes import HPR_NUMBER, Resource, coding, concept, no_basis, volven
from .home import Place, address
from .units import unit, with_parents


class Member(NamedTuple):
    """One member of staff: who they are, what they are authorised as, and where they work."""

    id: str
    given: str
    family: str
    gender: str
    profession: str
    category: tuple[str, str] | None
    role: str
    unit: str
    specialty: tuple[str, str] | None = None
    persona: str | None = None

    @property
    def name(self) -> str:
        """Given name and family name."""
        return f"{self.given} {self.family}"


_PHYSICIAN = ("LE", "Lege")
_NURSE = ("SP", "Sykepleier")
_HEALTH_SECRETARY = ("HE", "Helsesekretær")
_LUNGS = ("170", "Lungesykdommer")
_CHILDREN = ("220", "Barnesykdommer")

STAFF: tuple[Member, ...] = (
    Member("ingrid-solemdal", "Ingrid", "Solemdal", "female", "physician", _PHYSICIAN,
           "Overlege", "st-olavs-lunge", _LUNGS, "hospital-doctor"),
    Member("magnus-tverdal", "Magnus", "Tverdal", "male", "nurse", _NURSE,
           "Sykepleier", "st-olavs-lunge", None, "ward-nurse"),
    Member("berit-lundamo", "Berit", "Lundamo", "female", "nurse", _NURSE,
           "Sykepleier", "trondheim-hjemmetjeneste-ost", None, "home-care-nurse"),
    Member("karianne-fossum", "Kari-Anne", "Fossum", "female", "public-health-nurse", _NURSE,
           "Helsesykepleier", "trondheim-helsestasjon-ost", None, "health-station-nurse"),
    Member("amir-rostami", "Amir", "Rostami", "male", "physician", _PHYSICIAN,
           "Legevaktslege", "trondheim-legevakt", None, "legevakt-doctor"),
    Member("tove-kvernmo", "Tove", "Kvernmo", "female", "secretary", _HEALTH_SECRETARY,
           "Helsesekretær", "nidaro-dps", None, "secretary"),
    Member("sigrid-aune", "Sigrid", "Aune", "female", "physician", _PHYSICIAN,
           "Fastlege", "fjordgata-legesenter"),
    Member("petter-hagbo", "Petter", "Hagbø", "male", "physician", _PHYSICIAN,
           "Overlege", "st-olavs-geriatri"),
    Member("eli-strandberg", "Eli", "Strandberg", "female", "physician", _PHYSICIAN,
           "Overlege", "st-olavs-hjertepol", ("150", "Hjertesykdommer")),
    Member("mona-hegstad", "Mona", "Hegstad", "female", "nurse", _NURSE,
           "Sykepleier", "st-olavs-geriatri"),
    Member("oda-reitan", "Oda", "Reitan", "female", "physician", _PHYSICIAN,
           "Overlege", "st-olavs-nyfodt", _CHILDREN),
    Member("lars-kolberg", "Lars", "Kolberg", "male", "physician", _PHYSICIAN,
           "Barnelege", "st-olavs-barnepol", _CHILDREN),
    Member("hilde-saether", "Hilde", "Sæther", "female", "midwife", ("JO", "Jordmor"),
           "Jordmor", "trondheim-helsestasjon-ost"),
    Member("ragnhild-oien", "Ragnhild", "Øien", "female", "physician", _PHYSICIAN,
           "Overlege", "st-olavs-fode"),
    Member("annemette-brekken", "Anne Mette", "Brekken", "female", "nurse", _NURSE,
           "Sykepleier", "trondheim-bakkehaugen-2", None, "nursing-home-nurse"),
    Member("torstein-lien", "Torstein", "Lien", "male", "physician", _PHYSICIAN,
           "Sykehjemslege", "trondheim-bakkehaugen"),
    Member("fatima-noor", "Fatima", "Noor", "female", "assistant-nurse",
           ("HF", "Helsefagarbeider"), "Helsefagarbeider", "trondheim-hjemmetjeneste-ost"),
    Member("henrik-vang", "Henrik", "Vang", "male", "psychologist", ("PS", "Psykolog"),
           "Psykologspesialist", "nidaro-dps"),
    Member("guro-melbye", "Guro", "Melbye", "female", "physician", _PHYSICIAN,
           "Overlege", "st-olavs-diabetespol"),
    Member("stian-rokseth", "Stian", "Rokseth", "male", "nurse", _NURSE,
           "Sykepleier", "trondheim-legevakt"),
    Member("synne-hovde", "Synne", "Hovde", "female", "nurse", _NURSE,
           "Sykepleier", "st-olavs-lungepol"),
    Member("nina-dahlum", "Nina", "Dahlum", "female", "privacy-officer", None,
           "Personvernombud", "st-olavs", None, "privacy-officer"),
    Member("terje-moen", "Terje", "Moen", "male", "system-administrator", None,
           "Systemadministrator", "st-olavs", None, "administrator"),
    Member("solveig-bruset", "Solveig", "Bruset", "female", "block-keeper", None,
           "Sperreansvarlig", "st-olavs", None, "block-keeper"),
    Member("gunn-morken", "Gunn", "Morken", "female", "nurse", _NURSE,
           "Avdelingsleder", "trondheim-bakkehaugen-2", None, "nursing-home-manager"),
    Member("ellen-ronning", "Ellen", "Rønning", "female", "nurse", _NURSE,
           "Fagansvarlig", "trondheim-hjemmetjeneste-ost", None, "content-author"),
    Member("jorunn-selnes", "Jorunn", "Selnes", "female", "nurse", _NURSE,
           "Fagansvarlig", "st-olavs-lunge", None, "content-reviewer"),
    Member("jakob-nygard", "Jakob", "Nygård", "male", "assistant-nurse", None,
           "Sykepleierstudent", "st-olavs-lunge", None, "nursing-student"),
)  # fmt: skip

HOMES = {
    "magnus-tverdal": Place("Naustbakken 8", "7054", "Ranheim", "5001", "Trondheim"),
    "tove-kvernmo": Place("Kobberstien 3 A", "7030", "Trondheim", "5001", "Trondheim"),
}
"""Who lives near, or in the same house as, somebody whose record they open at work."""

PROFESSIONS_WITHOUT_PATIENTS = frozenset(
    {"privacy-officer", "system-administrator", "block-keeper"}
)
"""Of those who sign in: whose work is with the record's users and its log."""

_BY_ID = {member.id: member for member in STAFF}
INHABITANT_PERSONA = ("demo-marit", "Marit Haugland")


def member(member_id: str) -> Member:
    """The member of staff with this id. KeyError when the demo has none."""
    return _BY_ID[member_id]


def practitioner(member_id: str) -> Resource:
    """A Reference to the member of staff, with their name."""
    found = _BY_ID[member_id]
    return {"reference": f"Practitioner/{found.id}", "display": found.name}


def resources() -> Iterator[Resource]:
    """Every Practitioner, then every PractitionerRole: the same whatever day it is."""
    for number, each in enumerate(STAFF, start=1):
        yield _practitioner(each, f"9990{number:05d}")
    for each in STAFF:
        yield _role(each)


def personas() -> list[dict[str, Any]]:
    """Whom one can sign in as: the fields of an Actor, and `key`, in the order they are shown.

    `organisation` is the legal entity; the first of `organisations` is the unit, then its parents.
    """
    found = [_staff_persona(each) for each in STAFF if each.persona is not None]
    reference, name = f"Patient/{INHABITANT_PERSONA[0]}", INHABITANT_PERSONA[1]
    found.append(
        {
            "key": "inhabitant",
            "kind": "inhabitant",
            "id": reference,
            "name": name,
            "profession": "inhabitant",
            "role": "Innbygger",
            "organisation": "",
            "organisation_name": "",
            "unit_name": "",
            "organisations": [],
            "patient": reference,
        }
    )
    return found


def _staff_persona(each: Member) -> dict[str, Any]:
    lineage = with_parents(each.unit)
    return {
        "key": each.persona,
        "kind": "practitioner",
        "id": f"Practitioner/{each.id}",
        "name": each.name,
        "profession": each.profession,
        "role": each.role,
        "organisation": f"Organization/{lineage[-1].id}",
        "organisation_name": lineage[-1].name,
        "unit_name": lineage[0].name,
        "organisations": [f"Organization/{parent.id}" for parent in lineage],
        "patient": None,
        "practitioner_role": f"PractitionerRole/{each.id}-{each.unit}",
    }


def _practitioner(each: Member, hpr_number: str) -> Resource:
    found: Resource = {
        "resourceType": "Practitioner",
        "id": each.id,
        "meta": {"profile": [no_basis("Practitioner")]},
        "identifier": [{"system": HPR_NUMBER, "value": hpr_number}],
        "active": True,
        "name": [{"use": "official", "family": each.family, "given": each.given.split(" ")}],
        "gender": each.gender,
    }
    if (home := HOMES.get(each.id)) is not None:
        found["address"] = [address(home)]
    if each.category is not None:
        code, display = each.category
        found["qualification"] = [
            {"code": concept(display, coding(volven(9060), code, display))},
        ]
    return found


def _role(each: Member) -> Resource:
    found: Resource = {
        "resourceType": "PractitionerRole",
        "id": f"{each.id}-{each.unit}",
        "meta": {"profile": [no_basis("PractitionerRole")]},
        "active": True,
        "practitioner": practitioner(each.id),
        "organization": {
            "reference": f"Organization/{each.unit}",
            "display": unit(each.unit).name,
        },
        "code": [concept(each.role)],
    }
    if each.specialty is not None:
        code, display = each.specialty
        found["specialty"] = [concept(display, coding(volven(8451), code, display))]
    return found
