"""What is blocked, sensitive, hidden or protected: by no door to those it is kept from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.errors import NotFound, Refused
from helsevev.access.representing import RESPONSIBILITY
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.fhir.search_query import parse

pytestmark = pytest.mark.asyncio(loop_scope="session")

STREET = "Hemmeliglia 17"
ICD10 = "http://hl7.org/fhir/sid/icd-10-no"
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
SPERRING = "urn:oid:2.16.578.1.12.4.1.1.9603"
SECRET = {"system": "http://ehelse.no/fhir/CodeSystem/gd-address-confidentiality"}
NUMBER = "urn:oid:2.16.578.1.12.4.1.4.1"


def marked(code: str, system: str = ACT) -> dict[str, Any]:
    return {"meta": {"security": [{"system": system, "code": code}]}}


def condition(patient: str, name: str, code: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "id": name,
        "subject": {"reference": f"Patient/{patient}"},
        "code": {"coding": [{"system": ICD10, "code": code}], "text": f"Said {name}"},
    } | more


def block(patient: str, who: str | None, **provision: Any) -> dict[str, Any]:
    role = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
                        "code": "IRCP"}]}  # fmt: skip
    actor = {"actor": [{"role": role, "reference": {"reference": who}}]} if who else {}
    scope = "http://terminology.hl7.org/CodeSystem/consentscope"
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [{"system": scope, "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": f"Patient/{patient}"},
        "policyRule": {"text": "pasientjournalloven § 17"},
        "provision": {"type": "deny"} | actor | provision,
    }


@pytest.fixture(scope="module")
def consultant(nurse: Actor) -> Actor:
    """A physician elsewhere in the hospital: tied to those on the ward by the hospital alone."""
    return replace(
        nurse, id="Practitioner/consultant", profession="physician",
        organisation="Organization/clinic",
        organisations=("Organization/clinic", "Organization/hospital"),
    )  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def people(services: Services, patient: Any, stay: Any) -> None:
    """Siri with sensitive entries, Ola with a secret address, on the ward of the hospital."""
    hospital = {"reference": "Organization/hospital"}
    secret = {
        "meta": {"security": [SECRET | {"code": "strengtFortrolig"}]},
        "address": [{"line": [STREET], "postalCode": "7010", "city": "Trondheim"}],
        "text": {"status": "generated", "div": f"<div>{STREET}</div>"},
        "telecom": [{"system": "phone", "value": "+4710080909"}],
    }
    made = [
        patient("siri", birthDate="2012-05-05"), patient("ola", **secret),
        *(stay(p) for p in ("siri", "ola")),
        *(stay(p, f"whole-{p}", serviceProvider=hospital) for p in ("siri", "ola")),
        condition("siri", "plain", "J45"), condition("siri", "low", "F32.1"),
        condition("siri", "risk", "Z80.3"), condition("siri", "mine", "N39", **marked(
            "NORN_FORANS", SPERRING)),
        condition("siri", "inadvisable", "N30", **marked("NORN_KUT", SPERRING)),
        condition("ola", "note", "R52", note=[{"text": f"Found at {STREET.upper()}, alone."}]),
        {"resourceType": "RelatedPerson", "id": "mother", "patient": {"reference": "Patient/siri"},
         "identifier": [{"system": NUMBER, "value": "14850070002"}],
         "relationship": [{"coding": [{
             "system": "http://terminology.hl7.org/CodeSystem/v3-RoleCode", "code": "MTH"}]},
             {"coding": [{"system": RESPONSIBILITY, "code": "mor"}]}]},
        patient("mor", birthDate="1985-01-01",
                identifier=[{"system": NUMBER, "value": "14850070002"}]),
    ]  # fmt: skip
    for resource in made:
        await services.writer.write(SYSTEM, resource)


async def seen(services: Services, actor: Actor, patient: str) -> set[str]:
    """The conditions that an actor sees of somebody, the same by every door."""
    permit = await services.gate.open_chart(actor, patient)
    sliced = await services.gate.open_slices(permit, [Slice("Condition", 100)])
    chart = {each["id"] for each in sliced["Condition"]}
    query = parse("Condition", [("patient", f"Patient/{patient}"), ("_total", "accurate")], base="")
    found = await services.searcher.search(actor, query)
    assert {stored.id for stored in found.matches} == chart
    assert found.total == len(chart)
    counted = parse(
        "Condition", [("subject", f"Patient/{patient}"), ("_summary", "count")], base=""
    )
    assert (await services.searcher.search(actor, counted)).total == len(chart)
    back = parse("Patient", [("_id", patient), ("_revinclude", "Condition:patient")], base="")
    page = await services.searcher.search(actor, back)
    assert {stored.id for stored in page.included} == chart
    past = await services.history.of_patient(actor, patient)
    assert {s.id for s in past.versions if s.type == "Condition"} == chart
    rows = await services.gate.store.slices(permit.patient, {"Condition": 100})
    for name in {stored.id for stored in rows["Condition"]} - chart:
        with pytest.raises(NotFound):
            await services.gate.open_resource(actor, "Condition", name)
        with pytest.raises(NotFound):
            await services.history.of_instance(actor, "Condition", name)
        having = parse("Patient", [("_has:Condition:patient:_id", name)], base="")
        assert not (await services.searcher.search(actor, having)).matches
    return chart


ALL = {"plain", "low", "risk", "mine", "inadvisable"}


async def test_a_near_relation_shows_what_a_far_one_does_not(
    services: Services, people: None, nurse: Actor, consultant: Actor
) -> None:
    named = replace(consultant, id="Practitioner/siris")
    by_name = {"individual": {"reference": named.id}}
    await services.writer.write(
        SYSTEM,
        {
            "resourceType": "Encounter", "id": "named", "status": "in-progress",
            "class": {"code": "AMB"}, "subject": {"reference": "Patient/siri"},
            "participant": [by_name],
        },
    )  # fmt: skip
    assert await seen(services, SYSTEM, "siri") == ALL
    assert await seen(services, named, "siri") == ALL
    assert await seen(services, nurse, "siri") == ALL - {"risk"}
    assert await seen(services, consultant, "siri") == ALL - {"risk", "low"}
    await services.gate.break_glass(consultant, "siri", "BLAALYS", "Found unconscious at home")
    assert await seen(services, consultant, "siri") == ALL


async def test_the_young_and_their_parents_each_see_their_own(
    services: Services, people: None
) -> None:
    siri = Actor("inhabitant", "Patient/siri", "Siri", "", "", patient="Patient/siri")
    mother = Actor(
        "inhabitant", "Patient/mor", "Mor", "", "", patient="Patient/siri", acting="parent"
    )
    assert await seen(services, siri, "siri") == ALL - {"inadvisable"}
    assert await seen(services, mother, "siri") == {"plain"}
    with pytest.raises(Refused):
        await services.gate.open_chart(replace(mother, acting=""), "mor2")
    stranger = replace(mother, id="Patient/ola")
    with pytest.raises(Refused):
        await services.gate.open_chart(stranger, "siri")


@pytest.mark.parametrize(
    ("who", "what", "left"),
    [
        ("Practitioner/nurse", {}, None),
        ("Organization/ward", {}, None),
        (None, {}, None),
        ("Organization/ward", {"securityLabel": [{"system": ACT, "code": "PSY"}]}, {"plain"}),
        ("Practitioner/nurse",
         {"data": [{"meaning": "instance", "reference": {"reference": "Condition/PLAIN"}}]},
         {"low"}),
        ("Practitioner/other", {}, {"plain", "low"}),
        (None, {"provision": [{"type": "permit", "actor": [{
            "role": {"text": "spared"}, "reference": {"reference": "Organization/ward"}}]}]},
         {"plain", "low"}),
    ],
)  # fmt: skip
async def test_a_block_holds_at_every_door_until_it_is_taken_back(
    services: Services,
    patient: Any,
    stay: Any,
    nurse: Actor,
    request: pytest.FixtureRequest,
    who: str | None,
    what: dict[str, Any],
    left: set[str] | None,
) -> None:
    name = f"blocks-{abs(hash(request.node.name)) % 10**9}"
    for resource in (
        patient(name), stay(name),
        condition(name, f"{name}-plain", "J45"), condition(name, f"{name}-low", "F32.1"),
    ):  # fmt: skip
        await services.writer.write(SYSTEM, resource)
    everything = {f"{name}-plain", f"{name}-low"}
    assert await seen(services, nurse, name) == everything
    for datum in what.get("data", ()):
        datum["reference"]["reference"] = f"Condition/{name}-plain"
    own = Actor("inhabitant", f"Patient/{name}", "P", "", "", patient=f"Patient/{name}")
    consent = (await services.writer.write(own, block(name, who, **what))).stored
    if left is None:
        with pytest.raises(Refused):
            await services.gate.open_chart(nurse, name)
        query = parse("Condition", [("_id", f"{name}-plain,{name}-low")], base="")
        assert not (await services.searcher.search(nurse, query)).matches
        if who == nurse.id:
            with pytest.raises(Refused):
                await services.gate.break_glass(nurse, name, "BLAALYS", "Found unconscious")
        else:
            await services.gate.break_glass(nurse, name, "BLAALYS", "Found unconscious")
            assert await seen(services, nurse, name) == everything
    else:
        assert await seen(services, nurse, name) == {f"{name}-{each}" for each in left}
    await services.writer.delete(own, "Consent", consent.id)
    assert await seen(services, nurse, name) == everything


async def test_what_cannot_be_blocked_is_not_taken_for_a_block() -> None:
    from helsevev.access.blocking import check

    assert not check(block("p", "Practitioner/x"))
    for bad in (
        {"purpose": [{"code": "TREAT"}]},
        {"securityLabel": [{"system": ACT, "code": "NOSUCH"}]},
        {"data": [{"meaning": "related", "reference": {"reference": "Condition/x"}}]},
        {"provision": [{"type": "permit"}]},
    ):
        assert check(block("p", None, **bad)), bad
    assert check(block("p", "Patient/somebody"))


async def test_a_protected_address_leaves_by_no_door(
    services: Services, people: None, nurse: Actor, later: Callable[..., None]
) -> None:
    leaks = (STREET.encode(), STREET.upper().encode(), b"7010", b"+4710080909")
    permit = await services.gate.open_chart(nurse, "ola")
    slices = await services.gate.open_slices(permit, [Slice("Patient", 1), Slice("Condition", 9)])
    rows = [await services.gate.open_resource(nurse, *place) for place in
            (("Patient", "ola"), ("Condition", "note"))]  # fmt: skip
    rows += (await services.history.of_patient(nurse, "ola")).versions
    for name, value in (("_id", "ola"), ("name", "berg"), ("_sort", "address-city")):
        query = parse("Patient", [(name, value)], base="")
        rows += (await services.searcher.search(nurse, query)).matches
    said = repr(slices).encode() + b"".join(row.json for row in rows)
    assert not [leak for leak in leaks if leak in said]
    assert b"masked" in said
    for name, value in (
        ("address", "Hemmeliglia"), ("address-city", "Trondheim"),
        ("address-city:missing", "false"),
        ("phone", "+4710080909"), ("_has:Condition:patient:code:missing", "false"),
    ):  # fmt: skip
        query = parse("Patient", [(name, value)], base="")
        found = {s.id for s in (await services.searcher.search(nurse, query)).matches}
        assert ("ola" in found) == name.startswith("_has"), name
    described = {
        "resourceType": "Patient", "name": [{"family": "Berg", "given": ["Ola"]}],
        "address": [{"line": [STREET], "postalCode": "7010"}],
    }  # fmt: skip
    scores = set()
    for asked in (described, described | {"address": [{"line": ["Elsewhere 1"]}]}):
        alike = await services.person_matcher.match(nurse, asked, certain_only=False, count=9)
        scores.add(tuple((m.resource["id"], m.likeness.score) for m in alike))
    assert len(scores) == 1
    own = Actor("inhabitant", "Patient/ola", "Ola", "", "", patient="Patient/ola")
    assert STREET.encode() in (await services.gate.open_resource(own, "Patient", "ola")).json


async def test_nobody_writes_over_what_they_do_not_see(
    services: Services, people: None, nurse: Actor, consultant: Actor
) -> None:
    shown = (await services.gate.open_resource(nurse, "Patient", "ola")).resource
    with pytest.raises(Refused):
        await services.writer.write(nurse, shown)
    with pytest.raises(NotFound):
        await services.writer.patch(
            nurse, "Condition", "risk", lambda each: each | {"recordedDate": "2026"}, if_match=1
        )
    with pytest.raises(Refused):
        await services.writer.write(nurse, condition("siri", "risk", "J45"), if_match=1)
    guardian = {"resourceType": "RelatedPerson", "patient": {"reference": "Patient/siri"},
                "identifier": [{"system": NUMBER, "value": "01010112345"}],
                "relationship": [{"coding": [{"code": "GUARD"}]}]}  # fmt: skip
    with pytest.raises(Refused):
        await services.writer.write(nurse, guardian, create=True)
