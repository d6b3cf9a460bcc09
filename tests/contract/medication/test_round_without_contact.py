"""What a phone takes along and brings back: sealed as the phone seals it, over the real record."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from helsevev.kit import clock

from .ward_and_phones import WARD, Ward, dose, order, taken, unpadded


async def test_a_round_holds_what_is_needed_and_nothing_of_where_anybody_lives(
    ward: Ward, runa: str
) -> None:
    phone, found = await taken(ward, runa)
    assert {each["name"] for each in found["doses"]} == {"Albyl-E", "Furix", "Selo-Zok"}
    (needed,) = found["needed"]
    assert (needed["gap"], needed["most"]) == (6 * 3600, {"doses": 3, "seconds": 24 * 3600})
    assert len(phone.round["content"]["signs"]) >= 7
    assert "Steinkjer" not in json.dumps(phone.round, ensure_ascii=False)
    assert "Lønnegata" not in json.dumps(phone.round, ensure_ascii=False)


async def test_what_was_done_is_recorded_once_at_the_time_it_was_done_however_often_it_comes(
    ward: Ward, runa: str
) -> None:
    phone, found = await taken(ward, runa)
    at = datetime.now(UTC) - timedelta(minutes=4)
    items = [
        phone.item("given", runa, {**dose(found, "Albyl-E"), "scan": "no-code"}, at=at),
        phone.item("withheld", runa, {**dose(found, "Furix"), "reason": "refused"}),
        phone.item("needed", runa, {**dose(found, "Paracet"), "reason": "smerter"}),
        phone.item("measured", runa, {"values": {"pulse": "72", "temperature": "37,2"}}),
        phone.item("noted", runa, {"type": "nursing", "text": "Sov godt."}),
    ]
    first = await phone.bring(*items)
    assert [(a["status"], a["again"]) for a in first] == [("stored", False)] * 5, first
    again = await phone.bring(*reversed(items), *items)
    assert [(a["status"], a["again"]) for a in again] == [("stored", True)] * 10
    given = {
        each["medicationCodeableConcept"]["text"]: each
        for each in await ward.found("MedicationAdministration", runa)
    }
    assert {name: each["status"] for name, each in given.items()} == {
        "Albyl-E": "completed", "Furix": "not-done", "Paracet": "completed",
    }  # fmt: skip
    assert given["Albyl-E"]["effectiveDateTime"] == f"{at:%Y-%m-%dT%H:%M:%SZ}"
    assert given["Albyl-E"]["performer"][0]["actor"]["display"] == phone.round["name"]
    assert len(await ward.found("MedicationAdministration", runa)) == 3
    assert len(await ward.found("Observation", runa)) == 2
    (note,) = await ward.found("Composition", runa)
    assert "Sov godt." in note["section"][0]["text"]["div"]
    assert len(await ward.found("Task", runa)) == 1


async def test_a_dose_given_after_its_order_was_stopped_is_kept_and_the_prescriber_is_told(
    ward: Ward, runa: str
) -> None:
    phone, found = await taken(ward, runa)
    said = dose(found, "Albyl-E")
    await ward.change("MedicationRequest", said["order"], status="stopped")
    item = phone.item("given", runa, said, at=datetime.now(UTC) + timedelta(seconds=2))
    for _ in range(2):
        (answer,) = await phone.bring(item)
        assert answer["status"] == "conflict"
        assert "stoppet" in answer["why"]
    (kept,) = await ward.found("MedicationAdministration", runa)
    assert kept["status"] == "completed"
    (task,) = await ward.found("Task", runa)
    assert task["focus"]["reference"] == f"MedicationAdministration/{kept['id']}"
    assert task["owner"]["display"] == "Ingrid Solemdal"


async def test_a_dose_given_before_its_order_was_stopped_is_in_the_plan_and_flagged(
    ward: Ward, runa: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr(clock, "now", lambda: datetime.now(UTC) - timedelta(hours=2))
        await ward.keep(order(runa, "Kaleorid", -10))
    phone, found = await taken(ward, runa)
    said = dose(found, "Kaleorid")
    item = phone.item("given", runa, said, at=datetime.now(UTC))
    await ward.change("MedicationRequest", said["order"], status="stopped")
    for _ in range(2):
        (answer,) = await phone.bring(item)
        assert answer["status"] == "conflict"
        assert "før noen visste" in answer["why"]
    (kept,) = await ward.found("MedicationAdministration", runa)
    assert not any("outside-plan" in e["url"] for e in kept["extension"])
    assert len(await ward.found("Task", runa)) == 1


async def test_a_dose_that_a_colleague_has_signed_is_kept_as_a_second_word(
    ward: Ward, runa: str
) -> None:
    phone, found = await taken(ward, runa)
    other, theirs = await taken(ward, runa, "hospital-doctor")
    (first,) = await other.bring(other.item("given", runa, dose(theirs, "Furix")))
    assert first["status"] == "stored"
    (second,) = await phone.bring(phone.item("given", runa, dose(found, "Furix")))
    assert second["status"] == "conflict"
    assert other.round["name"] in second["why"]
    statuses = sorted(e["status"] for e in await ward.found("MedicationAdministration", runa))
    assert statuses == ["completed", "unknown"]
    page = (await phone.browser.get(f"/rounds/{runa}")).text
    assert "Signert to ganger" in page


async def test_two_as_needed_doses_that_two_phones_gave_too_close_are_both_kept(
    ward: Ward, runa: str
) -> None:
    phone, found = await taken(ward, runa)
    other, theirs = await taken(ward, runa, "hospital-doctor")
    await other.bring(other.item("needed", runa, {**dose(theirs, "Paracet"), "reason": "vondt"}))
    (second,) = await phone.bring(
        phone.item("needed", runa, {**dose(found, "Paracet"), "reason": "vondt"})
    )
    assert second["status"] == "conflict"
    kept = await ward.found("MedicationAdministration", runa)
    assert [each["status"] for each in kept] == ["completed"] * 2
    # Each has its effect to be seen, and the second its prescriber to be told.
    assert len(await ward.found("Task", runa)) == 3


async def test_a_medicine_that_two_must_sign_is_only_prepared(ward: Ward, runa: str) -> None:
    await ward.keep(order(runa, "Metotreksat", atc="L01BA01"))
    phone, found = await taken(ward, runa)
    (answer,) = await phone.bring(phone.item("given", runa, dose(found, "Metotreksat")))
    assert answer["status"] == "stored"
    (kept,) = await ward.found("MedicationAdministration", runa)
    assert kept["status"] == "in-progress"


async def test_what_cannot_be_stored_awaits_a_person_who_enters_it(ward: Ward, runa: str) -> None:
    phone, found = await taken(ward, runa)
    await ward.change("Encounter", f"stay-{runa}"[:64], status="entered-in-error")
    items = [
        phone.item("given", runa, dose(found, "Albyl-E")),
        phone.item("measured", runa, {"values": {"pulse": "72"}}),
    ]
    for again in (False, True):
        answers = await phone.bring(*items)
        assert [(a["status"], a["again"]) for a in answers] == [("refused", again)] * 2
    assert await ward.found("MedicationAdministration", runa) == []
    tasks = await ward.found("Task", runa)
    assert {t["owner"]["reference"] for t in tasks} == {WARD}
    # Those who treat the patient again see it on their list, and enter it as it was done.
    await ward.change("Encounter", f"stay-{runa}"[:64], status="in-progress")
    colleague = await ward.phone("hospital-doctor")
    page = (await colleague.browser.get("/rounds/brought")).text
    assert "Gitt: Albyl-E" in page
    assert (await colleague.browser.get(f"/rounds/brought/{runa}")).text.count("<li") == 2
    token = (await colleague.browser.get("/rounds/contact")).json()["token"]
    for task in tasks:
        answer = await colleague.browser.post(
            f"/rounds/brought/{task['id']}", data={"decision": "enter"},
            headers={"x-csrf-token": token},
        )  # fmt: skip
        assert answer.status_code == 303, answer.text
    (kept,) = await ward.found("MedicationAdministration", runa)
    assert kept["performer"][0]["actor"]["display"] == phone.round["name"]
    assert {t["status"] for t in await ward.found("Task", runa)} == {"completed"}
    assert [a["status"] for a in await phone.bring(*items)] == ["stored", "stored"]


async def test_what_the_record_does_not_take_from_a_colleague_either_still_waits(
    ward: Ward, runa: str
) -> None:
    stopped = await ward.keep(order(runa, "Metotreksat", atc="L01BA01"))
    phone, found = await taken(ward, runa)
    item = phone.item("given", runa, dose(found, "Metotreksat"))
    await ward.change("MedicationRequest", stopped, status="stopped")
    (answer,) = await phone.bring(item)
    assert answer["status"] == "refused"
    (task,) = await ward.found("Task", runa)
    colleague = await ward.phone("hospital-doctor")
    token = (await colleague.browser.get("/rounds/contact")).json()["token"]
    for decision, words, status, left in (
        ("enter", "", 422, 1), ("leave", "", 422, 1), ("leave", "Kastet, ikke gitt", 303, 0),
    ):  # fmt: skip
        told = await colleague.browser.post(
            f"/rounds/brought/{task['id']}", data={"decision": decision, "words": words},
            headers={"x-csrf-token": token},
        )  # fmt: skip
        assert told.status_code == status, told.text
        waiting = [t for t in await ward.found("Task", runa) if t["status"] == "requested"]
        assert len(waiting) == left
    assert await ward.found("MedicationAdministration", runa) == []


async def test_what_somebody_left_on_a_phone_is_brought_by_the_next_without_being_read(
    ward: Ward, runa: str
) -> None:
    phone, found = await taken(ward, runa)
    item = phone.item("given", runa, dose(found, "Selo-Zok"))
    next_one = await ward.phone("home-care-nurse")
    (answer,) = await next_one.bring(item)
    assert answer == {"key": item["key"], "status": "stored", "again": False, "name": "", "why": ""}
    (kept,) = await ward.found("MedicationAdministration", runa)
    assert kept["performer"][0]["actor"]["display"] == phone.round["name"]


async def test_what_is_forged_or_nonsense_is_never_recorded_and_never_dropped(
    ward: Ward, runa: str
) -> None:
    phone, found = await taken(ward, runa)
    body, _, signature = phone.round["ticket"].partition(".")
    forged = unpadded(body).replace(b"practitioner", b"practitioneR")
    ticket = base64.urlsafe_b64encode(forged).decode().rstrip("=") + "." + signature
    good = dose(found, "Albyl-E")
    early = phone.item("given", runa, good, at=datetime.now(UTC) - timedelta(days=2))
    items = [
        phone.item("given", runa, good, ticket=ticket),
        {"key": str(uuid4()), "box": "AAAA"},
        {"key": str(uuid4()), "box": phone.item("given", runa, good)["box"]},
        early,
        phone.item("given", "somebody-else", good),
        phone.item("dance", runa, {}),
        phone.item("given", runa, {**good, "place": 7}),
        phone.item("given", runa, {"order": 5}),
        phone.item("measured", runa, {"values": {"pulse": "7000"}}),
    ]
    told = [a["status"] for a in await phone.bring(*items)]
    assert told == ["unreadable"] * 3 + ["refused"] * 6
    assert await ward.found("MedicationAdministration", runa) == []
    assert len(await ward.found("Task", runa)) == 5
    assert (await phone.post("/rounds/sync", {"items": [{"key": 5}]})).status_code == 400
    assert (await ward.browser().post("/rounds/sync", json={"items": []})).status_code == 403


async def test_only_those_who_are_signed_in_get_a_round_and_the_page_is_about_nobody(
    ward: Ward,
) -> None:
    browser = ward.browser()
    told = (await browser.get("/rounds/contact")).json()
    assert (told["state"], told["person"]) == ("none", "")
    page = await browser.get("/rounds/phone")
    assert page.status_code == 200
    assert "Ta med runden" in page.text
    worker = await browser.get("/rounds/worker.js")
    assert worker.headers["service-worker-allowed"] == "/rounds"
    assert worker.headers["content-type"].startswith("text/javascript")
    manifest = (await browser.get("/rounds/app.webmanifest")).json()
    for icon in manifest["icons"]:
        assert (await browser.get(icon["src"])).status_code == 200
    answer = await browser.post("/rounds/take", json={}, headers={"x-csrf-token": told["token"]})
    assert answer.status_code == 303
    inhabitant = await ward.phone("inhabitant")
    assert (await inhabitant.post("/rounds/take", {})).status_code == 404
