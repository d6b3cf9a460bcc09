"""Decision support by CDS Hooks 2.0: discovery, cards, feedback, and a base that is down.

What is required is read from https://cds-hooks.hl7.org/2.0/ ("REQUIRED" in its tables).
"""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import Any

import httpx
import pytest
from tests.contract.apps.conftest import NURSE, World, world

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.card_log import new_card_id, patient_of_card
from helsevev.access.walled import behind
from helsevev.kit import clock
from helsevev.medication import checks
from helsevev.record.connection import DatabaseError

__all__ = ["world"]
pytestmark = pytest.mark.asyncio(loop_scope="session")
PHYSICIAN = replace(NURSE, id="Practitioner/physician", profession="physician")
ATC = "http://www.whocc.no/atc"
SERVICE = {"hook", "description", "id"}
CARD = {"summary", "indicator", "source"}


def medicine(code: str, name: str, **more: Any) -> dict[str, Any]:
    """An order of a medicine for `own`."""
    return {
        "resourceType": "MedicationRequest", "status": "active", "intent": "order",
        "subject": {"reference": "Patient/own"},
        "medicationCodeableConcept": {"coding": [{"system": ATC, "code": code}], "text": name},
        "dosageInstruction": [{
            "doseAndRate": [{"doseQuantity": {"value": 5, "unit": "mg"}}],
            "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
        }],
        **more,
    }  # fmt: skip


