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
        {"individual": reference(f"Practitioner/{role}-personal")} for role in STAFF
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
