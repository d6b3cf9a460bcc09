"""Unusual reads come onto the privacy officer's list, once, with why; and nobody else sees it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.audit import asking
from helsevev.access.audit.findings import Finding, Findings
from helsevev.access.audit.watching import Watcher
from helsevev.access.errors import Invalid, NotFound, Refused
from helsevev.access.services import Services
from helsevev.access.slices import Slice
from helsevev.record import keys
from helsevev.record.database import Database

NUMBER = {"system": "urn:oid:2.16.578.1.12.4.1.4.1", "value": "13097248022"}
OFFICER = Actor(
    "practitioner", "Practitioner/officer", "Ombud, Olga", "privacy-officer", "Personvernombud",
    "Organization/hospital", "Hospital", "Hospital", ("Organization/hospital",),
)  # fmt: skip


def address(number: int) -> list[dict[str, Any]]:
    return [{"line": [f"Fjellvegen {number}"], "postalCode": "7030", "city": "Trondheim"}]


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def people(services: Services, patient: Any, stay: Any) -> None:
    """Ivar lives with the nurse, Jon near her, Kaja is known to all, Lea is a colleague."""
    named = [{"family": "Fjellnes", "given": ["Ivar"]}]
    made = [
        patient("ivar", name=named, address=address(4)), patient("jon", address=address(8)),
        patient("kaja", meta={"security": [{"code": "CEL"}]}), patient("mats"),
        patient("lea", identifier=[NUMBER]),
        {"resourceType": "Practitioner", "id": "lea-at-work",
         "identifier": [NUMBER]},
        {"resourceType": "Practitioner", "id": "nurse", "address": address(4),
         "name": [{"family": "Fjellnes", "given": ["Nora"]}]},
        *(stay(each) for each in ("ivar", "jon", "kaja", "lea", "mats")),
    ]  # fmt: skip
    for resource in made:
        await services.writer.write(SYSTEM, resource)


async def found(services: Services, **asked: str) -> list[Finding]:
    await Watcher(services.gate.store).look()
    return await Findings(services.gate).listed(OFFICER, **asked)


async def test_reads_are_found_by_every_rule_that_they_fit(
    services: Services, nurse: Actor
) -> None:
    for each in ("ivar", "jon", "kaja", "lea", "mats"):
        permit = await services.gate.open_chart(nurse, each)
        await services.gate.open_slices(permit, [Slice("Observation", 5)])
    listed = await found(services)
    rules = {(f.rule, f.patient) for f in listed}
    assert rules == {
        ("same-surname", keys.patient_key("ivar")), ("same-address", keys.patient_key("ivar")),
        ("neighbour", keys.patient_key("jon")), ("well-known", keys.patient_key("kaja")),
        ("colleague", keys.patient_key("lea")),
    }  # fmt: skip
    assert all(f.state == "new" and f.explanation and f.actor_name == nurse.name for f in listed)


async def test_reads_are_counted_together_and_looked_at_once(
    services: Services, nurse: Actor
) -> None:
    before = {(f.rule, f.patient): f.reads for f in await found(services)}
    assert {(f.rule, f.patient): f.reads for f in await found(services)} == before
    await services.gate.open_chart(nurse, "kaja")
    after = {(f.rule, f.patient): f.reads for f in await found(services)}
    known = ("well-known", keys.patient_key("kaja"))
    assert after == before | {known: before[known] + 1}


async def test_an_emergency_is_on_the_list_with_its_reason(
    services: Services, stranger: Actor
) -> None:
    await services.gate.break_glass(stranger, "mats", "BLAALYS", "Falt om på gata, bevisstløs")
    (finding,) = await found(services, rule="emergency")
    assert finding.why["reason"].endswith("Falt om på gata, bevisstløs")
    assert finding.person == "Mats Berg"


async def test_an_emergency_that_no_treatment_followed_is_found_later(
    services: Services, stranger: Actor, later: Any
) -> None:
    assert await found(services, rule="no-relation-afterwards") == []
    later(days=15)
    (finding,) = await found(services, rule="no-relation-afterwards")
    assert finding.patient == keys.patient_key("mats")


async def test_far_more_records_than_usual_is_found_once_a_day(
    services: Services, database: Database, nurse: Actor, patient: Any, stay: Any
) -> None:
    busy = replace(nurse, id="Practitioner/busy", name="Busy, Bo")
    await database.execute(
        "INSERT INTO audit_day (actor, day, records, hours) SELECT 'Practitioner/busy',"
        " current_date - n, 9, 16777215 FROM generate_series(1, 20) AS n"
    )
    for n in range(35):
        await services.writer.write(SYSTEM, patient(f"many-{n}"))
        await services.writer.write(SYSTEM, stay(f"many-{n}"))
        await services.gate.open_chart(busy, f"many-{n}")
    (finding,) = await found(services, rule="volume")
    assert (finding.patient, finding.why["records"]) == (0, 35)
    assert finding.why["usual"] == 9


async def test_a_finding_gets_an_owner_a_state_and_words(services: Services) -> None:
    findings = Findings(services.gate)
    finding = (await found(services, rule="neighbour"))[0]
    place = finding.patient, finding.id
    with pytest.raises(Invalid):
        await findings.judge(OFFICER, *place, "explained", "")
    with pytest.raises(Invalid):
        await findings.judge(OFFICER, *place, "forgotten", "Long enough")
    with pytest.raises(NotFound):
        await findings.judge(OFFICER, 5, 5, "asked", "")
    await findings.judge(OFFICER, *place, "explained", "Hun er primærkontakt")
    (settled,) = await found(services, rule="neighbour")
    assert (settled.state, settled.owner_name) == ("explained", OFFICER.name)
    rate = next(r for r in await findings.rates(OFFICER) if r.title == "Nabo")
    assert (rate.found, rate.false) == (1, 1.0)


async def test_the_list_is_for_the_privacy_officer_alone(
    services: Services, database: Database, nurse: Actor
) -> None:
    refused = "SELECT count(*) FROM audit_event WHERE interaction = 'follow-up' AND outcome = 8"
    before = await database.fetchval(refused)
    for asked in (
        Findings(services.gate).listed(nurse), Findings(services.gate).rates(nurse),
        Findings(services.gate).judge(nurse, 1, 1, "asked", ""),
        Findings(services.gate).touches(nurse, 1),
    ):  # fmt: skip
        with pytest.raises(Refused):
            await asked
    assert await database.fetchval(refused) == before + 4


async def test_an_inhabitant_asks_about_a_reading(services: Services, nurse: Actor) -> None:
    kaja = replace(nurse, kind="inhabitant", id="Patient/kaja", patient="Patient/kaja")
    permit = await services.gate.open_chart(kaja, "kaja")
    seen = await services.gate.who_has_read(permit)
    number = next(touch.fhir_id for touch in seen if touch.actor == nurse.id)
    task = await asking.ask(services.writer, permit, number, "Hvorfor leste hun om meg?")
    stored = await services.gate.store.read("Task", task.partition("/")[2])
    assert stored is not None
    assert stored.resource["focus"] == {"reference": f"AuditEvent/{number}"}
    (question,) = await found(services, rule=asking.RULE)
    assert question.why["words"] == "Hvorfor leste hun om meg?"
    other = await services.gate.open_chart(nurse, "jon")
    with pytest.raises(Refused):
        await asking.ask(services.writer, other, number, "Not mine to ask")
    with pytest.raises(NotFound):
        await asking.ask(services.writer, permit, "0" * 16 + "-" + "1" * 16, "No such reading")
    with pytest.raises(Invalid):
        await asking.ask(services.writer, permit, number, " ")