def call(hook: str, *drafts: dict[str, Any], patient: str = "own", **more: Any) -> dict[str, Any]:
    """A request to a service."""
    context: dict[str, Any] = {"userId": "Practitioner/nurse", "patientId": patient}
    if hook != "patient-view":
        entries = [{"resource": each} for each in drafts]
        context["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    if hook == "order-select":
        context["selections"] = [f"MedicationRequest/{each.get('id')}" for each in drafts]
    return {"hook": hook, "hookInstance": str(uuid.uuid4()), "context": context, **more}


async def asked(
    world: World, path: str, body: object, actor: Actor | None = NURSE
) -> httpx.Response:
    """The answer to somebody's request."""
    headers = {"content-type": "application/json"}
    if actor is not None:
        headers["authorization"] = f"Bearer {await world.services.credentials.issue_token(actor)}"
    transport = httpx.ASGITransport(world.application)
    async with httpx.AsyncClient(transport=transport, base_url="http://record.example") as client:
        if body is None:
            return await client.get(path, headers=headers)
        return await client.post(path, content=json.dumps(body), headers=headers)


async def cards_of(world: World, body: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """The cards of a call."""
    answer = await asked(world, f"/cds-services/medication-{body['hook']}", body, **more)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["cards"]
    return found


IBUPROFEN = medicine("M01AE01", "Ibuprofen", id="draft", status="draft")


async def test_services_are_discovered_by_anybody(world: World) -> None:
    answer = await asked(world, "/cds-services", None, actor=None)
    services = answer.json()["services"]
    assert {each["hook"] for each in services} == {"order-select", "order-sign", "patient-view"}
    assert all(set(each) >= SERVICE for each in services)
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_an_order_against_what_is_in_use_is_answered_by_cards_as_specified(
    world: World,
) -> None:
    await world.services.writer.write(SYSTEM, medicine("B01AA03", "Marevan", id="warfarin"))
    for hook in ("order-select", "order-sign"):
        cards = await cards_of(world, call(hook, IBUPROFEN))
        found = next(c for c in cards if c["source"]["topic"]["code"].endswith("warfarin-nsaid"))
        assert found["indicator"] == "warning"
        for card in cards:
            assert set(card) >= CARD
            assert 0 < len(card["summary"]) < 140
            assert card["indicator"] in ("info", "warning", "critical")
            assert card["source"]["label"]
            assert uuid.UUID(card["uuid"])
            for suggestion in card.get("suggestions", ()):
                assert card["selectionBehavior"] in ("at-most-one", "any")
                assert suggestion["label"]
                assert all({"type", "description"} <= set(a) for a in suggestion["actions"])
            assert all(
                {"code", "system", "display"} <= set(r) for r in card.get("overrideReasons", ())
            )


async def test_prefetch_that_is_handed_along_is_used_as_it_is(world: World) -> None:
    nothing = {"resourceType": "Bundle", "type": "searchset"}
    handed = dict.fromkeys(
        ("allergies", "problems", "orders", "statements", "observations"), nothing
    )
    person = {"resourceType": "Patient", "id": "own", "gender": "male", "birthDate": "1970-01-01"}
    cards = await cards_of(
        world,
        call("order-sign", IBUPROFEN, prefetch={**handed, "patient": person},
             fhirServer="https://other.example/fhir"),
    )  # fmt: skip
    rules = {card["source"]["topic"]["code"] for card in cards}
    assert "cannot-run.allergies" in rules
    assert not any(rule.startswith("interaction.") for rule in rules)


async def test_the_list_in_use_is_told_quietly(world: World) -> None:
    await world.services.writer.write(SYSTEM, medicine("M01AE02", "Napren", id="naproxen"))
    cards = await cards_of(world, call("patient-view"))
    assert {card["indicator"] for card in cards} == {"info"}
    assert "interaction.warfarin-nsaid" in {card["source"]["topic"]["code"] for card in cards}
    gone = medicine("M01AE02", "Napren", id="naproxen", status="stopped")
    await world.services.writer.write(SYSTEM, gone, if_match=1)


BROKEN: dict[str, tuple[str, Any, int]] = {
    "no JSON object": ("medication-order-sign", [], 400),
    "another hook": ("medication-order-sign", call("patient-view"), 400),
    "no instance": ("medication-order-sign", call("order-sign") | {"hookInstance": "1"}, 400),
    "no patient": ("medication-order-sign", call("order-sign", patient=""), 400),
    "no drafts": (
        "medication-order-sign", call("patient-view") | {"hook": "order-sign"}, 400
    ),
    "no such service": ("medication-x", call("order-sign"), 404),
    "a record that is closed": ("medication-order-sign", call("order-sign", patient="closed"), 403),
    "another server's data": (
        "medication-order-sign", call("order-sign", fhirServer="https://other.example/fhir"), 412
    ),
    "a hostile text": ("medication-order-sign", call("order-sign", patient="\x00' --"), 400),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
async def test_a_call_that_cannot_be_answered_says_why(world: World, name: str) -> None:
    service, body, status = BROKEN[name]
    answer = await asked(world, f"/cds-services/{service}", body)
    assert answer.status_code == status, answer.text
    assert answer.json()["issue"][0]["diagnostics"]


async def test_nobody_is_answered_without_a_token(world: World) -> None:
    for path in ("medication-order-sign", "medication-order-sign/feedback"):
        answer = await asked(world, f"/cds-services/{path}", call("order-sign"), actor=None)
        assert answer.status_code == 401


async def test_what_was_done_about_a_card_is_kept_counted_and_not_asked_again(
    world: World,
) -> None:
    order = medicine("M01AB05", "Voltaren", id="voltaren", status="draft")
    cards = await cards_of(world, call("order-sign", order))
    card = next(c for c in cards if c["source"]["topic"]["code"].endswith("warfarin-nsaid"))
    said = {"feedback": [{
        "card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-11-22T10:00:00Z",
        "overrideReason": {"reason": {"code": "monitored"}, "userComment": "INR i morgen"},
    }]}  # fmt: skip
    path = "/cds-services/medication-order-sign/feedback"
    stranger = await asked(world, path, said, actor=SYSTEM)
    assert stranger.status_code == 404, "a card is answered by whom it was shown to"
    for _again in range(2):
        assert (await asked(world, path, said)).status_code == 200
    permit = await world.services.gate.open_chart(NURSE, "own")
    events = [e for e in await world.services.card_log.of(permit) if e.card == card["uuid"]]
    assert sorted((e.event, e.reason, e.words) for e in events) == [
        ("overridden", "monitored", "INR i morgen"), ("shown", "", ""),
    ]  # fmt: skip
    rates = await world.services.card_log.statistics(clock.now().replace(year=2000))
    counted = next(each for each in rates if each.rule == "interaction.warfarin-nsaid")
    assert (counted.overridden, counted.reasons) == (1, (("monitored", 1),))
    again = await cards_of(world, call("order-sign", order))
    quiet = next(c for c in again if c["source"]["topic"]["code"].endswith("warfarin-nsaid"))
    assert quiet["indicator"] == "info"


@pytest.mark.parametrize("said", [
    {}, {"feedback": []}, {"feedback": [{"card": "x", "outcome": "liked"}]},
    {"feedback": [{"outcome": "overridden", "outcomeTimestamp": "2026-01-01T00:00:00Z"}]},
    {"feedback": [{"card": "x", "outcome": "overridden"}]},
    {"feedback": [{"card": "x", "outcome": "accepted", "outcomeTimestamp": "2026-01-01"}]},
])  # fmt: skip
async def test_feedback_without_what_is_required_is_refused(world: World, said: Any) -> None:
    answer = await asked(world, "/cds-services/medication-order-sign/feedback", said)
    assert answer.status_code == 400


async def test_nobody_changes_the_log(world: World) -> None:
    with behind():
        await world.services.gate.open_chart(NURSE, "own")
        for statement in ("UPDATE card_event SET words = ''", "DELETE FROM card_event"):
            with pytest.raises(DatabaseError):
                await world.services.gate.store.roles.changed.execute(statement)


async def test_while_the_base_is_down_orders_are_marked_and_checked_when_it_is_back(
    world: World,
) -> None:
    services = world.services
    permit = await services.gate.open_chart(NURSE, "own")
    await services.writer.write(SYSTEM, medicine("B01AA03", "Marevan", id="marevan"))
    order = medicine("M01AE02", "Napren", id="unchecked")
    try:
        await services.knowledge_base.stop("feil i listen")
        advice = (await checks.check_orders(services, permit, [order]))[0]
        assert "feil i listen" in advice.banner
        assert advice.interrupts
        kept = await services.writer.write(SYSTEM, checks.marked(order, advice))
        made = kept.stored.resource
        assert checks.unchecked_in([made]) == [made]
    finally:
        await services.knowledge_base.stop("")
    async with await world.signed_in(PHYSICIAN) as browser:
        page = await browser.get("/advice/unchecked")
        assert "Napren" in page.text
        form = {"_csrf_token": browser.cookies.get("csrftoken", "")}
        checked = await browser.post("/advice/unchecked/unchecked", data=form)
        assert checked.status_code == 200, checked.text
        assert "warfarin-nsaid" in checked.text
        assert "Napren" not in (await browser.get("/advice/unchecked")).text
        assert (await browser.get("/advice/rules")).status_code == 200


async def test_checks_say_that_something_is_withheld(world: World) -> None:
    services = world.services
    hidden = {
        "resourceType": "AllergyIntolerance", "id": "hidden", "code": {"text": "penicillin"},
        "clinicalStatus": {"coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical",
            "code": "active",
        }]},
        "patient": {"reference": "Patient/own"},
    }  # fmt: skip
    await services.writer.write(SYSTEM, hidden)
    await services.writer.write(SYSTEM, {
        "resourceType": "Consent", "id": "block", "status": "active",
        "scope": {"coding": [{
            "system": "http://terminology.hl7.org/CodeSystem/consentscope",
            "code": "patient-privacy",
        }]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": "Patient/own"},
        "policyRule": {"text": "pasientjournalloven § 17"},
        "provision": {"type": "deny", "data": [
            {"meaning": "instance", "reference": {"reference": "AllergyIntolerance/hidden"}}
        ]},
    })  # fmt: skip
    order = medicine("J01CE02", "Apocillin", id="apocillin", status="draft")
    cards = await cards_of(world, call("order-sign", order))
    rules = {card["source"]["topic"]["code"] for card in cards}
    assert "cannot-run.withheld" in rules
    assert "allergy.known" not in rules


async def test_a_list_that_was_loaded_is_used_at_once(world: World) -> None:
    services = world.services
    await services.knowledge_base.load(b'{"name":"x","version":"2","interaction":[]}')
    try:
        known = await checks.knowledge_now(services)
        assert known.interactions is not None
        assert (known.interactions.version, known.interactions.rules) == ("2", ())
        await services.knowledge_base.load(b"no list")
        broken = await checks.knowledge_now(services)
        assert (broken.interactions, bool(broken.stopped)) == (None, True)
    finally:
        await services.knowledge_base.load(None)


@pytest.mark.parametrize("patient", [1, -1, 0, 2**63 - 1, -(2**62), 4611686018427387904])
async def test_a_card_tells_where_its_log_is_kept(patient: int) -> None:
    assert patient_of_card(new_card_id(patient)) == patient
