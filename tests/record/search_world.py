"""Small resources to search in, with values that often meet, and each one's values read once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from helsevev.fhir import dates
from helsevev.fhir.extraction import extract

Resource = dict[str, Any]
BEGUN = datetime(2026, 3, 1, 12, tzinfo=UTC)
LOINC, SCT, UCUM = "http://loinc.org", "http://snomed.info/sct", "http://unitsofmeasure.org"
PEOPLE = ("anne", "berit", "0123456789abcdef", "dag", "erik", "0000000000000007")
NAMES = ("Berg", "Bergan", "Åse", "Ase", "Østby", "Zoë", "O'Brien", "Bjørn 50%", "a_b", "Li")
SYSTEMS = (LOINC, SCT, None)
CODES = ("8867-4", "8480-6", "a|b", "x", "8867-4,1")
DAYS = (
    "2024", "2024-02", "2024-02-29", "2024-02-29T10:00:00+01:00", "2024-02-29T23:30:00Z",
    "2025-12-31", "2026-01-01T00:00:00.123Z", "1950-11-21", "9999-12-31", "0001-01-01",
)  # fmt: skip
NUMBERS = ("0", "1", "1.0", "72.50", "72.5", "72.4999", "100", "99.5", "-3.7", "0.05", "1E+2")
LISTS = 12
PLACES = (
    ("59.9139", "10.7522"), ("59.9145", "10.7500"), ("60.3913", "5.3221"), ("69.6492", "18.9553"),
    ("-90", "0"), ("90", "120"), ("0", "179.9999"), ("0", "-179.9999"), ("59.9139", "10.8"),
)  # fmt: skip
UNITS: tuple[dict[str, str], ...] = (
    {}, {"unit": "mmHg", "system": UCUM, "code": "mm[Hg]"}, {"unit": "mm[Hg]"},
    {"system": UCUM, "code": "mg"}, {"system": UCUM, "code": "g"}, {"system": UCUM, "code": "kg"},
    {"system": UCUM, "code": "/min"}, {"unit": "/min", "system": UCUM}, {"code": "/min"},
)  # fmt: skip
GRAMS = {"mg": Decimal("0.001"), "g": Decimal(1), "kg": Decimal(1000)}
DISPLAYS = ("Hjertefrekvens", "blodtrykk systolisk", "Vekt")
VALUE_SETS: dict[str, set[tuple[str | None, str]]] = {
    "https://sets.example/vital": {(LOINC, "8867-4"), (LOINC, "8480-6"), (SCT, "x")},
    "https://sets.example/other": {(SCT, "8867-4"), (SCT, "a|b")},
    "https://sets.example/none": set(),
}
URLS = (
    "https://forms.example/a", "https://forms.example/b|2", "urn:uuid:1", "https://x.example/'",
    "https://forms.example/a/b", "https://forms.example/ab", "https://forms.example",
)  # fmt: skip


@dataclass(frozen=True)
class Kept:
    """A resource as it is kept: when, and with its values read once."""

    resource: Resource
    updated: datetime
    values: tuple[tuple[Any, ...], ...]

    @property
    def place(self) -> tuple[str, str]:
        return self.resource["resourceType"], self.resource["id"]


def keep(resource: Resource, updated: datetime) -> Kept:
    return Kept(resource, updated, tuple(extract(resource)))


def population(seed: int, each: int = 40) -> list[Kept]:
    """So many small resources of each of several types, with values that often meet."""
    chance = Random(seed)
    made = [_patient(chance, person) for person in PEOPLE]
    made += [_organization(chance, n) for n in range(6)]
    for make in (
        _observation,
        _encounter,
        _condition,
        _order,
        _appointment,
        _answers,
        _risk,
        _device,
    ):
        made += [make(chance, n) for n in range(each)]
    made += [_location(chance, n) for n in range(each)]
    there = [f"{resource['resourceType']}/{resource['id']}" for resource in made]
    made += [_list(chance, n, there) for n in range(LISTS)]
    return [keep(r, BEGUN + timedelta(microseconds=n // 3)) for n, r in enumerate(made)]


def _some(chance: Random, **elements: Any) -> Resource:
    return {n: v for n, v in elements.items() if v not in (None, [], {}) and chance.random() < 0.8}


def _coding(chance: Random) -> Resource:
    parts = {"system": chance.choice(SYSTEMS), "code": chance.choice((*CODES, None))}
    if parts["code"] and chance.random() < 0.3:
        parts["display"] = chance.choice(DISPLAYS)
    return {name: value for name, value in parts.items() if value}


def _concept(chance: Random) -> Resource:
    codings = [coding for _ in range(chance.choice((0, 1, 1, 2))) if (coding := _coding(chance))]
    return {"coding": codings} if codings else {"text": "in words"}


def _location(chance: Random, n: int) -> Resource:
    latitude, longitude = chance.choice(PLACES)
    position = {"latitude": Decimal(latitude), "longitude": Decimal(longitude)}
    return {"resourceType": "Location", "id": f"loc{n}"} | _some(
        chance, name=chance.choice(NAMES), status="active", position=position
    )


def _list(chance: Random, n: int, there: list[str]) -> Resource:
    items = [{"item": {"reference": each}} for each in chance.sample(there, 12)]
    head: Resource = {"resourceType": "List", "id": f"list{n}", "status": "current"}
    return head | {"mode": "working"} | _some(chance, subject=_who(chance), entry=items)


def _who(chance: Random, *others: str) -> Resource:
    return {"reference": chance.choice((*(f"Patient/{p}" for p in PEOPLE), *others))}


def _quantity(chance: Random) -> Resource:
    return {"value": Decimal(chance.choice(NUMBERS)), **chance.choice(UNITS)}


def _period(chance: Random) -> Resource:
    start, end = sorted((chance.choice(DAYS), chance.choice(DAYS)), key=_bounds)
    return _some(chance, start=start, end=end)


def _bounds(day: str) -> tuple[int, int]:
    found = dates.bounds(day)
    assert found is not None
    return found


def _id(chance: Random, kind: str, n: int) -> str:
    return f"{n:016x}" if n % 7 == 0 else f"{kind}{n}"


def _identifiers(chance: Random) -> list[Resource]:
    kind = {"coding": [{"system": SCT, "code": chance.choice(CODES)}]}
    some = [
        _some(chance, system=chance.choice(SYSTEMS), value=chance.choice(CODES), type=kind)
        for _ in "12"
    ]
    return [identifier for identifier in some if identifier]


def _patient(chance: Random, person: str) -> Resource:
    return {"resourceType": "Patient", "id": person} | _some(
        chance,
        active=chance.random() < 0.5,
        identifier=_identifiers(chance),
        name=[{"family": chance.choice(NAMES), "given": chance.sample(NAMES, 2)}],
        gender=chance.choice(("male", "female")),
        birthDate=chance.choice(DAYS[:3]),
        deceasedBoolean=chance.random() < 0.5,
        managingOrganization={"reference": f"Organization/o{chance.randrange(6)}"},
        address=[{"city": chance.choice(NAMES), "line": ["Vei 1"]}],
    )


def _organization(chance: Random, n: int) -> Resource:
    return {"resourceType": "Organization", "id": f"o{n}"} | _some(
        chance, name=chance.choice(NAMES), type=[_concept(chance)], identifier=_identifiers(chance)
    )


def _value(chance: Random) -> Resource:
    if chance.random() < 0.4:
        return {"valueCodeableConcept": _concept(chance)}
    return _some(chance, valueQuantity=_quantity(chance))


def texts_of(element: Any) -> Iterator[str]:
    for concept in element if isinstance(element, list) else [element] if element else []:
        yield concept.get("text", "")
        yield from (coding.get("display", "") for coding in concept.get("coding", ()))


def value_sets() -> list[Resource]:
    """The value sets as resources."""
    made = []
    for n, (url, codes) in enumerate(VALUE_SETS.items()):
        by_system: dict[str, list[Resource]] = {}
        for system, code in sorted(codes, key=str):
            by_system.setdefault(system or "", []).append({"code": code})
        include = [{"system": s, "concept": found} for s, found in by_system.items()]
        made.append({"resourceType": "ValueSet", "id": f"vs{n}", "url": url, "status": "active",
                     "compose": {"include": include}})  # fmt: skip
    return made


def _observation(chance: Random, n: int) -> Resource:
    moment: Resource = {"effectiveDateTime": chance.choice(DAYS)}
    if chance.random() < 0.3:
        moment = {"effectivePeriod": _period(chance)}
    components = [{"code": _concept(chance)} | _value(chance) for _ in range(chance.randrange(3))]
    return {"resourceType": "Observation", "id": _id(chance, "obs", n)} | _some(
        chance,
        status=chance.choice(("final", "amended")),
        code=_concept(chance),
        category=[_concept(chance)],
        subject=_who(chance, "Group/g", "Device/d"),
        performer=[_who(chance, "Practitioner/p", "Organization/o1")],
        encounter={"reference": f"Encounter/enc{chance.randrange(1, 30)}"},
        **({"valueQuantity": _quantity(chance)} if chance.random() < 0.6 else _value(chance)),
        component=components,
        issued=chance.choice(("2024-02-29T10:00:00Z", "2026-01-01T00:00:00.123Z")),
        **moment,
    )


def _encounter(chance: Random, n: int) -> Resource:
    return {"resourceType": "Encounter", "id": _id(chance, "enc", n)} | _some(
        chance,
        status=chance.choice(("planned", "in-progress", "finished")),
        subject=_who(chance, "Group/g"),
        type=[_concept(chance), _concept(chance)],
        period=_period(chance),
        length=_quantity(chance),
        serviceProvider={"reference": f"Organization/o{chance.randrange(6)}"},
        participant=[{"individual": {"reference": "Practitioner/p"}}],
    )


def _condition(chance: Random, n: int) -> Resource:
    onset: Resource = chance.choice(
        ({"onsetDateTime": chance.choice(DAYS)}, {"onsetAge": _quantity(chance)},
         {"onsetString": chance.choice(NAMES)}, {"onsetPeriod": _period(chance)})
    )  # fmt: skip
    subject = _who(chance, "https://elsewhere.example/Patient/anne", "Patient/anne/_history/2")
    head: Resource = {"resourceType": "Condition", "id": _id(chance, "con", n), "subject": subject}
    return head | _some(
        chance,
        asserter=_who(chance),
        code=_concept(chance),
        clinicalStatus=_concept(chance),
        recordedDate=chance.choice(DAYS),
        **onset,
    )


def _order(chance: Random, n: int) -> Resource:
    kind = "MedicationRequest"
    head: Resource = {"resourceType": kind, "id": _id(chance, "order", n), "subject": _who(chance)}
    return head | _some(
        chance,
        medicationCodeableConcept=_concept(chance),
        authoredOn=chance.choice(DAYS),
        intent="order",
        requester={"identifier": {"system": SCT, "value": chance.choice(CODES)}},
        dosageInstruction=[{"timing": {"event": [chance.choice(DAYS)]}}],
    )


def _appointment(chance: Random, n: int) -> Resource:
    return {"resourceType": "Appointment", "id": _id(chance, "app", n)} | _some(
        chance,
        status="booked",
        start="2024-02-29T10:00:00Z",
        participant=[{"actor": _who(chance, "Practitioner/p")} for _ in range(2)],
    )


def _answers(chance: Random, n: int) -> Resource:
    return {"resourceType": "QuestionnaireResponse", "id": _id(chance, "qr", n)} | _some(
        chance,
        subject=_who(chance),
        author=_who(chance, "Practitioner/p"),
        questionnaire=chance.choice(URLS),
        authored=chance.choice(DAYS),
    )


def _risk(chance: Random, n: int) -> Resource:
    chances = [{"probabilityDecimal": Decimal(chance.choice(NUMBERS))} for _ in range(2)]
    return {"resourceType": "RiskAssessment", "id": _id(chance, "risk", n)} | _some(
        chance, subject=_who(chance), prediction=chances, method=_concept(chance)
    )


def _device(chance: Random, n: int) -> Resource:
    return {"resourceType": "Device", "id": _id(chance, "dev", n)} | _some(
        chance, patient=_who(chance), url=chance.choice(URLS), type=_concept(chance)
    )
