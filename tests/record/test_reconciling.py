"""Reconciling on the real record: signed at once, repeated once, told, and never silently blank."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.entries import kept, transaction
from helsevev.access.errors import PreconditionFailed, Unprocessable
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.kit import clock
from helsevev.medication.order_checks import Unanswered
from helsevev.medication.order_entry import today
from helsevev.medication.prescription import NotPrescribable, Prescriber
from helsevev.medication.reconciliation.deciding import LEAVE, Decision, Signing
from helsevev.medication.reconciliation.form import decisions
from helsevev.medication.reconciliation.handover import acknowledge
from helsevev.medication.reconciliation.letter import compose, document, fingerprint, hash_of
from helsevev.medication.reconciliation.letter_keeping import grounds_of, home_lines, letters_of
from helsevev.medication.reconciliation.signing import sign
from helsevev.medication.reconciliation.table import Table, open_table

pytestmark = pytest.mark.asyncio(loop_scope="session")
HOME_CARE = {"reference": "Organization/home-care", "display": "Home care"}
_ATC = "http://www.whocc.no/atc"
_CATEGORY = "http://terminology.hl7.org/CodeSystem/medicationrequest-category"
DIURAL = ("Diural 40 mg", "C03CA01")
ATACAND = ("Atacand 8 mg", "C09CA06")
AMLODIPIN = ("Amlodipin 5 mg", "C08CA01")
PREDNISOLON = ("Prednisolon 20 mg", "H02AB06")


@pytest.fixture(scope="module")
def doctor(nurse: Actor) -> Actor:
    """A physician of the ward."""
    return replace(nurse, id="Practitioner/doctor", name="Dahl, Dina", profession="physician")


def dosage(tablets: int, *times: str) -> dict[str, Any]:
    return {
        "timing": {"repeat": {"frequency": len(times), "period": 1, "periodUnit": "d",
                              "timeOfDay": [f"{each}:00:00" for each in times]}},
        "route": {"text": "oral"},
        "doseAndRate": [{"doseQuantity": {"value": tablets, "unit": "tablett"}}],
    }  # fmt: skip


def medicine(named: tuple[str, str]) -> dict[str, Any]:
    name, atc = named
    return {"text": name, "coding": [{"system": _ATC, "code": atc},
                                     {"system": "urn:product", "code": name}]}  # fmt: skip


def at_home(patient: str, key: str, named: tuple[str, str], dose: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "MedicationStatement", "id": f"{patient}-{key}", "status": "active",
        "medicationCodeableConcept": medicine(named), "dosage": [dose],
        "subject": {"reference": f"Patient/{patient}"},
        "informationSource": {"reference": "Practitioner/gp"},
    }  # fmt: skip


def on_ward(patient: str, key: str, named: tuple[str, str], dose: dict[str, Any],
            **more: Any) -> dict[str, Any]:  # fmt: skip
    return {
        "resourceType": "MedicationRequest", "id": f"{patient}-{key}", "status": "active",
        "intent": "order", "medicationCodeableConcept": medicine(named),
        "category": [{"coding": [{"system": _CATEGORY, "code": "inpatient"}]}],
        "subject": {"reference": f"Patient/{patient}"}, "dosageInstruction": [dose],
        "encounter": {"reference": f"Encounter/stay-{patient}"},
    } | more  # fmt: skip


@pytest_asyncio.fixture(loop_scope="session")
async def admitted(services: Services, patient: Any, stay: Any) -> str:
    """Somebody who is about to go home: one medicine as before, one changed, stopped, started."""
    key = f"rec{uuid4().hex[:8]}"
    course = {
        "resourceType": "EpisodeOfCare", "id": f"{key}-course", "status": "active",
        "patient": {"reference": f"Patient/{key}"}, "managingOrganization": HOME_CARE,
        "period": {"start": "2020-01-01"},
    }  # fmt: skip
    stopped = {"status": "stopped", "statusReason": {"text": "Lavt blodtrykk"}}
    made = [
        patient(key), stay(key), course,
        at_home(key, "h1", ATACAND, dosage(1, "08")), at_home(key, "h2", DIURAL, dosage(1, "08")),
        at_home(key, "h3", AMLODIPIN, dosage(1, "08")),
        on_ward(key, "w1", ATACAND, dosage(1, "08")),
        on_ward(key, "w2", DIURAL, dosage(1, "08", "14")),
        on_ward(key, "w3", AMLODIPIN, dosage(1, "08"), **stopped),
        on_ward(key, "w4", PREDNISOLON, dosage(2, "08")),
    ]  # fmt: skip
    for resource in made:
        await services.writer.write(SYSTEM, resource)
    return key


def of(table: Table, name: str) -> Any:
    return next(row for row in table.rows if row.name.startswith(name))


def chosen(table: Table) -> dict[str, str]:
    """What a doctor presses: all unchanged go on, and one choice for each that is not."""
    return {
        "bulk": "1", f"verb:{of(table, 'Diural').key}": "change:ward",
        f"verb:{of(table, 'Amlodipin').key}": "stop",
        f"verb:{of(table, 'Prednisolon').key}": "start",
    }  # fmt: skip


def signing(table: Table) -> Signing:
    return Signing(
        table.at, table.patient_id, Prescriber(table.actor.id, table.actor.name), clock.now(),
        table.encounter, table.resources, table.products,
    )  # fmt: skip


async def signed(table: Table, key: str, form: dict[str, str] | None = None) -> None:
    decided, problems = decisions(table, form or chosen(table), today())
    assert problems == {}
    answers = AllAnswered()
    await sign(table, decided, signing(table), key, answers, table.receivers, ("", ""))


class AllAnswered(dict[str, str]):
    """An answer to every warning."""

    def get(self, key: str, default: Any = "") -> str:
        return "Vurdert"

    def __getitem__(self, key: str) -> str:
        return "Vurdert"


async def held(services: Services, table: Table, kind: str) -> dict[str, dict[str, Any]]:
    found = await services.gate.open_slices(table.permit, [Slice(kind, 200)])
    return {each["id"]: each for each in found[kind]}


async def test_a_discharge_writes_the_list_at_home_the_record_and_the_tasks_at_once(
    services: Services, doctor: Actor, admitted: str
) -> None:
    table = await open_table(services, doctor, admitted, "discharge")
    assert [(row.name.split()[0], row.state) for row in table.rows] == [
        ("Amlodipin", "stopped"), ("Atacand", "same"), ("Diural", "changed"),
        ("Prednisolon", "only"),
    ]  # fmt: skip
    await signed(table, str(uuid4()))
    home = await held(services, table, "MedicationStatement")
    assert home[f"{admitted}-h1"]["meta"]["versionId"] == "1"
    assert home[f"{admitted}-h2"]["dosage"][0]["timing"]["repeat"]["frequency"] == 2
    assert home[f"{admitted}-h3"]["status"] == "stopped"
    assert home[f"{admitted}-h3"]["statusReason"][0]["text"] == "Lavt blodtrykk"
    orders = await held(services, table, "MedicationRequest")
    assert {orders[f"{admitted}-w{n}"]["status"] for n in (1, 2, 4)} == {"completed"}
    (new,) = [each for key, each in orders.items() if not key.startswith(admitted)]
    assert new["category"][0]["coding"][0]["code"] == "community"
    assert new["medicationCodeableConcept"]["text"] == "Prednisolon 20 mg"
    after = await open_table(services, doctor, admitted, "discharge")
    (done,) = after.done
    assert [each.verb for each in done.became] == ["stop", "continue", "change", "start"]
    (told,) = after.handovers
    assert told.owner == "Organization/home-care"
    assert told.lines == tuple(each.words for each in done.changes)
    assert any("Diural 40 mg" in line and "2 ganger daglig" in line for line in told.lines)
    assert after.missing == ""


async def test_the_same_button_pressed_twice_writes_once(
    services: Services, doctor: Actor, admitted: str
) -> None:
    table = await open_table(services, doctor, admitted, "discharge")
    key = str(uuid4())
    await signed(table, key)
    with pytest.raises(Unprocessable):
        await signed(table, key)
    after = await open_table(services, doctor, admitted, "discharge")
    assert len(after.done) == len(after.handovers) == 1
    assert after.done[0].key == f"urn:uuid:{key}"


async def test_what_somebody_changed_meanwhile_is_not_signed_over(
    services: Services, doctor: Actor, admitted: str
) -> None:
    table = await open_table(services, doctor, admitted, "discharge")
    other = await open_table(services, doctor, admitted, "discharge")
    line = dict(table.resources[f"MedicationStatement/{admitted}-h2"])
    await services.writer.write(SYSTEM, {**line, "note": [{"text": "ringt"}]}, if_match=1)
    with pytest.raises(PreconditionFailed):
        await signed(other, str(uuid4()))
    after = await open_table(services, doctor, admitted, "discharge")
    assert after.seen != table.seen
    assert (after.done, after.handovers) == ((), ())
    assert (await held(services, table, "MedicationRequest"))[f"{admitted}-w2"][
        "status"
    ] == "active"


async def test_nothing_is_signed_that_nobody_decided_or_gave_a_reason_for(
    services: Services, doctor: Actor, admitted: str
) -> None:
    table = await open_table(services, doctor, admitted, "discharge")
    decided, problems = decisions(table, {"bulk": "1"}, today())
    assert [row.name.split()[0] for row, _decision in decided] == ["Atacand"]
    assert len(problems) == 3
    form = chosen(table) | {f"verb:{of(table, 'Diural').key}": "stop"}
    _decided, problems = decisions(table, form, today())
    assert problems == {of(table, "Diural").key: "Skriv hvorfor."}
    with pytest.raises(NotPrescribable):
        row = of(table, "Diural")
        await sign(table, [(row, Decision("stop"))], signing(table), str(uuid4()), {}, (), ("", ""))


async def test_what_it_starts_is_checked_against_the_list_that_will_hold(
    services: Services, doctor: Actor, admitted: str
) -> None:
    marevan = at_home(admitted, "h9", ("Marevan 2,5 mg", "B01AA03"), dosage(1, "20"))
    ibux = on_ward(admitted, "w9", ("Ibux 400 mg", "M01AE01"), dosage(1, "08", "14", "20"))
    for resource in (marevan, ibux):
        await services.writer.write(SYSTEM, resource)
    table = await open_table(services, doctor, admitted, "discharge")
    form = chosen(table) | {
        f"verb:{of(table, 'Marevan').key}": "continue", f"verb:{of(table, 'Ibux').key}": "start",
    }  # fmt: skip
    decided, problems = decisions(table, form, today())
    assert problems == {}
    with pytest.raises(Unanswered) as held_back:
        await sign(table, decided, signing(table), str(uuid4()), {}, table.receivers, ("", ""))
    told = " ".join(card.title + card.text for card in held_back.value.says.must_answer)
    assert "Marevan" in told
    assert (await open_table(services, doctor, admitted, "discharge")).done == ()
    await signed(table, str(uuid4()), form)
    orders = await held(services, table, "MedicationRequest")
    (new,) = [each for each in orders.values() if each["status"] == "active"
              and each["medicationCodeableConcept"]["text"] == "Ibux 400 mg"]  # fmt: skip
    assert any("Vurdert" in each.get("valueString", "") for each in new["extension"])


async def test_within_a_stay_the_ward_that_takes_over_is_told_and_nobody_else(
    services: Services, doctor: Actor, admitted: str
) -> None:
    table = await open_table(services, doctor, admitted, "transfer")
    assert table.receivers == ()
    coming = {
        "resourceType": "Encounter", "id": f"{admitted}-next", "status": "planned",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "subject": {"reference": f"Patient/{admitted}"},
        "serviceProvider": {"reference": "Organization/other-ward", "display": "Other ward"},
    }  # fmt: skip
    await services.writer.write(SYSTEM, coming)
    table = await open_table(services, doctor, admitted, "transfer")
    assert [each.reference for each in table.receivers] == ["Organization/other-ward"]


async def test_what_is_left_open_stays_visible_until_somebody_decides(
    services: Services, doctor: Actor, admitted: str
) -> None:
    table = await open_table(services, doctor, admitted, "discharge")
    form = chosen(table) | {f"verb:{of(table, 'Diural').key}": LEAVE}
    await signed(table, str(uuid4()), form)
    after = await open_table(services, doctor, admitted, "discharge")
    assert after.open_rows == 1
    (told,) = after.handovers
    assert any("ikke avgjort" in line for line in told.lines)
    assert told.due is not None
    assert told.sent is not None
    assert told.due.at - told.sent.at <= timedelta(hours=5)


async def test_a_nurse_says_what_goes_on_at_home_and_orders_nothing(
    services: Services, doctor: Actor, nurse: Actor, admitted: str
) -> None:
    leaving = await open_table(services, nurse, admitted, "discharge")
    assert not leaving.may_sign
    await signed(await open_table(services, doctor, admitted, "discharge"), str(uuid4()))
    table = await open_table(services, nurse, admitted, "home")
    assert table.may_sign
    _decided, problems = decisions(table, {f"verb:{table.rows[0].key}": "stop", "bulk": "1"},
                                   today())  # fmt: skip
    assert list(problems) == [table.rows[0].key]
    await signed(table, str(uuid4()), {"bulk": "1"})
    after = await open_table(services, nurse, admitted, "home")
    assert [each.at for each in after.done] == ["home", "discharge"]
    assert after.done[0].changes == ()


async def test_a_task_is_acknowledged_by_one_who_is_named_and_is_late_until_then(
    services: Services, doctor: Actor, nurse: Actor, admitted: str
) -> None:
    table = await open_table(services, doctor, admitted, "discharge")
    await signed(table, str(uuid4()))
    after = await open_table(services, doctor, admitted, "discharge")
    (told,) = after.handovers
    assert told.is_late(clock.now() + timedelta(hours=25))
    assert not told.is_late(clock.now() + timedelta(hours=23))
    home_nurse = replace(nurse, id="Practitioner/home", organisation="Organization/home-care",
                         organisations=("Organization/home-care",))  # fmt: skip
    made = acknowledge(after.tasks[told.id], Prescriber(home_nurse.id, "Hanne"), clock.now())
    await services.writer.write(home_nurse, made, if_match=int(told.version))
    (read,) = (await open_table(services, doctor, admitted, "discharge")).handovers
    assert (read.is_waiting, read.acknowledged) == (False, "Hanne")
    assert not read.is_late(clock.now() + timedelta(days=9))


async def test_a_letter_carries_the_hash_of_the_list_it_was_made_from(
    services: Services, doctor: Actor, admitted: str
) -> None:
    await signed(await open_table(services, doctor, admitted, "discharge"), str(uuid4()))
    table = await open_table(services, doctor, admitted)
    grounds = await grounds_of(table)
    assert all(section.lines or section.rows for section in (*grounds.before, *grounds.medicines))
    (listed, changes) = grounds.medicines
    assert [row[0] for row in listed.rows[1:]] == [
        "Atacand 8 mg", "Diural 40 mg", "Prednisolon 20 mg",
    ]  # fmt: skip
    assert len(changes.lines) == 3
    letter = compose(
        [*grounds.before, *grounds.medicines], patient_id=admitted,
        author=Prescriber(doctor.id, doctor.name), custodian=("", ""), at=clock.now(),
        encounter=grounds.encounter, key=str(uuid4()),
    )  # fmt: skip
    url = f"urn:uuid:{uuid4()}"
    page = document(letter, url, "<p>page</p>")
    await services.bundles.transact(doctor, transaction(map(kept, [{**letter, "id": url}, page])))
    assert base64.b64decode(page["content"][0]["attachment"]["data"]) == b"<p>page</p>"
    (read,) = await letters_of(table)
    assert (read.list_hash, read.is_changed) == (fingerprint(home_lines(table)), False)
    assert hash_of(letter) == read.list_hash
    line = dict(table.resources[f"MedicationStatement/{admitted}-h1"])
    await services.writer.write(SYSTEM, {**line, "status": "on-hold"}, if_match=1)
    (read,) = await letters_of(await open_table(services, doctor, admitted))
    assert read.is_changed
