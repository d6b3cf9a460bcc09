"""Scanning at the bedside over a real record: the right is signed, the wrong is kept as a stop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from msgspec import structs

from helsevev.access.actor import SYSTEM, Actor
from helsevev.access.errors import Refused
from helsevev.access.scan_counts import DOSE, MEDICINE, PATIENT, RIGHT
from helsevev.access.services import Services, services_over
from helsevev.content import loading
from helsevev.fhir.reading import OSLO
from helsevev.kit import clock
from helsevev.medication import administration, administration_rules
from helsevev.medication.catalogue import demo
from helsevev.medication.catalogue.resources import medication
from helsevev.medication.scanning import judging, own_codes, stops
from helsevev.medication.scanning.bedside import Answer, Bedside, Scan
from helsevev.record.database import Database

PACKED = {product.name: (product, package) for product, package in demo.packed()}
BAND = own_codes.wristband("anne")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def services(database: Database) -> AsyncIterator[Services]:
    """The gate with the rules of medicines, and the catalogue that comes with the program."""
    found = services_over(
        database,
        {"MedicationAdministration": administration.check},
        beside={"MedicationAdministration": administration_rules.RULE},
    )
    await found.medicines.replace((demo.SOURCE, "1", "1"), demo.entries())
    yield found


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def people(anne_and_berit: None) -> None:
    """Anne is on the ward; Berit is treated elsewhere."""


async def _order(services: Services, name: str, **more: Any) -> dict[str, Any]:
    """An order of a product whose next dose is due in a quarter of an hour."""
    at = (clock.now() + timedelta(minutes=15)).replace(second=0, microsecond=0)
    order = {
        "resourceType": "MedicationRequest", "status": "active", "intent": "order",
        "medicationCodeableConcept": medication(PACKED[name][0])["code"],
        "subject": {"reference": "Patient/anne"},
        "dosageInstruction": [{
            "timing": {"event": [at.isoformat()]},
            "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablett"}}],
        }],
    } | more  # fmt: skip
    return (await services.writer.write(SYSTEM, order)).stored.resource


def _pack(name: str, days: int = 300) -> str:
    expires = clock.now().astimezone(OSLO).date() + timedelta(days=days)
    return f"]d2010{PACKED[name][1].barcodes[0]}17{expires:%y%m%d}10B7\x1d2199"


async def _scan(bedside: Bedside, code: str, **more: Any) -> Answer:
    return await bedside.scan(
        "anne", Scan(**{"code": code, "means": "camera", "wristband": BAND, **more})
    )  # fmt: skip


async def _stops(services: Services) -> list[dict[str, Any]]:
    found = await services.searcher.match(SYSTEM, "DetectedIssue", "patient=Patient/anne", 100)
    return [each.resource for each in found]


async def _counted(services: Services, nurse: Actor) -> dict[tuple[str, str], int]:
    week = clock.now().astimezone(OSLO).date() - timedelta(days=7)
    found = await services.scan_counts.of_units(nurse.unit, week)
    sums: dict[tuple[str, str], int] = {}
    for each in found:
        key = each.what, each.outcome
        sums[key] = sums.get(key, 0) + each.times
    return sums


async def test_a_right_scan_is_signed_with_what_was_scanned(
    services: Services, nurse: Actor
) -> None:
    await _order(services, "Paracet tab 500 mg")
    bedside = Bedside(services, nurse)
    assert (await _scan(bedside, BAND)).verdict.kind == judging.PATIENT
    answer = await _scan(bedside, _pack("Pinex tab 500 mg"))
    assert answer.verdict.kind == judging.DOSE
    scan = answer.scan
    signed = (await bedside.sign("anne", scan, answer.verdict.rows[0].key)).signed
    assert signed is not None
    assert signed.problem == ""
    found = await services.searcher.match(
        SYSTEM, "MedicationAdministration", "patient=Patient/anne", 50
    )
    dose = next(each.resource for each in found if each.resource["status"] == "completed")
    told = {each["url"]: each for each in dose["extension"][0]["extension"]}
    assert dose["extension"][0]["url"] == administration.SCANNED
    assert told["medicine"]["valueCoding"]["display"] == "Pinex tab 500 mg"
    assert told["batch"]["valueString"] == "B7"
    again = await _scan(bedside, _pack("Pinex tab 500 mg"))
    assert again.verdict.kind == judging.SIGNED


async def test_a_stop_is_kept_and_finding_the_right_one_is_what_came_after_it(
    services: Services, nurse: Actor
) -> None:
    order = await _order(services, "Selo-Zok depottab 50 mg")
    bedside, before = Bedside(services, nurse), await _counted(services, nurse)
    wrong = await _scan(bedside, _pack("Selo-Zok depottab 100 mg"))
    assert wrong.verdict.kind == "wrong-strength"
    kept = next(each for each in await _stops(services) if each["id"] == wrong.stop)
    assert kept["implicated"] == [{"reference": f"MedicationRequest/{order['id']}"}]
    assert kept["author"]["reference"] == nurse.id
    assert not stops.is_acted_on(kept)
    right = await _scan(bedside, _pack("Selo-Zok depottab 50 mg"))
    await bedside.sign("anne", right.scan, right.verdict.rows[0].key)
    kept = next(each for each in await _stops(services) if each["id"] == wrong.stop)
    assert stops.is_acted_on(kept)
    after = await _counted(services, nurse)
    for key in ((MEDICINE, "wrong-strength"), (MEDICINE, RIGHT), (DOSE, RIGHT)):
        assert after[key] == before.get(key, 0) + 1, key


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (own_codes.wristband("berit"), judging.WRONG_PATIENT),
        ("9526064055028", judging.UNKNOWN),
        ("9526064055029", judging.UNREADABLE),
        (own_codes.prepared("another/20261122T0800Z", clock.now() + timedelta(hours=1)),
         judging.WRONG_PATIENT),
    ],
)  # fmt: skip
async def test_what_is_not_this_patients_or_not_known_signs_nothing(
    services: Services, nurse: Actor, code: str, kind: str
) -> None:
    bedside, before = Bedside(services, nurse), await _counted(services, nurse)
    answer = await _scan(bedside, code)
    assert (answer.verdict.kind, answer.signed) == (kind, None)
    assert bool(answer.stop) == (kind == judging.WRONG_PATIENT)
    after = await _counted(services, nurse)
    assert sum(after.values()) == sum(before.values()) + 1
    of_patient = (PATIENT, judging.WRONG_PATIENT)
    assert after.get(of_patient, 0) - before.get(of_patient, 0) == bool(answer.stop)
    assert "berit" not in str(await _stops(services))


async def test_a_medicine_is_compared_only_when_it_is_known_whose_bedside_it_is(
    services: Services, nurse: Actor
) -> None:
    await _order(services, "Diural tab 40 mg")
    bedside = Bedside(services, nurse)
    code = _pack("Diural tab 40 mg")
    for band in ("", own_codes.wristband("berit"), "HVPAAAA"):
        assert (await _scan(bedside, code, wristband=band)).verdict.kind == judging.NO_PATIENT
    without = await _scan(bedside, code, wristband="", without="no-wristband")
    assert without.verdict.kind == judging.DOSE
    signed = await bedside.sign("anne", without.scan, without.verdict.rows[0].key)
    assert signed.signed is not None
    assert (await _counted(services, nurse))[DOSE, "no-wristband"] == 1


async def test_an_expired_package_a_stopped_order_and_one_stopped_meanwhile_are_stops(
    services: Services, nurse: Actor
) -> None:
    order = await _order(services, "Prednisolon tab 5 mg")
    bedside = Bedside(services, nurse)
    expired = await _scan(bedside, _pack("Prednisolon tab 5 mg", -1))
    assert expired.verdict.kind == judging.EXPIRED
    right = await _scan(bedside, _pack("Prednisolon tab 5 mg"))
    key = right.verdict.rows[0].key
    version = int(order["meta"]["versionId"])
    await services.writer.write(SYSTEM, {**order, "status": "stopped"}, if_match=version)
    late = await bedside.sign("anne", right.scan, key)
    assert late.verdict.kind == judging.STOPPED
    assert (late.signed, bool(late.stop)) == (None, True)


async def test_who_has_no_business_there_scans_nothing_and_leaves_no_count(
    services: Services, nurse: Actor, stranger: Actor
) -> None:
    before = await _counted(services, nurse)
    with pytest.raises(Refused):
        await Bedside(services, stranger).scan("anne", Scan(code=BAND, means="camera"))
    assert await _counted(services, nurse) == before


async def test_a_label_that_was_printed_is_scanned_and_signs_the_dose_it_was_made_for(
    services: Services, nurse: Actor
) -> None:
    await _order(services, "Atacand tab 8 mg")
    bedside = Bedside(services, nurse)
    row = (await _scan(bedside, _pack("Atacand tab 8 mg"))).verdict.rows[0]
    label = own_codes.prepared(row.key, clock.now() + timedelta(hours=1))
    answer = await _scan(bedside, label, means="scanner")
    assert answer.verdict.kind == judging.DOSE
    signed = await bedside.sign("anne", answer.scan, row.key)
    assert signed.signed is not None
    assert signed.signed.problem == ""
    assert (await _scan(bedside, label)).verdict.kind == judging.SIGNED


async def test_an_as_needed_dose_is_scanned_and_given_for_a_reason_once(
    services: Services, nurse: Actor
) -> None:
    needed = {
        "asNeededBoolean": True,
        "timing": {"repeat": {"frequency": 1, "period": 4, "periodUnit": "h"}},
        "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablett"}}],
    }
    await _order(services, "Afipran tab 10 mg", dosageInstruction=[needed])
    bedside = Bedside(services, nurse)
    answer = await _scan(bedside, _pack("Afipran tab 10 mg"))
    assert answer.verdict.kind == judging.AS_NEEDED
    pressed = (("", "p1", True), ("kvalme", "p2", False), ("mer", "p3", True))
    for reason, key, problem in pressed:
        given = await bedside.sign_needed("anne", answer.scan, reason, key)
        assert given.signed is not None
        assert bool(given.signed.problem) == problem, reason


async def test_where_the_unit_says_so_a_sure_scan_signs_by_itself_and_an_unsure_one_does_not(
    services: Services, nurse: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = structs.replace(loading.scanning(), at_once=nurse.unit)
    monkeypatch.setattr(loading, "scanning", lambda: content)
    await _order(services, "Lipitor tab 40 mg")
    bedside = Bedside(services, nurse)
    unsure = await _scan(bedside, _pack("Lipitor tab 20 mg"))
    assert (unsure.verdict.kind, unsure.signed) == (judging.DOSE, None)
    sure = await _scan(bedside, _pack("Lipitor tab 40 mg"))
    assert sure.signed is not None
    assert sure.signed.problem == ""
