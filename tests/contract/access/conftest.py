"""One record with every label, and an actor for every role and relation, asked by API and pages."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio
from litestar.exceptions import LitestarDeprecationWarning

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.services import Services, services_over
from helsevev.kit.settings import Settings
from helsevev.main import build_app, rules
from helsevev.record import keys
from helsevev.record.database import Database

ICD10: Final = "http://hl7.org/fhir/sid/icd-10-no"
ACT: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
SPERRING: Final = "urn:oid:2.16.578.1.12.4.1.1.9603"
GRADE: Final = "http://ehelse.no/fhir/CodeSystem/gd-address-confidentiality"
NUMBER: Final = "urn:oid:2.16.578.1.12.4.1.4.1"
PARENT: Final = "14850070002"
RESPONSIBLE: Final = {"coding": [{
    "system": "http://hl7.no/fhir/CodeSystem/no-basis-parental-responsibility", "code": "felles",
}]}  # fmt: skip
STREET: Final = "Hemmeliglia 17"
STAFF: Final = ("physician", "nurse", "paramedic", "assistant-nurse", "secretary", "cleaner")
OFFICES: Final = ("system-administrator", "privacy-officer", "block-keeper", "app-administrator")
"""Work with the system itself, at units that treat."""

RELATIONS: Final = ("none", "stated", "organisation", "unit", "personal", "emergency")
ENTRIES: Final = {
    "plain": ("J45", None, None), "psychiatry": ("F32.1", None, None),
    "genetics": ("Z80.3", None, None), "hidden-from-parents": ("N39", SPERRING, "NORN_FORANS"),
    "for-parents": ("N38", SPERRING, "NORN_UNGDOM"), "inadvisable": ("N30", SPERRING, "NORN_KUT"),
}  # fmt: skip
"""Entries of the open record, by what they are labelled with."""

RECORDS: Final = {
    "confidential-address": {"meta": {"security": [{"system": GRADE, "code": "fortrolig"}]}},
    "strict-address": {"meta": {"security": [{"system": GRADE, "code": "strengtFortrolig"}]}},
    "employee": {"meta": {"security": [{"system": ACT, "code": "EMP"}]}},
    "blocked-for-all": {},
    "blocked-for-me": {},
}
"""Records that are marked as a whole, each with one plain entry."""

AGES: Final = {"child": "2018-02-02", "young": "2010-02-02", "adult": "1970-02-02"}
"""Records of people of an age, with some of the entries; the open record is that of one of 14."""

OF_AGES: Final = ("plain", "psychiatry", "hidden-from-parents", "for-parents")
SCOPE: Final = "https://helsevev.example/fhir/StructureDefinition/representation-scope"
ACTING: Final[dict[str, tuple[str, list[str], dict[str, Any]]]] = {
    "mother": ("14850070101", ["MTH", "felles"], {}),
    "father-without": ("14850070102", ["FTH", "mor"], {}),
    "attorney": ("14850070103", ["POWATT"], {}),
    "attorney-messages": (
        "14850070104", ["POWATT"], {"extension": [{"url": SCOPE, "valueCode": "communicate"}]},
    ),
    "attorney-over": ("14850070105", ["POWATT"], {"period": {"end": "2020-01-01"}}),
    "guardian": ("14850070106", ["GUARD"], {}),
}  # fmt: skip
"""Who acts for those of an age: the number, the codes of the tie, and what else is in it."""


@dataclass
class World:
    """The record, its application, and a client for each actor by role and relation."""

    services: Services
    app: Any
    actors: dict[tuple[str, str], Actor] = field(default_factory=dict)
    api: dict[tuple[str, str], httpx.AsyncClient] = field(default_factory=dict)
    pages: dict[tuple[str, str], httpx.AsyncClient] = field(default_factory=dict)

    async def admit(self, role: str, relation: str, actor: Actor) -> None:
        """Give an actor a token and a session."""
        token = await self.services.credentials.issue_token(actor)
        session = await self.services.credentials.start_session(actor)
        self.actors[role, relation] = actor
        self.api[role, relation] = self.client(authorization=f"Bearer {token}")
        self.pages[role, relation] = self.client(cookie=f"helsevev_session={session}")

    def client(self, **headers: str) -> httpx.AsyncClient:
        """A client of the application in this process."""
        kind = {"content-type": "application/fhir+json"}
        transport = httpx.ASGITransport(self.app)
        return httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1", headers=kind | headers
        )


def reference(text: str) -> dict[str, str]:
    return {"reference": text}


def condition(patient: str, label: str) -> dict[str, Any]:
    code, system, mark = ENTRIES.get(label, ENTRIES["plain"])
    meta = {"meta": {"security": [{"system": system, "code": mark}]}} if mark else {}
    return {
        "resourceType": "Condition", "id": f"{patient}-{label}",
        "subject": reference(f"Patient/{patient}"),
        "code": {"coding": [{"system": ICD10, "code": code}], "text": f"Said {patient} {label}."},
    } | meta  # fmt: skip


def person(name: str, number: str = "", **more: Any) -> dict[str, Any]:
    identifier = {"identifier": [{"system": NUMBER, "value": number}]} if number else {}
    return {
        "resourceType": "Patient", "id": name, "birthDate": "2012-02-02",
        "name": [{"family": "Berg", "given": [name]}],
        "address": [{"line": [STREET], "city": "Trondheim"}],
    } | identifier | more  # fmt: skip


def encounters(patient: str) -> list[dict[str, Any]]:
    """What ties the ward, the hospital, and each one who is named."""
    named = [
        {"individual": reference(f"Practitioner/{role}-personal")} for role in (*STAFF, *OFFICES)
    ]  # fmt: skip
    ties: dict[str, dict[str, Any]] = {
        "ward": {"serviceProvider": reference("Organization/ward")},
        "hospital": {"serviceProvider": reference("Organization/hospital")},
        "named": {"participant": named},
    }
    return [
        {"resourceType": "Encounter", "id": f"{patient}-{kind}", "status": "in-progress",
         "class": {"code": "IMP"}, "subject": reference(f"Patient/{patient}")} | more
        for kind, more in ties.items()
    ]  # fmt: skip


def tie(patient: str, who: str) -> dict[str, Any]:
    """That somebody acts for a person of an age."""
    number, codes, more = ACTING[who]
    system = RESPONSIBLE["coding"][0]["system"]
    coded = [
        {"coding": [{"system": system, "code": code} if code.islower() else {"code": code}]}
        for code in codes
    ]
    return {
        "resourceType": "RelatedPerson", "id": f"{patient}-{who}", "relationship": coded,
        "patient": reference(f"Patient/{patient}"),
        "identifier": [{"system": NUMBER, "value": number}],
    } | more  # fmt: skip


def block(patient: str, who: list[str]) -> dict[str, Any]:
    actors = [{"role": {"text": "kept out"}, "reference": reference(each)} for each in who]
    scope = "http://terminology.hl7.org/CodeSystem/consentscope"
    return {
        "resourceType": "Consent", "status": "active", "patient": reference(f"Patient/{patient}"),
        "scope": {"coding": [{"system": scope, "code": "patient-privacy"}]},
        "category": [{"text": "Sperring"}], "policyRule": {"text": "pasientjournalloven § 17"},
        "provision": {"type": "deny"} | ({"actor": actors} if actors else {}),
    }  # fmt: skip


def staff(role: str, relation: str) -> Actor:
    places = {
        "unit": ("Organization/ward", "Organization/hospital"),
        "organisation": ("Organization/clinic", "Organization/hospital"),
    }
    units = places.get(relation, ("Organization/elsewhere",))
    return Actor(
        "practitioner", f"Practitioner/{role}-{relation}", f"{role} {relation}", role, role,
        units[-1], "Hospital", "Unit", units,
    )  # fmt: skip


async def admit_by_age(world: World) -> None:
    """Those of each age, and everybody who acts for them; and who registers blocks for any."""
    for who, (number, _, _) in ACTING.items():
        await world.services.writer.write(SYSTEM, person(who, number, birthDate="1980-01-01"))
    for name, born in AGES.items():
        kept = [person(name, birthDate=born), *(condition(name, each) for each in OF_AGES)]
        for resource in (*kept, *(tie(name, who) for who in ACTING)):
            await world.services.writer.write(SYSTEM, resource)
        own = Actor(
            "inhabitant", f"Patient/{name}", name, "", "inhabitant", patient=f"Patient/{name}"
        )
        await world.admit("inhabitant", f"own {name}", own)
        for who, (_, codes, _) in ACTING.items():
            kind = {"POWATT": "power-of-attorney", "GUARD": "guardian"}.get(codes[0], "parent")
            acting = replace(own, id=f"Patient/{who}", name=who, acting=kind)
            await world.admit("inhabitant", f"{who} {name}", acting)
    await world.admit("block-keeper", "none", staff("block-keeper", "none"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(
    database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """Everybody and everything of the matrix."""
    services = services_over(database, rules())
    settings = Settings(data=Path(tmp_path_factory.mktemp("data")), demo=False)
    with warnings.catch_warnings():
        # How path parameters are declared is about to change in the framework.
        warnings.simplefilter("ignore", LitestarDeprecationWarning)
        made = World(services, build_app(settings, services))
    me = [f"Practitioner/{role}-{relation}" for role in STAFF for relation in RELATIONS]
    records: dict[str, dict[str, Any]] = {"open": {}, **RECORDS}
    for name, more in records.items():
        kept = [person(name, **more), *encounters(name)]
        kept += [condition(name, label) for label in (ENTRIES if name == "open" else ("plain",))]
        if name.startswith("blocked"):
            kept.append(block(name, me if name == "blocked-for-me" else []) | {"id": f"b-{name}"})
        kept.append(
            {"resourceType": "RelatedPerson", "id": f"{name}-parent",
             "patient": reference(f"Patient/{name}"),
             "identifier": [{"system": NUMBER, "value": PARENT}],
             "relationship": [{"coding": [{"code": "MTH"}]}, RESPONSIBLE]}
        )  # fmt: skip
        for resource in kept:
            await services.writer.write(SYSTEM, resource)
    await services.writer.write(SYSTEM, person("parent", PARENT, birthDate="1980-01-01"))
    await admit_by_age(made)
    for role in STAFF:
        for relation in RELATIONS:
            actor = staff(role, relation)
            await made.admit(role, relation, actor)
            for name in ("open", *RECORDS):
                patient = keys.patient_key(name)
                if relation == "stated":
                    await services.gate.permits.state_relation(actor, patient, "DELBEHAN", "x")
                elif relation == "emergency":
                    await services.gate.permits.state_emergency(actor, patient, "BLAALYS", "x")
    for role in OFFICES:
        for relation in ("organisation", "unit", "personal"):
            await made.admit(role, relation, staff(role, relation))
    for name in ("open", *RECORDS):
        own = Actor(
            "inhabitant", f"Patient/{name}", name, "", "inhabitant", patient=f"Patient/{name}"
        )
        await made.admit("inhabitant", f"own {name}", own)
        parent = replace(own, id="Patient/parent", name="parent", acting="parent")
        await made.admit("inhabitant", f"parent {name}", parent)
        await made.admit(
            "inhabitant", f"nobody {name}", replace(own, id="Patient/x", patient="Patient/x")
        )
    await made.admit("system", "system", SYSTEM)
    yield made
    for client in (*made.api.values(), *made.pages.values()):
        await client.aclose()
